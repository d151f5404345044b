//! Posts of Instagram by its Graph API: hashtags and business accounts.
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
//!     .build()?;
//! # drop(source);
//! # Ok(())
//! # }
//! ```
//!
//! # What is read
//! A hashtag is two partitions, `hashtag/TAG/top` and `hashtag/TAG/recent` (the last 24 hours); an account is one, `account/NAME`,
//! read from its newest post down to the watermark of the pass before, less an overlap (two days unless told otherwise). Each different hashtag within 7 days
//! counts against a budget of 30.
//!
//! # Pace
//! The headers that tell how much of the allowance is used steer it: up to 75 percent calls follow one another at once; from there the
//! pause between two grows in a straight line, up to 30 seconds just below 100; at 100 none is made until the allowance is back, and the stream
//! ends with a `RateLimited` error that says how long that takes.
//!
//! # Errors
//! Limits and failures that pass are temporary. A token that is expired or revoked, a missing permission, a block, and the used-up budget of
//! hashtags need an operator. A hashtag or account that does not exist ends its partition with `NotFound`. The token goes in a header and
//! stands in no error, log or stored payload.

pub(crate) mod caption;
mod client;
mod discovery;
mod errors;
mod hashtags;
pub mod ids;
mod map;
mod reader;
mod usage;
mod wire;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use heurpipe_core::{Checkpoint, Error, ErrorKind, Page, Partition, Result, Source, SourceSpec};
use jiff::SignedDuration;
use secrecy::SecretString;
use url::Url;

use crate::http::{Http, Pace, Pacing, Wire, base_url};
use crate::pass::Bounds;
use client::GraphClient;

const HOST: &str = "https://graph.facebook.com";
const VERSION: &str = "v25.0";
/// The API gives no more in one page.
const MAX_PAGE_SIZE: u32 = 50;

/// The Graph API as a source; see the [module](self).
#[derive(Debug)]
pub struct InstagramGraph {
    spec: SourceSpec,
    client: Arc<GraphClient>,
    partitions: Vec<Partition>,
    bounds: Bounds,
}

