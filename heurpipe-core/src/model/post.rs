//! Posts, authors, media and places as gathered, before anything was read off them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::id::{Digest, PostId};

/// A social-media post as its network gave it.
///
/// Whatever a network may leave out is optional: a hidden count is absent, not zero, and some calls never say who
/// wrote a post.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Post {
    /// Identity.
    pub id: PostId,
    /// Other ids under which the same post is known (`graph:…` beside the network's own number).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<PostId>,
    /// The page a person would open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permalink: Option<String>,
    /// Caption or text, as plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Hashtags without `#`, in order of appearance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hashtags: Vec<String>,
    /// Mentioned handles without `@`, in order of appearance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
    /// Pictures and videos, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// Who wrote it, where the call says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// Likes and so on, as of `collected_at`.
    #[serde(default)]
    pub counts: Counts,
    /// When the author published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// How exactly `published_at` is known; none: as exactly as it is written. Archives write `3 minutes ago` or a day alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_within: Option<Precision>,
    /// When it was read from its source: for an archive, when the archive was made.
    pub collected_at: Timestamp,
    /// The post that this one passes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repost_of: Option<PostId>,
    /// What the network says of the language (BCP 47).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_hint: Option<String>,
    /// Where the post says it is from; see [`Places`].
    #[serde(default, skip_serializing_if = "Places::is_empty")]
    pub places: Places,
    /// Labels that the source itself brings (`labels.csv` of a folder of pictures), by attribute.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given: BTreeMap<String, Vec<String>>,
    /// The untouched payloads, by the kind of call that gave them (`graph.business_discovery`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub raw: BTreeMap<String, Raw>,
}

impl Post {
    /// An empty post with this identity.
    pub fn new(id: PostId, collected_at: Timestamp) -> Self {
        Self {
            id,
            aliases: Vec::new(),
            permalink: None,
            text: String::new(),
            hashtags: Vec::new(),
            mentions: Vec::new(),
            media: Vec::new(),
            author: None,
            counts: Counts::default(),
            published_at: None,
            published_within: None,
            collected_at,
            repost_of: None,
            language_hint: None,
            places: Places::default(),
            given: BTreeMap::new(),
            raw: BTreeMap::new(),
        }
    }

    /// The day on which it was published, UTC: the unit in which records are counted, archived and kept in a warehouse.
    ///
    /// ```
    /// use heurpipe_core::{Platform, Post, PostId};
    /// use jiff::{Timestamp, civil::date};
    ///
    /// let mut post = Post::new(PostId::new(Platform::instagram(), "1"), Timestamp::UNIX_EPOCH);
    /// assert_eq!(post.day(), None);
    /// post.published_at = Some("2026-02-28T23:30:00-02:00".parse()?);
    /// assert_eq!(post.day(), Some(date(2026, 3, 1)));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn day(&self) -> Option<Date> {
        let published = self.published_at?;
        Some(Offset::UTC.to_datetime(published).date())
    }

    /// The pictures that were fetched or found gone: what enrichers of pictures have to come to.
    pub fn pictures(&self) -> impl Iterator<Item = &Media> {
        self.media
            .iter()
            .filter(|m| m.kind != MediaKind::Video && m.fetched != Fetched::Not)
    }

    /// The medium with this id.
    pub fn medium(&self, id: &str) -> Option<&Media> {
        self.media.iter().find(|m| m.id == id)
    }
}

/// A payload as it came, byte for byte, but for line breaks between its values: these are spaces here, so that a record is one line wherever it is
/// written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(Box<RawValue>);

impl Raw {
    /// Keeps a payload.
    pub fn new(value: Box<RawValue>) -> Self {
        let text = value.get();
        if !text.contains(['\n', '\r']) {
            return Self(value);
        }
        // Within texts JSON knows no bare line break, so these stand between values.
        let one_line = text.replace(['\n', '\r'], " ");
        Self(RawValue::from_string(one_line).unwrap_or(value))
    }

    /// Keeps a parsed value.
    ///
    /// # Errors
    /// When the value cannot be written as JSON (a map with keys that are not strings).
    pub fn from_value(value: &impl Serialize) -> crate::Result<Self> {
        serde_json::value::to_raw_value(value)
            .map(Self::new)
            .map_err(|error| {
                crate::Error::new(crate::ErrorKind::InvalidInput, "raw.from_value").cause(error)
            })
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// An account, as of the moment its post was collected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Author {
    /// The network's id, where given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The handle without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Followers as of collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followers: Option<u64>,
    /// Whether the network has verified the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
}

impl Author {
    /// An author of whom nothing is known yet.
    pub fn unknown() -> Self {
        Self {
            id: None,
            handle: None,
            name: None,
            followers: None,
            verified: None,
        }
    }

