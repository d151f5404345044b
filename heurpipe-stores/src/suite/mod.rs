//! What every backend of a role must do, as functions that its tests run.
//!
//! A suite asks for a fresh, empty store for each of its checks, and panics with what is wrong. Whoever writes a backend, here or elsewhere, runs the
//! suite of its role, and then [`differential`]: random records and random filters, on which it must agree with core.
//!
//! ```
//! use std::sync::Arc;
//! use heurpipe_stores::blobs::MemoryBlobs;
//! use heurpipe_stores::suite::{self, Backend};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let fresh = async || Ok(Arc::new(MemoryBlobs::new()) as _);
//! let findings = suite::blobs::run(Backend::named("memory"), fresh).await?;
//! print!("{}", suite::table(&[findings]));
//! # Ok::<(), suite::Failure>(())
//! # })?;
//! # Ok::<(), heurpipe_stores::suite::Failure>(())
//! ```

pub mod blobs;
pub mod corpus;
pub mod differential;
pub mod documents;
mod filters;
pub mod kinds;
pub mod proxy;
mod report;
pub mod search;
pub mod service;
#[cfg(feature = "warehouse")]
pub mod warehouse;

use std::sync::Arc;

use futures::future::BoxFuture;
use heurpipe_core::{Platform, Post, PostId, Record};
use jiff::Timestamp;

pub use report::{Backend, Findings, table};

/// Whatever ended a check early.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a check gives: it panics where the store is wrong, and passes on errors that should not have been.
pub type Check = Result<(), Failure>;

/// A check by its name.
type Named<T> = (&'static str, fn(Arc<T>) -> BoxFuture<'static, Check>);

/// The checks of a module, by the names of their functions, and what they check.
macro_rules! checks {
    ($subject:ty; $($name:ident),+ $(,)?) => {
        pub(super) const CHECKS: &[$crate::suite::Named<$subject>] =
            &[$((stringify!($name), |subject| Box::pin($name(subject)))),+];
    };
}
use checks;

fn id(native: &str) -> PostId {
    PostId::new(Platform::instagram(), native)
}

fn record(native: &str, revision: u64, text: &str) -> Record {
    let mut record = Record::new(Post::new(id(native), Timestamp::UNIX_EPOCH));
    record.post.text = text.to_owned();
    record.revision = revision;
    record
}

/// A record with values of attributes, as its source gave them.
fn with(native: &str, attributes: &[(&str, &[&str])]) -> Record {
    let mut record = record(native, 1, "");
    for (attribute, values) in attributes {
        let values = values.iter().map(|v| (*v).to_owned()).collect();
        record.post.given.insert((*attribute).to_owned(), values);
    }
    record
}
