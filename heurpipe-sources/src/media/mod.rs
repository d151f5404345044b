//! The fetcher of pictures and videos into blobs.
//!
//! A URL within a post is somebody else's word. So the fetcher calls no host outside of the public internet (judged by the address that
//! is really called, after every redirect too), reads no file outside of the folders that were named, stops at limits of time and
//! size, and keeps only what begins like a picture or video. Behind an HTTP proxy, which looks up hosts itself, only addresses written as numbers can be judged.
//!
//! ```
//! use std::sync::Arc;
//!
//! use heurpipe_core::{FetchMedia, Media, MediaOutcome, MediaRequest, PostId};
//! use heurpipe_sources::media::MediaFetcher;
//! use heurpipe_stores::blobs::MemoryBlobs;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> heurpipe_core::Result<()> {
//! let fetcher = MediaFetcher::builder(Arc::new(MemoryBlobs::new()))
//!     .at_once(32, 4)
//!     .max_bytes(10 * 1024 * 1024)
//!     .build()?;
//! let post: PostId = "weibo:4383183661430868".parse()?;
//! let medium = Media::image("a", "http://169.254.169.254/latest/meta-data/");
//! let mut outcomes = fetcher.fetch(&[MediaRequest::new(post, medium)]).await;
//! let refused = MediaOutcome::Gone {
//!     reason: "refused: the host is not in the public internet".to_owned(),
//! };
//! assert_eq!(outcomes.remove(0)?, refused);
//! # Ok(()) }
//! ```
//!
//! **Broken downloads go on where they broke**, when the host names the version that it sends (by a strong `ETag`, or by a `Last-Modified` that
//! is old enough): the rest is asked for on condition that it is of the same version, and everything anew where it is not.
//!
//! **URLs expire.** With [`refresh_with`](MediaFetcherBuilder::refresh_with) the network is asked again for a post whose URL has expired or is refused
//! as expired, once for all its media. A URL that is known to have expired is never called.
//!
//! **Hosts have a say.** The fetcher reads the `robots.txt` of each host, obeys the group of `heurpipe` or the general one, keeps apart its calls as
//! `Crawl-delay` asks (up to ten seconds), and fetches nothing while a host is not able to tell its rules. Whether rules for crawlers speak
//! to a client that was handed each URL by the network's own API, under an agreement with it, can be argued either way. The fetcher cannot know the
//! agreement, so it takes the careful side; whoever has one that covers the pictures may switch to the other with
//! [`robots(false)`](MediaFetcherBuilder::robots). Files have no host and no rules.

mod address;
mod attempts;
mod builder;
mod download;
mod files;
mod partial;
mod renewal;
mod robots;
mod web;
#[cfg(feature = "archive")]
mod zips;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use heurpipe_core::{
    Blobs, Digest, Error, ErrorKind, FetchMedia, ItemResult, MediaOutcome, MediaRequest, Platform,
    Result,
};
use reqwest::header::HeaderValue;
use tokio::sync::Semaphore;
use url::Url;

pub use builder::MediaFetcherBuilder;
use builder::Settings;
use download::{Download, Downloader};
use files::Read;
use partial::Partial;
use renewal::{EXPIRED, LookUps, Renewals, Renewed};
use robots::Robots;
use web::Web;

/// Fetches media over HTTP and from folders; see the [module](self).
pub struct MediaFetcher {
    blobs: Arc<dyn Blobs>,
    look_ups: LookUps,
    referers: HashMap<Platform, HeaderValue>,
    web: Arc<Web>,
    robots: Option<Robots>,
    #[cfg(feature = "archive")]
    zips: Arc<zips::Zips>,
    at_once: Semaphore,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    settings: Settings,
}

impl std::fmt::Debug for MediaFetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaFetcher")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl MediaFetcher {
    /// A fetcher with the usual limits: 16 downloads at once, 6 a host, a minute and 30 MiB each, three attempts, public hosts
    /// only and as they ask of robots, no files.
    ///
    /// # Errors
    /// `Config` when the HTTP client cannot be set up.
    pub fn new(blobs: Arc<dyn Blobs>) -> Result<Self> {
        Self::builder(blobs).build()
    }

    /// A fetcher with other limits.
    pub fn builder(blobs: Arc<dyn Blobs>) -> MediaFetcherBuilder {
        MediaFetcherBuilder::new(blobs)
    }
}

#[async_trait]
impl FetchMedia for MediaFetcher {
    async fn fetch(&self, requests: &[MediaRequest]) -> Vec<ItemResult<MediaOutcome>> {
        let renewals = Renewals::of(requests, &self.look_ups);
        let fetches: Vec<_> = requests
            .iter()
            .map(|request| self.fetch_one(request, &renewals))
            .collect();
        stream::iter(fetches)
            .buffered(self.settings.at_once)
            .collect()
            .await
    }

