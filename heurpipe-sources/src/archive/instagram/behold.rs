//! Behold: the feed of an account for web pages, with its picture URLs or saved beside its pictures.

use heurpipe_core::{Author, Counts, Media, MediaKind, Post};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out};
use super::super::looks::Looks;
use super::{contacts, json, parts};
use crate::instagram::{ids, map};
use crate::lenient;

pub(super) const NAME: &str = "behold";

/// The format; see the [module](self).
pub(super) struct Behold;

impl Format for Behold {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Instagram: feeds of Behold (JSON with permalink and mediaType, in a list or under posts)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        let known = keys.have(&["permalink", "mediaType"])
            || keys.have(&["posts[].permalink", "posts[].mediaType"]);
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Feeds)
    }
}

struct Feeds;

impl Mapper for Feeds {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let Some(posts) = json::member(item.json, "posts").and_then(json::elements) else {
            out.post(post(item.json, file)?);
            return Ok(());
        };
        let feed = Feed::read(item.json)?;
        for (number, entry) in posts.into_iter().enumerate() {
            match post(entry, file) {
                Ok(mut post) => {
                    post.author = feed.author();
                    let payload = contacts::kept(&feed.payload, file.options);
                    post.raw.insert(format!("{NAME}.user"), payload);
                    out.post(post);
                }
                Err(reason) => {
                    let place = file.place(&format!("{}posts[{number}]", item.place));
                    out.unreadable(place, reason, entry.get());
                }
            }
        }
        Ok(())
    }
}

/// The account of a feed.
struct Feed {
    account: Account,
    /// The feed without its posts.
    payload: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    #[serde(default)]
    username: Option<String>,
    #[serde(default, deserialize_with = "lenient::count")]
    followers_count: Option<u64>,
}

impl Feed {
    fn read(feed: &RawValue) -> Result<Self, String> {
        let payload = json::without(feed, |key, _| key == "posts")?;
        Ok(Self {
            account: lenient::object(&payload)?,
            payload,
        })
    }

    fn author(&self) -> Option<Author> {
        let mut author = Author::unknown();
        author.handle = Some(parts::handle(self.account.username.as_deref()?)?);
        author.followers = self.account.followers_count;
        Some(author)
    }
}

fn post(json: &RawValue, file: &File<'_>) -> Result<Post, String> {
    let entry: Entry = lenient::object(json)?;
    let frame: Frame = lenient::object(json)?;
    // Its ids are those of the official API.
    let graph = frame.id.as_deref().map(map::graph_id);
    let link = entry.permalink.as_deref().and_then(ids::shortcode_in);
    let mut post = match (parts::identity(None, link), graph) {
        (Ok(id), graph) => {
            let mut post = file.post(id);
            post.aliases
                .extend(graph.map(|graph| parts::post_id(&graph)));
            post
        }
        (Err(_), Some(graph)) => file.post(parts::post_id(&graph)),
        (Err(_), None) => return Err("it has neither an id nor a permalink".to_owned()),
    };
    post.permalink = entry.permalink;
    post.published_at = parts::time(&entry.timestamp)?;
    // The pruned caption lacks the hashtags at its end.
    let caption = entry.caption.or(entry.pruned_caption);
    parts::set_text(&mut post, &caption.unwrap_or_default());
    post.counts = Counts::new(entry.like_count, entry.comments_count, None);
    for child in entry.children.iter().flatten() {
        child.add_to(&mut post, file);
    }
    if post.media.is_empty() {
        frame.add_to(&mut post, file);
    }
    parts::keep(&mut post, NAME, json, file);
    Ok(post)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    permalink: Option<String>,
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    caption: Option<String>,
    #[serde(default)]
    pruned_caption: Option<String>,
    #[serde(default, deserialize_with = "lenient::count")]
    like_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    comments_count: Option<u64>,
    #[serde(default)]
    children: Option<Vec<Frame>>,
}

/// What is shown: a picture, or a video with its cover.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    #[serde(default, deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    media_url: Option<String>,
    #[serde(default)]
    thumbnail_url: Option<String>,
    /// A picture that was saved, by URL or by its file's name.
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    sizes: Option<Sizes>,
    #[serde(default)]
    alt_text: Option<String>,
}

#[derive(Deserialize)]
struct Sizes {
    #[serde(default)]
    full: Option<Size>,
    #[serde(default)]
    large: Option<Size>,
    #[serde(default)]
    medium: Option<Size>,
    #[serde(default)]
    small: Option<Size>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Size {
    media_url: String,
    #[serde(default, deserialize_with = "parts::pixels")]
    width: Option<u32>,
    #[serde(default, deserialize_with = "parts::pixels")]
    height: Option<u32>,
}

impl Frame {
    fn add_to(&self, post: &mut Post, file: &File<'_>) {
        let is_video = self.media_type.as_deref() == Some("VIDEO");
        let (kind, picture) = match is_video {
            true => (MediaKind::Thumbnail, &self.thumbnail_url),
            false => (MediaKind::Image, &self.media_url),
        };
        let video = self.media_url.as_deref().filter(|_| is_video);
        let video = video.and_then(|url| parts::medium(MediaKind::Video, url));
        let picture = picture.as_deref().and_then(|url| parts::medium(kind, url));
        let picture = picture
            .or_else(|| saved(self.image.as_deref()?, kind, file))
            .or_else(|| self.rendered(kind));
        for mut medium in video.into_iter().chain(picture) {
            medium.alt_text = self.alt_text.clone();
            parts::add(post, medium);
        }
    }

    /// The largest of the renditions. Their files have the same names for all pictures: the picture's id names it.
    fn rendered(&self, kind: MediaKind) -> Option<Media> {
        let sizes = self.sizes.as_ref()?;
        let sizes = [&sizes.full, &sizes.large, &sizes.medium, &sizes.small];
        let largest = sizes.into_iter().flatten().next()?;
        let mut medium = parts::medium(kind, &largest.media_url)?;
        medium.id = map::graph_id(self.id.as_deref()?);
        (medium.width, medium.height) = (largest.width, largest.height);
        Some(medium)
    }
}

fn saved(image: &str, kind: MediaKind, file: &File<'_>) -> Option<Media> {
    if let Some(medium) = parts::medium(kind, image) {
        return Some(medium);
    }
    let entry = file.sibling(image.trim_start_matches("./"))?;
    let mut medium = Media::image(entry.file_name(), "");
    medium.kind = kind;
    parts::lies_at(&mut medium, file, &entry);
    Some(medium)
}
