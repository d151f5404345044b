//! The parts of a pipeline with where in it they stand: under which condition, with which options.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::condition::Condition;
use crate::{
    Digest, Enricher, EnricherSpec, Fingerprint, QualityGate, Record, RetryPolicy, Sink, SkipReason,
};

/// How a stage is called. What is not set follows [`RunOptions`](crate::RunOptions).
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct StageOptions {
    /// Calls at a time, over the whole run; none: as many as there are batches under way, which for gates and sinks is one.
    pub concurrency: Option<usize>,
    /// Items a call.
    pub batch: BatchSize,
    /// After so long a call is given up and counts as failed for a while.
    pub timeout: Option<Duration>,
    /// How often and when a call that failed for a while is made again.
    pub retry: Option<RetryPolicy>,
}

impl StageOptions {
    /// So many calls at a time.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = Some(calls.max(1));
        self
    }

    /// So many items a call.
    pub fn batch(mut self, size: BatchSize) -> Self {
        self.batch = size;
        self
    }

    /// Gives up a call after so long.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Tries again thus.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }
}

/// How many items a stage is given in one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BatchSize {
    /// All that a batch of posts has for it.
    #[default]
    Whole,
    /// At most so many.
    AtMost(usize),
    /// As many as go fastest, found out while running: sizes are doubled or halved towards the least time an item.
    Adaptive {
        /// Never fewer, unless there are no more.
        least: usize,
        /// Never more.
        most: usize,
    },
}

/// An enricher at its place.
pub(crate) struct EnricherStage {
    pub(crate) enricher: Arc<dyn Enricher>,
    pub(crate) condition: Condition,
    pub(crate) options: StageOptions,
    skipped: Fingerprint,
}

impl EnricherStage {
    /// Under a branch's condition and the enricher's own.
    pub(crate) fn new(
        enricher: Arc<dyn Enricher>,
        branch: &Condition,
        options: StageOptions,
    ) -> Self {
        let mut condition = branch.clone();
        if let Some(filter) = &enricher.spec().when {
            condition = condition.and(filter.clone());
        }
        if let Some(share) = enricher.spec().sample {
            let chosen = move |record: &Record| {
                let id = record.id().to_string();
                let place = Digest::of_parts([b"sample".as_slice(), id.as_bytes()]);
                place.unit_interval() < share
            };
            let name = format!("sample of {share}");
            condition = condition.and_test(&name, chosen.into(), true, &BTreeSet::new());
        }
        let spec = enricher.spec();
        // A line that says "skipped" depends on the condition: with another condition it is not settled.
        let skipped = match condition.is_always() {
            true => spec.fingerprint.clone(),
            false => Fingerprint::of([spec.fingerprint.as_str(), &condition.to_string()]),
        };
        Self {
            enricher,
            condition,
            options,
            skipped,
        }
    }

    pub(crate) fn spec(&self) -> &EnricherSpec {
        self.enricher.spec()
    }

    /// The fingerprint under which the ledger says that it was skipped for this reason.
    pub(crate) fn fingerprint_of_skip(&self, reason: SkipReason) -> &Fingerprint {
        match reason {
            SkipReason::Condition => &self.skipped,
            SkipReason::Budget | SkipReason::MediaGone => &self.spec().fingerprint,
        }
    }

    /// The attributes that its work depends on: its needs and what its condition looks at.
    pub(crate) fn dependencies(&self) -> BTreeSet<String> {
        let mut attributes = self.condition.attributes();
        attributes.extend(self.spec().needs.iter().cloned());
        attributes
    }
}

/// A gate at its place.
pub(crate) struct GateStage {
    pub(crate) gate: Arc<dyn QualityGate>,
    pub(crate) condition: Condition,
    pub(crate) options: StageOptions,
}

/// A sink at its place.
pub(crate) struct SinkStage {
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) condition: Condition,
    pub(crate) options: StageOptions,
    /// A side output: takes what comes by and has no say in what becomes of it.
    pub(crate) tee: bool,
}

impl SinkStage {
    pub(crate) fn name(&self) -> &str {
        &self.sink.spec().name
    }
}
