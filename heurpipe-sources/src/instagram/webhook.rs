//! What webhooks tell: which posts mention the user. There is no call that lists them.

use heurpipe_core::{Error, ErrorKind, Result};
use jiff::Timestamp;
use serde::Deserialize;

use crate::lenient;

/// A mention of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mention {
    /// The Graph id of the post that mentions the user, in its caption or in a comment on it; for
    /// [`InstagramGraphBuilder::mentions`](super::InstagramGraphBuilder::mentions).
    pub media_id: String,
    /// The Graph id of the comment, where the mention stands in one.
    pub comment_id: Option<String>,
    /// When the network told it.
    pub told_at: Option<Timestamp>,
}

/// Reads the mentions off the body of a webhook, in its order. Other events are left out. Whoever receives it has checked its
/// signature (`X-Hub-Signature-256`) before.
///
/// ```
/// use heurpipe_sources::instagram::webhook;
///
/// # fn main() -> heurpipe_core::Result<()> {
/// let body = br#"{"object":"instagram","entry":[{"id":"17841405309211844","time":1770000000,
///     "changes":[{"field":"mentions","value":{"media_id":"17887498072083520"}}]}]}"#;
/// assert_eq!(webhook::mentions(body)?[0].media_id, "17887498072083520");
/// # Ok(()) }
/// ```
///
/// # Errors
/// `InvalidInput` when it is no body of a webhook of Instagram.
pub fn mentions(body: &[u8]) -> Result<Vec<Mention>> {
    let operation = "instagram.webhook";
    let notice: Notice = serde_json::from_slice(body).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, operation)
            .message("not the body of a webhook")
            .cause(error)
    })?;
    if notice.object != "instagram" {
        return Err(Error::new(ErrorKind::InvalidInput, operation)
            .message("not about instagram")
            .with("object", notice.object));
    }
    Ok(notice.entry.into_iter().flat_map(Entry::mentions).collect())
}

#[derive(Debug, Deserialize)]
struct Notice {
    object: String,
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(default)]
    time: Option<i64>,
    #[serde(default)]
    changes: Vec<Change>,
}

/// Values of other fields have other members, which are not read.
#[derive(Debug, Deserialize)]
struct Change {
    field: String,
    #[serde(default)]
    value: Value,
}

#[derive(Debug, Default, Deserialize)]
struct Value {
    #[serde(default, deserialize_with = "lenient::id")]
    media_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::id")]
    comment_id: Option<String>,
}

impl Entry {
    fn mentions(self) -> Vec<Mention> {
        let told_at = self.time.and_then(|time| Timestamp::from_second(time).ok());
        let of_mentions = self.changes.into_iter().filter(|c| c.field == "mentions");
        of_mentions
            .filter_map(|change| {
                Some(Mention {
                    media_id: change.value.media_id?,
                    comment_id: change.value.comment_id,
                    told_at,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::instagram::samples;

    #[test]
    fn mentions_in_captions_and_comments_are_told_apart() {
        let body = br#"{"object":"instagram","entry":[
            {"id":"1","time":1770000000,"changes":[
                {"field":"mentions","value":{"media_id":"11"}},
                {"field":"comments","value":{"id":"99","text":"nice","media":{"id":"12"}}},
                {"field":"story_insights","value":{"media_id":"13","reach":4}},
                {"field":"mentions","value":{"media_id":14,"comment_id":"98"}}]},
            {"id":"1","changes":[{"field":"mentions","value":{"media_id":"15"}}]}]}"#;
        let found = mentions(body).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|m| (m.media_id.as_str(), m.comment_id.as_deref()))
            .collect();
        assert_eq!(told, [("11", None), ("14", Some("98")), ("15", None)]);
        assert_eq!(
            found[0].told_at,
            Some("2026-02-02T02:40:00Z".parse().unwrap())
        );
        assert_eq!(found[2].told_at, None);
    }

    #[test]
    fn what_is_no_webhook_is_refused() {
        for body in [
            &b"<html>"[..],
            b"[]",
            br#"{"entry":[]}"#,
            br#"{"object":"page","entry":[]}"#,
        ] {
            let error = mentions(body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        }
    }

    #[test]
    fn recorded_webhooks_are_read() {
        let Some(folder) = samples::folder() else {
            return;
        };
        let read = |name| mentions(&std::fs::read(folder.join(name)).unwrap()).unwrap();
        let found = read("wh-mentions.json");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].media_id, "17887498072083520");
        assert_eq!(found[0].told_at.unwrap().as_second(), 1_519_399_310);
        assert_eq!(read("wh-comments-2021.json"), []);
    }
}
