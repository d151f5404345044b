//! What formats of Instagram have in common: ids, captions, times, accounts, places, media.

use heurpipe_core::{Author, Media, MediaKind, Place, Platform, Post, PostId};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use super::super::container::Entry;
use super::super::format::File;
use super::contacts;
use crate::instagram::{caption, ids, map};
use crate::{lenient, links, place};

/// An id of this network.
pub(super) fn post_id(native: &str) -> PostId {
    PostId::new(Platform::instagram(), native)
}

/// The id of a post: its number, else that behind its shortcode. `1369793132326237681_50955534` is a post and its author.
///
/// # Errors
/// A sentence when it has neither.
pub(super) fn identity(id: Option<&str>, shortcode: Option<&str>) -> Result<PostId, String> {
    let number = id
        .and_then(|id| id.split('_').next())
        .filter(|number| is_number(number));
    if let Some(number) = number {
        return Ok(post_id(number));
    }
    shortcode
        .and_then(ids::pk_of)
        .map(|pk| post_id(&pk.to_string()))
        .ok_or_else(|| "it has neither a number nor a shortcode".to_owned())
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

/// The page of a post; reels (`clips`) and long videos (`igtv`) have paths of their own.
pub(super) fn permalink(shortcode: &str, product: Option<&str>) -> String {
    let path = match product {
        Some("clips") => "reel",
        Some("igtv") => "tv",
        _ => "p",
    };
    format!("https://www.instagram.com/{path}/{shortcode}/")
}

/// Sets the text and what is read off it.
pub(super) fn set_text(post: &mut Post, text: &str) {
    post.text = text.to_owned();
    post.hashtags = caption::hashtags(text);
    post.mentions = caption::mentions(text);
}

/// A handle as posts name it: without `@`, in lower case.
pub(super) fn handle(name: &str) -> Option<String> {
    let name = name.trim().trim_start_matches('@').to_lowercase();
    (!name.is_empty()).then_some(name)
}

/// A time: seconds since 1970 as a number or text, or written out; without an offset it is UTC.
///
/// # Errors
/// A sentence when it is no time.
pub(super) fn time(value: &Value) -> Result<Option<Timestamp>, String> {
    let read = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_i64().or_else(|| Some(number.as_f64()? as i64)),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => match text.trim().parse() {
            Ok(seconds) => Some(seconds),
            Err(_) => return written_time(text).map(Some),
        },
        _ => None,
    };
    read.and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map(Some)
        .ok_or_else(|| format!("its time is none: {value}"))
}

fn written_time(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok();
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text)
        .ok()
        .or_else(|| text.parse().ok())
        .or_else(|| Some(text.parse().ok().and_then(utc)?.timestamp()))
        .ok_or_else(|| format!("its time is none: {text}"))
}

/// A count that stands by itself or as `{"count": 3}`. A negative one stands for hidden and is absent.
pub(super) fn counted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let count = value.get("count").cloned().unwrap_or(value);
    lenient::count(count).map_err(serde::de::Error::custom)
}

/// A text that stands by itself or as `{"text": "…"}`.
pub(super) fn text_within(value: &Value) -> Option<&str> {
    value
        .as_str()
        .or_else(|| value.get("text")?.as_str())
        .filter(|text| !text.is_empty())
}

/// A user as all formats write one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Account {
    #[serde(default, deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient::id")]
    pk: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    full_name: Option<String>,
    #[serde(default)]
    is_verified: Option<bool>,
    #[serde(default, deserialize_with = "counted")]
    edge_followed_by: Option<u64>,
    #[serde(default, deserialize_with = "counted")]
    followed_by: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    follower_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    followers_count: Option<u64>,
}

impl Account {
    pub(super) fn id(&self) -> Option<&str> {
        self.pk.as_deref().or(self.id.as_deref())
    }

    /// The author, if anything tells who it is.
    pub(super) fn author(&self) -> Option<Author> {
        let mut author = Author::unknown();
        author.id = self.id().map(str::to_owned);
        author.handle = self.username.as_deref().and_then(handle);
        author.key()?;
        author.name = self.full_name.clone().filter(|name| !name.is_empty());
        author.verified = self.is_verified;
        author.followers = self
            .edge_followed_by
            .or(self.followed_by)
            .or(self.follower_count)
            .or(self.followers_count);
        Some(author)
    }
}

/// A place as all formats write one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Location {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    short_name: Option<String>,
    #[serde(default)]
    city: Option<String>,
    #[serde(default)]
    lat: Value,
    #[serde(default)]
    lng: Value,
    /// JSON within a text.
    #[serde(default)]
    address_json: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Address {
    city_name: Option<String>,
    region_name: Option<String>,
    country_code: Option<String>,
}

