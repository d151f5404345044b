//! From items to posts, by a mapping.

use heurpipe_core::{Author, Counts, Media, MediaKind, Post, PostId};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;

use super::super::cut::Item;
use super::super::format::{File, Mapper, Out, raw};
use super::Mapping;
use super::pointer::Pointer;
use crate::instagram::caption;
use crate::{lenient, place};

/// Later than this in seconds, a number is one of milliseconds (the year 5138).
const MILLISECONDS_FROM: i64 = 100_000_000_000;

pub(super) struct Mapped(pub Mapping);

impl Mapper for Mapped {
    fn map(&mut self, item: &Item<'_>, file: &File<'_>, out: &mut Out) -> Result<(), String> {
        let value: Value = serde_json::from_str(item.json.get()).map_err(|e| e.to_string())?;
        let mapping = &self.0;
        let number =
            text_at(Some(&mapping.id), &value).ok_or("there is no id where the mapping says")?;
        let mut post = file.post(self.id(&number));
        post.text = text_at(mapping.text.as_ref(), &value).unwrap_or_default();
        post.permalink = text_at(mapping.permalink.as_ref(), &value);
        post.language_hint = text_at(mapping.language.as_ref(), &value);
        post.repost_of = text_at(mapping.repost_of.as_ref(), &value).map(|id| self.id(&id));
        post.published_at = self.time_at(mapping.published_at.as_ref(), &value)?;
        if let Some(at) = self.time_at(mapping.collected_at.as_ref(), &value)? {
            post.collected_at = at;
        }
        post.hashtags = match &mapping.hashtags {
            Some(pointer) => words(pointer, &value, '#'),
            None => caption::hashtags(&post.text),
        };
        post.mentions = match &mapping.mentions {
            Some(pointer) => words(pointer, &value, '@'),
            None => caption::mentions(&post.text),
        };
        post.author = self.author(&value).or_else(|| file.options.author.clone());
        post.counts = self.counts(&value);
        self.add_media(&mut post, &value, file);
        self.add_places(&mut post, &value);
        post.raw.insert(mapping.name.clone(), raw(item.json));
        out.post(post);
        Ok(())
    }
}

impl Mapped {
    fn id(&self, native: &str) -> PostId {
        PostId::new(self.0.platform(), native)
    }

    fn time_at(
        &self,
        pointer: Option<&Pointer>,
        value: &Value,
    ) -> Result<Option<Timestamp>, String> {
        let Some(found) = pointer.and_then(|pointer| pointer.first(value)) else {
            return Ok(None);
        };
        let time = match found {
            Value::Number(number) => number.as_i64().and_then(epoch),
            Value::String(text) if text.trim().is_empty() => return Ok(None),
            Value::String(text) => self.written(text.trim()),
            _ => None,
        };
        time.map(Some)
            .ok_or_else(|| format!("a time cannot be read: {found}"))
    }

    fn written(&self, text: &str) -> Option<Timestamp> {
        if let Some(format) = &self.0.times.format {
            let naive = || {
                let civil = DateTime::strptime(format, text).ok()?;
                Some(civil.to_zoned(self.0.zone()).ok()?.timestamp())
            };
            return Timestamp::strptime(format, text).ok().or_else(naive);
        }
        let number = || epoch(text.parse().ok()?);
        let naive = || {
            let civil: DateTime = text.parse().ok()?;
            Some(civil.to_zoned(self.0.zone()).ok()?.timestamp())
        };
        text.parse().ok().or_else(number).or_else(naive)
    }

    fn author(&self, value: &Value) -> Option<Author> {
        let fields = &self.0.author;
        let mut author = Author::unknown();
        author.id = text_at(fields.id.as_ref(), value);
        author.handle = text_at(fields.handle.as_ref(), value)
            .map(|handle| handle.trim_start_matches('@').to_owned());
        author.name = text_at(fields.name.as_ref(), value);
        author.followers = count_at(fields.followers.as_ref(), value);
        author.verified = flag_at(fields.verified.as_ref(), value);
        (author != Author::unknown()).then_some(author)
    }

