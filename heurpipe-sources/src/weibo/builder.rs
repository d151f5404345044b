//! Setting up the client.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use heurpipe_core::{Clock, Crs, Digest, Documents, Error, ErrorKind, Result, SourceSpec};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use url::Url;

use super::WeiboApi;
use super::client::{Reading, WeiboClient};
use super::host::Host;
use super::nearby::Nearby;
use super::timelines::Stream;
use crate::http::{Http, Kept, Pace, Pacing, Wire, base_url};
use crate::pass::Bounds;

const HOST: &str = "https://api.weibo.com/2";
const COMMERCIAL_HOST: &str = "https://c.api.weibo.com/2";
/// The API takes no more users in one call.
const USERS_PER_CALL: usize = 20;
/// The API gives no more in one page.
const MAX_PAGE_SIZE: u32 = 100;

impl WeiboApi {
    /// Begins with the real hosts.
    pub fn builder() -> WeiboApiBuilder {
        WeiboApiBuilder {
            name: "weibo".to_owned(),
            base_url: HOST.to_owned(),
            commercial_base_url: COMMERCIAL_HOST.to_owned(),
            media_base: None,
            token: None,
            ledger: Ledger(None),
            clock: Clock::system(),
            timelines: Vec::new(),
            users: BTreeSet::new(),
            commercial_users: BTreeSet::new(),
            topics: BTreeSet::new(),
            nearby: Vec::new(),
            nearby_crs: None,
            since: None,
            page_size: MAX_PAGE_SIZE,
            completes_texts: true,
            bounds: Bounds::default(),
            pacing: Pacing::default(),
            wire: Wire::default(),
        }
    }
}

/// Sets up [`WeiboApi`].
#[derive(Debug, Clone)]
pub struct WeiboApiBuilder {
    name: String,
    base_url: String,
    commercial_base_url: String,
    media_base: Option<String>,
    token: Option<SecretString>,
    ledger: Ledger,
    clock: Clock,
    /// Those that need no further word.
    timelines: Vec<Stream>,
    users: BTreeSet<String>,
    commercial_users: BTreeSet<String>,
    topics: BTreeSet<String>,
    nearby: Vec<(f64, f64, u32)>,
    nearby_crs: Option<Crs>,
    since: Option<Timestamp>,
    page_size: u32,
    completes_texts: bool,
    bounds: Bounds,
    pacing: Pacing,
    wire: Wire,
}

/// Where limits are kept, if anywhere.
#[derive(Clone)]
struct Ledger(Option<Arc<dyn Documents>>);

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "kept in documents",
            None => "in memory",
        })
    }
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

    /// Another host for calls that need the commercial permission. With the version (`…/2`).
    pub fn commercial_base_url(mut self, url: impl Into<String>) -> Self {
        self.commercial_base_url = url.into();
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

    /// Keeps what is known of limits in these documents, so that it survives restarts. It is stored under a digest of the token, never
    /// under the token. In memory alone unless told otherwise.
    pub fn ledger(mut self, documents: Arc<dyn Documents>) -> Self {
        self.ledger = Ledger(Some(documents));
        self
    }

    /// What tells the time: of collection, and of limits. The machine's clock unless told otherwise.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Reads the newest posts of all, too.
    pub fn public_timeline(self) -> Self {
        self.timeline(Stream::Public)
    }

    /// Reads the home timeline of the user who gave the token, too. Of those whom the user follows the API shows only who authorised the
    /// app as well.
    pub fn home_timeline(self) -> Self {
        self.timeline(Stream::Home)
    }

    /// Reads the posts of the user who gave the token, too. The API gives the newest five.
    pub fn own_timeline(self) -> Self {
        self.timeline(Stream::Own)
    }

    /// Adds users to read one by one, by their number. This needs the **commercial permission**: without it each of these partitions
    /// ends with `PermissionDenied`.
    pub fn commercial_users<T: AsRef<str>>(mut self, uids: impl IntoIterator<Item = T>) -> Self {
        let bare = |uid: T| uid.as_ref().trim().to_owned();
        self.commercial_users.extend(uids.into_iter().map(bare));
        self
    }

    /// Adds a point around which to read: degrees north, degrees east, and how far, up to 11,132 metres.
    pub fn nearby(mut self, latitude: f64, longitude: f64, range_m: u32) -> Self {
        self.nearby.push((latitude, longitude, range_m));
        self
    }

    /// The reference system of the points around which to read, which the API is told. Posts found there have their coordinates in the same
    /// one. Unless told otherwise the API is told nothing, and that of coordinates is unknown.
    pub fn nearby_crs(mut self, crs: Crs) -> Self {
        self.nearby_crs = Some(crs);
        self
    }

    /// Asks for nothing older than this where the call can be told: users by the commercial permission, and points.
    pub fn published_since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Adds users to read, in groups of up to 20, by their number. This needs the advanced permission.
    pub fn users<T: AsRef<str>>(mut self, uids: impl IntoIterator<Item = T>) -> Self {
        let bare = |uid: T| uid.as_ref().trim().to_owned();
        self.users.extend(uids.into_iter().map(bare));
        self
    }

    /// Adds topics to search for, with or without `#`. This needs the advanced permission.
    pub fn topics<T: AsRef<str>>(mut self, topics: impl IntoIterator<Item = T>) -> Self {
        let bare = |topic: T| topic.as_ref().trim_matches(['#', ' ']).to_owned();
        self.topics.extend(topics.into_iter().map(bare));
        self
    }

    /// Posts asked for in one call; unless told otherwise 100, or the most that the call gives: 50 on a topic or around a point, 25 of a
    /// commercial user.
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
        let commercial_base = base_url("weibo.build", &self.commercial_base_url)?;
        let media_base = self
            .media_base
            .as_deref()
            .map(|url| base_url("weibo.build", url))
            .transpose()?;
        let streams = self.streams()?;
        let client = WeiboClient {
            http: Http::new(&base, "OAuth2", token, self.wire.clone())?,
            open: self.host(token, base, true),
            commercial: self.host(token, commercial_base, false),
            clock: self.clock,
            reading: Reading {
                page_size: self.page_size,
                media_base,
                completes_texts: self.completes_texts,
                nearby_crs: self.nearby_crs,
            },
        };
        let description = format!("Weibo Open API: {}", description(&streams));
        Ok(WeiboApi {
            spec: SourceSpec::new(self.name, description),
            partitions: streams.iter().map(Stream::partition).collect(),
            client: Arc::new(client),
            bounds: self.bounds,
            since: self.since,
        })
    }

    fn timeline(mut self, stream: Stream) -> Self {
        if !self.timelines.contains(&stream) {
            self.timelines.push(stream);
        }
        self
    }

    /// Limits are of a token on a host, so both name what is known of them.
    fn host(&self, token: &SecretString, base: Url, tells_limits: bool) -> Host {
        let parts = [base.as_str().as_bytes(), token.expose_secret().as_bytes()];
        let name = format!("weibo.limits/{}", Digest::of_parts(parts));
        Host {
            base,
            ledger: Kept::new(self.ledger.0.clone(), name),
            pace: Pace::new(self.pacing),
            tells_limits,
            clock: self.clock,
            asking: Mutex::new(()),
            in_flight: AtomicU64::new(0),
        }
    }

    fn streams(&self) -> Result<Vec<Stream>> {
        let is_number = |uid: &&String| !uid.is_empty() && uid.bytes().all(|c| c.is_ascii_digit());
        let mut users = self.users.iter().chain(&self.commercial_users);
        if let Some(wrong) = users.find(|uid| !is_number(uid)) {
            return Err(config("a user is given by number").with("user", wrong));
        }
        if self.topics.contains("") {
            return Err(config("a topic is empty"));
        }
        let uids: Vec<&str> = self.users.iter().map(String::as_str).collect();
        let mut streams: Vec<Stream> = uids
            .chunks(USERS_PER_CALL)
            .map(|group| Stream::Users {
                uids: group.join(","),
            })
            .collect();
        let commercial = self.commercial_users.iter().cloned();
        streams.extend(commercial.map(|uid| Stream::CommercialUser { uid }));
        let topics = self.topics.iter().cloned();
        streams.extend(topics.map(|topic| Stream::Search { topic }));
        for (latitude, longitude, range_m) in &self.nearby {
            let nearby = Stream::Nearby(Nearby::new(*latitude, *longitude, *range_m)?);
            if !streams.contains(&nearby) {
                streams.push(nearby);
            }
        }
        streams.extend(self.timelines.iter().cloned());
        if streams.is_empty() {
            return Err(config(
                "neither users nor topics nor points nor a timeline to read",
            ));
        }
        Ok(streams)
    }
}

