//! From the Open API's statuses to posts.

use std::collections::HashMap;

use heurpipe_core::{
    Author, Counts, Crs, Digest, Incoming, Platform, Post, PostId, Raw, Unreadable,
};
use jiff::Timestamp;
use serde_json::value::RawValue;
use url::Url;

use super::wire::{Status, User};
use super::{ids, pictures, places, text};
use crate::http::{scrubbed, scrubbed_payload};
use crate::lenient;

/// The name under which the payload of a page is kept.
pub(super) const TIMELINE_CALL: &str = "weibo.timeline";
/// The name under which the payload of a post that was asked for by itself is kept.
pub(super) const SHOW_CALL: &str = "weibo.show";
/// The name under which is kept why a cut text could not be completed.
const SHOW_REFUSED: &str = "weibo.show.refused";

/// What is known of all statuses of an answer.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    /// The name under which payloads are kept.
    pub call: &'static str,
    /// The partition or call, for the names of what cannot be read.
    pub place: &'a str,
    pub collected_at: Timestamp,
    /// Where pictures are fetched from; none: where the answer says, else the real host.
    pub media_base: Option<&'a Url>,
    /// The reference system of coordinates; none: unknown.
    pub crs: Option<Crs>,
    /// What asking for the whole of cut texts gave, by number.
    pub whole: &'a HashMap<String, WholeText>,
}

/// What asking for the whole of a cut text gave.
#[derive(Debug)]
pub(super) enum WholeText {
    /// The status with it.
    Given(Box<RawValue>),
    /// Why it cannot be had.
    Refused(String),
}

/// What one status gives: itself, after the post that it passes on.
#[derive(Debug)]
pub(super) struct Mapped {
    pub items: Vec<Incoming>,
    /// The status' own number, or what names it if it cannot be read.
    pub id: String,
    pub published_at: Option<Timestamp>,
}

/// What an answer about one post says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is there, as far as the answer can be read.
    There,
    /// It is said outright to be removed, or to be public no longer.
    Removed,
    /// Who wrote it is missing, as with removed ones, but nothing says so.
    Unclear,
}

/// What an answer about one post says of it.
pub(super) fn fate(item: &RawValue) -> Fate {
    match lenient::object::<Status>(item) {
        Ok(status) if status.is_marked_deleted() || !status.is_public() => Fate::Removed,
        Ok(status) if status.is_deleted() => Fate::Unclear,
        _ => Fate::There,
    }
}

/// Reads one status of an answer.
pub(super) fn status(item: &RawValue, setting: &Setting<'_>) -> Mapped {
    match read(item, setting) {
        Ok(mapped) => mapped,
        Err(why) => {
            let unreadable = unreadable(item, setting, why);
            Mapped {
                id: unreadable.place.clone(),
                items: vec![Incoming::Unreadable(Box::new(unreadable))],
                published_at: None,
            }
        }
    }
}

/// Reads a status of an answer that was kept, of which nothing more can be asked for.
#[cfg(feature = "archive")]
pub(crate) fn captured(
    item: &RawValue,
    call: &'static str,
    collected_at: Timestamp,
) -> Vec<Incoming> {
    let setting = Setting {
        call,
        place: call,
        collected_at,
        media_base: None,
        crs: None,
        whole: &HashMap::new(),
    };
    status(item, &setting).items
}

