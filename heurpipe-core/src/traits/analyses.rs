//! What enrichers found in pictures before, wherever the pictures came from.

use async_trait::async_trait;

use crate::Result;
use crate::model::{Digest, Finding};

/// Keeps findings by what they were made of, so that a picture that comes again costs nothing: a repost, another post with the same
/// picture, a record whose ledger was lost.
///
/// A key is the digest of an enricher's fingerprint and of its whole input, for pictures with their content digest; the same key therefore
/// always stands for the same findings. A cache may forget at any time: whatever it does not recall is analysed again.
#[async_trait]
pub trait AnalysisCache: Send + Sync {
    /// What is known under each key, in order.
    async fn recall(&self, keys: &[Digest]) -> Result<Vec<Option<Vec<Finding>>>>;

    /// Keeps findings; a known key changes nothing.
    async fn remember(&self, analyses: &[(Digest, Vec<Finding>)]) -> Result<()>;
}
