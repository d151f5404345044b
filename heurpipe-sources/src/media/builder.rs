//! How a fetcher is set up.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heurpipe_core::{Blobs, Clock, Error, ErrorKind, LookUpPost, Platform, Result};
use reqwest::ClientBuilder;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;

use super::MediaFetcher;
use super::address::PublicOnly;
use super::attempts::Attempts;
use super::renewal::LookUps;
use super::robots::Robots;
use super::web::Web;
use crate::http::USER_AGENT;

const MAX_BYTES: usize = 30 * 1024 * 1024;

/// Sets up [`MediaFetcher`].
#[derive(Clone)]
pub struct MediaFetcherBuilder {
    blobs: Arc<dyn Blobs>,
    look_ups: LookUps,
    referers: HashMap<Platform, String>,
    settings: Settings,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) at_once: usize,
    pub(super) at_once_per_host: usize,
    pub(super) timeout: Duration,
    pub(super) max_bytes: usize,
    pub(super) attempts: Attempts,
    pub(super) allow_private: bool,
    pub(super) robots: bool,
    pub(super) folders: Vec<PathBuf>,
    pub(super) clock: Clock,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            at_once: 32,
            at_once_per_host: 16,
            timeout: Duration::from_secs(60),
            max_bytes: MAX_BYTES,
            attempts: Attempts {
                number: 3,
                first_pause: Duration::from_millis(500),
            },
            allow_private: false,
            robots: true,
            folders: Vec::new(),
            clock: Clock::system(),
        }
    }
}

impl std::fmt::Debug for MediaFetcherBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaFetcherBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl MediaFetcherBuilder {
    pub(super) fn new(blobs: Arc<dyn Blobs>) -> Self {
        Self {
            blobs,
            look_ups: LookUps::new(),
            referers: HashMap::new(),
            settings: Settings::default(),
        }
    }

    /// Downloads at once, in all and from one host: 32 and 16 unless told otherwise.
    pub fn at_once(mut self, in_all: usize, per_host: usize) -> Self {
        self.settings.at_once = in_all.max(1);
        self.settings.at_once_per_host = per_host.max(1);
        self
    }

    /// Time for one answer, from connecting to the last byte. A redirect is an answer of its own.
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
        self.settings.attempts = Attempts {
            number: attempts.max(1),
            first_pause,
        };
        self
    }

    /// Whether hosts outside of the public internet may be called: the simulator, a test.
    pub fn allow_private_hosts(mut self, allow: bool) -> Self {
        self.settings.allow_private = allow;
        self
    }

    /// Whether the `robots.txt` of hosts is honoured, which it is unless switched off; see the [module](super) for when to do so.
    pub fn robots(mut self, honour: bool) -> Self {
        self.settings.robots = honour;
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
        self.referers.insert(platform.clone(), page.into());
        self
    }

    /// Asks this network again for its posts whose pictures' URLs have expired. One per platform: the last one given counts.
    pub fn refresh_with(mut self, look_up: Arc<dyn LookUpPost>) -> Self {
        self.look_ups.insert(look_up.platform(), look_up);
        self
    }

    /// The clock that URLs and the rules of hosts expire by.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Makes the fetcher.
    ///
    /// # Errors
    /// `Config` when a referer cannot be sent, or the HTTP client cannot be set up.
    pub fn build(self) -> Result<MediaFetcher> {
        self.build_with(|client| client)
    }

    /// Makes the fetcher over a client with further settings.
    pub(super) fn build_with(
        self,
        settle: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<MediaFetcher> {
        let settings = self.settings;
        let mut client = reqwest::Client::builder()
            .connect_timeout(settings.timeout.min(Duration::from_secs(10)))
            .redirect(Policy::none())
            // Pictures are packed already, and a range of what was packed on the way would be another range.
            .no_gzip()
            .no_brotli()
            .user_agent(USER_AGENT);
        client = if settings.allow_private {
            client.no_proxy()
        } else {
            client.dns_resolver(Arc::new(PublicOnly))
        };
        let client = settle(client).build().map_err(|error| {
            Error::new(ErrorKind::Config, "media.build")
                .message("the HTTP client cannot be set up")
                .cause(error)
        })?;
        let web = Arc::new(Web {
            client,
            allow_private: settings.allow_private,
            timeout: settings.timeout,
        });
        let robots = settings
            .robots
            .then(|| Robots::new(Arc::clone(&web), settings.attempts, settings.clock));
        let referers = self.referers.into_iter().map(header);
        Ok(MediaFetcher {
            blobs: self.blobs,
            look_ups: self.look_ups,
            referers: referers.collect::<Result<_>>()?,
            web,
            robots,
            #[cfg(feature = "archive")]
            zips: Arc::default(),
            at_once: Semaphore::new(settings.at_once),
            hosts: Mutex::default(),
            settings,
        })
    }
}

fn header((platform, page): (Platform, String)) -> Result<(Platform, HeaderValue)> {
    match HeaderValue::try_from(&page) {
        Ok(page) => Ok((platform, page)),
        Err(error) => Err(Error::new(ErrorKind::Config, "media.build")
            .message("the referer cannot be sent")
            .with("referer", page)
            .cause(error)),
    }
}
