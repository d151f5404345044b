//! instaloader: a file for each post, its pictures and its caption beside it.

use heurpipe_core::{MediaKind, Post};
use serde::Deserialize;

use super::super::container::Entry;
use super::super::cut::{Item, Layout};
use super::super::format::{File, Format, Mapper, Out};
use super::super::looks::Looks;
use super::{json, medium, parts, walk};
use crate::lenient;

pub(super) const NAME: &str = "instaloader";

/// What pictures are saved as.
const PICTURES: [&str; 4] = ["jpg", "webp", "png", "heic"];

/// The format; see the [module](self).
pub(super) struct Instaloader;

impl Format for Instaloader {
    fn name(&self) -> &str {
        NAME
    }

    fn description(&self) -> &str {
        "Instagram: folders of instaloader (JSON, packed by xz or not, with node and instaloader)"
    }

    fn layout(&self, looks: &Looks) -> Option<Layout> {
        let Looks::Json(form, keys) = looks else {
            return None;
        };
        let known = keys.have(&["node", "instaloader"]);
        known.then(|| Layout::items(*form))
    }

    fn mapper(&self) -> Box<dyn Mapper> {
        Box::new(Files)
    }
}

#[derive(Deserialize)]
struct About {
    #[serde(default)]
    node_type: Option<String>,
}

struct Files;

impl Mapper for Files {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let about = json::member(item.json, "instaloader").ok_or("it has no instaloader")?;
        let about: About = lenient::object(about)?;
        if !matches!(
            about.node_type.as_deref(),
            None | Some("Post" | "StoryItem")
        ) {
            // Profiles, hashtags and places to go on from are saved in the same way.
            tracing::debug!(file = %file.place(&item.place), node_type = ?about.node_type, "passed over: no post");
            return Ok(());
        }
        let node = json::member(item.json, "node").ok_or("it has no node")?;
        let mut post = walk::post(node, file)?;
        let of_the_app = json::member(node, "iphone_struct");
        // It only adds: a post that can be read without it is not lost to something odd in it.
        if let Some(Ok(fuller)) = of_the_app.map(|fuller| medium::post(fuller, file)) {
            parts::fill_in(&mut post, fuller);
        }
        let stem = stem(file.entry);
        if post.text.is_empty()
            && let Some(caption) = caption(file, stem)?
        {
            parts::set_text(&mut post, &caption);
        }
        find_media(&mut post, file, stem);
        parts::keep(&mut post, NAME, item.json, file);
        out.post(post);
        Ok(())
    }
}

/// The name that all files of a post begin with.
fn stem(entry: &Entry) -> &str {
    let name = entry.file_name();
    let name = name.strip_suffix(".xz").unwrap_or(name);
    name.strip_suffix(".json").unwrap_or(name)
}

/// The caption that was saved beside the post.
fn caption(file: &File<'_>, stem: &str) -> Result<Option<String>, String> {
    let Some(entry) = file.sibling(&format!("{stem}.txt")) else {
        return Ok(None);
    };
    let bytes = file
        .read_small(&entry)
        .map_err(|error| format!("the caption beside it cannot be read: {error}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("the caption beside it is no UTF-8: {}", entry.name))?;
    let text = text.trim_start_matches('\u{feff}').trim_end();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Finds the files of the media: `STEM.jpg`, in an album `STEM_1.jpg` and so on; a video has its cover beside it.
fn find_media(post: &mut Post, file: &File<'_>, stem: &str) {
    let mut number = 0;
    let mut is_after_video = false;
    let is_album = post
        .media
        .iter()
        .filter(|medium| medium.kind != MediaKind::Thumbnail)
        .count()
        > 1;
    for medium in &mut post.media {
        // A cover belongs to the video before it.
        let is_cover = medium.kind == MediaKind::Thumbnail && is_after_video;
        number += usize::from(!is_cover);
        is_after_video = medium.kind == MediaKind::Video;
        let stems = match number {
            1 if !is_album => vec![stem.to_owned(), format!("{stem}_1")],
            number => vec![format!("{stem}_{number}")],
        };
        let extensions: &[&str] = match medium.kind {
            MediaKind::Video => &["mp4"],
            _ => &PICTURES,
        };
        let names = stems
            .iter()
            .flat_map(|stem| extensions.iter().map(move |end| format!("{stem}.{end}")));
        if let Some(entry) = names.filter_map(|name| file.sibling(&name)).next() {
            parts::lies_at(medium, file, &entry);
        }
    }
}
