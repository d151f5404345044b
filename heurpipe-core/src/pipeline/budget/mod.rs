//! A bound on what posts may cost: dear enrichers run where their answer is worth most, as far as the budget goes.

mod account;
mod controller;
mod estimate;
#[cfg(test)]
mod simulation;
mod window;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use self::controller::{Candidate, Controller};

/// How much CPU time posts may cost, on average.
///
/// Enrichers that cost little always run. Those that are dear are governed: each target has a score, and only targets above a threshold are
/// worked on. The threshold is raised and lowered while the pipeline runs, so that all enrichers together, the cheap ones included, cost what the budget
/// allows: it follows the scores and costs of the last posts, whatever was declared.
///
/// What is not used is kept for later posts, but no more than 2,000 posts are allowed: a quiet day does not buy a wild one. What lapses so is
/// reported. What was spent too much, because a cost was not known, is always saved again.
///
/// ```
/// use heurpipe_core::Budget;
///
/// let budget = Budget::cpu_ms_per_thousand(5_000.0).dear_from(2.0);
/// let same: Budget = serde_json::from_str(r#"{"cpu_ms_per_thousand": 5000.0, "dear_from": 2.0}"#)?;
/// assert_eq!(budget, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    cpu_ms_per_thousand: f64,
    #[serde(default = "dear_by_default")]
    dear_from: f64,
}

impl Budget {
    /// So many CPU-milliseconds for a thousand posts, over all enrichers. What is negative or not a number allows nothing.
    pub fn cpu_ms_per_thousand(cpu_ms: f64) -> Self {
        Self {
            cpu_ms_per_thousand: cpu_ms,
            dear_from: dear_by_default(),
        }
    }

    /// Governs the enrichers that are expected to cost at least so many CPU-milliseconds a target; 1 where nothing is said. What an enricher is
    /// expected to cost is first what it declares, then what it was measured to cost.
    pub fn dear_from(mut self, cpu_ms: f64) -> Self {
        self.dear_from = cpu_ms;
        self
    }

    fn per_post(&self) -> f64 {
        // `max` also turns what is not a number into nothing.
        self.cpu_ms_per_thousand.max(0.0) / 1000.0
    }

    fn governs(&self, cpu_ms: f64) -> bool {
        cpu_ms >= self.dear_from.max(0.0)
    }
}

fn dear_by_default() -> f64 {
    1.0
}

/// What a budget allowed, what was spent, and what was left out for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetReport {
    /// Posts that came in.
    pub posts: u64,
    /// CPU-milliseconds that these posts were allowed.
    pub allowed_cpu_ms: f64,
    /// Of these, what nobody wanted in time: see [`Budget`].
    pub lapsed_cpu_ms: f64,
    /// CPU-milliseconds that all enrichers together were measured to cost.
    pub spent_cpu_ms: f64,
    /// The budget.
    pub allowed_per_thousand: f64,
    /// CPU-milliseconds spent for a thousand posts.
    pub spent_per_thousand: f64,
    /// The score from which dear enrichers ran at last: 0 where nothing was left out, 1 where nothing could be afforded.
    pub threshold: f32,
    /// What was left out, by governed enricher.
    pub enrichers: BTreeMap<String, GovernedReport>,
}

/// What a governed enricher was let do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GovernedReport {
    /// Targets on which it ran.
    pub chosen: u64,
    /// Targets that were left out for the budget.
    pub skipped: u64,
    /// CPU-milliseconds that a target cost lately.
    pub cpu_ms_per_target: f64,
}
