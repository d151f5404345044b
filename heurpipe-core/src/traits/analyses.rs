//! What enrichers found in pictures before, wherever the pictures came from.

use async_trait::async_trait;
use serde::Serialize;

use crate::Result;
use crate::model::{Digest, Finding, PictureHash};

/// Keeps findings by what they were made of, so that a picture that comes again costs nothing: a repost, another post with the same
/// picture, a record whose ledger was lost.
///
/// A key is the digest of an enricher's fingerprint and of its whole input, for pictures with their content digest; the same key therefore
/// always stands for the same findings. A cache may forget at any time: whatever it does not recall is analysed again.
///
/// Where a use case allows it ([`NearDuplicates`](crate::NearDuplicates)), findings are also asked for by what a picture looks like. A cache that
/// does not keep that knows of no picture like another.
#[async_trait]
pub trait AnalysisCache: Send + Sync {
    /// What is known under each key, in order.
    async fn recall(&self, keys: &[Digest]) -> Result<Vec<Option<Vec<Finding>>>>;

    /// Keeps findings; a known key changes nothing.
    async fn remember(&self, analyses: &[(Digest, Vec<Finding>)]) -> Result<()>;

    /// Of each likeness what was found in the picture nearest to it, in order: one of the same group whose hash differs in at most `within` bits, and
    /// whose findings are still known. Of several equally near, the one with the least digest.
    async fn recall_near(
        &self,
        likenesses: &[Likeness],
        within: u32,
    ) -> Result<Vec<Option<NearFindings>>> {
        let _ = within;
        Ok(vec![None; likenesses.len()])
    }

    /// Keeps what analysed pictures look like, for as long as the findings under their keys are known. A key whose findings are not, or that has
    /// a likeness, changes nothing.
    async fn remember_near(&self, analysed: &[Analysed]) -> Result<()> {
        let _ = analysed;
        Ok(())
    }

    /// Forgets what was found in these pictures, as far as it is known which findings are theirs, and gives how many went. Known are those whose
    /// likeness is kept: a key alone does not tell of which picture it was made.
    async fn forget(&self, pictures: &[Digest]) -> Result<u64> {
        let _ = pictures;
        Ok(0)
    }
}

/// What a picture looks like to an enricher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Likeness {
    /// Digest of all that the findings depend on beside the picture: only within a group may they stand for one another.
    pub group: Digest,
    /// What the picture looks like.
    pub hash: PictureHash,
}

/// A picture in which an enricher really looked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Analysed {
    /// Under what the findings are kept.
    pub key: Digest,
    /// The picture's content.
    pub picture: Digest,
    /// What it looks like.
    pub likeness: Likeness,
}

/// What was found in a picture that looks nearly like the one asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct NearFindings {
    /// That picture's content.
    pub picture: Digest,
    /// What was found in it.
    pub findings: Vec<Finding>,
}
