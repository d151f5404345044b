//! The Open API's answers, as far as they are read. Whatever else they hold is ignored here and kept in the raw payload.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::lenient::{self, Id};

/// A page of posts. They are kept as text: one that cannot be read must not take the page with it.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub statuses: Vec<Box<RawValue>>,
    pub next_cursor: Option<i64>,
    pub max_id: Option<i64>,
    pub total_number: Option<u64>,
}

/// The object, or the empty list that some calls answer instead where there are no posts.
impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(deserialize_with = "list")]
            statuses: Vec<Box<RawValue>>,
            #[serde(default, deserialize_with = "lenient::integer")]
            next_cursor: Option<i64>,
            #[serde(default, deserialize_with = "lenient::integer")]
            max_id: Option<i64>,
            #[serde(default, deserialize_with = "lenient::count")]
            total_number: Option<u64>,
        }
        let answer = Box::<RawValue>::deserialize(deserializer)?;
        if answer.get() == "[]" {
            return Ok(Self::default());
        }
        let fields: Fields = lenient::object(&answer).map_err(D::Error::custom)?;
        Ok(Self {
            statuses: fields.statuses,
            next_cursor: fields.next_cursor,
            max_id: fields.max_id,
            total_number: fields.total_number,
        })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    #[serde(default, deserialize_with = "lenient::spelt_id")]
    pub id: Option<Id>,
    #[serde(default, deserialize_with = "lenient::spelt_id")]
    pub idstr: Option<Id>,
    #[serde(default, deserialize_with = "lenient::spelt_id")]
    pub mid: Option<Id>,
    #[serde(default)]
    pub created_at: Option<String>,
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default, rename = "isLongText", deserialize_with = "flag")]
    pub is_long_text: Option<bool>,
    #[serde(default, rename = "longText")]
    pub long_text: Option<LongText>,
    #[serde(default)]
    pub user: Option<User>,
    #[serde(default, deserialize_with = "flag")]
    pub deleted: Option<bool>,
    #[serde(default)]
    pub visible: Option<Visible>,
    #[serde(default)]
    pub pic_ids: Option<Vec<String>>,
    #[serde(default)]
    pub pic_urls: Option<Vec<Picture>>,
    /// These three show the first picture in three sizes.
    #[serde(default)]
    pub original_pic: Option<String>,
    #[serde(default)]
    pub bmiddle_pic: Option<String>,
    #[serde(default)]
    pub thumbnail_pic: Option<String>,
    /// Null, an empty text or a point.
    #[serde(default)]
    pub geo: Value,
    #[serde(default)]
    pub annotations: Value,
    #[serde(default)]
    pub region_name: Option<String>,
    #[serde(default)]
    pub retweeted_status: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub reposts_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub comments_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub attitudes_count: Option<u64>,
}

impl Status {
    /// The post's number. Its three spellings mean the same; should they contradict, a text is believed.
    pub(super) fn number(&self) -> Option<&str> {
        Id::of(&[&self.mid, &self.idstr, &self.id])
    }

    /// Said outright to be removed, by its author or by the network.
    pub(super) fn is_marked_deleted(&self) -> bool {
        self.deleted == Some(true)
    }

    /// Removed: marked so, or without a user, as only removed ones are.
    pub(super) fn is_deleted(&self) -> bool {
        self.is_marked_deleted() || self.user.is_none()
    }

    /// Anything but public is for those to whom the author shows it.
    pub(super) fn is_public(&self) -> bool {
        self.visible.as_ref().is_none_or(|v| v.kind == Some(0))
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_long_text == Some(true) && !self.is_deleted() && self.is_public()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct LongText {
    #[serde(default, rename = "longTextContent")]
    pub content: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Visible {
    #[serde(default, rename = "type", deserialize_with = "lenient::integer")]
    pub kind: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Picture {
    #[serde(default)]
    pub thumbnail_pic: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    #[serde(default, deserialize_with = "lenient::spelt_id")]
    pub id: Option<Id>,
    #[serde(default, deserialize_with = "lenient::spelt_id")]
    pub idstr: Option<Id>,
    #[serde(default)]
    pub screen_name: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub location: Option<String>,
    /// Weibo's code of the province in the profile.
    #[serde(default, deserialize_with = "lenient::id")]
    pub province: Option<String>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub followers_count: Option<u64>,
    #[serde(default, deserialize_with = "flag")]
    pub verified: Option<bool>,
}

impl User {
    /// The user's number.
    pub(super) fn number(&self) -> Option<&str> {
        Id::of(&[&self.idstr, &self.id])
    }
}

/// What the API says when it refuses; the code is a text or a number.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    #[serde(default, deserialize_with = "lenient::id")]
    pub error_code: Option<String>,
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default)]
    pub error_description: Option<String>,
}

/// How many calls are left.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RateLimitStatus {
    #[serde(default, deserialize_with = "lenient::integer")]
    pub ip_limit: Option<i64>,
    #[serde(default, deserialize_with = "lenient::integer")]
    pub remaining_ip_hits: Option<i64>,
    #[serde(default, deserialize_with = "lenient::integer")]
    pub user_limit: Option<i64>,
    #[serde(default, deserialize_with = "lenient::integer")]
    pub remaining_user_hits: Option<i64>,
    #[serde(default, deserialize_with = "lenient::integer")]
    pub reset_time_in_seconds: Option<i64>,
    /// `2011-06-03 18:00:00`, China time.
    #[serde(default)]
    pub reset_time: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub api_rate_limits: Vec<CallLimit>,
}

/// How often one call may still be made.
#[derive(Debug, Deserialize)]
pub(super) struct CallLimit {
    /// Its path, as `/statuses/update`.
    #[serde(default)]
    pub api: Option<String>,
    #[serde(default, deserialize_with = "lenient::integer")]
    pub limit: Option<i64>,
    #[serde(default, deserialize_with = "lenient::integer")]
    pub remaining_hits: Option<i64>,
}

/// A list that may be null.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A yes or no written as a boolean, as 0 or 1, or as `"0"` or `"1"`.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::Bool(yes)) => Some(yes),
        Some(Value::Number(number)) => number.as_i64().map(|n| n != 0),
        Some(Value::String(text)) => match text.as_str() {
            "1" | "true" => Some(true),
            "0" | "false" | "" => Some(false),
            _ => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn flags_come_in_several_spellings() {
        for (json, expected) in [
            (r#"{"deleted":"1"}"#, Some(true)),
            (r#"{"deleted":0}"#, Some(false)),
            (r#"{"deleted":true}"#, Some(true)),
            (r#"{"deleted":"soon"}"#, None),
            (r#"{}"#, None),
        ] {
            let status: Status = serde_json::from_str(json).unwrap();
            assert_eq!(status.deleted, expected, "{json}");
        }
    }
}
