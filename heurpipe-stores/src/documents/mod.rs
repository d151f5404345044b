//! Documents: the system of record.

#[cfg(any(feature = "mongodb", feature = "sqlite"))]
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

use heurpipe_core::{AnalysisCache, Documents, Error, ErrorKind, PostId, Result, ReviewQueue};

use crate::Mode;
use crate::address;

#[cfg(feature = "mongodb")]
pub use self::mongodb::MongoDocuments;
pub use memory::MemoryDocuments;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteDocuments;

/// Records, the questions about them and what was found in pictures before, in one store.
pub trait DocumentStore: Documents + ReviewQueue + AnalysisCache {}

impl<T: Documents + ReviewQueue + AnalysisCache> DocumentStore for T {}

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
