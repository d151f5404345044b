//! Which fields each call asks for. The API answers those that are named and no other.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use heurpipe_core::{Error, ErrorKind};
use url::Url;

/// An account: the ones of the current documentation, then those that only older versions list.
pub(super) const ACCOUNT: &[&str] = &[
    "id",
    "username",
    "biography",
    "website",
    "followers_count",
    "media_count",
    "alt_text",
    "name",
    "follows_count",
    "profile_picture_url",
    "ig_id",
];

/// The user on whose behalf the calls are made.
pub(super) const OWN_ACCOUNT: &[&str] = &[
    "id",
    "username",
    "name",
    "biography",
    "website",
    "followers_count",
    "follows_count",
    "media_count",
    "profile_picture_url",
];

/// The user's own media.
pub(super) const OWN: &[&str] = &[
    "id",
    "ig_id",
    "legacy_instagram_media_id",
    "shortcode",
    "caption",
    "media_type",
    "media_product_type",
    "media_url",
    "thumbnail_url",
    "permalink",
    "timestamp",
    "username",
    "owner",
    "like_count",
    "comments_count",
    "is_comment_enabled",
    "is_shared_to_feed",
    "alt_text",
    "copyright_check_information",
    "saved_count",
    "shares_count",
    "reposts_count",
    "total_like_count",
    "total_comments_count",
    "total_views_count",
];

/// Media of another account, by business discovery.
pub(super) const DISCOVERED: &[&str] = &[
    "id",
    "caption",
    "media_type",
    "media_product_type",
    "media_url",
    "thumbnail_url",
    "permalink",
    "timestamp",
    "like_count",
    "comments_count",
    "view_count",
];

/// Media under a hashtag.
pub(super) const HASHTAG: &[&str] = &[
    "id",
    "caption",
    "media_type",
    "media_url",
    "permalink",
    "timestamp",
    "like_count",
    "comments_count",
];

/// Media in which the user was tagged or is mentioned: the public fields.
pub(super) const PUBLIC: &[&str] = &[
    "id",
    "caption",
    "media_type",
    "media_product_type",
    "media_url",
    "thumbnail_url",
    "permalink",
    "timestamp",
    "username",
    "like_count",
    "comments_count",
];

/// The items of an album. Permalinks are not to be had of pictures in albums.
pub(super) const CHILDREN: &[&str] = &[
    "id",
    "media_type",
    "media_url",
    "thumbnail_url",
    "timestamp",
];

/// The items of an album under a hashtag.
pub(super) const HASHTAG_CHILDREN: &[&str] = &["id", "media_type", "media_url"];

/// Fields that some versions, hosts and accounts do not know. Refused once, a call does not ask for them again.
const OPTIONAL: &[&str] = &[
    "alt_text",
    "biography",
    "copyright_check_information",
    "followers_count",
    "follows_count",
    "ig_id",
    "is_comment_enabled",
    "is_shared_to_feed",
    "legacy_instagram_media_id",
    "media_count",
    "media_product_type",
    "name",
    "owner",
    "profile_picture_url",
    "reposts_count",
    "saved_count",
    "shares_count",
    "shortcode",
    "thumbnail_url",
    "total_comments_count",
    "total_like_count",
    "total_views_count",
    "username",
    "view_count",
    "website",
];

/// Fields by call.
type Refused = BTreeSet<(&'static str, &'static str)>;

/// The fields that are not asked for.
#[derive(Debug)]
pub(super) struct Fields {
    /// By configuration, whatever the call.
    left_out: BTreeSet<String>,
    /// The API does not know them.
    refused: Mutex<Refused>,
}

impl Fields {
    /// All fields but these; ids are always asked for.
    pub(super) fn without(mut left_out: BTreeSet<String>) -> Self {
        left_out.remove("id");
        Self {
            left_out,
            refused: Mutex::default(),
        }
    }

    /// Those of a call's fields that it asks for.
    pub(super) fn wanted(
        &self,
        operation: &'static str,
        fields: &[&'static str],
    ) -> Vec<&'static str> {
        let refused = self.refused();
        let is_wanted = |field: &&'static str| {
            !self.left_out.contains(*field) && !refused.contains(&(operation, *field))
        };
        fields.iter().copied().filter(is_wanted).collect()
    }

    /// Whether the error names an optional field that the call asked for: then the call is worth making without it. Another partition's call
    /// may have learnt of the field in between.
    pub(super) fn note_refusal(&self, operation: &'static str, error: &Error, asked: &Url) -> bool {
        if error.kind() != ErrorKind::InvalidInput {
            return false;
        }
        let Some((_, said)) = error.context().find(|(key, _)| *key == "said") else {
            return false;
        };
        let said: BTreeSet<&str> = words(said).collect();
        let list = asked.query_pairs().find(|(name, _)| name == "fields");
        let list = list.map(|(_, list)| list).unwrap_or_default();
        let asked: BTreeSet<&str> = words(&list).collect();
        let named = OPTIONAL
            .iter()
            .filter(|field| said.contains(**field) && asked.contains(**field))
            // `name` is a word of many sentences, and is dropped only when nothing else is meant.
            .max_by_key(|field| field.len());
        let Some(field) = named else {
            return false;
        };
        self.refused().insert((operation, field));
        true
    }

    fn refused(&self) -> MutexGuard<'_, Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The words of a text that could be names of fields.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}
