//! The settings of the source.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::{Clock, Documents, Error, ErrorKind, Partition, Result, SourceSpec};
use jiff::SignedDuration;
use secrecy::SecretString;
use url::Url;

use super::InstagramGraph;
use super::client::{self, GraphClient, Once};
use super::fields::Fields;
use super::ledger::Ledger;
use super::stream;
use crate::http::{Http, Pace, Pacing, Wire, base_url};
use crate::pass::Bounds;

const HOST: &str = "https://graph.facebook.com";
const VERSION: &str = "v25.0";
/// The API gives no more in one page.
const MAX_PAGE_SIZE: u32 = 50;

/// Sets up [`InstagramGraph`].
#[derive(Clone)]
pub struct InstagramGraphBuilder {
    name: String,
    base_url: String,
    version: String,
    user_id: String,
    token: Option<SecretString>,
    targets: Targets,
    left_out: BTreeSet<String>,
    page_size: u32,
    bounds: Bounds,
    pacing: Pacing,
    wire: Wire,
    ledger: Option<Arc<dyn Documents>>,
    clock: Clock,
}

/// What is to be read.
#[derive(Debug, Clone, Default)]
struct Targets {
    hashtags: BTreeSet<String>,
    accounts: BTreeSet<String>,
    own: bool,
    tagged: bool,
    mentions: Vec<String>,
}

impl Default for InstagramGraphBuilder {
    fn default() -> Self {
        Self {
            name: "instagram".to_owned(),
            base_url: HOST.to_owned(),
            version: VERSION.to_owned(),
            user_id: String::new(),
            token: None,
            targets: Targets::default(),
            left_out: BTreeSet::new(),
            page_size: MAX_PAGE_SIZE,
            bounds: Bounds::default(),
            pacing: Pacing {
                // What is used up is given back call by call over an hour, and who comes too early is refused and lengthens the block.
                rest: Duration::from_secs(3600),
                ..Pacing::default()
            },
            wire: Wire::default(),
            ledger: None,
            clock: Clock::default(),
        }
    }
}

impl fmt::Debug for InstagramGraphBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstagramGraphBuilder")
            .field("name", &self.name)
            .field("base_url", &self.base_url)
            .field("version", &self.version)
            .field("user_id", &self.user_id)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}

impl InstagramGraphBuilder {
    /// The source's name within a pipeline; `instagram` unless told otherwise.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Another host: `https://graph.instagram.com`, the simulator, a proxy. Without the version.
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
        self.targets.hashtags.extend(tags.into_iter().map(bare));
        self
    }

    /// Adds business accounts to read, with or without `@`.
    pub fn accounts<T: AsRef<str>>(mut self, handles: impl IntoIterator<Item = T>) -> Self {
        let bare = |name: T| name.as_ref().trim_start_matches('@').trim().to_lowercase();
        self.targets.accounts.extend(handles.into_iter().map(bare));
        self
    }

    /// Reads the user's own media.
    pub fn own_media(mut self) -> Self {
        self.targets.own = true;
        self
    }

    /// Reads the posts in whose pictures the user was tagged.
    pub fn tagged(mut self) -> Self {
        self.targets.tagged = true;
        self
    }

    /// Adds posts that mention the user, by the Graph ids that [webhooks](super::webhook) told.
    pub fn mentions<T: Into<String>>(mut self, media_ids: impl IntoIterator<Item = T>) -> Self {
        for id in media_ids.into_iter().map(Into::into) {
            if !self.targets.mentions.contains(&id) {
                self.targets.mentions.push(id);
            }
        }
        self
    }

    /// Fields that are never asked for, such as `biography` of accounts where personal data are to be spared. Without `permalink`
    /// posts of others are known by their Graph id alone, which cannot be left out.
    pub fn leave_out<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.left_out.extend(fields.into_iter().map(Into::into));
        self
    }

    /// Keeps the ledger of what the user has used up in these documents, so that it survives restarts; in memory alone unless told so.
    pub fn ledger(mut self, documents: Arc<dyn Documents>) -> Self {
        self.ledger = Some(documents);
        self
    }

    /// Tells the time, for the ledger and for when posts were collected; the machine's unless told otherwise.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Posts asked for in one call; 50, the most that the API gives, unless told otherwise.
    pub fn page_size(mut self, posts: u32) -> Self {
        self.page_size = posts.clamp(1, MAX_PAGE_SIZE);
        self
    }

    /// How far below the newest known post a stream that begins with the newest is read again; two days unless told otherwise.
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
        let host = base_url("instagram.build", &self.base_url)?;
        let partitions = self.targets.partitions()?;
        if self.targets.are_of_others() && !client::sees_others(&host) {
            return Err(
                config("this host knows nothing of hashtags and other accounts")
                    .with("base_url", &self.base_url),
            );
        }
        let description = format!("Instagram Graph API: {}", self.targets);
        let client = GraphClient {
            http: Http::new(&host, "Bearer", token, self.wire)?,
            pace: Pace::new(self.pacing).by(self.clock),
            ledger: Ledger::new(self.ledger, &self.user_id, self.clock),
            clock: self.clock,
            base: with_version(&host, &self.version)?,
            user_id: self.user_id,
            page_size: self.page_size,
            mentions: self.targets.mentions,
            fields: Fields::without(self.left_out),
            once: Once::default(),
        };
        Ok(InstagramGraph {
            partitions,
            spec: SourceSpec::new(self.name, description),
            client: Arc::new(client),
            bounds: self.bounds,
        })
    }
}

