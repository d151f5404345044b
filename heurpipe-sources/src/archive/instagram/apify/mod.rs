//! Apify's Instagram scrapers: posts as JSON, or as CSV with a column for each element of a list.

mod columns;

use heurpipe_core::{Author, Counts, MediaKind, Post};
use serde::Deserialize;
use serde_json::Value;

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out};
use super::super::looks::Looks;
use super::parts;
use crate::lenient;
use crate::place;
use crate::words::Distinct;

pub(super) const NAME: &str = "apify_instagram";

/// The format; see the [module](self).
pub(super) struct Apify;

impl Format for Apify {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Instagram: posts of Apify's scrapers (JSON, JSON Lines or CSV with shortCode and ownerUsername)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        if looks.has_columns(&["shortCode", "ownerUsername"]) {
            return Some(Layout::Table);
        }
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        let known = keys.have(&["shortCode", "ownerUsername"]);
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Posts)
    }
}

struct Posts;

impl Mapper for Posts {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let value = columns::gathered(lenient::object(item.json)?);
        let row = Row::deserialize(&value).map_err(|error| error.to_string())?;
        let frame = Frame::deserialize(&value).map_err(|error| error.to_string())?;
        if let Some(error) = row.error {
            return Err(format!("the scraper says: {error}"));
        }
        let mut post = file.post(parts::identity(
            row.id.as_deref(),
            row.short_code.as_deref(),
        )?);
        post.permalink = row.url.clone().or_else(|| {
            let code = row.short_code.as_deref()?;
            Some(parts::permalink(code, row.product_type.as_deref()))
        });
        post.published_at = parts::time(&row.timestamp)?;
        parts::set_text(&mut post, row.caption.as_deref().unwrap_or_default());
        add_words(&mut post.hashtags, row.hashtags.into_iter().flatten());
        let mentions = row.mentions.iter().flatten();
        add_words(
            &mut post.mentions,
            mentions.filter_map(|name| parts::handle(name)),
        );
        post.counts = Counts::new(row.likes_count, row.comments_count, None);
        post.counts.views = row.video_view_count.or(row.video_play_count);
        post.author = author(row.owner_id, row.owner_username, row.owner_full_name);
        let location = row.location_name.as_deref().unwrap_or_default();
        post.places.tagged = place::tagged(location, None, None, None);
        for child in row.child_posts.iter().flatten() {
            child.add_to(&mut post);
        }
        // The same pictures as those of the children, where these were not dropped.
        if post.media.is_empty() {
            let pictures = row.images.iter().flatten();
            for picture in pictures.filter_map(|url| parts::medium(MediaKind::Image, url)) {
                parts::add(&mut post, picture);
            }
        }
        if post.media.is_empty() {
            frame.add_to(&mut post);
        }
        parts::keep(&mut post, NAME, item.json, file);
        out.post(post);
        Ok(())
    }
}

/// Adds what the scraper found beyond the caption, in a first comment for example.
fn add_words(words: &mut Vec<String>, given: impl Iterator<Item = String>) {
    *words = std::mem::take(words)
        .into_iter()
        .chain(given)
        .collect::<Distinct>()
        .list;
}

fn author(id: Option<String>, handle: Option<String>, name: Option<String>) -> Option<Author> {
    let mut author = Author::unknown();
    author.id = id;
    author.handle = handle.as_deref().and_then(parts::handle);
    author.key()?;
    author.name = name.filter(|name| !name.is_empty());
    Some(author)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default, deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(default)]
    short_code: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    product_type: Option<String>,
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    caption: Option<String>,
    #[serde(default)]
    hashtags: Option<Vec<String>>,
    #[serde(default)]
    mentions: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::count")]
    likes_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    comments_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    video_view_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    video_play_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::id")]
    owner_id: Option<String>,
    #[serde(default)]
    owner_username: Option<String>,
    #[serde(default)]
    owner_full_name: Option<String>,
    #[serde(default)]
    location_name: Option<String>,
    #[serde(default)]
    images: Option<Vec<String>>,
    #[serde(default)]
    child_posts: Option<Vec<Frame>>,
    /// What stands where a page could not be had.
    #[serde(default)]
    error: Option<String>,
}

/// What is shown: a picture, or a video with its cover.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    display_url: Option<String>,
    #[serde(default)]
    video_url: Option<String>,
    #[serde(default)]
    alt: Option<String>,
    #[serde(default, deserialize_with = "parts::pixels")]
    dimensions_width: Option<u32>,
    #[serde(default, deserialize_with = "parts::pixels")]
    dimensions_height: Option<u32>,
}

impl Frame {
    fn add_to(&self, post: &mut Post) {
        let is_video = self.video_url.is_some() || self.kind.as_deref() == Some("Video");
        let picture = match is_video {
            true => MediaKind::Thumbnail,
            false => MediaKind::Image,
        };
        let shown = [
            (MediaKind::Video, &self.video_url),
            (picture, &self.display_url),
        ];
        for (kind, url) in shown {
            let Some(mut medium) = url.as_deref().and_then(|url| parts::medium(kind, url)) else {
                continue;
            };
            (medium.width, medium.height) = (self.dimensions_width, self.dimensions_height);
            medium.alt_text = self.alt.clone();
            parts::add(post, medium);
        }
    }
}
