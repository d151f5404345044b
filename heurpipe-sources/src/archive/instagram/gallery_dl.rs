//! gallery-dl: a file for each medium, with what is known of its post.

use heurpipe_core::{Author, Counts, Media, MediaKind, Post, PostId, Raw};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out};
use super::super::looks::Looks;
use super::{contacts, parts};
use crate::{lenient, place};

pub(super) const NAME: &str = "gallery_dl";

/// An album has twenty media at most; a post with more rows is given in parts.
const MOST_ROWS: usize = 100;

/// The format; see the [module](self).
pub(super) struct GalleryDl;

impl Format for GalleryDl {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Instagram: metadata of gallery-dl (JSON per file with category and post_shortcode)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        let known = keys.have(&["category", "post_id", "post_shortcode"]);
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::<Rows>::default()
    }
}

/// Rows of one post follow one another: file names begin with its number.
#[derive(Default)]
struct Rows {
    held: Option<Held>,
}

/// A post whose rows are not all there yet.
struct Held {
    post: Post,
    rows: Vec<Shown>,
}

/// What a row adds to its post.
struct Shown {
    number: u64,
    media: Vec<Media>,
    payload: Raw,
}

impl Mapper for Rows {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let row: Row = lenient::object(item.json)?;
        if row.category != "instagram" {
            return Err(format!("it is of another network: {}", row.category));
        }
        let id = row.identity()?;
        if self.held.as_ref().is_some_and(|held| held.post.id != id) {
            self.finish(out);
        }
        let held = match &mut self.held {
            Some(held) => held,
            none => none.insert(Held {
                post: row.post(id, file)?,
                rows: Vec::new(),
            }),
        };
        held.rows.push(row.shown(item.json, file));
        let is_whole = row.is_story() || held.rows.len() as u64 >= row.count.unwrap_or(u64::MAX);
        if is_whole || held.rows.len() >= MOST_ROWS {
            self.finish(out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out) {
        if let Some(held) = self.held.take() {
            out.post(held.whole());
        }
    }

    fn holds(&self) -> bool {
        self.held.is_some()
    }
}

impl Held {
    fn whole(self) -> Post {
        let Self { mut post, mut rows } = self;
        rows.sort_by_key(|row| row.number);
        let payloads: Vec<_> = rows.iter().map(|row| row.payload.as_str()).collect();
        if let Ok(all) = RawValue::from_string(format!("[{}]", payloads.join(","))) {
            post.raw.insert(NAME.to_owned(), Raw::new(all));
        }
        for medium in rows.into_iter().flat_map(|row| row.media) {
            parts::add(&mut post, medium);
        }
        post
    }
}

#[derive(Deserialize)]
struct Row {
    category: String,
    #[serde(default, deserialize_with = "lenient::id")]
    post_id: Option<String>,
    #[serde(default)]
    post_shortcode: Option<String>,
    #[serde(default)]
    post_url: Option<String>,
    #[serde(default, deserialize_with = "lenient::id")]
    media_id: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "lenient::count")]
    num: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    likes: Option<u64>,
    #[serde(default, deserialize_with = "lenient::id")]
    owner_id: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    fullname: Option<String>,
    #[serde(default)]
    post_date: Value,
    #[serde(default)]
    date: Value,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    location_slug: Option<String>,
    #[serde(default)]
    display_url: Option<String>,
    #[serde(default)]
    video_url: Option<String>,
    #[serde(default, deserialize_with = "parts::pixels")]
    width: Option<u32>,
    #[serde(default, deserialize_with = "parts::pixels")]
    height: Option<u32>,
}

impl Row {
    /// Of a story, and of what is pinned to a profile as a highlight, each medium is a post of its own; `post_id` names the row of them.
    fn is_story(&self) -> bool {
        matches!(self.kind.as_deref(), Some("story" | "highlight"))
    }

    fn identity(&self) -> Result<PostId, String> {
        match self.is_story() {
            true => parts::identity(self.media_id.as_deref(), None),
            false => parts::identity(self.post_id.as_deref(), self.post_shortcode.as_deref()),
        }
    }

    fn post(&self, id: PostId, file: &File<'_>) -> Result<Post, String> {
        let mut post = file.post(id);
        post.permalink = self.post_url.clone();
        let date = match self.is_story() || self.post_date.is_null() {
            true => &self.date,
            false => &self.post_date,
        };
        post.published_at = parts::time(date)?;
        parts::set_text(&mut post, self.description.as_deref().unwrap_or_default());
        post.author = self.author();
        post.counts = Counts::new(self.likes, None, None);
        // The slug is all that is said of the name.
        let slug = self.location_slug.as_deref().unwrap_or_default();
        post.places.tagged = place::tagged(&slug.replace('-', " "), None, None, None);
        Ok(post)
    }

    fn author(&self) -> Option<Author> {
        let mut author = Author::unknown();
        author.id = self.owner_id.clone();
        author.handle = self.username.as_deref().and_then(parts::handle);
        author.key()?;
        author.name = self.fullname.clone().filter(|name| !name.is_empty());
        Some(author)
    }

    fn shown(&self, json: &RawValue, file: &File<'_>) -> Shown {
        let video = self.video_url.as_deref();
        let video = video.and_then(|url| parts::medium(MediaKind::Video, url));
        let kind = match video {
            Some(_) => MediaKind::Thumbnail,
            None => MediaKind::Image,
        };
        let picture = self.display_url.as_deref();
        let picture = picture.and_then(|url| parts::medium(kind, url));
        let mut media: Vec<Media> = video.into_iter().chain(picture).collect();
        for medium in &mut media {
            (medium.width, medium.height) = (self.width, self.height);
        }
        // The file stands beside its metadata: `NAME.jpg` and `NAME.jpg.json`.
        let name = file.entry.file_name().strip_suffix(".json");
        if let Some(medium) = media.first_mut()
            && let Some(entry) = name.and_then(|name| file.sibling(name))
        {
            parts::lies_at(medium, file, &entry);
        }
        Shown {
            number: self.num.unwrap_or_default(),
            media,
            payload: contacts::kept(json, file.options),
        }
    }
}
