//! Search: finding posts, counting them by value, plotting them over time.

#[cfg(feature = "elasticsearch")]
pub mod elasticsearch;
pub mod memory;
#[cfg(feature = "tantivy")]
pub mod tantivy;

mod counts;
mod cursor;
mod series;

use std::sync::Arc;

use heurpipe_core::{Result, SearchIndex};

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
/// `Config` for a URL that no backend understands, and for an index that another version of the text analysis made: it must be rebuilt;
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
