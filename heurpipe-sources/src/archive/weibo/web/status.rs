//! A status, as far as it is read. Whatever else it holds is kept in its payload.

use std::borrow::Cow;

use heurpipe_core::{Author, Counts};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::{html, parts};
use crate::lenient::{self, Id};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    #[serde(deserialize_with = "lenient::spelt_id")]
    id: Option<Id>,
    #[serde(deserialize_with = "lenient::spelt_id")]
    idstr: Option<Id>,
    #[serde(deserialize_with = "lenient::spelt_id")]
    mid: Option<Id>,
    #[serde(alias = "mblogid")]
    bid: Option<String>,
    pub created_at: Option<String>,
    /// HTML.
    text: Option<String>,
    /// Of `weibo.com`: the same as plain text.
    text_raw: Option<String>,
    #[serde(rename = "longText")]
    long_text: Option<LongText>,
    topic_struct: Option<Vec<Topic>>,
    pub user: Option<User>,
    #[serde(deserialize_with = "lenient::flag")]
    deleted: Option<bool>,
    visible: Option<Visible>,
    #[serde(rename = "isAd", deserialize_with = "lenient::flag")]
    is_ad: Option<bool>,
    promotion: Value,
    mblogtypename: Option<String>,
    #[serde(deserialize_with = "lenient::count")]
    reposts_count: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    comments_count: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    attitudes_count: Option<u64>,
    pub region_name: Option<String>,
    /// Null, an empty text or a point.
    pub geo: Value,
    pub tag_struct: Value,
    pub page_info: Value,
    /// Of `m.weibo.cn`: a list, at times an object of numbered pictures.
    pub pics: Value,
    /// Of `m.weibo.cn`: what moves in the pictures.
    pub live_photo: Value,
    /// Of `weibo.com`: the order of the pictures.
    pub pic_ids: Value,
    /// Of `weibo.com`: the pictures, by pid.
    pub pic_infos: Value,
    /// Of `weibo.com`: pictures and videos in one post.
    pub mix_media_info: Value,
    pub retweeted_status: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct LongText {
    #[serde(default, rename = "longTextContent")]
    content: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Topic {
    #[serde(default)]
    topic_title: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Visible {
    #[serde(default, rename = "type")]
    kind: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    #[serde(deserialize_with = "lenient::spelt_id")]
    id: Option<Id>,
    #[serde(deserialize_with = "lenient::spelt_id")]
    idstr: Option<Id>,
    screen_name: Option<String>,
    /// What the profile declares; `m.weibo.cn` leaves it out.
    pub location: Option<String>,
    #[serde(deserialize_with = "lenient::count")]
    followers_count: Option<u64>,
    #[serde(deserialize_with = "lenient::flag")]
    verified: Option<bool>,
}

impl User {
    pub(super) fn author(&self) -> Author {
        let mut author = Author::unknown();
        author.id = Id::of(&[&self.idstr, &self.id]).map(str::to_owned);
        author.handle = self.screen_name.clone().filter(|name| !name.is_empty());
        author.followers = self.followers_count;
        author.verified = self.verified;
        author
    }
}

impl Status {
    /// The post's number, all of whose spellings mean the same.
    pub(super) fn number(&self) -> Option<String> {
        let number = Id::of(&[&self.mid, &self.idstr, &self.id]);
        parts::number(number, self.bid.as_deref())
    }

    /// Removed by its author or by the network: no user, or a notice in place of the text.
    pub(super) fn is_removed(&self) -> bool {
        self.deleted == Some(true) || self.user.is_none()
    }

    /// Anything but public is for those to whom the author shows it.
    pub(super) fn is_public(&self) -> bool {
        self.visible.as_ref().is_none_or(|v| v.kind == Some(0))
    }

    pub(super) fn is_advertisement(&self) -> bool {
        self.is_ad == Some(true)
            || self.promotion.is_object()
            || self.mblogtypename.as_deref() == Some("广告")
    }

    /// The whole text where the status holds it, else the one that may be cut.
    pub(super) fn plain_text(&self) -> Cow<'_, str> {
        let whole = self.long_text.as_ref().and_then(|l| l.content.as_deref());
        match (whole, &self.text_raw) {
            (Some(whole), _) if !whole.is_empty() => html::plain_if_marked_up(whole),
            (_, Some(plain)) => plain.into(),
            _ => html::plain(self.text.as_deref().unwrap_or_default()).into(),
        }
    }

    /// Those that the network has recognised itself.
    pub(super) fn topics(&self) -> impl Iterator<Item = &str> {
        let topics = self.topic_struct.iter().flatten();
        topics.filter_map(|topic| topic.topic_title.as_deref())
    }

    pub(super) fn counts(&self) -> Counts {
        Counts::new(
            self.attitudes_count,
            self.comments_count,
            self.reposts_count,
        )
    }
}