impl Location {
    /// The place, if it is named or has coordinates. In which reference system these are is not said anywhere.
    pub(super) fn place(&self) -> Option<Place> {
        let name = [&self.name, &self.short_name, &self.city]
            .into_iter()
            .flatten()
            .map(|name| name.trim())
            .find(|name| !name.is_empty());
        let point = lenient::point(&self.lat, &self.lng);
        if name.is_none() && point.is_none() {
            return None;
        }
        let address = self.address_json.as_deref();
        let address: Address = address
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default();
        let city = self.city.as_deref().or(address.city_name.as_deref());
        let address = place::Address {
            city: city.unwrap_or_default(),
            region: address.region_name.as_deref().unwrap_or_default(),
            country_code: address.country_code.as_deref().unwrap_or_default(),
        };
        let mut tagged = place::with_address(name.unwrap_or_default(), address);
        tagged.latitude = point.map(|(latitude, _)| latitude);
        tagged.longitude = point.map(|(_, longitude)| longitude);
        Some(tagged)
    }
}

/// A width or height in pixels.
pub(super) fn pixels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let pixels = lenient::count(deserializer)?;
    Ok(pixels.and_then(|pixels| u32::try_from(pixels).ok()))
}

/// A medium, named by the file of its URL: the query changes from one answer to the next. None when the URL names no file.
pub(super) fn medium(kind: MediaKind, url: &str) -> Option<Media> {
    let parsed = Url::parse(url.trim()).ok()?;
    let mut medium = Media::image(links::file_name(&parsed)?, url.trim());
    medium.kind = kind;
    medium.url_expires_at = map::expiry(&parsed);
    Some(medium)
}

/// Adds a medium unless one of its name is there: lists name a picture both by itself and among the children.
pub(super) fn add(post: &mut Post, medium: Media) {
    if post.medium(&medium.id).is_none() {
        post.media.push(medium);
    }
}

/// What kind of medium a file holds, by its extension; a picture where there is none.
pub(super) fn kind_of(file_name: &str) -> MediaKind {
    let extension = file_name.rsplit_once('.').map(|(_, extension)| extension);
    match extension.map(str::to_lowercase).as_deref() {
        Some("mp4" | "mov" | "webm" | "m4v") => MediaKind::Video,
        _ => MediaKind::Image,
    }
}

/// Finds the files of media that lie beside a file under the names of their URLs.
pub(super) fn find_beside(post: &mut Post, file: &File<'_>) {
    for medium in &mut post.media {
        if let Some(entry) = file.sibling(&medium.id) {
            lies_at(medium, file, &entry);
        }
    }
}

/// Says that a medium lies in the archive: that URL does not stop working.
pub(super) fn lies_at(medium: &mut Media, file: &File<'_>, entry: &Entry) {
    if let Some(url) = file.container.url_of(entry) {
        medium.url = Some(url);
        medium.url_expires_at = None;
    }
}

/// Keeps a payload under a name.
pub(super) fn keep(post: &mut Post, name: &str, json: &RawValue, file: &File<'_>) {
    let kept = contacts::kept(json, file.options);
    post.raw.insert(name.to_owned(), kept);
}

/// Takes from another view of the same post what this one lacks.
pub(super) fn fill_in(post: &mut Post, other: Post) {
    if post.text.is_empty() {
        set_text(post, &other.text);
    }
    if post.media.is_empty() {
        post.media = other.media;
    }
    post.permalink = post.permalink.take().or(other.permalink);
    post.published_at = post.published_at.or(other.published_at);
    post.places.tagged = match (post.places.tagged.take(), other.places.tagged) {
        // The fuller view of a place has its coordinates.
        (Some(own), Some(theirs)) if own.latitude.is_none() && theirs.latitude.is_some() => {
            Some(theirs)
        }
        (own, theirs) => own.or(theirs),
    };
    let (own, theirs) = (&mut post.counts, other.counts);
    own.likes = own.likes.or(theirs.likes);
    own.comments = own.comments.or(theirs.comments);
    own.reposts = own.reposts.or(theirs.reposts);
    own.views = own.views.or(theirs.views);
    let Some(theirs) = other.author else { return };
    let own = post.author.get_or_insert_with(Author::unknown);
    own.id = own.id.take().or(theirs.id);
    own.handle = own.handle.take().or(theirs.handle);
    own.name = own.name.take().or(theirs.name);
    own.followers = own.followers.or(theirs.followers);
    own.verified = own.verified.or(theirs.verified);
}
