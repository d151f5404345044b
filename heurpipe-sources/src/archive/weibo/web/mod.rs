//! Captures of what the network's pages load: `m.weibo.cn` and `weibo.com/ajax`. Both give statuses of one make.

mod ajax;
mod media;
mod mobile;
mod places;
mod status;

use heurpipe_core::PostId;
use serde_json::value::RawValue;

use super::super::format::{File, Out, raw};
use super::{parts, times};
use crate::lenient;
pub(super) use ajax::WeiboAjax;
pub(super) use mobile::WeiboMobile;
use status::{Status, User};

/// What a status of a page turned out to be.
enum Found {
    /// A post: given, or said to be gone.
    Post(PostId),
    /// An advertisement, which is no post of the page's author.
    Advertisement,
    /// The notice that stands for a removed post without saying which.
    Notice,
}

/// Where a status stands, and under which name its payload is kept.
#[derive(Clone, Copy)]
struct Setting<'a> {
    file: &'a File<'a>,
    format: &'static str,
    place: &'a str,
}

/// Gives the post of a status, after the one that it passes on.
///
/// # Errors
/// A sentence that says why it is none. When only the post that it passes on cannot be read, that is unreadable by itself.
fn give(json: &RawValue, setting: Setting<'_>, out: &mut Out) -> Result<Found, String> {
    let status: Status = lenient::object(json)?;
    if status.is_advertisement() {
        return Ok(Found::Advertisement);
    }
    let Some(number) = status.number() else {
        let is_notice = status.is_removed();
        return is_notice
            .then_some(Found::Notice)
            .ok_or_else(|| "it has no id".to_owned());
    };
    let id = parts::post_id(&number);
    // The network shows neither to the public: whatever was kept of it is no longer there.
    if status.is_removed() || !status.is_public() {
        out.gone(id.clone());
        return Ok(Found::Post(id));
    }
    let file = setting.file;
    let mut post = file.post(id.clone());
    if let Some(time) = &status.created_at {
        times::moment(time, file.collected_at)?.publish(&mut post);
    }
    if let Some(original) = &status.retweeted_status {
        let place = format!("{}.retweeted_status", setting.place);
        let place = place.trim_start_matches('.');
        match give(original, Setting { place, ..setting }, out) {
            Ok(Found::Post(original)) => post.repost_of = Some(original),
            Ok(Found::Advertisement | Found::Notice) => {}
            Err(why) => out.unreadable(file.place(place), why, original.get()),
        }
    }
    parts::set_text(&mut post, &status.plain_text());
    parts::add_topics(&mut post, status.topics());
    post.counts = status.counts();
    post.places = places::places(&status);
    parts::set_author(&mut post, status.user.as_ref().map(User::author), file);
    media::add(&mut post, &status);
    post.raw.insert(setting.format.to_owned(), raw(json));
    out.post(post);
    Ok(Found::Post(id))
}

/// Gives the posts of a list, each by its place; says how many of them were advertisements.
fn give_all<'j>(
    statuses: impl IntoIterator<Item = (String, &'j RawValue)>,
    file: &File<'_>,
    format: &'static str,
    out: &mut Out,
) {
    let mut advertisements = 0;
    for (place, json) in statuses {
        let place = place.as_str();
        let setting = Setting {
            file,
            format,
            place,
        };
        match give(json, setting, out) {
            Ok(Found::Advertisement) => advertisements += 1,
            Ok(Found::Post(_) | Found::Notice) => {}
            Err(why) => out.unreadable(file.place(place), why, json.get()),
        }
    }
    if advertisements > 0 {
        let page = file.place("");
        tracing::info!(%page, advertisements, "passed over: advertisements, no posts of the page");
    }
}

/// The name of a place within an item of a file.
fn within(item: &str, place: &str) -> String {
    match item {
        "" => place.to_owned(),
        item => format!("{item}.{place}"),
    }
}
