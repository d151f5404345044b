//! A post as the apps' private API writes it, and as instagrapi hands it on.

use heurpipe_core::{Counts, MediaKind, Post};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::format::File;
use super::parts::{self, Account, Location};
use crate::lenient;

/// `media_type` of a video.
const VIDEO: u64 = 2;

/// Reads a medium: what is a post elsewhere.
///
/// # Errors
/// A sentence that says why it is no post.
pub(super) fn post(json: &RawValue, file: &File<'_>) -> Result<Post, String> {
    let medium: Medium = lenient::object(json)?;
    let frame: Frame = lenient::object(json)?;
    let number = medium.pk.as_deref().or(medium.id.as_deref());
    let code = medium.code.as_deref().filter(|code| !code.is_empty());
    let mut post = file.post(parts::identity(number, code)?);
    post.permalink = code.map(|code| parts::permalink(code, medium.product_type.as_deref()));
    post.published_at = parts::time(&medium.taken_at)?;
    parts::set_text(&mut post, medium.caption());
    post.author = medium.user.as_ref().and_then(Account::author);
    post.counts = medium.counts();
    post.places.tagged = medium.location.as_ref().and_then(Location::place);
    if let Some(tagged) = &mut post.places.tagged
        && tagged.latitude.is_none()
        && let Some((latitude, longitude)) = lenient::point(&medium.lat, &medium.lng)
    {
        (tagged.latitude, tagged.longitude) = (Some(latitude), Some(longitude));
    }
    for child in medium.children() {
        child.add_to(&mut post);
    }
    if post.media.is_empty() {
        frame.add_to(&mut post);
    }
    Ok(post)
}

#[derive(Deserialize)]
struct Medium {
    #[serde(default, deserialize_with = "lenient::id")]
    pk: Option<String>,
    #[serde(default, deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    product_type: Option<String>,
    #[serde(default)]
    taken_at: Value,
    #[serde(default)]
    caption: Value,
    /// Of instagrapi.
    #[serde(default)]
    caption_text: Option<String>,
    #[serde(default)]
    user: Option<Account>,
    #[serde(default)]
    location: Option<Location>,
    #[serde(default)]
    lat: Value,
    #[serde(default)]
    lng: Value,
    #[serde(default, deserialize_with = "lenient::count")]
    like_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    comment_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    reshare_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    view_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    play_count: Option<u64>,
    #[serde(default)]
    like_and_view_counts_disabled: Option<bool>,
    #[serde(default)]
    carousel_media: Option<Vec<Frame>>,
    /// Of instagrapi.
    #[serde(default)]
    resources: Option<Vec<Frame>>,
}

impl Medium {
    fn caption(&self) -> &str {
        parts::text_within(&self.caption)
            .or(self.caption_text.as_deref())
            .unwrap_or_default()
    }

    fn counts(&self) -> Counts {
        let are_hidden = self.like_and_view_counts_disabled == Some(true);
        let shown = |count: Option<u64>| count.filter(|_| !are_hidden);
        let mut counts = Counts::new(
            shown(self.like_count),
            self.comment_count,
            self.reshare_count,
        );
        // Of a picture zero is written where nobody counts.
        let views = self.play_count.or(self.view_count);
        counts.views = shown(views.filter(|views| *views > 0));
        counts
    }

    fn children(&self) -> impl Iterator<Item = &Frame> {
        let lists = [&self.carousel_media, &self.resources];
        lists.into_iter().flatten().flatten()
    }
}

/// What is shown: a picture, or a video with its cover.
#[derive(Deserialize)]
struct Frame {
    #[serde(default, deserialize_with = "lenient::count")]
    media_type: Option<u64>,
    #[serde(default)]
    image_versions2: Option<Candidates>,
    #[serde(default)]
    video_versions: Option<Vec<Version>>,
    /// Of instagrapi.
    #[serde(default)]
    thumbnail_url: Option<String>,
    /// Of instagrapi.
    #[serde(default)]
    video_url: Option<String>,
    #[serde(default)]
    accessibility_caption: Option<String>,
}

#[derive(Deserialize)]
struct Candidates {
    #[serde(default)]
    candidates: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    url: String,
    #[serde(default, deserialize_with = "parts::pixels")]
    width: Option<u32>,
    #[serde(default, deserialize_with = "parts::pixels")]
    height: Option<u32>,
}

impl Frame {
    fn add_to(&self, post: &mut Post) {
        // The largest stands first.
        let video = self.video_versions.iter().flatten().next();
        if let Some(video) = video {
            self.add(post, MediaKind::Video, &video.url, Some(video));
        } else if let Some(url) = &self.video_url {
            self.add(post, MediaKind::Video, url, None);
        }
        let is_video = video.is_some() || self.media_type == Some(VIDEO);
        let kind = if is_video {
            MediaKind::Thumbnail
        } else {
            MediaKind::Image
        };
        let candidates = self.image_versions2.as_ref();
        if let Some(largest) = candidates.and_then(|images| images.candidates.first()) {
            self.add(post, kind, &largest.url, Some(largest));
        } else if let Some(url) = &self.thumbnail_url {
            self.add(post, kind, url, None);
        }
    }

    fn add(&self, post: &mut Post, kind: MediaKind, url: &str, version: Option<&Version>) {
        let Some(mut medium) = parts::medium(kind, url) else {
            return;
        };
        medium.width = version.and_then(|version| version.width);
        medium.height = version.and_then(|version| version.height);
        medium.alt_text = self.accessibility_caption.clone();
        parts::add(post, medium);
    }
}