impl InstagramGraph {
    /// Begins with the real host and the version that this crate was written against.
    pub fn builder() -> InstagramGraphBuilder {
        InstagramGraphBuilder {
            name: "instagram".to_owned(),
            base_url: HOST.to_owned(),
            version: VERSION.to_owned(),
            user_id: String::new(),
            token: None,
            hashtags: BTreeSet::new(),
            accounts: BTreeSet::new(),
            page_size: MAX_PAGE_SIZE,
            bounds: Bounds::default(),
            pacing: Pacing::default(),
            wire: Wire::default(),
        }
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

/// Sets up [`InstagramGraph`].
#[derive(Debug, Clone)]
pub struct InstagramGraphBuilder {
    name: String,
    base_url: String,
    version: String,
    user_id: String,
    token: Option<SecretString>,
    hashtags: BTreeSet<String>,
    accounts: BTreeSet<String>,
    page_size: u32,
    bounds: Bounds,
    pacing: Pacing,
    wire: Wire,
}

impl InstagramGraphBuilder {
    /// The source's name within a pipeline; `instagram` unless told otherwise.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Another host: the simulator, a proxy. Without the version.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// The API's version, as `v25.0`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The id of the Instagram user on whose behalf the calls are made.
    pub fn user_id(mut self, id: impl Into<String>) -> Self {
        self.user_id = id.into();
        self
    }

    /// The access token.
    pub fn token(mut self, token: SecretString) -> Self {
        self.token = Some(token);
        self
    }

    /// Adds hashtags to read, with or without `#`.
    pub fn hashtags<T: AsRef<str>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        let bare = |tag: T| tag.as_ref().trim_start_matches('#').trim().to_lowercase();
        self.hashtags.extend(tags.into_iter().map(bare));
        self
    }

    /// Adds business accounts to read, with or without `@`.
    pub fn accounts<T: AsRef<str>>(mut self, handles: impl IntoIterator<Item = T>) -> Self {
        let bare = |name: T| name.as_ref().trim_start_matches('@').trim().to_lowercase();
        self.accounts.extend(handles.into_iter().map(bare));
        self
    }

    /// Posts asked for in one call; 50, the most that the API gives, unless told otherwise.
    pub fn page_size(mut self, posts: u32) -> Self {
        self.page_size = posts.clamp(1, MAX_PAGE_SIZE);
        self
    }

    /// How far below the newest known post an account is read again; two days unless told otherwise.
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
    /// `Config` when user id or token are missing, when there is nothing to read, or when a setting cannot be what it says.
    pub fn build(self) -> Result<InstagramGraph> {
        let token = self.token.as_ref().ok_or_else(|| config("no token"))?;
        if !is_word(&self.user_id, "") {
            return Err(config("the user id is a number").with("user_id", &self.user_id));
        }
        if !is_word(&self.version, ".") {
            return Err(config("a version looks like v25.0").with("version", &self.version));
        }
        let base = base_url("instagram.build", &self.base_url)?;
        let http = Http::new(&base, "Bearer", token, self.wire.clone())?;
        let client = GraphClient {
            http,
            pace: Pace::new(self.pacing),
            base: with_version(&base, &self.version)?,
            user_id: self.user_id.clone(),
            page_size: self.page_size,
            hashtag_ids: Mutex::new(HashMap::new()),
            refused_fields: Mutex::new(BTreeSet::new()),
        };
        let description = format!(
            "Instagram Graph API: {} hashtags, {} accounts",
            self.hashtags.len(),
            self.accounts.len()
        );
        Ok(InstagramGraph {
            partitions: self.partitions()?,
            spec: SourceSpec::new(self.name, description),
            client: Arc::new(client),
            bounds: self.bounds,
        })
    }

    fn partitions(&self) -> Result<Vec<Partition>> {
        let mut partitions = Vec::new();
        for tag in &self.hashtags {
            if tag.is_empty() || !tag.chars().all(|c| c.is_alphanumeric() || c == '_') {
                return Err(config("a hashtag is letters, digits and _").with("hashtag", tag));
            }
            partitions.push(Partition(format!("hashtag/{tag}/top")));
            partitions.push(Partition(format!("hashtag/{tag}/recent")));
        }
        for handle in &self.accounts {
            // The handle stands within an expression of the API: nothing else may be in it.
            if !is_word(handle, "._") {
                return Err(config("a handle is letters, digits, . and _").with("account", handle));
            }
            partitions.push(Partition(format!("account/{handle}")));
        }
        if partitions.is_empty() {
            return Err(config("neither hashtags nor accounts to read"));
        }
        Ok(partitions)
    }
}

fn with_version(base: &Url, version: &str) -> Result<Url> {
    base.join(&format!("{version}/"))
        .map_err(|error| config("no URL").cause(error))
}

fn is_word(text: &str, also: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

fn config(message: &str) -> Error {
    Error::new(ErrorKind::Config, "instagram.build").message(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn complete() -> InstagramGraphBuilder {
        InstagramGraph::builder()
            .user_id("17841405309211844")
            .token("EAAsecret".to_owned().into())
            .hashtags(["#OOTD"])
    }

    #[tokio::test]
    async fn partitions_are_named_after_what_is_read() {
        let source = complete().accounts(["@Miu.Miu"]).build().unwrap();
        let names: Vec<_> = source
            .partitions()
            .await
            .unwrap()
            .into_iter()
            .map(|partition| partition.0)
            .collect();
        assert_eq!(
            names,
            ["hashtag/ootd/top", "hashtag/ootd/recent", "account/miu.miu"]
        );
    }

    #[test]
    fn wrong_settings_are_refused() {
        for wrong in [
            complete().user_id(""),
            complete().user_id("1/2"),
            complete().version("../v25"),
            complete().base_url("ftp://host"),
            complete().base_url("https://user:pass@host"),
            complete().hashtags(["no spaces"]),
            complete().accounts(["a){id}"]),
            complete().token("line\nbreak".to_owned().into()),
        ] {
            let error = wrong.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
    }

    #[test]
    fn the_token_is_never_shown() {
        let builder = complete();
        assert!(!format!("{builder:?}").contains("EAAsecret"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("EAAsecret"));
    }
}
