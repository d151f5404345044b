//! What formats of Weibo have in common: pictures by pid, places, texts, times of China.

use heurpipe_core::{Media, MediaKind, Place, Post};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil};
use serde_json::Value;
use url::Url;

use crate::place;
use crate::weibo::text;

/// Sets the text and what is read off it.
pub(super) fn set_text(post: &mut Post, given: &str) {
    let trimmed = given.trim_matches(|c: char| c == '\u{200b}' || c.is_whitespace());
    post.text = trimmed.to_owned();
    post.hashtags = text::topics(&post.text);
    post.mentions = text::mentions(&post.text);
}

/// A time that a crawler has written without its zone: that of China.
///
/// # Errors
/// A sentence when it is no time.
pub(super) fn naive_time(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    let time: Option<DateTime> = text
        .replacen(' ', "T", 1)
        .parse()
        .ok()
        .or_else(|| text.parse::<civil::Date>().ok().map(Into::into));
    let china = TimeZone::fixed(Offset::constant(8));
    time.and_then(|time| time.to_zoned(china).ok())
        .map(|zoned| zoned.timestamp())
        .ok_or_else(|| format!("its time is none: {text}"))
}

/// The place of a `geo`: the point with its latitude first, the name in its detail.
pub(super) fn tagged(geo: &Value) -> Option<Place> {
    let coordinates = geo.get("coordinates").and_then(Value::as_array);
    let degrees = |at: usize| match coordinates?.get(at)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let title = geo.pointer("/detail/title").and_then(Value::as_str);
    place::tagged(title.unwrap_or_default(), degrees(0), degrees(1), None)
}

/// Adds a picture, named by its pid: the same on every host and in every size. A URL without an extension is one of a JPEG.
pub(super) fn add_picture(post: &mut Post, url: &str) {
    let Some(file) = file_name(url) else {
        return;
    };
    let (pid, url) = match file.rsplit_once('.') {
        Some((pid, _)) => (pid.to_owned(), url.to_owned()),
        None => (file.clone(), format!("{url}.jpg")),
    };
    add(post, pid, url, MediaKind::Image);
}

/// Adds a video, named by its file.
pub(super) fn add_video(post: &mut Post, url: &str) {
    if let Some(file) = file_name(url) {
        add(post, file, url.to_owned(), MediaKind::Video);
    }
}

fn add(post: &mut Post, id: String, url: String, kind: MediaKind) {
    if post.medium(&id).is_none() {
        let mut medium = Media::image(id, url);
        medium.kind = kind;
        post.media.push(medium);
    }
}

fn file_name(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok()?;
    let name = url.path_segments()?.next_back()?;
    (!name.is_empty()).then(|| name.to_owned())
}
