//! Posts of Weibo by its Open API v2: users, topics, places and timelines.
//!
//! ```no_run
//! use heurpipe_sources::weibo::WeiboApi;
//!
//! # fn main() -> heurpipe_core::Result<()> {
//! let source = WeiboApi::builder()
//!     .token("2.00…".to_owned().into())
//!     .users(["1669879400"])
//!     .topics(["春夏穿搭"])
//!     .build()?;
//! # drop(source);
//! # Ok(())
//! # }
//! ```
//!
//! # What is read
//!
//! | partition | call | what |
//! |---|---|---|
//! | `public` | `statuses/public_timeline` | the newest posts of all |
//! | `home` | `statuses/home_timeline` | posts of those whom the user who gave the token follows, and the user's own |
//! | `user` | `statuses/user_timeline` | that user's own: the API gives the newest five alone |
//! | `users/UID,UID…` | `statuses/timeline_batch` | posts of up to 20 users; needs the advanced permission |
//! | `user/UID` | `statuses/user_timeline/other` | posts of one user; needs the commercial permission |
//! | `search/TOPIC` | `search/topics` | posts on a topic; needs the advanced permission |
//! | `nearby/LAT,LONG,RANGE` | `place/nearby_timeline` | posts around a point |
//!
//! All but topics are read from the newest post down to the watermark of the pass before, less an overlap (two days unless told otherwise),
//! since posts are edited or made visible late and keep their id. A call that the app may not make ends its own partition with
//! `PermissionDenied`; the others go on.
//!
//! A post that is passed on becomes a post of its own. A cut text is completed by a call of its own, unless that is switched off; one that
//! cannot be had stays cut, and the payload `weibo.show.refused` says why.
//!
//! A status that its author or the network has removed, and one that is not public, is given as gone: nothing of it is kept, and it is counted.
//!
//! [`WeiboApi`] also looks up single posts ([`LookUpPost`]).
//!
//! # Limits
//! No header tells how much of the allowance is used, so `account/rate_limit_status` is asked before the first call, every 20 calls, when
//! allowances have been given back and after a refusal. In between calls are counted here: where none is left, none is made, and the error
//! tells how long to wait. A limit of a single call closes that call alone. What is known survives restarts where there is a
//! [ledger](WeiboApiBuilder::ledger).
//!
//! There is no pause up to 75 percent of the allowance, then one that grows in a straight line up to 30 seconds.
//!
//! # Errors
//! Limits and failures that pass are temporary. A token that is expired or revoked, a missing permission and a refused address need an
//! operator. The token goes in a header and stands in no error, log or stored payload.

mod builder;
mod client;
mod endpoints;
mod errors;
mod host;
pub mod ids;
mod limits;
mod look_up;
mod map;
mod nearby;
mod paging;
mod pictures;
mod places;
mod reader;
pub(crate) mod text;
mod timelines;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use heurpipe_core::{
    Checkpoint, KnownPost, LookUpPost, Page, Partition, Platform, Result, Sighting, Source,
    SourceSpec,
};
use jiff::Timestamp;

use crate::pass::Bounds;
use client::WeiboClient;

pub use builder::WeiboApiBuilder;

/// The Open API as a source; see the [module](self).
#[derive(Debug)]
pub struct WeiboApi {
    spec: SourceSpec,
    client: Arc<WeiboClient>,
    partitions: Vec<Partition>,
    bounds: Bounds,
    since: Option<Timestamp>,
}

#[async_trait]
impl Source for WeiboApi {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(self.partitions.clone())
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let client = Arc::clone(&self.client);
        reader::read(client, partition, &from, self.bounds, self.since)
    }
}

/// By `statuses/show`. A post that the network says does not exist, is deleted or is public no longer is gone; one that it does not show to the
/// user who gave the token may still be there for others.
#[async_trait]
impl LookUpPost for WeiboApi {
    fn platform(&self) -> Platform {
        Platform::weibo()
    }

    async fn look_up(&self, post: &KnownPost) -> Result<Sighting> {
        look_up::look_up(&self.client, post).await
    }
}