fn read(item: &RawValue, setting: &Setting<'_>) -> Result<Mapped, String> {
    let status: Status = lenient::object(item).map_err(|error| format!("not a status: {error}"))?;
    let number = status.number().ok_or("it has no id")?.to_owned();
    let id = PostId::new(Platform::weibo(), number.as_str());
    // The network shows neither to the public: whatever was kept of it is no longer there.
    if status.is_deleted() || !status.is_public() {
        return Ok(Mapped {
            items: vec![Incoming::Gone(id)],
            id: number,
            published_at: None,
        });
    }
    let published_at = status.created_at.as_deref().map(timestamp).transpose()?;
    let mut items = Vec::new();
    let mut post = Post::new(id, setting.collected_at);
    if let Some(original) = status.retweeted_status.as_deref().filter(|o| is_named(o)) {
        let original = self::status(original, setting);
        post.repost_of = original.items.last().and_then(post_id);
        items.extend(original.items);
    }
    post.published_at = published_at;
    post.raw
        .insert(setting.call.to_owned(), scrubbed_payload(item));
    let whole = match setting.whole.get(&number) {
        Some(WholeText::Given(whole)) => {
            post.raw
                .insert(SHOW_CALL.to_owned(), scrubbed_payload(whole));
            Some(&**whole)
        }
        Some(WholeText::Refused(why)) => {
            let why = Raw::from_value(why).map_err(|error| error.to_string())?;
            post.raw.insert(SHOW_REFUSED.to_owned(), why);
            None
        }
        None => None,
    };
    post.text = whole_text(&status, whole);
    post.hashtags = text::topics(&post.text);
    post.mentions = text::mentions(&post.text);
    post.media = pictures::pictures(&status, setting.media_base);
    post.places = places::places(&status, setting.crs);
    post.counts = Counts::new(
        status.attitudes_count,
        status.comments_count,
        status.reposts_count,
    );
    post.permalink = permalink(&status, &number);
    post.author = status.user.map(author);
    items.push(Incoming::Post(Box::new(post)));
    Ok(Mapped {
        items,
        id: number,
        published_at,
    })
}

/// Whether a passed-on status is more than the bare notice that stands for a removed one.
fn is_named(original: &RawValue) -> bool {
    lenient::object::<Status>(original).map_or(true, |status| {
        status.number().is_some() || !status.is_deleted()
    })
}

fn post_id(item: &Incoming) -> Option<PostId> {
    match item {
        Incoming::Post(post) => Some(post.id.clone()),
        Incoming::Gone(id) => Some(id.clone()),
        _ => None,
    }
}

/// Named by its content, since nothing else about it can be trusted to be the same next time.
fn unreadable(item: &RawValue, setting: &Setting<'_>, why: String) -> Unreadable {
    let digest = Digest::of(item.get().as_bytes()).to_string();
    let place = format!("weibo/{}/{}", setting.place, &digest[..16]);
    Unreadable::new(place, why, &scrubbed(item.get()))
}

/// Days and months have English names whatever the language, and the year stands last.
fn timestamp(text: &str) -> Result<Timestamp, String> {
    Timestamp::strptime("%a %b %d %H:%M:%S %z %Y", text)
        .map_err(|_| format!("its created_at is none: {text}"))
}

/// The whole text where it was asked for, else the one given, which may be cut.
fn whole_text(status: &Status, whole: Option<&RawValue>) -> String {
    let given = status.text.as_deref().unwrap_or_default();
    let of_show = whole
        .and_then(|whole| serde_json::from_str::<Status>(whole.get()).ok())
        .and_then(|whole| long_text(&whole).map(str::to_owned).or(whole.text));
    let long = of_show
        .as_deref()
        .or_else(|| long_text(status))
        .filter(|long| long.chars().count() >= given.chars().count());
    long.unwrap_or(given)
        .trim_matches(|c: char| c == '\u{200b}' || c.is_whitespace())
        .to_owned()
}

fn long_text(status: &Status) -> Option<&str> {
    status.long_text.as_ref()?.content.as_deref()
}

fn author(user: User) -> Author {
    let mut author = Author::unknown();
    author.id = user.number().map(str::to_owned);
    author.handle = user.screen_name.filter(|name| !name.is_empty());
    author.name = user.name.filter(|name| !name.is_empty());
    author.followers = user.followers_count;
    author.verified = user.verified;
    author
}

fn permalink(status: &Status, number: &str) -> Option<String> {
    let user = status.user.as_ref()?.number()?;
    let bid = ids::bid_of(number.parse().ok()?);
    Some(format!("https://weibo.com/{user}/{bid}"))
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
