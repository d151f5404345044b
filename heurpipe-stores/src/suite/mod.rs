//! What every backend of a role must do, as functions that its tests run.
//!
//! A suite asks for a fresh, empty store for each of its checks, and panics with what is wrong. Whoever writes a backend, here or elsewhere, runs the
//! suite of its role, and then [`differential`]: random records and random filters, on which it must agree with core.
//!
//! ```
//! use std::sync::Arc;
//! use heurpipe_stores::blobs::MemoryBlobs;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! heurpipe_stores::suite::blobs::run(async || Ok(Arc::new(MemoryBlobs::new()) as _)).await
//! # })?;
//! # Ok::<(), heurpipe_stores::suite::Failure>(())
//! ```

pub mod blobs;
pub mod corpus;
pub mod differential;
pub mod documents;
pub mod search;

/// Whatever ended a check early.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a check gives: it panics where the store is wrong, and passes on errors that should not have been.
pub type Check = Result<(), Failure>;