    async fn load(&self, digest: &Digest) -> Result<Bytes> {
        self.blobs.get(digest).await
    }
}

impl MediaFetcher {
    async fn fetch_one(
        &self,
        request: &MediaRequest,
        renewals: &Renewals<'_>,
    ) -> ItemResult<MediaOutcome> {
        let outcome = self.outcome(request, renewals).await;
        outcome.map_err(|error| {
            error
                .with("post", &request.post.id)
                .with("media", &request.media.id)
        })
    }

    async fn outcome(
        &self,
        request: &MediaRequest,
        renewals: &Renewals<'_>,
    ) -> ItemResult<MediaOutcome> {
        let url = match request.media.url.as_deref().map(Url::parse) {
            Some(Ok(url)) => url,
            Some(Err(_)) => return Ok(gone("the URL is none")),
            None => return Ok(gone("there is no URL")),
        };
        match self.download(request, &url, renewals).await? {
            Download::Bytes(bytes) => self.keep(bytes.into()).await,
            Download::Expired => Ok(gone(EXPIRED)),
            Download::Gone(reason) => Ok(gone(reason)),
        }
    }

    /// Downloads from the URL, or from the one that the network gives for it once it has expired.
    async fn download(
        &self,
        request: &MediaRequest,
        url: &Url,
        renewals: &Renewals<'_>,
    ) -> Result<Download> {
        let now = self.settings.clock.now();
        if !renewal::is_expired(&request.media, now) {
            let download = self.bytes(request, url).await?;
            if !matches!(download, Download::Expired) {
                return Ok(download);
            }
        }
        match renewals.renew(request, now).await? {
            Renewed::Url(url) => self.bytes(request, &url).await,
            Renewed::Gone(reason) => Ok(Download::Gone(reason.to_owned())),
        }
    }

    /// Keeps what is a picture or video by its bytes, whatever its host calls it.
    async fn keep(&self, bytes: Bytes) -> Result<MediaOutcome> {
        let Some(content_type) = heurpipe_core::media_type(&bytes) else {
            return Ok(gone("neither a picture nor a video"));
        };
        let digest = self.blobs.put(bytes.clone()).await?;
        Ok(MediaOutcome::Stored {
            digest,
            bytes,
            content_type: content_type.to_owned(),
        })
    }

    async fn bytes(&self, request: &MediaRequest, url: &Url) -> Result<Download> {
        if url.scheme() == "file" {
            let _turn = turn(&self.at_once).await?;
            let settings = &self.settings;
            return match files::read(url, &settings.folders, settings.max_bytes).await? {
                Read::Bytes(bytes) => Ok(Download::Bytes(bytes)),
                Read::Gone(reason) => Ok(Download::Gone(reason)),
                #[cfg(feature = "archive")]
                Read::Within { zip, name } => {
                    let zips = Arc::clone(&self.zips);
                    zips.read(zip, name, settings.max_bytes).await
                }
            };
        }
        let downloader = Downloader {
            web: &self.web,
            at_once: &self.at_once,
            robots: self.robots.as_ref(),
            referer: self.referers.get(&request.post.id.platform),
            max_bytes: self.settings.max_bytes,
            clock: self.settings.clock,
        };
        self.attempts(url, &downloader).await
    }

    async fn attempts(&self, url: &Url, downloader: &Downloader<'_>) -> Result<Download> {
        // The host first: who waits for a slow host must not keep others from theirs.
        let host = self.host(url.host_str().unwrap_or_default());
        let _turn_at_host = turn(&host).await?;
        let mut pauses = self.settings.attempts.pauses();
        let mut partial = Partial::default();
        loop {
            let error = match downloader.attempt(url, &mut partial).await {
                Ok(download) => return Ok(download),
                Err(error) => error,
            };
            let Some(pause) = pauses.after(&error) else {
                return Err(error);
            };
            tokio::time::sleep(pause).await;
        }
    }

    fn host(&self, name: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        // Hosts that nobody waits for need no memory.
        if hosts.len() > 1000 {
            hosts.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        let new = || Arc::new(Semaphore::new(self.settings.at_once_per_host));
        Arc::clone(hosts.entry(name.to_owned()).or_insert_with(new))
    }
}

async fn turn(semaphore: &Semaphore) -> Result<tokio::sync::SemaphorePermit<'_>> {
    semaphore
        .acquire()
        .await
        .map_err(|error| Error::new(ErrorKind::Internal, "media.fetch").cause(error))
}

fn gone(reason: impl Into<String>) -> MediaOutcome {
    MediaOutcome::Gone {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
