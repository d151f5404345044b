//! What decides whether a post may go on.

use std::sync::Arc;

use async_trait::async_trait;

use super::enricher::ItemResult;
use crate::Result;
use crate::model::{Record, Target};

/// Judges records before they reach the sinks.
///
/// `judge` is pure: the same records give the same verdicts. A gate samples by the hash of a post's id, never by a random generator, and
/// stores nothing: the executor stores the tasks of a hold, durably, before the post's receipt settles.
#[async_trait]
pub trait QualityGate: Send + Sync {
    /// Unique within a pipeline.
    fn name(&self) -> &str;

    /// What goes into the plan: one line.
    fn describe(&self) -> String;

    /// Attributes that must be there before it judges.
    fn needs(&self) -> &[String] {
        &[]
    }

    /// One verdict per record, in order.
    async fn judge(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<Verdict>>>;
}

/// What a gate says of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It goes on.
    Accept,
    /// It goes on without these attributes: no sink sees what models said of them.
    Withhold(Vec<String>),
    /// It ends here.
    Reject {
        /// Why.
        reason: String,
    },
    /// It waits for people.
    Hold {
        /// Why.
        reason: String,
        /// What to ask them.
        tasks: Vec<Question>,
        /// Records of one group are shown together.
        group: Option<String>,
    },
}

/// What a gate wants a person to decide.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Question {
    /// About which attribute.
    pub attribute: String,
    /// Of which target.
    pub target: Target,
    /// What the models suggest, best first, with their confidence.
    pub suggestions: Vec<(String, Option<f32>)>,
}
