//! The warehouse: history as rows, for SQL and for reading it back as records.
//!
//! The embedded backend keeps Parquet segments beside numbered manifests and is queried by DataFusion; see [`ParquetWarehouse`]. With the feature `bigquery` rows lie
//! in a table of BigQuery instead. Results are Arrow batches; [`output`] writes them as tables, CSV, NDJSON, Arrow or Parquet.

#[cfg(feature = "bigquery")]
mod bigquery;
mod bucket;
mod hot;
mod ids;
mod manifest;
mod manifests;
pub mod output;
mod prune;
mod query;
mod reading;
mod rewrite;
mod rows;
mod schema;
mod segment;
mod store;
mod sweep;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::stream::BoxStream;
use heurpipe_core::{Filter, PostId, Record, Result};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Mode, address};

#[cfg(feature = "bigquery")]
pub use bigquery::BigQueryWarehouse;
pub use hot::{DocumentRows, HotRows, NoHotRows};
pub use ids::IdRanges;
pub use manifest::{Manifest, Segment};
pub use rows::{records, rows};
pub use schema::{SCHEMA_VERSION, posts_schema};
pub use store::ParquetWarehouse;

/// Records of a scan, some at a time.
pub type RecordStream = BoxStream<'static, Result<Vec<Record>>>;

/// Keeps records as rows and answers SQL over them.
///
/// What an implementer must uphold:
/// - Writing is idempotent by post id and revision: a record whose revision, or a newer one, is there already is not written; an older one is
///   superseded. A post is one row, whatever was written before.
/// - What was appended or removed is durable when the call returns, and visible as a whole or not at all, wherever the process is killed.
/// - A reader sees one manifest from beginning to end.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// Stores records.
    ///
    /// # Errors
    /// `PermissionDenied` when opened for reading; `Corrupt` when what was written does not read back; `Conflict` when other writers commit
    /// all the time.
    async fn append(&self, records: Vec<Record>) -> Result<Appended>;

    /// Takes posts out of every later answer and gives how many were there. Their bytes stay in older segments.
    ///
    /// # Errors
    /// Those of [`append`](Self::append).
    async fn remove(&self, ids: &[PostId]) -> Result<u64>;

    /// The record of each post, in the order of the ids; none where the post is not there.
    ///
    /// # Errors
    /// `Corrupt`, naming the file, when a segment cannot be read.
    async fn get(&self, ids: &[PostId]) -> Result<Vec<Option<Record>>>;

    /// Takes posts out for good: when it returns, nothing that the warehouse keeps holds a byte of their rows. A call that was interrupted is
    /// completed by the next with the same ids. Whoever reads an earlier state meanwhile may be told that a file is missing, and begins again.
    ///
    /// # Errors
    /// Those of [`append`](Self::append).
    async fn erase(&self, ids: &[PostId]) -> Result<Purged>;

    /// Merges small segments of a day, leaves out rows that no longer count, and deletes files that nothing has needed for `grace`: those that
    /// an interrupted call left, and those of earlier states.
    ///
    /// # Errors
    /// Those of [`append`](Self::append).
    async fn compact(&self, grace: SignedDuration) -> Result<Compacted>;

    /// The records that match, as one manifest has them, in no particular order.
    ///
    /// # Errors
    /// `Corrupt`, naming the file, when a segment cannot be read.
    async fn scan(&self, filter: &Filter) -> Result<RecordStream>;

    /// Answers a query over the table `posts`: what the warehouse has (`tier` = `cold`) and the hot records (`tier` = `hot`). A post that
    /// is in both counts once, as hot. Only reading statements are allowed.
    ///
    /// # Errors
    /// `InvalidInput` for a query that cannot be understood, `PermissionDenied` for one that would change something.
    async fn sql(&self, query: &str, hot: &dyn HotRows) -> Result<SqlAnswer>;

    /// What there is.
    async fn coverage(&self) -> Result<Coverage>;
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Appended {
    /// The manifest that has it all; the one there was before when nothing was to be written.
    pub manifest: u64,
    /// Records written.
    pub written: u64,
    /// Older revisions that they replace.
    pub superseded: u64,
    /// Records not written: the same revision or a newer one was there.
    pub unchanged: u64,
}

/// What an erasure did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Purged {
    /// The manifest from which on nothing leads back to the posts.
    pub manifest: u64,
    /// Posts that were there.
    pub posts: u64,
    /// Rows taken out, those that no longer counted included.
    pub rows: u64,
    /// Segments written anew without them.
    pub rewritten: u64,
    /// Files deleted.
    pub deleted: u64,
}

/// What compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Compacted {
    /// The newest manifest.
    pub manifest: u64,
    /// Segments that were merged or written anew.
    pub merged: u64,
    /// Segments that took their place.
    pub written: u64,
    /// Files deleted.
    pub deleted: u64,
}

/// What a warehouse holds at one manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Coverage {
    /// The manifest's number; 0: nothing was ever stored.
    pub manifest: u64,
    /// Segments it lists.
    pub segments: u64,
    /// Posts.
    pub posts: u64,
    /// Posts that do not say when they were published.
    pub undated: u64,
    /// No post was published before this.
    pub from: Option<Timestamp>,
    /// No post was published after this.
    pub to: Option<Timestamp>,
    /// Size of the segments.
    pub bytes: u64,
}

/// The answer to a query.
#[non_exhaustive]
pub struct SqlAnswer {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: BoxStream<'static, Result<RecordBatch>>,
    /// What the cold tier held.
    pub cold: Coverage,
    /// How many hot records took part.
    pub hot: u64,
}

const SUPPORTED: &[&str] = &[
    "file:PATH",
    #[cfg(feature = "gcs")]
    "gs://BUCKET[/FOLDER]",
    #[cfg(feature = "s3")]
    "s3://BUCKET[/FOLDER]",
    #[cfg(feature = "bigquery")]
    "bigquery://PROJECT/DATASET[/TABLE]?bucket=NAME[/FOLDER]",
    "memory:",
];

/// Opens the warehouse of a URL: `file:PATH` for a folder, `gs://BUCKET[/FOLDER]` or `s3://BUCKET[/FOLDER]` for a bucket,
/// `bigquery://PROJECT/DATASET[/TABLE]?bucket=NAME[/FOLDER]` for BigQuery, these with the parameters that docs/stores.md lists, or `memory:` for one that begins empty and ends with the process.
///
/// # Errors
/// `Config` for a URL that no backend understands; `NotFound` when there is no such bucket, or when the folder is to be read and is not there;
/// `PermissionDenied`, `Unauthenticated` or `Io` when it refuses.
pub async fn open(url: &str, mode: Mode) -> Result<Arc<dyn Warehouse>> {
    const OPERATION: &str = "warehouse.open";
    let (scheme, rest) = address::split(url, OPERATION, SUPPORTED)?;
    match scheme {
        "memory" => Ok(Arc::new(ParquetWarehouse::in_memory())),
        "file" => {
            let path = address::path(rest, url, OPERATION)?;
            Ok(Arc::new(ParquetWarehouse::open(path, mode).await?))
        }
        #[cfg(feature = "bigquery")]
        "bigquery" => Ok(Arc::new(BigQueryWarehouse::open(url, mode).await?)),
        #[cfg(feature = "gcs")]
        "gs" => Ok(Arc::new(ParquetWarehouse::open_bucket(url, mode).await?)),
        #[cfg(feature = "s3")]
        "s3" => Ok(Arc::new(ParquetWarehouse::open_bucket(url, mode).await?)),
        _ => Err(address::unknown(url, OPERATION, SUPPORTED)),
    }
}