impl Targets {
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
            if !is_handle(handle) {
                return Err(config("a handle is letters, digits, . and _").with("account", handle));
            }
            partitions.push(Partition(format!("account/{handle}")));
        }
        if let Some(id) = self.mentions.iter().find(|id| !is_word(id, "_")) {
            return Err(config("the id of a medium is a number").with("media", id));
        }
        for (is_read, name) in [
            (self.own, stream::OWN),
            (self.tagged, stream::TAGGED),
            (!self.mentions.is_empty(), stream::MENTIONS),
        ] {
            if is_read {
                partitions.push(Partition(name.to_owned()));
            }
        }
        if partitions.is_empty() {
            return Err(config("nothing to read"));
        }
        Ok(partitions)
    }

    fn are_of_others(&self) -> bool {
        !self.hashtags.is_empty() || !self.accounts.is_empty()
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} hashtags, {} accounts",
            self.hashtags.len(),
            self.accounts.len()
        )?;
        if self.own {
            f.write_str(", own media")?;
        }
        if self.tagged {
            f.write_str(", tagged media")?;
        }
        if !self.mentions.is_empty() {
            write!(f, ", {} mentions", self.mentions.len())?;
        }
        Ok(())
    }
}

fn with_version(base: &Url, version: &str) -> Result<Url> {
    base.join(&format!("{version}/"))
        .map_err(|error| config("no URL").cause(error))
}

/// A handle stands within an expression of the API: nothing else may be in it.
pub(super) fn is_handle(text: &str) -> bool {
    is_word(text, "._")
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

    use heurpipe_core::Source;

    use super::*;

    fn complete() -> InstagramGraphBuilder {
        InstagramGraph::builder()
            .user_id("17841405309211844")
            .token("EAAsecret".to_owned().into())
            .hashtags(["#OOTD"])
    }

    #[tokio::test]
    async fn partitions_are_named_after_what_is_read() {
        let source = complete()
            .accounts(["@Miu.Miu"])
            .own_media()
            .tagged()
            .mentions(["17887498072083520"])
            .build()
            .unwrap();
        let names: Vec<_> = source
            .partitions()
            .await
            .unwrap()
            .into_iter()
            .map(|partition| partition.0)
            .collect();
        assert_eq!(
            names,
            [
                "hashtag/ootd/top",
                "hashtag/ootd/recent",
                "account/miu.miu",
                "own",
                "tagged",
                "mentions"
            ]
        );
        assert_eq!(
            source.spec().description,
            "Instagram Graph API: 1 hashtags, 1 accounts, own media, tagged media, 1 mentions"
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
            complete().base_url("https://graph.instagram.com"),
            complete().hashtags(["no spaces"]),
            complete().accounts(["a){id}"]),
            complete().mentions(["1){id}"]),
            complete().token("line\nbreak".to_owned().into()),
            InstagramGraph::builder()
                .user_id("1")
                .token("EAAsecret".to_owned().into()),
        ] {
            let error = wrong.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
    }

    #[test]
    fn who_logged_in_by_instagram_reads_what_is_their_own() {
        let source = InstagramGraph::builder()
            .base_url("https://graph.instagram.com")
            .user_id("17841405309211844")
            .token("IGAsecret".to_owned().into())
            .own_media()
            .tagged();
        assert!(source.build().is_ok());
    }

    #[test]
    fn the_token_is_never_shown() {
        let builder = complete();
        assert!(!format!("{builder:?}").contains("EAAsecret"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("EAAsecret"));
    }
}
