//! Posts of Weibo by its Open API v2: users, topics and the home timeline.
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
//! Users go in groups of 20, a partition each (`users/UID,UID…`); a topic is the partition `search/TOPIC`; `home` is the timeline of the user who
//! gave the token. Users and home are read from the newest post down to the watermark of the pass before, less an overlap (two days unless
//! told otherwise), since posts are edited or made visible late and keep their id. A post that is passed on becomes a post of its own. A cut text is completed by a
//! call of its own, unless that is switched off.
//!
//! A status that its author or the network has removed, and one that is not public, is given as gone: nothing of it is kept, and it is counted.
//!
//! # Pace
//! No header tells how much of the allowance is used, so `account/rate_limit_status` is asked every 20 calls and after a refusal. The rule is the one of
//! the Graph API: no pause up to 75 percent, then a straight line up to 30 seconds, and none at 100 percent until the allowance is
//! back.
//!
//! # Errors
//! Limits and failures that pass are temporary. A token that is expired or revoked, a missing permission and a refused address need an
//! operator. The token goes in a header and stands in no error, log or stored payload.

mod client;
mod errors;
pub mod ids;
mod limits;
pub(crate) mod map;
mod reader;
pub(crate) mod text;
mod timelines;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use heurpipe_core::{Checkpoint, Error, ErrorKind, Page, Partition, Result, Source, SourceSpec};
use jiff::SignedDuration;
use secrecy::SecretString;

use crate::http::{Http, Pace, Pacing, Wire, base_url};
use crate::pass::Bounds;
use client::WeiboClient;

const HOST: &str = "https://api.weibo.com/2";
/// The API takes no more users in one call.
const USERS_PER_CALL: usize = 20;
/// The API gives no more in one page.
const MAX_PAGE_SIZE: u32 = 100;

/// The Open API as a source; see the [module](self).
#[derive(Debug)]
pub struct WeiboApi {
    spec: SourceSpec,
    client: Arc<WeiboClient>,
    partitions: Vec<Partition>,
    bounds: Bounds,
}

impl WeiboApi {
    /// Begins with the real host.
    pub fn builder() -> WeiboApiBuilder {
        WeiboApiBuilder {
            name: "weibo".to_owned(),
            base_url: HOST.to_owned(),
            media_base: None,
            token: None,
            users: BTreeSet::new(),
            topics: BTreeSet::new(),
            home: false,
            page_size: MAX_PAGE_SIZE,
            completes_texts: true,
            bounds: Bounds::default(),
            pacing: Pacing::default(),
            wire: Wire::default(),
        }
    }
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
        reader::read(Arc::clone(&self.client), partition, &from, self.bounds)
    }
}

/// Sets up [`WeiboApi`].
#[derive(Debug, Clone)]
pub struct WeiboApiBuilder {
    name: String,
    base_url: String,
    media_base: Option<String>,
    token: Option<SecretString>,
    users: BTreeSet<String>,
    topics: BTreeSet<String>,
    home: bool,
    page_size: u32,
    completes_texts: bool,
    bounds: Bounds,
    pacing: Pacing,
    wire: Wire,
}

impl WeiboApiBuilder {
    /// The source's name within a pipeline; `weibo` unless told otherwise.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Another host: the simulator, a proxy. With the version (`…/2`).
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Where pictures are fetched from, as `BASE/large/PID.jpg`. Unless told otherwise, from the host that an answer names, else from the
    /// network's own.
    pub fn media_base_url(mut self, url: impl Into<String>) -> Self {
        self.media_base = Some(url.into());
        self
    }

    /// The access token.
    pub fn token(mut self, token: SecretString) -> Self {
        self.token = Some(token);
        self
    }

    /// Adds users to read, by their number.
    pub fn users<T: AsRef<str>>(mut self, uids: impl IntoIterator<Item = T>) -> Self {
        let bare = |uid: T| uid.as_ref().trim().to_owned();
        self.users.extend(uids.into_iter().map(bare));
        self
    }

    /// Adds topics to search for, with or without `#`.
    pub fn topics<T: AsRef<str>>(mut self, topics: impl IntoIterator<Item = T>) -> Self {
        let bare = |topic: T| topic.as_ref().trim_matches(['#', ' ']).to_owned();
        self.topics.extend(topics.into_iter().map(bare));
        self
    }

    /// Reads the home timeline of the user who gave the token, too.
    pub fn home_timeline(mut self) -> Self {
        self.home = true;
        self
    }

    /// Posts asked for in one call; 100, the most that the API gives (50 in a search), unless told otherwise.
    pub fn page_size(mut self, posts: u32) -> Self {
        self.page_size = posts.clamp(1, MAX_PAGE_SIZE);
        self
    }

    /// Whether a text that is cut is completed by a call of its own. Yes unless told otherwise.
    pub fn complete_texts(mut self, complete: bool) -> Self {
        self.completes_texts = complete;
        self
    }

