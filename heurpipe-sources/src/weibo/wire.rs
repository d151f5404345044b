//! The Open API's answers, as far as they are read. Whatever else they hold is ignored here and kept in the raw payload.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::lenient;

/// A page of posts. They are kept as text: one that cannot be read must not take the page with it.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    #[serde(default)]
    pub statuses: Vec<Box<RawValue>>,
    #[serde(default)]
    pub next_cursor: Option<i64>,
    #[serde(default)]
    pub max_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub total_number: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    #[serde(default, deserialize_with = "lenient::id")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "lenient::id")]
    pub idstr: Option<String>,
    #[serde(default, deserialize_with = "lenient::id")]
    pub mid: Option<String>,
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
    #[serde(default)]
    pub original_pic: Option<String>,
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
    /// The post's number, all of whose spellings mean the same.
    pub(super) fn number(&self) -> Option<&str> {
        self.mid
            .as_deref()
            .or(self.idstr.as_deref())
            .or(self.id.as_deref())
    }

    /// Removed by its author or by the network: no user, or a notice in place of the text.
    pub(super) fn is_deleted(&self) -> bool {
        self.deleted == Some(true) || self.user.is_none()
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
    #[serde(default, rename = "type")]
    pub kind: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Picture {
    #[serde(default)]
    pub thumbnail_pic: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    #[serde(default, deserialize_with = "lenient::id")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "lenient::id")]
    pub idstr: Option<String>,
    #[serde(default)]
    pub screen_name: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub location: Option<String>,
    #[serde(default, deserialize_with = "lenient::count")]
    pub followers_count: Option<u64>,
    #[serde(default, deserialize_with = "flag")]
    pub verified: Option<bool>,
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
    #[serde(default)]
    pub ip_limit: Option<f64>,
    #[serde(default)]
    pub remaining_ip_hits: Option<f64>,
    #[serde(default)]
    pub user_limit: Option<f64>,
    #[serde(default)]
    pub remaining_user_hits: Option<f64>,
    #[serde(default)]
    pub reset_time_in_seconds: Option<u64>,
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
