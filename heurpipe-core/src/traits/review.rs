//! What waits for people.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::gate::Question;
use crate::Result;
use crate::model::{Digest, PostId};

/// Keeps the questions that gates ask.
#[async_trait]
pub trait ReviewQueue: Send + Sync {
    /// Stores tasks; one with a known id changes nothing, so that judging twice asks once. Durable when it returns.
    async fn ask(&self, tasks: &[ReviewTask]) -> Result<()>;

    /// Open tasks, oldest first.
    async fn open(&self, use_case: Option<&str>, limit: usize) -> Result<Vec<ReviewTask>>;
}

/// A question to a person about one post.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReviewTask {
    /// Hash of use case, post, gate and fingerprints.
    pub id: Digest,
    /// Who asks.
    pub use_case: String,
    /// Which of its gates.
    pub gate: String,
    /// About which post.
    pub post: PostId,
    /// Why.
    pub reason: String,
    /// What.
    pub questions: Vec<Question>,
    /// Tasks of one group are shown together.
    pub group: Option<String>,
    /// When it was asked.
    pub asked_at: Timestamp,
}

impl ReviewTask {
    /// A task whose id depends on nothing but use case, gate, post and the analysis that led to it.
    pub fn new(
        use_case: &str,
        gate: &str,
        record: &crate::Record,
        reason: String,
        questions: Vec<Question>,
        group: Option<String>,
    ) -> Self {
        let post = record.id().to_string();
        let analysis = record.analysis();
        let parts = [use_case, gate, &post, analysis.as_str()];
        Self {
            id: Digest::of_parts(parts.map(str::as_bytes)),
            use_case: use_case.to_owned(),
            gate: gate.to_owned(),
            post: record.id().clone(),
            reason,
            questions,
            group,
            asked_at: Timestamp::now(),
        }
    }
}
