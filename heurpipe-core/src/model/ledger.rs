//! What was done to which input, so that it is not done again.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::annotation::{Annotation, By, Target};
use super::id::{Digest, Fingerprint, InputDigest};

/// Why an enricher was not run on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Its condition does not hold; settles the matter until the input changes.
    Condition,
    /// The budget did not allow it; to be made up for when it does.
    Budget,
    /// The picture is gone.
    MediaGone,
}

/// What came of running an enricher on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerOutcome {
    /// It ran; its findings are among the annotations.
    Done,
    /// It was not run.
    Skipped(SkipReason),
    /// It failed for good, with the outermost error.
    Failed(String),
}

impl LedgerOutcome {
    /// Whether the enricher need not run again on the same input.
    pub fn satisfied(&self) -> bool {
        match self {
            Self::Done | Self::Skipped(SkipReason::Condition | SkipReason::MediaGone) => true,
            Self::Skipped(SkipReason::Budget) | Self::Failed(_) => false,
        }
    }
}

/// One line of a record's ledger: an enricher, a target, the input it saw and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// The enricher's name.
    pub enricher: Arc<str>,
    /// The fingerprint it ran with.
    pub fingerprint: Fingerprint,
    /// The target.
    pub target: Target,
    /// Digest of all that the enricher could see of the target.
    pub input: InputDigest,
    /// What came of it.
    pub outcome: LedgerOutcome,
    /// CPU time it cost, in milliseconds.
    pub cpu_ms: f64,
    /// When.
    pub at: Timestamp,
    /// The content of the picture in which the findings were made, where that is another one that looks nearly the same; see
    /// [`NearDuplicates`](crate::NearDuplicates).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Digest>,
}

impl LedgerEntry {
    /// A line for an enricher that ended with `outcome`.
    pub fn new(
        enricher: impl Into<Arc<str>>,
        fingerprint: Fingerprint,
        target: Target,
        input: InputDigest,
        outcome: LedgerOutcome,
        at: Timestamp,
    ) -> Self {
        Self {
            enricher: enricher.into(),
            fingerprint,
            target,
            input,
            outcome,
            cpu_ms: 0.0,
            at,
            origin: None,
        }
    }

    /// Says what it cost.
    pub fn cost(mut self, cpu_ms: f64) -> Self {
        self.cpu_ms = cpu_ms;
        self
    }

    /// Says in which other picture it was found.
    pub fn found_in(mut self, picture: Option<Digest>) -> Self {
        self.origin = picture;
        self
    }

    /// Whether the annotation is one that this enricher made on this target: of a picture, also on parts of it.
    pub fn covers(&self, annotation: &Annotation) -> bool {
        let By::Producer(producer) = &annotation.by else {
            return false;
        };
        let on_target = match (&self.target, &annotation.target) {
            (Target::Media(picture), Target::Region { media, .. }) => picture == media,
            (target, other) => target == other,
        };
        *producer.name == *self.enricher && on_target
    }

    /// Whether both lines speak of one enricher and one target: the later replaces the earlier.
    pub fn replaces(&self, other: &Self) -> bool {
        self.enricher == other.enricher && self.target == other.target
    }
}
