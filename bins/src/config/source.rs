//! Where posts come from: `[[use_cases.NAME.sources]]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Filter, Result};
use jiff::{Span, SpanRelativeTo, Timestamp};
use serde::{Deserialize, Serialize};

/// Where posts come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// The Instagram Graph API.
    Instagram(InstagramSource),
    /// The Weibo Open API.
    Weibo(WeiboSource),
    /// A folder of pictures, a file of records, or an archive.
    Path(PathSource),
    /// Posts that are stored already, as their networks see them now.
    Recheck(RecheckSource),
}

/// What is read of the Instagram Graph API.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstagramSource {
    /// Hashtags, without `#`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hashtags: Vec<String>,
    /// Handles of professional accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// The posts of the account that asks.
    #[serde(skip_serializing_if = "is_false")]
    pub own: bool,
    /// Posts in whose pictures the account that asks was tagged.
    #[serde(skip_serializing_if = "is_false")]
    pub tagged: bool,
    /// Media that mention the account that asks, by the ids that webhooks told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
}

/// What is read of the Weibo Open API.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WeiboSource {
    /// User ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uids: Vec<String>,
    /// User ids, read by the call that needs a commercial permission.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commercial_uids: Vec<String>,
    /// Topics, without `#`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// The home timeline of the user who gave the token.
    #[serde(skip_serializing_if = "is_false")]
    pub home: bool,
    /// The public timeline.
    #[serde(skip_serializing_if = "is_false")]
    pub public: bool,
    /// The posts of the user who gave the token.
    #[serde(skip_serializing_if = "is_false")]
    pub own: bool,
    /// Posts sent from around places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nearby: Vec<Nearby>,
}

/// A place, and how far around it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nearby {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Metres.
    pub range_m: u32,
}

/// A folder of pictures, a file of records, or an archive; what of these is found out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathSource {
    /// The folder or file.
    pub path: PathBuf,
    /// The mapping file of an archive whose form is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PathBuf>,
    /// When an archive was made, where its files' own times do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<Timestamp>,
    /// Handle of whose posts an archive holds, where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Whether mail addresses, telephone numbers and street addresses of authors stay in the payloads that are kept.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keep_contacts: bool,
}

/// Posts that are stored already, as their networks see them now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecheckSource {
    /// The networks that are asked.
    pub networks: Vec<Network>,
    /// Which posts; all unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Only posts that are no older (`14d`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_within: Option<String>,
    /// Only posts that nobody has seen for so long; a day unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_seen_within: Option<String>,
}

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Instagram.
    Instagram,
    /// Weibo.
    Weibo,
}

impl Source {
    /// A path about which nothing more is said.
    pub fn path(path: impl AsRef<Path>) -> Self {
        Self::Path(PathSource {
            path: path.as_ref().to_owned(),
            ..PathSource::default()
        })
    }
}

impl PathSource {
    /// Whether nothing is said but where it lies.
    pub fn is_plain(&self) -> bool {
        let plain = Self {
            path: self.path.clone(),
            ..Self::default()
        };
        *self == plain
    }
}

impl RecheckSource {
    /// Which posts are asked for.
    ///
    /// # Errors
    /// `Config` when the filter cannot be parsed.
    pub fn filter(&self) -> Result<Filter> {
        let text = self.filter.as_deref().unwrap_or_default();
        text.parse::<Filter>().map_err(|error| {
            Error::new(ErrorKind::Config, "use_case.sources").message(error.to_string())
        })
    }
}

/// A length of time such as `14d` or `6h`; a day has 24 hours.
///
/// # Errors
/// `Config` when it is none.
pub fn duration(text: &str) -> Result<Duration> {
    let span = text.parse::<Span>().ok();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    duration
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| {
            Error::new(ErrorKind::Config, "config.duration")
                .message("a length of time is written as 14d or 6h")
                .with("text", text)
        })
}

fn is_false(flag: &bool) -> bool {
    !flag
}