    fn counts(&self, value: &Value) -> Counts {
        let fields = &self.0.counts;
        let mut counts = Counts::new(
            count_at(fields.likes.as_ref(), value),
            count_at(fields.comments.as_ref(), value),
            count_at(fields.reposts.as_ref(), value),
        );
        counts.views = count_at(fields.views.as_ref(), value);
        counts
    }

    fn add_media(&self, post: &mut Post, value: &Value, file: &File<'_>) {
        let fields = &self.0.media;
        let kinds = [
            (&fields.images, MediaKind::Image),
            (&fields.videos, MediaKind::Video),
            (&fields.thumbnails, MediaKind::Thumbnail),
        ];
        for (pointer, kind) in kinds {
            let found = pointer.iter().flat_map(|pointer| pointer.all(value));
            for url in found.filter_map(Value::as_str) {
                add_medium(post, url.trim(), kind, file);
            }
        }
    }

    fn add_places(&self, post: &mut Post, value: &Value) {
        let fields = &self.0.places;
        let claim = |pointer: &Option<Pointer>| {
            text_at(pointer.as_ref(), value).and_then(|name| place::claimed(&name))
        };
        post.places.declared = claim(&fields.declared);
        post.places.ip_region = claim(&fields.ip_region);
        let degrees = |pointer: &Option<Pointer>| {
            lenient::number(pointer.as_ref().and_then(|pointer| pointer.first(value))?)
        };
        let name = text_at(fields.tagged.as_ref(), value).unwrap_or_default();
        let (latitude, longitude) = (degrees(&fields.latitude), degrees(&fields.longitude));
        post.places.tagged = place::tagged(&name, latitude, longitude, None);
    }
}

/// A medium by its URL, or by the path of a file in the archive. It is named by its file, once in a post.
fn add_medium(post: &mut Post, given: &str, kind: MediaKind, file: &File<'_>) {
    let local = || {
        let entry = file.sibling(given).or_else(|| file.container.find(given))?;
        file.container.url_of(&entry)
    };
    let url = match url::Url::parse(given) {
        Ok(url) => String::from(url),
        Err(_) => match local() {
            Some(url) => url,
            None => return,
        },
    };
    let path = url.split(['?', '#']).next().unwrap_or(&url);
    let name = path.rsplit('/').find(|part| !part.is_empty());
    let mut id = name.unwrap_or(given).to_owned();
    if post.medium(&id).is_some() {
        id = format!("{}:{id}", post.media.len());
    }
    let mut medium = Media::image(id, url);
    medium.kind = kind;
    post.media.push(medium);
}

fn epoch(number: i64) -> Option<Timestamp> {
    if number.abs() >= MILLISECONDS_FROM {
        Timestamp::from_millisecond(number).ok()
    } else {
        Timestamp::from_second(number).ok()
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn text_at(pointer: Option<&Pointer>, value: &Value) -> Option<String> {
    text_of(pointer?.first(value)?)
}

fn count_at(pointer: Option<&Pointer>, value: &Value) -> Option<u64> {
    lenient::count(pointer?.first(value)?).ok()?
}

fn flag_at(pointer: Option<&Pointer>, value: &Value) -> Option<bool> {
    match pointer?.first(value)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.trim().to_lowercase().parse().ok(),
        _ => None,
    }
}

/// Words, each without the sign before it; a single text is divided at white space and commas.
fn words(pointer: &Pointer, value: &Value, sign: char) -> Vec<String> {
    let texts = pointer.all(value).into_iter().filter_map(Value::as_str);
    let words = texts.flat_map(|text| text.split(|c: char| c.is_whitespace() || c == ','));
    words
        .map(|word| word.trim_start_matches(sign).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}
