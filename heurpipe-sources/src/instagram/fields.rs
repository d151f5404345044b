//! Which fields each call asks for. How the API answers without being asked for a field is not documented, so all are named.

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
pub(super) const OPTIONAL: &[&str] = &[
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

/// The words of a text that could be names of fields.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}
