//! Moving from one store to another of the same role: from SQLite to a server, from a folder to a bucket.
//!
//! A copy goes on where it was stopped: what of it is there already is found out from the target. In the end both sides are read and compared, by
//! how many entries they have and by a [digest](Sum) of what these say. The source is only read.
//!
//! A search index is not copied: it holds nothing that documents and warehouse do not.

mod blobs;
mod documents;
mod sum;
#[cfg(feature = "warehouse")]
mod warehouse;

use heurpipe_core::{Error, ErrorKind, Retry};
use serde::Serialize;

pub use blobs::Blobs;
pub use documents::Documents;
pub use sum::Sum;
#[cfg(feature = "warehouse")]
pub use warehouse::Warehouse;

/// How far a copy has come, told from time to time.
pub type Watch = dyn Fn(&Progress) + Send + Sync;

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What it is at.
    pub doing: Doing,
    /// Of which part of the store.
    pub part: &'static str,
    /// How many entries of the part were dealt with in this run.
    pub entries: u64,
}

/// What a copy is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Reading here and storing there.
    Copying,
    /// Reading both sides and comparing them.
    Comparing,
}

/// What lies in a part of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Part {
    /// Its name.
    pub part: &'static str,
    /// How many entries it has, and what they say.
    #[serde(flatten)]
    pub sum: Sum,
}

/// What a copy did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Entries that this run took over. Less than there are where an earlier run had begun.
    pub copied: u64,
    /// What both sides have, part by part.
    pub parts: Vec<Part>,
}

/// The error for a target that holds something else than a part of this copy.
fn occupied(message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, "copy")
        .message(message)
        .retryable(Retry::NeedsOperator)
}

/// The error for sides that are not the same in the end.
fn different(part: &'static str, source: &Sum, target: &Sum) -> Error {
    Error::new(ErrorKind::Conflict, "copy.compare")
        .message(
            "the two sides are not the same: one of them was written to since the copy began; empty the target and copy again while nothing runs",
        )
        .retryable(Retry::NeedsOperator)
        .with("part", part)
        .with("source", source)
        .with("target", target)
}
