//! The fetcher of pictures and videos into blobs.
//!
//! A URL within a post is somebody else's word. So the fetcher calls no host outside of the public internet (judged by the address that
//! is really called, after every redirect too), reads no file outside of the folders that were named, stops at limits of time and
//! size, and keeps only what begins like a picture or video. Behind an HTTP proxy, which looks up hosts itself, only addresses written as numbers can be judged.

mod address;
mod files;
mod web;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use heurpipe_core::{
    Blobs, Digest, Error, ErrorKind, FetchMedia, ItemResult, MediaOutcome, MediaRequest, Platform,
    Result, Retry,
};
use reqwest::redirect::{Attempt, Policy};
use tokio::sync::Semaphore;
use url::Url;

use crate::http::USER_AGENT;
use files::Read;
use web::Download;

const MAX_BYTES: usize = 30 * 1024 * 1024;
const MAX_REDIRECTS: usize = 5;
/// A longer wait is left to whoever can put the picture off.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Fetches media over HTTP and from folders; see the [module](self).
pub struct MediaFetcher {
    blobs: Arc<dyn Blobs>,
    client: reqwest::Client,
    settings: Settings,
    at_once: Semaphore,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// Sets up [`MediaFetcher`].
#[derive(Clone)]
pub struct MediaFetcherBuilder {
    blobs: Arc<dyn Blobs>,
    settings: Settings,
}

#[derive(Debug, Clone)]
struct Settings {
    at_once: usize,
    at_once_per_host: usize,
    timeout: Duration,
    max_bytes: usize,
    attempts: usize,
    first_pause: Duration,
    allow_private: bool,
    folders: Vec<PathBuf>,
    referers: HashMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            at_once: 16,
            at_once_per_host: 6,
            timeout: Duration::from_secs(60),
            max_bytes: MAX_BYTES,
            attempts: 3,
            first_pause: Duration::from_millis(500),
            allow_private: false,
            folders: Vec::new(),
            referers: HashMap::new(),
        }
    }
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
    /// only, no files.
    ///
    /// # Errors
    /// `Config` when the HTTP client cannot be set up.
    pub fn new(blobs: Arc<dyn Blobs>) -> Result<Self> {
        Self::builder(blobs).build()
    }

    /// A fetcher with other limits.
    pub fn builder(blobs: Arc<dyn Blobs>) -> MediaFetcherBuilder {
        MediaFetcherBuilder {
            blobs,
            settings: Settings::default(),
        }
    }
}

impl MediaFetcherBuilder {
    /// Downloads at once, in all and from one host.
    pub fn at_once(mut self, in_all: usize, per_host: usize) -> Self {
        self.settings.at_once = in_all.max(1);
        self.settings.at_once_per_host = per_host.max(1);
        self
    }

    /// Time for one attempt, from connecting to the last byte.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// What is larger is given up.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_bytes = bytes;
        self
    }

    /// Attempts in all, and the pause after the first, which doubles each time.
    pub fn attempts(mut self, attempts: usize, first_pause: Duration) -> Self {
        self.settings.attempts = attempts.max(1);
        self.settings.first_pause = first_pause;
        self
    }

    /// Whether hosts outside of the public internet may be called: the simulator, a test.
    pub fn allow_private_hosts(mut self, allow: bool) -> Self {
        self.settings.allow_private = allow;
        self
    }

    /// Allows files beneath a folder to be read.
    ///
    /// # Errors
    /// `Config` when there is no such folder.
    pub fn allow_files_under(mut self, folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let place = folder.canonicalize().map_err(|error| {
            Error::new(ErrorKind::Config, "media.build")
                .message("there is no such folder")
                .with("path", folder.display())
                .cause(error)
        })?;
        self.settings.folders.push(place);
        Ok(self)
    }

    /// Names this page as the one that shows the pictures of a platform, as a browser would; some hosts give them to nobody else.
    pub fn referer(mut self, platform: &Platform, page: impl Into<String>) -> Self {
        self.settings
            .referers
            .insert(platform.as_str().to_owned(), page.into());
        self
    }

    /// Makes the fetcher.
    ///
    /// # Errors
    /// `Config` when the HTTP client cannot be set up.
    pub fn build(self) -> Result<MediaFetcher> {
        let allow_private = self.settings.allow_private;
        let mut client = reqwest::Client::builder()
            .timeout(self.settings.timeout)
            .connect_timeout(self.settings.timeout.min(Duration::from_secs(10)))
            .redirect(Policy::custom(move |attempt| {
                follow(attempt, allow_private)
            }))
            .user_agent(USER_AGENT);
        client = if allow_private {
            client.no_proxy()
        } else {
            client.dns_resolver(Arc::new(address::PublicOnly))
        };
        let client = client.build().map_err(|error| {
            Error::new(ErrorKind::Config, "media.build")
                .message("the HTTP client cannot be set up")
                .cause(error)
        })?;
        Ok(MediaFetcher {
            blobs: self.blobs,
            client,
            at_once: Semaphore::new(self.settings.at_once),
            hosts: Mutex::new(HashMap::new()),
            settings: self.settings,
        })
    }
}