/// What is read, for plans.
fn description(streams: &[Stream]) -> String {
    let count = |is: fn(&Stream) -> usize| streams.iter().map(is).sum::<usize>();
    let users = count(|stream| match stream {
        Stream::Users { uids } => uids.split(',').count(),
        Stream::CommercialUser { .. } => 1,
        _ => 0,
    });
    let topics = count(|stream| usize::from(matches!(stream, Stream::Search { .. })));
    let points = count(|stream| usize::from(matches!(stream, Stream::Nearby(_))));
    let timelines = streams.iter().filter_map(|stream| match stream {
        Stream::Public => Some("the public timeline"),
        Stream::Home => Some("the home timeline"),
        Stream::Own => Some("the user's own timeline"),
        _ => None,
    });
    let counted = [(users, "users"), (topics, "topics"), (points, "points")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"));
    let all: Vec<String> = counted.chain(timelines.map(str::to_owned)).collect();
    all.join(", ")
}

fn config(message: &str) -> Error {
    Error::new(ErrorKind::Config, "weibo.build").message(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use heurpipe_core::Source;

    use super::*;

    fn complete() -> WeiboApiBuilder {
        WeiboApi::builder()
            .token("2.00secret".to_owned().into())
            .topics(["#春夏穿搭#"])
    }

    #[tokio::test]
    async fn each_stream_is_a_partition_and_users_go_in_groups_of_twenty() {
        let users: Vec<String> = (101..=121).map(|uid: u64| uid.to_string()).collect();
        let source = complete()
            .users(users)
            .commercial_users(["7"])
            .nearby(31.2304, 121.4737, 2000)
            .home_timeline()
            .own_timeline()
            .public_timeline()
            .home_timeline()
            .build()
            .unwrap();
        let partitions = source.partitions().await.unwrap();
        let names: Vec<&str> = partitions.iter().map(|p| p.0.as_str()).collect();
        assert!(names[0].starts_with("users/101,102,103,"));
        assert_eq!(
            names[1..],
            [
                "users/121",
                "user/7",
                "search/春夏穿搭",
                "nearby/31.2304,121.4737,2000",
                "home",
                "user",
                "public"
            ]
        );
        assert_eq!(
            source.spec().description,
            "Weibo Open API: 22 users, 1 topics, 1 points, the home timeline, the user's own timeline, the public timeline"
        );
    }

    #[test]
    fn wrong_settings_are_refused() {
        for wrong in [
            WeiboApi::builder().topics(["x"]),
            WeiboApi::builder().token("t".to_owned().into()),
            complete().users(["迪丽"]),
            complete().commercial_users([""]),
            complete().topics(["#"]),
            complete().nearby(31.0, 121.0, 20_000),
            complete().nearby(310.0, 121.0, 2000),
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
