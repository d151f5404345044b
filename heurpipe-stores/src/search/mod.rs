//! Search: finding posts, counting them by value, plotting them over time.

#[cfg(feature = "elasticsearch")]
pub mod elasticsearch;
pub mod memory;
#[cfg(feature = "tantivy")]
pub mod tantivy;

mod counts;
mod cursor;
mod nearest;
mod series;

use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{Error, ErrorKind, Result, SearchIndex};

use crate::Mode;
use crate::address;

#[cfg(feature = "elasticsearch")]
pub use self::elasticsearch::ElasticsearchIndex;
#[cfg(feature = "tantivy")]
pub use self::tantivy::TantivyIndex;
pub use memory::MemorySearch;

const SUPPORTED: &[&str] = &[
    #[cfg(feature = "tantivy")]
    "tantivy:PATH",
    #[cfg(feature = "elasticsearch")]
    "http(s)://HOST[:PORT][/NAME]",
    "memory:",
];

/// Opens the search index of a URL: `tantivy:PATH`, `http(s)://HOST[:PORT][/NAME]` for an Elasticsearch or OpenSearch server, or `memory:` for one that begins
/// empty and ends with the process.
///
/// # Errors
/// `Config` for a URL that no backend understands, and for an index that another version of the text analysis made: it must be [rebuilt](rebuild);
/// `NotFound` when the index is to be read and is not there; `Corrupt` when the folder, or an index of that name, holds something else.
#[cfg_attr(
    not(any(feature = "tantivy", feature = "elasticsearch")),
    allow(unused_variables, reason = "only backends with a place use them")
)]
pub async fn open(url: &str, mode: Mode) -> Result<Arc<dyn SearchIndex>> {
    const OPERATION: &str = "search.open";
    let (scheme, rest) = address::split(url, OPERATION, SUPPORTED)?;
    match scheme {
        "memory" => Ok(Arc::new(MemorySearch::new())),
        #[cfg(feature = "tantivy")]
        "tantivy" => {
            let path = address::path(rest, url, OPERATION)?;
            Ok(Arc::new(match mode {
                Mode::ReadWrite => TantivyIndex::open(path).await?,
                Mode::ReadOnly => TantivyIndex::open_read_only(path).await?,
            }))
        }
        #[cfg(feature = "elasticsearch")]
        "http" | "https" => Ok(Arc::new(ElasticsearchIndex::open(url, mode).await?)),
        _ => Err(address::unknown(url, OPERATION, SUPPORTED)),
    }
}

/// An index that is built in the place of the one in use, which serves until then. Where it is dropped before it is published, the one in use stays.
#[async_trait]
pub trait Rebuild: Send + Sync {
    /// The new index, empty at first. Also to be written to when it is published.
    fn index(&self) -> Arc<dyn SearchIndex>;

    /// Flushes the new index and makes it the one in use, at once: whoever has the index open finds the new one from then on. What the old one held goes.
    ///
    /// # Errors
    /// Those of the store. The one in use is then either of the two, whole.
    async fn publish(&self) -> Result<()>;
}

/// Begins to build the index of a URL anew, beside the one in use. Which version of this program made that does not matter.
///
/// # Errors
/// `Config` for a URL that no backend understands, and for an index in memory; `Corrupt` when the place holds something that is not an index of this program;
/// `Conflict` when somebody is writing to the index, where that can be known.
#[cfg_attr(
    not(feature = "tantivy"),
    allow(unused_variables, reason = "only a backend with a path uses the rest")
)]
pub async fn rebuild(url: &str) -> Result<Arc<dyn Rebuild>> {
    const OPERATION: &str = "search.rebuild";
    let (scheme, rest) = address::split(url, OPERATION, SUPPORTED)?;
    match scheme {
        #[cfg(feature = "tantivy")]
        "tantivy" => {
            let path = address::path(rest, url, OPERATION)?;
            Ok(Arc::new(TantivyIndex::rebuild(path).await?))
        }
        #[cfg(feature = "elasticsearch")]
        "http" | "https" => Ok(Arc::new(ElasticsearchIndex::rebuild(url).await?)),
        "memory" => Err(Error::new(ErrorKind::Config, OPERATION)
            .message("an index in memory begins empty and ends with the process: there is nothing to rebuild")),
        _ => Err(address::unknown(url, OPERATION, SUPPORTED)),
    }
}
