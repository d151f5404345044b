//! Documents: the system of record.

mod graves;
pub mod memory;
#[cfg(feature = "mongodb")]
pub mod mongodb;
mod near;
#[cfg(any(feature = "mongodb", feature = "sqlite"))]
mod phrase;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::sync::Arc;

use heurpipe_core::{
    AnalysisCache, Documents, Error, ErrorKind, Portable, PostId, Result, ReviewQueue,
};

use crate::Mode;
use crate::address;

#[cfg(feature = "mongodb")]
pub use self::mongodb::MongoDocuments;
pub use memory::MemoryDocuments;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteDocuments;

/// Records, the questions about them and what was found in pictures before, in one store, from which all of it can be taken to another.
pub trait DocumentStore: Documents + ReviewQueue + AnalysisCache + Portable {}

impl<T: Documents + ReviewQueue + AnalysisCache + Portable> DocumentStore for T {}

const SUPPORTED: &[&str] = &[
    #[cfg(feature = "sqlite")]
    "sqlite:PATH",
    #[cfg(feature = "mongodb")]
    "mongodb(+srv)://HOST[:PORT][/DATABASE]",
    "memory:",
];

/// Opens the document store of a URL: `sqlite:PATH`, `mongodb(+srv)://HOST[:PORT][/DATABASE]` for a database on a MongoDB server, or `memory:` for one that
/// begins empty and ends with the process.
///
/// # Errors
/// `Config` for a URL that no backend understands; `Conflict` when another process writes to an embedded store; `NotFound` when it is to be read and
/// is not there; `Corrupt` when it is something else; for a server also `Unauthenticated`, `PermissionDenied`, `Unavailable` and `Timeout`. A store that an earlier version wrote is brought up to date when it is opened for writing; for
/// reading it is refused with `Config`.
#[cfg_attr(
    not(any(feature = "sqlite", feature = "mongodb")),
    allow(unused_variables, reason = "only backends with a place use them")
)]
pub async fn open(url: &str, mode: Mode) -> Result<Arc<dyn DocumentStore>> {
    const OPERATION: &str = "documents.open";
    let (scheme, rest) = address::split(url, OPERATION, SUPPORTED)?;
    match scheme {
        "memory" => Ok(Arc::new(MemoryDocuments::new())),
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let path = address::path(rest, url, OPERATION)?;
            Ok(Arc::new(match mode {
                Mode::ReadWrite => SqliteDocuments::open(path).await?,
                Mode::ReadOnly => SqliteDocuments::open_read_only(path).await?,
            }))
        }
        #[cfg(feature = "mongodb")]
        "mongodb" | "mongodb+srv" => Ok(Arc::new(MongoDocuments::open(url, mode).await?)),
        _ => Err(address::unknown(url, OPERATION, SUPPORTED)),
    }
}

/// Opens the document store of a URL for reading, and sees to it that nobody writes to it as long as it is open, where it is an embedded one. To a server
/// others may write.
///
/// # Errors
/// `Conflict` naming the process that writes to it; else as for [`open`] with [`Mode::ReadOnly`].
pub async fn open_undisturbed(url: &str) -> Result<Arc<dyn DocumentStore>> {
    #[cfg(feature = "sqlite")]
    if let ("sqlite", rest) = address::split(url, "documents.open", SUPPORTED)? {
        let path = address::path(rest, url, "documents.open")?;
        return Ok(Arc::new(SqliteDocuments::open_undisturbed(path).await?));
    }
    open(url, Mode::ReadOnly).await
}

/// The error for another key of the erased where some are remembered.
fn erased_under_another_key() -> Error {
    Error::new(ErrorKind::Conflict, "documents.adopt_erasure_key")
        .message("the store remembers erased posts or authors under a key of its own")
        .retryable(heurpipe_core::Retry::NeedsOperator)
}

/// The error for a place between entries that this store did not give.
fn no_such_place(place: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, "documents.export")
        .message("the place to go on after is none of this store")
        .with("after", place)
}

/// The error for an entry of a kind that the store does not know.
fn unknown_entry() -> Error {
    Error::new(ErrorKind::Unsupported, "documents.import")
        .message("the store does not know what this kind of entry is")
}

/// The error for a commit of a post that was erased.
fn tombstoned(id: &PostId) -> Error {
    Error::new(ErrorKind::PermissionDenied, "documents.commit")
        .message("the post was erased and must not come back")
        .with("post", id)
}

/// The error for a commit on a revision that is not the stored one.
fn outdated(id: &PostId, given: u64, stored: u64) -> Error {
    Error::new(ErrorKind::Conflict, "documents.commit")
        .message("another writer changed the record in between")
        .with("post", id)
        .with("given", given)
        .with("stored", stored)
}
