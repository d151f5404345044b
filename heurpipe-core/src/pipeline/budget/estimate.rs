//! What an enricher is expected to cost, and what it was let do.

use super::GovernedReport;

/// What an enricher declares weighs as much as the measurement of so many targets.
const DECLARED_WEIGHT: f64 = 4.0;
/// Measurements older than about so many targets are forgotten.
const MEMORY: f64 = 256.0;

/// The running estimate for one enricher.
#[derive(Debug)]
pub(super) struct Estimate {
    pub(super) name: String,
    cpu_ms_per_target: f64,
    weight: f64,
    /// Whether it was dear when it was last asked about.
    pub(super) governed: bool,
    /// Targets promised to it whose cost has not been told.
    pub(super) promised: usize,
    pub(super) chosen: u64,
    pub(super) skipped: u64,
}

impl Estimate {
    pub(super) fn declared(name: &str, cpu_ms: f64) -> Self {
        Self {
            name: name.to_owned(),
            cpu_ms_per_target: cpu_ms.max(0.0),
            weight: DECLARED_WEIGHT,
            governed: false,
            promised: 0,
            chosen: 0,
            skipped: 0,
        }
    }

    /// CPU-milliseconds that the next target is expected to cost.
    pub(super) fn cpu_ms(&self) -> f64 {
        self.cpu_ms_per_target
    }

    /// A moving average over targets; what was promised for them is redeemed.
    pub(super) fn measured(&mut self, targets: usize, cpu_ms: f64) {
        self.promised = self.promised.saturating_sub(targets);
        if targets > 0 {
            let targets = targets as f64;
            let share = targets / (self.weight + targets);
            self.cpu_ms_per_target += share * (cpu_ms / targets - self.cpu_ms_per_target);
            self.weight = (self.weight + targets).min(MEMORY);
        }
    }

    /// What is promised to it and not yet spent, by what is known now.
    pub(super) fn reserved(&self) -> f64 {
        self.promised as f64 * self.cpu_ms_per_target
    }

    pub(super) fn report(&self) -> GovernedReport {
        GovernedReport {
            chosen: self.chosen,
            skipped: self.skipped,
            cpu_ms_per_target: self.cpu_ms_per_target,
        }
    }
}
