//! The pictures and videos of a status, each in the largest form that the page names.

use heurpipe_core::{Media, Post};
use serde_json::Value;

use super::super::parts;
use super::status::Status;

/// Forms of a video, the best first. Higher ones are for those who are logged in, and not always there.
const VIDEOS: [&str; 8] = [
    "mp4_720p_mp4",
    "mp4_hd_mp4",
    "mp4_hd_url",
    "stream_url_hd",
    "hevc_mp4_hd",
    "mp4_ld_mp4",
    "mp4_sd_url",
    "stream_url",
];
/// Forms of a picture, the best first.
const PICTURES: [&str; 6] = [
    "largest",
    "mw2000",
    "original",
    "large",
    "bmiddle",
    "thumbnail",
];

pub(super) fn add(post: &mut Post, status: &Status) {
    for picture in values(&status.pics) {
        add_mobile_picture(post, picture);
    }
    for moving in values(&status.live_photo).filter_map(Value::as_str) {
        parts::add_video(post, moving);
    }
    for picture in in_order(&status.pic_infos, &status.pic_ids) {
        add_picture(post, picture);
    }
    let mixed = status.mix_media_info.get("items").unwrap_or(&Value::Null);
    for item in values(mixed) {
        match (item.get("type").and_then(Value::as_str), item.get("data")) {
            (Some("pic"), Some(picture)) => add_picture(post, picture),
            (Some("video"), Some(card)) => add_video(post, card),
            _ => {}
        }
    }
    if is_video(&status.page_info) {
        add_video(post, &status.page_info);
    }
}

/// Of `m.weibo.cn`: the size stands under `geo`, in texts.
fn add_mobile_picture(post: &mut Post, picture: &Value) {
    let large = picture.get("large").unwrap_or(picture);
    let url = text(large, "url").or_else(|| text(picture, "url"));
    let moving = text(picture, "videoSrc");
    match (url, moving) {
        // The picture is but the still of a video.
        (Some(url), Some(_)) if text(picture, "type") == Some("video") => {
            parts::add_cover(post, url);
        }
        (Some(url), _) => {
            let size = large.get("geo").unwrap_or(&Value::Null);
            measure(parts::add_picture(post, url), size);
        }
        (None, _) => {}
    }
    if let Some(moving) = moving {
        parts::add_video(post, moving);
    }
}

/// Of `weibo.com`.
fn add_picture(post: &mut Post, picture: &Value) {
    let form = PICTURES.iter().find_map(|form| {
        let form = picture.get(form)?;
        Some((form, text(form, "url")?))
    });
    if let Some((form, url)) = form {
        measure(parts::add_picture(post, url), form);
    }
    if let Some(moving) = text(picture, "video") {
        parts::add_video(post, moving);
    }
}

/// The card of a video: its still, and the best form of it.
fn add_video(post: &mut Post, card: &Value) {
    let still = card.get("page_pic").unwrap_or(&Value::Null);
    if let Some(url) = still.as_str().or_else(|| text(still, "url")) {
        parts::add_cover(post, url);
    }
    let forms = ["urls", "media_info"].map(|key| card.get(key).unwrap_or(&Value::Null));
    let best = VIDEOS
        .iter()
        .find_map(|form| forms.iter().find_map(|forms| text(forms, form)));
    if let Some(url) = best {
        parts::add_video(post, url);
    }
}

fn is_video(card: &Value) -> bool {
    let is = |key: &str| text(card, key) == Some("video");
    is("type") || is("object_type")
}

fn measure(medium: Option<&mut Media>, size: &Value) {
    let pixels = |key: &str| match size.get(key)? {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let pixels = |key: &str| pixels(key).filter(|pixels| *pixels > 0);
    if let Some(medium) = medium {
        medium.width = pixels("width");
        medium.height = pixels("height");
    }
}

/// The members of an object in the order of a list of their keys; what the list leaves out comes last.
fn in_order<'v>(members: &'v Value, keys: &'v Value) -> impl Iterator<Item = &'v Value> {
    let keys = || values(keys).filter_map(Value::as_str);
    let listed = keys().filter_map(|key| members.get(key));
    let others = members.as_object().into_iter().flatten();
    let others = others.filter(move |(pid, _)| !keys().any(|key| key == pid.as_str()));
    listed.chain(others.map(|(_, member)| member))
}

/// The elements of a list, or the members of an object that stands for one.
fn values(list: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match list {
        Value::Array(elements) => Box::new(elements.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}
