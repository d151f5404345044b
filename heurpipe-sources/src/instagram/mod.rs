//! Posts of Instagram by its Graph API: hashtags, business accounts, and what is the user's own.
//!
//! ```no_run
//! use heurpipe_sources::instagram::InstagramGraph;
//!
//! # fn main() -> heurpipe_core::Result<()> {
//! let source = InstagramGraph::builder()
//!     .user_id("17841405309211844")
//!     .token("EAA…".to_owned().into())
//!     .hashtags(["streetwear", "ootd"])
//!     .accounts(["miumiu"])
//!     .own_media()
//!     .build()?;
//! # drop(source);
//! # Ok(())
//! # }
//! ```
//!
//! # What is read
//! | partition | posts | begins with | log in by |
//! |---|---|---|---|
//! | `hashtag/TAG/top` | the most popular under a hashtag | | Facebook |
//! | `hashtag/TAG/recent` | those of the last 24 hours | | Facebook |
//! | `account/NAME` | those of another professional account | the newest | Facebook |
//! | `own` | the user's own | the newest | Facebook, Instagram |
//! | `tagged` | those in whose pictures the user was tagged | | Facebook, Instagram |
//! | `mentions` | those that mention the user, as [webhooks](webhook) told | as given | Facebook |
//!
//! Where the newest come first a pass reads down to the watermark of the pass before, less an overlap (two days unless told otherwise). Who
//! logged in by Instagram sets the base URL to `https://graph.instagram.com`.
//!
//! Where each field of an answer goes is written down in `docs/sources-instagram-api.md`; the untouched answer is kept beside it.
//!
//! # What is used up
//! A user may ask for 30 different hashtags within seven days. The [ledger](InstagramGraphBuilder::ledger) counts them: the 31st
//! is refused before it is asked for, with a `RateLimited` error that says when the oldest falls out. Asking again within its seven days costs nothing.
//!
//! The headers that tell how much of the allowance of calls is used steer the pace: up to 75 percent calls follow one another at once; from
//! there the pause between two grows in a straight line, up to 30 seconds just below 100; at 100 none is made until the allowance is back, and the
//! stream ends with a `RateLimited` error that says how long that takes. The ledger remembers this too, so that a restart does not call on.
//!
//! The ledger belongs to one user and is written by one process. Several sources of that process may share it; clones of a source share its
//! pace as well.
//!
//! # Errors
//! Limits and failures that pass are temporary. A token that is expired or revoked, a missing permission, a block, and a budget of
//! hashtags that others have used up need an operator. A hashtag or account that does not exist ends its partition with `NotFound`. The token
//! goes in a header and stands in no error, log or stored payload.

mod builder;
pub(crate) mod caption;
mod client;
mod discovery;
mod errors;
mod fields;
mod hashtags;
pub mod ids;
mod ledger;
mod look_up;
pub(crate) mod map;
mod mentions;
mod own;
mod reader;
#[cfg(test)]
mod samples;
mod stream;
mod tagged;
mod usage;
pub mod webhook;
pub(crate) mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use heurpipe_core::{Checkpoint, Page, Partition, Result, Source, SourceSpec};

use crate::pass::Bounds;
pub use builder::InstagramGraphBuilder;
use client::GraphClient;

/// The Graph API as a source, and for looking up single posts; see the [module](self). Clones share their pace and ledger.
#[derive(Debug, Clone)]
pub struct InstagramGraph {
    spec: SourceSpec,
    client: Arc<GraphClient>,
    partitions: Vec<Partition>,
    bounds: Bounds,
}

impl InstagramGraph {
    /// Begins with the real host and the version that this crate was written against.
    pub fn builder() -> InstagramGraphBuilder {
        InstagramGraphBuilder::default()
    }
}

#[async_trait]
impl Source for InstagramGraph {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(self.partitions.clone())
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        reader::read(Arc::clone(&self.client), partition, &from, self.bounds)
    }
}
