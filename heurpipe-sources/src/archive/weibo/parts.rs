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

/// A place by name, without the words that introduce an IP region. `其他` (other) is no claim.
pub(super) fn claimed(name: &str) -> Option<Place> {
    let name = name.trim();
    let name = ["发布于", "IP属地：", "来自"]
        .iter()
        .find_map(|words| name.strip_prefix(words))
        .unwrap_or(name)
        .trim();
    (!name.is_empty() && name != "其他").then(|| place::place(name))
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
    let title = title.map(str::trim).filter(|title| !title.is_empty());
    let point = degrees(0).zip(degrees(1)).filter(|(latitude, longitude)| {
        let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        on_earth && (*latitude, *longitude) != (0.0, 0.0)
    });
    if title.is_none() && point.is_none() {
        return None;
    }
    let mut place = place::place(title.unwrap_or_default());
    place.latitude = point.map(|(latitude, _)| latitude);
    place.longitude = point.map(|(_, longitude)| longitude);
    Some(place)
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