    /// How far below the newest known post a timeline is read again; two days unless told otherwise.
    pub fn overlap(mut self, overlap: Duration) -> Self {
        self.bounds.overlap = SignedDuration::try_from(overlap).unwrap_or(SignedDuration::MAX);
        self
    }

    /// Pages that one pass over a partition may read; the next run goes on from there. 1,000 unless told otherwise.
    pub fn max_pages(mut self, pages: usize) -> Self {
        self.bounds.pages = pages.max(1);
        self
    }

    /// The longest pause between two calls while the allowance runs low; 30 seconds unless told otherwise.
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.pacing.longest = pause;
        self
    }

    /// Further attempts after a failure that may pass by itself, and the pause before the first of them, which doubles each
    /// time. Three and half a second unless told otherwise.
    pub fn retries(mut self, attempts: usize, first_pause: Duration) -> Self {
        self.wire.retries = attempts;
        self.wire.first_pause = first_pause;
        self
    }

    /// Time for one call; a minute unless told otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.wire.timeout = timeout;
        self
    }

    /// Checks the settings and makes the source. No call is made yet.
    ///
    /// # Errors
    /// `Config` when the token is missing, when there is nothing to read, or when a setting cannot be what it says.
    pub fn build(self) -> Result<WeiboApi> {
        let token = self.token.as_ref().ok_or_else(|| config("no token"))?;
        let base = base_url("weibo.build", &self.base_url)?;
        let media_base = self
            .media_base
            .as_deref()
            .map(|url| base_url("weibo.build", url))
            .transpose()?;
        let client = WeiboClient {
            http: Http::new(&base, "OAuth2", token, self.wire.clone())?,
            pace: Pace::new(self.pacing),
            base,
            page_size: self.page_size,
            media_base,
            completes_texts: self.completes_texts,
            calls: AtomicU32::new(0),
        };
        let description = format!(
            "Weibo Open API: {} users, {} topics{}",
            self.users.len(),
            self.topics.len(),
            if self.home { ", home timeline" } else { "" }
        );
        Ok(WeiboApi {
            partitions: self.partitions()?,
            spec: SourceSpec::new(self.name, description),
            client: Arc::new(client),
            bounds: self.bounds,
        })
    }

    fn partitions(&self) -> Result<Vec<Partition>> {
        let is_number = |uid: &&String| !uid.is_empty() && uid.bytes().all(|c| c.is_ascii_digit());
        if let Some(wrong) = self.users.iter().find(|uid| !is_number(uid)) {
            return Err(config("a user is given by number").with("user", wrong));
        }
        if self.topics.contains("") {
            return Err(config("a topic is empty"));
        }
        let uids: Vec<&str> = self.users.iter().map(String::as_str).collect();
        let mut partitions: Vec<Partition> = uids
            .chunks(USERS_PER_CALL)
            .map(|group| Partition(format!("users/{}", group.join(","))))
            .collect();
        let searches = self.topics.iter().map(|topic| format!("search/{topic}"));
        partitions.extend(searches.map(Partition));
        if self.home {
            partitions.push(Partition("home".to_owned()));
        }
        if partitions.is_empty() {
            return Err(config(
                "neither users nor topics nor the home timeline to read",
            ));
        }
        Ok(partitions)
    }
}

fn config(message: &str) -> Error {
    Error::new(ErrorKind::Config, "weibo.build").message(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn complete() -> WeiboApiBuilder {
        WeiboApi::builder()
            .token("2.00secret".to_owned().into())
            .topics(["#春夏穿搭#"])
    }

    #[tokio::test]
    async fn users_go_in_groups_of_twenty() {
        let users: Vec<String> = (101..=121).map(|uid: u64| uid.to_string()).collect();
        let source = complete().users(users).home_timeline().build().unwrap();
        let partitions = source.partitions().await.unwrap();
        assert_eq!(partitions.len(), 4);
        assert!(partitions[0].0.starts_with("users/101,102,103,"));
        assert_eq!(partitions[1].0, "users/121");
        assert_eq!(partitions[2].0, "search/春夏穿搭");
        assert_eq!(partitions[3].0, "home");
    }

    #[test]
    fn wrong_settings_are_refused() {
        for wrong in [
            WeiboApi::builder().topics(["x"]),
            WeiboApi::builder().token("t".to_owned().into()),
            complete().users(["迪丽"]),
            complete().topics(["#"]),
            complete().base_url("api.weibo.com"),
        ] {
            assert_eq!(wrong.build().unwrap_err().kind(), ErrorKind::Config);
        }
    }

    #[test]
    fn the_token_is_never_shown() {
        let builder = complete();
        assert!(!format!("{builder:?}").contains("2.00secret"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("2.00secret"));
    }
}
