//! From the Open API's statuses to posts.

use std::collections::HashMap;

use heurpipe_core::{
    Author, Counts, Digest, Incoming, Media, Place, Places, Platform, Post, PostId, Raw, Unreadable,
};
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use super::wire::{Status, User};
use super::{ids, text};
use crate::http::scrubbed;
use crate::{lenient, place};

/// The name under which the payload of a page is kept.
const CALL: &str = "weibo.timeline";
/// The name under which the payload with the whole text is kept.
const SHOW_CALL: &str = "weibo.show";
/// The size of picture to fetch.
const SIZE: &str = "large";
const PICTURE_HOST: &str = "https://wx1.sinaimg.cn/";

/// What is known of all statuses of an answer.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    /// The partition, for the names of what cannot be read.
    pub partition: &'a str,
    pub collected_at: Timestamp,
    /// Where pictures are fetched from; none: where the answer says, else the real host.
    pub media_base: Option<&'a Url>,
    /// Statuses with their whole text, by number.
    pub whole: &'a HashMap<String, Box<RawValue>>,
}

/// What one status gives: itself, after the post that it passes on.
#[derive(Debug)]
pub(super) struct Mapped {
    pub items: Vec<Incoming>,
    /// The status' own number, or what names it if it cannot be read.
    pub id: String,
    pub published_at: Option<Timestamp>,
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
    if let Some(original) = &status.retweeted_status {
        let original = self::status(original, setting);
        post.repost_of = original.items.last().and_then(post_id);
        items.extend(original.items);
    }
    post.published_at = published_at;
    post.raw.insert(CALL.to_owned(), raw(item));
    let whole = setting.whole.get(&number);
    if let Some(whole) = whole {
        post.raw.insert(SHOW_CALL.to_owned(), raw(whole));
    }
    post.text = whole_text(&status, whole.map(AsRef::as_ref));
    post.hashtags = text::topics(&post.text);
    post.mentions = text::mentions(&post.text);
    post.media = media(&status, setting.media_base);
    post.places = places(&status);
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
    let place = format!("weibo/{}/{}", setting.partition, &digest[..16]);
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
    let long = whole
        .and_then(|whole| serde_json::from_str::<Status>(whole.get()).ok())
        .and_then(|whole| whole.long_text.and_then(|long| long.content).or(whole.text))
        .filter(|long| long.chars().count() >= given.chars().count());
    let text = long.as_deref().unwrap_or(given);
    text.trim_matches(|c: char| c == '\u{200b}' || c.is_whitespace())
        .to_owned()
}

fn author(user: User) -> Author {
    let mut author = Author::unknown();
    author.id = user.idstr.or(user.id);
    author.handle = user.screen_name.filter(|name| !name.is_empty());
    author.name = user.name.filter(|name| !name.is_empty());
    author.followers = user.followers_count;
    author.verified = user.verified;
    author
}

fn permalink(status: &Status, number: &str) -> Option<String> {
    let user = status.user.as_ref()?;
    let user = user.idstr.as_ref().or(user.id.as_ref())?;
    let bid = ids::bid_of(number.parse().ok()?);
    Some(format!("https://weibo.com/{user}/{bid}"))
}

/// The pictures in order, in their large size. A picture is named by its pid, on whichever host and in whichever size.
fn media(status: &Status, base: Option<&Url>) -> Vec<Media> {
    let given: Vec<Url> = status
        .pic_urls
        .iter()
        .flatten()
        .filter_map(|picture| picture.thumbnail_pic.as_deref())
        .chain(status.original_pic.as_deref())
        .filter_map(|url| Url::parse(url).ok())
        .collect();
    let given: Vec<(String, &Url)> = given
        .iter()
        .filter_map(|url| Some((pid_parts(url)?.0.to_owned(), url)))
        .collect();
    let named = status.pic_ids.clone().unwrap_or_default();
    let mut pids: Vec<String> = Vec::new();
    for pid in named
        .into_iter()
        .chain(given.iter().map(|(pid, _)| pid.clone()))
    {
        if is_pid(&pid) && !pids.contains(&pid) {
            pids.push(pid);
        }
    }
    pids.into_iter()
        .filter_map(|pid| {
            let url = given.iter().find(|(p, _)| *p == pid).map(|(_, url)| *url);
            let url = picture_url(&pid, url, base)?;
            Some(Media::image(pid, url))
        })
        .collect()
}

/// The address of the large picture: on the host that was set, else on the one that the answer names, else on the real one.
fn picture_url(pid: &str, given: Option<&Url>, base: Option<&Url>) -> Option<String> {
    let extension = given
        .and_then(|url| pid_parts(url))
        .map_or("jpg", |(_, e)| e);
    let path = format!("{SIZE}/{pid}.{extension}");
    let url = match (base, given) {
        (Some(base), _) => base.join(&path).ok()?,
        (None, Some(given)) => given.join(&format!("../{path}")).ok()?,
        (None, None) => Url::parse(PICTURE_HOST).ok()?.join(&path).ok()?,
    };
    Some(url.into())
}

fn pid_parts(url: &Url) -> Option<(&str, &str)> {
    let (pid, extension) = url.path_segments()?.next_back()?.rsplit_once('.')?;
    let is_extension =
        (1..=4).contains(&extension.len()) && extension.bytes().all(|c| c.is_ascii_alphanumeric());
    (is_pid(pid) && is_extension).then_some((pid, extension))
}

fn is_pid(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-')
}

fn places(status: &Status) -> Places {
    let mut places = Places::default();
    places.declared = status
        .user
        .as_ref()
        .and_then(|user| user.location.as_deref())
        .and_then(place::claimed);
    places.ip_region = status.region_name.as_deref().and_then(place::claimed);
    places.tagged = tagged(status);
    places
}

/// The place tagged: the name is among the annotations, the point in `geo`, latitude first.
fn tagged(status: &Status) -> Option<Place> {
    let annotated = status
        .annotations
        .as_array()
        .into_iter()
        .flatten()
        .find_map(|annotation| annotation.get("place"));
    let title = annotated
        .and_then(|place| place.get("title"))
        .or_else(|| status.geo.pointer("/detail/title"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let point = point_of_geo(&status.geo).or_else(|| {
        let place = annotated?;
        point(place.get("lat")?, place.get("lon")?)
    });
    let (latitude, longitude) = point.unzip();
    place::tagged(title, latitude, longitude, None)
}

fn point_of_geo(geo: &Value) -> Option<(f64, f64)> {
    let coordinates = geo.get("coordinates")?.as_array()?;
    point(coordinates.first()?, coordinates.get(1)?)
}

fn point(latitude: &Value, longitude: &Value) -> Option<(f64, f64)> {
    place::point(degrees(latitude)?, degrees(longitude)?)
}

/// A number written as a number or as a text.
fn degrees(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The payload untouched, but for a token, should one stand in it.
fn raw(item: &RawValue) -> Raw {
    let text = scrubbed(item.get());
    let clean = RawValue::from_string(text.into_owned()).unwrap_or_else(|_| item.to_owned());
    Raw::new(clean)
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