/// A redirect leads where a first call may lead, and not too often.
fn follow(attempt: Attempt<'_>, allow_private: bool) -> reqwest::redirect::Action {
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error("too many redirects");
    }
    match address::refusal(attempt.url(), allow_private) {
        Some(why) => attempt.error(why),
        None => attempt.follow(),
    }
}

#[async_trait]
impl FetchMedia for MediaFetcher {
    async fn fetch(&self, requests: &[MediaRequest]) -> Vec<ItemResult<MediaOutcome>> {
        let fetches: Vec<_> = requests.iter().map(|one| self.fetch_one(one)).collect();
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
    async fn fetch_one(&self, request: &MediaRequest) -> ItemResult<MediaOutcome> {
        let outcome = self.outcome(request).await;
        outcome.map_err(|error| {
            error
                .with("post", &request.post.id)
                .with("media", &request.media.id)
        })
    }

    async fn outcome(&self, request: &MediaRequest) -> ItemResult<MediaOutcome> {
        let url = match request.media.url.as_deref().map(Url::parse) {
            Some(Ok(url)) => url,
            Some(Err(_)) => return Ok(gone("the URL is none")),
            None => return Ok(gone("there is no URL")),
        };
        let bytes = match self.bytes(request, &url).await? {
            Download::Bytes(bytes) => bytes,
            Download::Gone(reason) => return Ok(gone(reason)),
        };
        let Some(content_type) = heurpipe_core::media_type(&bytes) else {
            return Ok(gone("neither a picture nor a video"));
        };
        let bytes = Bytes::from(bytes);
        let digest = self.blobs.put(bytes.clone()).await?;
        Ok(MediaOutcome::Stored {
            digest,
            bytes,
            content_type: content_type.to_owned(),
        })
    }

    async fn bytes(&self, request: &MediaRequest, url: &Url) -> Result<Download> {
        let limit = self.settings.max_bytes;
        if url.scheme() == "file" {
            let _turn = self.turn(&self.at_once).await?;
            let read = files::read(url, &self.settings.folders, limit).await?;
            return Ok(match read {
                Read::Bytes(bytes) => Download::Bytes(bytes),
                Read::Gone(reason) => Download::Gone(reason),
            });
        }
        if let Some(why) = address::refusal(url, self.settings.allow_private) {
            return Ok(Download::Gone(why.to_owned()));
        }
        // The host first: who waits for a slow host must not keep others from theirs.
        let host = self.host(url.host_str().unwrap_or_default());
        let _turn_at_host = self.turn(&host).await?;
        let referer = self
            .settings
            .referers
            .get(request.post.id.platform.as_str())
            .map(String::as_str);
        let attempt = || async {
            let _turn = self.turn(&self.at_once).await?;
            web::download(&self.client, url, referer, limit).await
        };
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.settings.first_pause)
            .with_max_delay(LONGEST_WAIT)
            .with_max_times(self.settings.attempts - 1)
            .with_jitter();
        attempt
            .retry(pauses)
            .when(|error| {
                error.retry() == Retry::Temporary
                    && error.retry_after().is_none_or(|wait| wait <= LONGEST_WAIT)
            })
            // What the other side asks for is waited for.
            .adjust(|error, pause| Some(pause?.max(error.retry_after().unwrap_or_default())))
            .await
    }

    async fn turn<'a>(&self, semaphore: &'a Semaphore) -> Result<tokio::sync::SemaphorePermit<'a>> {
        semaphore
            .acquire()
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, "media.fetch").cause(error))
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

fn gone(reason: impl Into<String>) -> MediaOutcome {
    MediaOutcome::Gone {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
