//! Posts of any JSON Lines, by a mapping that says where each field stands.
//!
//! ```
//! use heurpipe_sources::archive::Mapping;
//!
//! # fn main() -> heurpipe_core::Result<()> {
//! let mapping: Mapping = r#"
//!     platform = "instagram"
//!     id = "/post/id"
//!     text = "/post/caption"
//!     published_at = "/post/time"
//!
//!     [author]
//!     handle = "/user/name"
//!     followers = "/user/followers"
//!
//!     [media]
//!     images = "/post/pictures/*/url"
//! "#
//! .parse()?;
//! # drop(mapping);
//! # Ok(())
//! # }
//! ```

mod mapper;
mod pointer;

use std::str::FromStr;

use heurpipe_core::{Error, ErrorKind, Platform, Result};
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;

use super::cut::Layout;
use super::format::{Format, Mapper};
use super::looks::Looks;
use mapper::Mapped;
use pointer::Pointer;

/// The form that a mapping makes known, in words.
pub(super) const LOOKED_FOR: &str = "JSON Lines, a list or a table in which a mapping file (NAME.mapping.toml beside it, or heurpipe-mapping.toml) finds the id";

/// Where the fields of a post stand in the items of an archive.
///
/// Each is a JSON pointer (RFC 6901, `/post/id`), in which `*` stands for every element of a list. What is left out is absent; hashtags and
/// mentions are then read off the text. The columns of a table are fields at its top (`/Caption`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    platform: String,
    #[serde(default = "default_name")]
    name: String,
    id: Pointer,
    text: Option<Pointer>,
    permalink: Option<Pointer>,
    language: Option<Pointer>,
    repost_of: Option<Pointer>,
    hashtags: Option<Pointer>,
    mentions: Option<Pointer>,
    published_at: Option<Pointer>,
    collected_at: Option<Pointer>,
    #[serde(default)]
    times: Times,
    #[serde(default)]
    author: AuthorFields,
    #[serde(default)]
    counts: CountFields,
    #[serde(default)]
    media: MediaFields,
    #[serde(default)]
    places: PlaceFields,
}

fn default_name() -> String {
    "mapped".to_owned()
}

/// How times are written: seconds or milliseconds since 1970 and RFC 3339 are understood by themselves.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Times {
    /// As of `strftime`.
    format: Option<String>,
    /// The offset of times that are written without one, as `+08:00`; UTC unless told.
    #[serde(default, deserialize_with = "offset")]
    offset: Option<Offset>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorFields {
    id: Option<Pointer>,
    handle: Option<Pointer>,
    name: Option<Pointer>,
    followers: Option<Pointer>,
    verified: Option<Pointer>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountFields {
    likes: Option<Pointer>,
    comments: Option<Pointer>,
    reposts: Option<Pointer>,
    views: Option<Pointer>,
}

/// URLs, or paths of files in the archive.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaFields {
    images: Option<Pointer>,
    videos: Option<Pointer>,
    thumbnails: Option<Pointer>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceFields {
    declared: Option<Pointer>,
    ip_region: Option<Pointer>,
    tagged: Option<Pointer>,
    latitude: Option<Pointer>,
    longitude: Option<Pointer>,
}

fn offset<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Offset>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || serde::de::Error::custom(format!("no offset such as +08:00: {text}"));
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(wrong()),
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let part = |text: &str| text.parse::<i32>().ok().filter(|number| *number >= 0);
    let seconds = part(hours)
        .zip(part(minutes))
        .map(|(hours, minutes)| sign * (hours * 3600 + minutes * 60));
    let offset = seconds.and_then(|seconds| Offset::from_seconds(seconds).ok());
    offset.map(Some).ok_or_else(wrong)
}

impl Mapping {
    /// The network of the posts.
    pub(super) fn platform(&self) -> Platform {
        Platform::new(&self.platform)
    }

    /// The zone of times that are written without one.
    fn zone(&self) -> TimeZone {
        TimeZone::fixed(self.times.offset.unwrap_or(Offset::UTC))
    }
}

impl FromStr for Mapping {
    type Err = Error;

    /// Reads a mapping file (TOML).
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |message: &str| Error::new(ErrorKind::Config, "mapping.parse").message(message);
        let mapping: Self = toml::from_str(text)
            .map_err(|error| wrong("the mapping cannot be read").cause(error))?;
        if mapping.platform.is_empty() || mapping.platform.contains(':') {
            return Err(wrong("the platform is a word").with("platform", &mapping.platform));
        }
        Ok(mapping)
    }
}

/// A mapping as a format: whatever has the id where the mapping says so.
pub(super) struct ByMapping(pub Mapping);

impl Format for ByMapping {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn description(&self) -> &str {
        LOOKED_FOR
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let id = &self.0.id;
        match looks {
            Looks::Json(form, keys) => keys.have(&[&id.key_path()]).then(|| Layout::items(*form)),
            Looks::Csv(header) => id
                .column()
                .filter(|column| header.iter().any(|name| name == column))
                .map(|_| Layout::Table),
            _ => None,
        }
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Mapped(self.0.clone()))
    }
}
