//! Taking all that documents keep from one store to another.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::analyses::Likeness;
use super::documents::{CheckpointKey, DeadLetter, RunRecord};
use super::review::ReviewTask;
use super::source::Checkpoint;
use crate::Result;
use crate::model::{Digest, Finding, PostId, Record};

/// Documents that can be moved: all that they keep is given out a page at a time, and taken in as it is.
///
/// What an implementer must uphold: what one store gives out and another takes in, that one gives out again as the same entries; taking in what is there
/// changes nothing, so that a page may be taken in twice; nothing is taken in of a post or an author that is refused.
#[async_trait]
pub trait Portable: Send + Sync {
    /// The key under which the erased are remembered. No two stores have the same, unless one was made from the other.
    async fn erasure_key(&self) -> Result<ErasureKey>;

    /// Remembers the erased under another store's key from now on. Durable when it returns.
    ///
    /// # Errors
    /// `Conflict` when somebody was erased here under another key: nobody could be recognised any more.
    async fn adopt_erasure_key(&self, key: &ErasureKey) -> Result<()>;

    /// Entries of a collection, each once, in an order of the store's own; at most `limit`, after the place that the page before gave. Of findings
    /// the oldest come first. Between two pages other entries may be stored: whether the next ones have them is not said.
    async fn export(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EntryPage>;

    /// Takes in entries; those that are there are left as they are. Durable when it returns, but for findings, which are so after anything else
    /// that is.
    ///
    /// # Errors
    /// Those of a store that cannot hold an entry: `TooLarge`, `InvalidInput`. Others of the same call may then be stored.
    async fn import(&self, entries: &[Entry]) -> Result<()>;
}

/// The key under which the erased are hashed. Whoever has it can find out whether somebody was erased.
#[derive(Clone, PartialEq, Eq)]
pub struct ErasureKey(Vec<u8>);

impl ErasureKey {
    /// The key that consists of these bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for ErasureKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErasureKey(…)")
    }
}

/// What documents keep, kind by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Collection {
    /// Hashes of posts and authors that must not come back.
    Erased,
    /// Records.
    Records,
    /// What is remembered of archived posts.
    Archived,
    /// Dead letters.
    DeadLetters,
    /// Questions to people.
    Tasks,
    /// What was found in pictures, and what those look like.
    Findings,
    /// How far sources have come.
    Checkpoints,
    /// Runs.
    Runs,
    /// Small values of components.
    Memos,
}

impl Collection {
    /// All of them. Who was erased comes first, so that nothing of theirs is taken in; how far sources have come after what they brought.
    pub const ALL: [Self; 9] = [
        Self::Erased,
        Self::Records,
        Self::Archived,
        Self::DeadLetters,
        Self::Tasks,
        Self::Findings,
        Self::Checkpoints,
        Self::Runs,
        Self::Memos,
    ];

    /// Its name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::Records => "records",
            Self::Archived => "archived",
            Self::DeadLetters => "dead_letters",
            Self::Tasks => "tasks",
            Self::Findings => "findings",
            Self::Checkpoints => "checkpoints",
            Self::Runs => "runs",
            Self::Memos => "memos",
        }
    }
}

impl std::fmt::Display for Collection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that documents keep.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// The hash of a post or an author that must not come back.
    Erased(Digest),
    /// A record with its revision.
    Record(Box<Record>),
    /// A post that something else keeps now.
    Archived {
        /// Its own id.
        post: PostId,
        /// Its other ids, in order.
        aliases: Vec<PostId>,
        /// The revision that it had.
        revision: u64,
    },
    /// A dead letter.
    DeadLetter(Box<DeadLetter>),
    /// A question.
    Task(ReviewTask),
    /// What was found in a picture.
    Findings {
        /// Under what it is kept.
        key: Digest,
        /// What was found.
        findings: Vec<Finding>,
        /// The picture and what it looks like, where that is known.
        picture: Option<(Digest, Likeness)>,
    },
    /// How far a pipeline's partition has come.
    Checkpoint(CheckpointKey, Checkpoint),
    /// A run.
    Run(Box<RunRecord>),
    /// A component's value under a name.
    Memo {
        /// The name.
        name: String,
        /// The value.
        value: String,
    },
}

/// A page of entries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EntryPage {
    /// The entries, all of one collection.
    pub entries: Vec<Entry>,
    /// Go on after this place; none: that was all.
    pub next: Option<String>,
}