    /// The key by which the author's posts are found together: the handle, else the id.
    pub fn key(&self) -> Option<&str> {
        self.handle.as_deref().or(self.id.as_deref())
    }
}

/// How exactly a time is known: the true one lies within so much after the one that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Precision {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
}

/// Three separate claims about where a post is from. They differ in meaning and in sensitivity and are never merged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Places {
    /// What the author declares in the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Place>,
    /// What the network derives from the IP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_region: Option<Place>,
    /// The place tagged on the post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tagged: Option<Place>,
}

impl Places {
    /// Whether no claim is made.
    pub fn is_empty(&self) -> bool {
        self.declared.is_none() && self.ip_region.is_none() && self.tagged.is_none()
    }

    /// The country of the most specific claim that has one: tagged, then IP region, then declared.
    pub fn country(&self) -> Option<&str> {
        [&self.tagged, &self.ip_region, &self.declared]
            .into_iter()
            .flatten()
            .find_map(|place| place.country.as_deref())
    }
}

/// A place as named by its source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// The name as given.
    pub name: String,
    /// ISO 3166-1 alpha-2, upper case, when it could be derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// How the country was derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_by: Option<CountryBy>,
    /// Degrees north, in the reference system `crs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east, in the reference system `crs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// The reference system of the coordinates; none: unknown. Never converted: maps of China are shifted by up to 500 m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crs: Option<Crs>,
}

/// How the country of a place was derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CountryBy {
    /// The source gives its code.
    Code,
    /// The name says the country.
    Name,
    /// The name says a province or state of it.
    Region,
    /// The name says a city of it, which no other country has a comparable one of the same name.
    City,
    /// The coordinates lie in it.
    Coordinates,
}

/// A reference system of coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Crs {
    /// That of GPS.
    Wgs84,
    /// The shifted one of maps of China.
    Gcj02,
}

impl Place {
    /// A place by name alone.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}

/// Counts shown with a post. Hidden is absent, not zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// Likes (Weibo: attitudes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likes: Option<u64>,
    /// Comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<u64>,
    /// Reposts or shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reposts: Option<u64>,
    /// Views.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<u64>,
}

impl Counts {
    /// Counts with likes, comments and reposts.
    pub fn new(likes: Option<u64>, comments: Option<u64>, reposts: Option<u64>) -> Self {
        Self {
            likes,
            comments,
            reposts,
            views: None,
        }
    }
}

/// What kind of medium it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaKind {
    /// A still picture.
    Image,
    /// A moving picture.
    Video,
    /// The still that stands for a video.
    Thumbnail,
}

/// A picture or video of a post.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Media {
    /// Identity within the post, stable between fetches (never the URL's query).
    pub id: String,
    /// Kind.
    pub kind: MediaKind,
    /// Where the bytes are, as of collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the URL stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_expires_at: Option<Timestamp>,
    /// Width in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Description for those who cannot see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
    /// What became of fetching it.
    #[serde(default)]
    pub fetched: Fetched,
}

impl Media {
    /// A still picture at `url`.
    pub fn image(id: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind: MediaKind::Image,
            url: Some(url.into()),
            url_expires_at: None,
            width: None,
            height: None,
            alt_text: None,
            fetched: Fetched::Not,
        }
    }

    /// The digest under which the bytes lie in the blob store, once fetched.
    pub fn digest(&self) -> Option<Digest> {
        match &self.fetched {
            Fetched::Stored { digest, .. } => Some(*digest),
            _ => None,
        }
    }
}

/// What became of fetching a medium's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fetched {
    /// Not tried yet.
    #[default]
    Not,
    /// The bytes lie in the blob store.
    Stored {
        /// Under this digest.
        digest: Digest,
        /// Their count.
        bytes: u64,
        /// What they are, told from the bytes (`image/jpeg`).
        content_type: String,
    },
    /// The bytes cannot be had: deleted, expired without a way to refresh, refused, not a picture.
    Gone {
        /// Why.
        reason: String,
    },
}
