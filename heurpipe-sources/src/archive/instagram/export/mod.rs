//! The export of one's own account ("Download your information").
//!
//! Posts have no ids there and name nobody. The id is made from the file of the first medium, whose name ends with a number that
//! Instagram gave it: `export:17900000000000001`; where it has none, from a digest of its path. It is the same in each export of an
//! account, and another than that of the network. A newer layout gives the address of the post: then the id is the network's own.

mod files;
mod mojibake;
mod owner;

use heurpipe_core::{Author, Crs, Digest, Media, MediaKind, Place, Post, PostId, Result};
use serde::Deserialize;
use serde_json::Value;

use super::super::cut::{Item, Layout, Role};
use super::super::format::{File, Format, Mapper, Out};
use super::super::looks::{JsonForm, Looks};
use super::parts;
use crate::instagram::ids;
use crate::{lenient, place};
use mojibake::repaired;

pub(super) const NAME: &str = "instagram_export";

const STORIES: &str = "ig_stories";
/// Where an export keeps posts under a key. Its other lists (profile photos, likes, deleted posts) hold none that are published.
const LISTS: &[&str] = &[
    "ig_archived_post_media",
    "ig_igtv_media",
    "ig_reels_media",
    STORIES,
];

/// The format; see the [module](self).
pub(super) struct Export;

impl Format for Export {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Instagram: the export of an account as JSON, as a ZIP or unpacked (posts_1.json, reels.json, stories.json, archived_posts.json)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        if keys.have(&["media[].uri", "media[].creation_timestamp"]) {
            return Some(Layout::items(*form));
        }
        let is_list = |list: &&str| match *list {
            STORIES => keys.have(&["ig_stories[].uri"]),
            list => keys.have(&[&format!("{list}[].media[].uri")]),
        };
        let known = *form == JsonForm::Object && LISTS.iter().any(is_list);
        known.then_some(Layout::Json {
            form: *form,
            lists: LISTS,
            members: &[],
        })
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Posts { author: None })
    }
}

struct Posts {
    author: Option<Author>,
}

impl Mapper for Posts {
    fn begin(&mut self, file: &File<'_>) -> Result<()> {
        let author = owner::of(file)?;
        self.author = author.or_else(|| file.options.author.clone());
        Ok(())
    }

    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let group = match item.role {
            Role::Element(STORIES) => Group::of_one(lenient::object(item.json)?),
            _ => lenient::object(item.json)?,
        };
        let (id, alias) = group.identity().ok_or("it has no media")?;
        let mut post = file.post(id);
        post.aliases.extend(alias);
        post.permalink = group.permalink().map(str::to_owned);
        post.published_at = parts::time(group.time())?;
        parts::set_text(&mut post, &repaired(group.caption()));
        post.author = self.author.clone();
        post.places.tagged = group.media.iter().find_map(Medium::place);
        for medium in &group.media {
            add(&mut post, medium, file);
        }
        parts::keep(&mut post, NAME, item.json, file);
        out.post(post);
        Ok(())
    }
}

fn add(post: &mut Post, medium: &Medium, file: &File<'_>) {
    let uri = repaired(&medium.uri);
    let mut added = Media::image(file_name(&uri), "");
    added.kind = medium.kind();
    added.url = medium.backup_uri.clone();
    if let Some(entry) = files::find(file, &uri) {
        parts::lies_at(&mut added, file, &entry);
    }
    parts::add(post, added);
}

fn file_name(uri: &str) -> &str {
    uri.rsplit('/').next().unwrap_or(uri)
}

/// A post: media under one caption.
#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    media: Vec<Medium>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    creation_timestamp: Value,
    /// Of the layout with labels.
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    label_values: Option<Vec<Label>>,
}

/// A value of the layout with labels.
#[derive(Deserialize)]
struct Label {
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    href: Option<String>,
}

#[derive(Deserialize)]
struct Medium {
    uri: String,
    #[serde(default)]
    creation_timestamp: Value,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    media_metadata: Option<Metadata>,
    /// Where it can be had if its file is missing.
    #[serde(default)]
    backup_uri: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    photo_metadata: Option<Exif>,
    #[serde(default)]
    video_metadata: Option<Exif>,
}

