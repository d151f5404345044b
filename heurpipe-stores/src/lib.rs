//! Stores for heurpipe: documents, search, warehouse and blobs.
//!
//! Each role has a folder with a backend per folder or file, and is opened by URL. The embedded backends are the default: they need no
//! service, and each of them has exactly one writing process at a time, while any number may read.
//!
//! | role | backends |
//! |---|---|
//! | [`documents`] | `sqlite:PATH`, `memory:`; with the feature `mongodb` `mongodb(+srv)://HOST[:PORT][/DATABASE]` |
//! | [`search`] | `tantivy:PATH`, `memory:`; with the feature `elasticsearch` `http(s)://HOST[:PORT][/NAME]` |
//! | [`warehouse`] | `file:PATH`, `memory:`; with the feature `gcs` or `s3` a bucket as below, with `bigquery` `bigquery://PROJECT/DATASET[/TABLE]?bucket=NAME[/FOLDER]` |
//! | [`blobs`] | `file:PATH`, `memory:`; with the feature `gcs` `gs://BUCKET[/FOLDER]`, with `s3` `s3://BUCKET[/FOLDER]` |
//!
//! ```
//! use heurpipe_core::{Filter, Platform, Post, PostId, Record, SearchRequest};
//! use heurpipe_stores::{Mode, documents, search};
//! use std::sync::Arc;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let documents = documents::open("memory:", Mode::ReadWrite).await?;
//! let index = search::open("memory:", Mode::ReadWrite).await?;
//!
//! let id = PostId::new(Platform::weibo(), "4383183661430868");
//! let mut record = Record::new(Post::new(id, "2026-03-01T08:00:00Z".parse()?));
//! for outcome in documents.commit(&[&record]).await? {
//!     record.revision = outcome?;
//! }
//!
//! index.write(&[Arc::new(record)]).await?;
//! index.flush().await?;
//! let page = index.search(&SearchRequest::new(Filter::All)).await?;
//! assert_eq!((page.total.value, page.items[0].revision), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod codec;
#[cfg(any(feature = "bigquery", feature = "elasticsearch"))]
mod http;
mod instant;
#[cfg(any(feature = "bigquery", feature = "elasticsearch", feature = "mongodb"))]
mod junction;
#[cfg(any(feature = "sqlite", feature = "tantivy"))]
mod lock;
#[cfg(any(feature = "warehouse", feature = "gcs", feature = "s3"))]
mod objects;
mod os;
mod task;

pub mod blobs;
pub mod copy;
pub mod documents;
#[cfg(feature = "warehouse")]
pub mod life;
pub mod search;
#[cfg(feature = "suite")]
pub mod suite;
#[cfg(feature = "warehouse")]
pub mod warehouse;

pub use address::Mode;
