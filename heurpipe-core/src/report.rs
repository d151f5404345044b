//! What a run did.

use std::borrow::Cow;

use crate::BudgetReport;
use serde::{Deserialize, Serialize};

/// What became of one item that a source yielded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// At least one sink has it, durably.
    Delivered,
    /// No sink wants it, or it was known already.
    Filtered {
        /// Why: `duplicate`, `unchanged`, `archived`, `tombstoned`, `not relevant`.
        reason: Cow<'static, str>,
    },
    /// It waits for people.
    Held,
    /// The gate refused it.
    Rejected,
    /// It failed for good and lies among the dead letters.
    DeadLettered,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It is still going on, or was killed.
    Running,
    /// It waits for a store that does not answer; see [`RunReport::waiting`].
    Paused,
    /// Every source was read to its end.
    Done,
    /// Some partition ended early.
    Partial,
    /// It was stopped on request; the next run goes on where it was.
    Stopped,
    /// A store failed for good.
    Failed,
}

/// Items by outcome. `read` is the sum of the others once a run has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostCounts {
    /// Items that sources yielded.
    pub read: u64,
    /// See [`Outcome::Delivered`].
    pub delivered: u64,
    /// See [`Outcome::Filtered`].
    pub filtered: u64,
    /// See [`Outcome::Held`].
    pub held: u64,
    /// See [`Outcome::Rejected`].
    pub rejected: u64,
    /// See [`Outcome::DeadLettered`].
    pub dead_lettered: u64,
}

impl PostCounts {
    /// Counts one outcome.
    pub fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Delivered => self.delivered += 1,
            Outcome::Filtered { .. } => self.filtered += 1,
            Outcome::Held => self.held += 1,
            Outcome::Rejected => self.rejected += 1,
            Outcome::DeadLettered => self.dead_lettered += 1,
        }
    }

    /// Items that have an outcome.
    pub fn settled(&self) -> u64 {
        self.delivered + self.filtered + self.held + self.rejected + self.dead_lettered
    }
}

/// Media by what became of fetching them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaCounts {
    /// Fetched now.
    pub fetched: u64,
    /// Could not be had.
    pub failed: u64,
    /// Already there from an earlier fetch.
    pub reused: u64,
}

/// What one stage did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StageReport {
    /// The stage's name in the plan.
    pub name: String,
    /// Items that entered.
    #[serde(rename = "in")]
    pub entered: u64,
    /// Items that left.
    #[serde(rename = "out")]
    pub left: u64,
    /// Items for which there was nothing to do: the ledger has them, or a condition does not hold.
    pub skipped: u64,
    /// Items that failed for good.
    pub failed: u64,
    /// Of those that left, the ones whose answer was known from an earlier picture: the same, or one nearly the same where
    /// that is allowed.
    #[serde(default)]
    pub reused: u64,
    /// CPU time, in milliseconds.
    pub cpu_ms: f64,
    /// The share of the run's time in which the stage was at work, 0 to 1.
    pub busy: f64,
}

/// What a run did, as printed by `heurpipe run --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunReport {
    /// The run's id.
    pub run: String,
    /// The pipeline's name.
    pub use_case: String,
    /// How it ended.
    pub status: RunStatus,
    /// Posts by outcome.
    pub posts: PostCounts,
    /// Media by what became of fetching them.
    pub media: MediaCounts,
    /// Stages in order of the plan.
    pub stages: Vec<StageReport>,
    /// The stage that was busy longest.
    pub bottleneck: Option<String>,
    /// Wall time.
    pub seconds: f64,
    /// Posts read a second.
    pub posts_per_second: f64,
    /// What the run waits for at the moment, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
    /// What the budget allowed and what was skipped for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetReport>,
    /// Sources that ended early, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

impl RunReport {
    /// The report of a run that has just begun.
    pub fn begun(run: impl Into<String>, use_case: impl Into<String>) -> Self {
        Self {
            run: run.into(),
            use_case: use_case.into(),
            status: RunStatus::Running,
            posts: PostCounts::default(),
            media: MediaCounts::default(),
            stages: Vec::new(),
            bottleneck: None,
            seconds: 0.0,
            posts_per_second: 0.0,
            waiting: Vec::new(),
            budget: None,
            errors: Vec::new(),
        }
    }
}