#[derive(Deserialize)]
struct Exif {
    #[serde(default)]
    exif_data: Vec<Shot>,
}

#[derive(Deserialize)]
struct Shot {
    #[serde(default)]
    latitude: Value,
    #[serde(default)]
    longitude: Value,
}

impl Group {
    fn of_one(medium: Medium) -> Self {
        Self {
            media: vec![medium],
            title: None,
            creation_timestamp: Value::Null,
            timestamp: Value::Null,
            label_values: None,
        }
    }

    /// The network's id where the address of the post is given; beside it, or alone, that which is made from the first medium.
    fn identity(&self) -> Option<(PostId, Option<PostId>)> {
        let made = parts::post_id(&made_id(&repaired(&self.media.first()?.uri)));
        let code = self.permalink().and_then(ids::shortcode_in);
        Some(match code.and_then(ids::pk_of) {
            Some(pk) => (parts::post_id(&pk.to_string()), Some(made)),
            None => (made, None),
        })
    }

    fn permalink(&self) -> Option<&str> {
        let labels = self.label_values.iter().flatten();
        labels
            .flat_map(|label| [&label.href, &label.value])
            .flatten()
            .find(|text| text.starts_with("https://") && ids::shortcode_in(text).is_some())
            .map(String::as_str)
    }

    /// Of the post, else of its first medium: stories and older exports have no other.
    fn time(&self) -> &Value {
        let first = self.media.first().map(|medium| &medium.creation_timestamp);
        [&self.creation_timestamp, &self.timestamp]
            .into_iter()
            .chain(first)
            .find(|time| !time.is_null())
            .unwrap_or(&Value::Null)
    }

    /// Of several media the post has the caption, of one the medium has it.
    fn caption(&self) -> &str {
        let of_media = self.media.iter().map(|medium| &medium.title);
        let labels = self.label_values.iter().flatten();
        let labelled = labels
            .filter(|label| label.label.as_deref() == Some("Caption"))
            .map(|label| &label.value);
        std::iter::once(&self.title)
            .chain(of_media)
            .chain(labelled)
            .flatten()
            .map(String::as_str)
            .find(|text| !text.is_empty())
            .unwrap_or_default()
    }
}

impl Medium {
    fn kind(&self) -> MediaKind {
        let metadata = self.media_metadata.as_ref();
        match metadata.is_some_and(|about| about.video_metadata.is_some()) {
            true => MediaKind::Video,
            false => parts::kind_of(file_name(&self.uri)),
        }
    }

    /// Where the camera was. It has no name.
    fn place(&self) -> Option<Place> {
        let metadata = self.media_metadata.as_ref()?;
        let exif = [&metadata.photo_metadata, &metadata.video_metadata];
        let mut shots = exif.into_iter().flatten().flat_map(|exif| &exif.exif_data);
        let (latitude, longitude) =
            shots.find_map(|shot| lenient::point(&shot.latitude, &shot.longitude))?;
        place::tagged("", Some(latitude), Some(longitude), Some(Crs::Wgs84))
    }
}

/// Shorter numbers count files, and come again in other folders.
const SHORTEST_NUMBER: usize = 10;

/// An id made from the path of a medium.
fn made_id(uri: &str) -> String {
    let name = file_name(uri);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let number = stem
        .split(|c: char| !c.is_ascii_digit())
        .rfind(|number| !number.is_empty())
        .filter(|number| number.len() >= SHORTEST_NUMBER);
    match number {
        Some(number) => format!("export:{number}"),
        None => format!("export:{}", &Digest::of(uri.as_bytes()).to_string()[..16]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_from_the_number_at_the_end() {
        assert_eq!(
            made_id("media/posts/202001/80549905_2513_n_17843828986004321.jpg"),
            "export:17843828986004321"
        );
        assert_eq!(
            made_id("media/posts/17843828986004321"),
            "export:17843828986004321"
        );
    }

    #[test]
    fn else_from_the_whole_path() {
        let (one, other) = (
            made_id("media/a/photo_1.jpg"),
            made_id("media/b/photo_1.jpg"),
        );
        assert_ne!(one, other);
        assert_eq!(one.len(), "export:".len() + 16);
    }
}
