//! The Graph API's answers, as far as they are read. Whatever else they hold is ignored here and kept in the raw payload.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::lenient;

/// A page of media. The items are kept as text: one that cannot be read must not take the page with it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct MediaPage {
    #[serde(default)]
    pub data: Vec<Box<RawValue>>,
    #[serde(default)]
    pub(super) paging: Option<Paging>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Paging {
    #[serde(default)]
    pub cursors: Option<Cursors>,
    /// The next page's address. It carries the token and is never used; that it is there says that there is more.
    #[serde(default)]
    pub next: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cursors {
    #[serde(default, deserialize_with = "lenient::id")]
    pub after: Option<String>,
}

impl MediaPage {
    pub(super) fn after(&self) -> Option<&str> {
        self.paging.as_ref()?.cursors.as_ref()?.after.as_deref()
    }

    pub(super) fn has_next(&self) -> bool {
        self.paging.as_ref().is_some_and(|p| p.next.is_some())
    }
}

/// The answer of a hashtag search: documented with the id alone, given within a list.
#[derive(Debug, Deserialize)]
pub(super) struct HashtagFound {
    #[serde(default, deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(default)]
    data: Vec<Node>,
}

impl HashtagFound {
    pub(super) fn into_id(self) -> Option<String> {
        self.id
            .or_else(|| self.data.into_iter().find_map(|node| node.id))
    }
}

/// The hashtags that were asked for within seven days.
#[derive(Debug, Deserialize)]
pub(super) struct HashtagsSearched {
    #[serde(default)]
    pub data: Vec<Node>,
}

/// A hashtag by its id.
#[derive(Debug, Deserialize)]
pub(super) struct HashtagNamed {
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Node {
    #[serde(default, deserialize_with = "lenient::id")]
    pub id: Option<String>,
}

/// The answer of a business discovery. The id beside it is the caller's.
#[derive(Debug, Deserialize)]
pub(super) struct Discovered {
    pub business_discovery: Box<RawValue>,
}

/// The answer that shows a post which mentions the caller, whose id stands beside it.
#[derive(Debug, Deserialize)]
pub(super) struct Mentioned {
    pub mentioned_media: Box<RawValue>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Account {
    #[serde(default, deserialize_with = "lenient::id")]
    pub id: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub followers_count: Option<u64>,
    /// Posts, which business discovery nests within the account.
    #[serde(default)]
    pub media: MediaPage,
}

/// The members of an object, each as it came and where it stood.
#[derive(Debug)]
pub(super) struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// One medium of the Graph API: what is a post elsewhere.
#[derive(Debug, Deserialize)]
pub(super) struct MediaNode {
    #[serde(default, deserialize_with = "lenient::id")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "lenient::id")]
    pub ig_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::id")]
    pub legacy_instagram_media_id: Option<String>,
    #[serde(default)]
    pub shortcode: Option<String>,
    #[serde(default)]
    pub caption: Option<String>,
    #[serde(default)]
    pub media_type: Option<String>,
    #[serde(default)]
    pub media_url: Option<String>,
    #[serde(default)]
    pub thumbnail_url: Option<String>,
    #[serde(default)]
    pub permalink: Option<String>,
    #[serde(default)]
    pub timestamp: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub owner: Option<Node>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub like_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub comments_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub view_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub reposts_count: Option<u64>,
    #[serde(default)]
    pub alt_text: Option<String>,
    #[serde(default)]
    pub children: Option<Children>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Children {
    #[serde(default)]
    pub data: Vec<MediaNode>,
}

/// What the API says when it refuses.
#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    pub error: Refusal,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub code: Option<i64>,
    #[serde(default)]
    pub error_subcode: Option<i64>,
    #[serde(default)]
    pub is_transient: Option<bool>,
    #[serde(default)]
    pub fbtrace_id: Option<String>,
}
