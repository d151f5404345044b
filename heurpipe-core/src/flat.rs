//! The flat view of a record that every store indexes and every filter is evaluated on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{MediaKind, Record, Value};
use crate::text;

/// Keyword fields that are not attributes. An enricher may not give an attribute of such a name.
pub const KEYWORD_FIELDS: &[&str] = &[
    "platform",
    "id",
    "author",
    "hashtag",
    "mention",
    "country",
    "media",
    "verified",
    "repost",
    "relevant_to",
];

/// Numeric fields that are not attributes.
pub const NUMBER_FIELDS: &[&str] = &[
    "likes",
    "comments",
    "reposts",
    "views",
    "followers",
    "pictures",
];

/// A record as filters, facets, trends and search see it.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Flat {
    /// `platform:native`.
    pub id: String,
    /// Values by field, in keyword form: `platform`, `id`, `author` (handle and id), `hashtag`, `mention`, `country`, `media`
    /// (`image`, `video`), `verified` and `repost` (`true`, `false`), `relevant_to`, and every attribute by its effective labels.
    pub keywords: BTreeMap<String, BTreeSet<String>>,
    /// `likes`, `comments`, `reposts`, `views`, `followers`, `pictures`, and attributes whose value is a number.
    pub numbers: BTreeMap<String, f64>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was last read from its source.
    pub collected: Option<Timestamp>,
    /// The analysed text, in order.
    pub terms: Vec<String>,
}

impl Flat {
    /// The flat view of a record.
    pub fn of(record: &Record) -> Self {
        let post = &record.post;
        let mut flat = Self {
            id: post.id.to_string(),
            published: post.published_at,
            collected: Some(post.collected_at),
            terms: text::analyse(&post.text),
            ..Self::default()
        };
        flat.add("platform", [post.id.platform.as_str()]);
        flat.add("id", [flat.id.clone()]);
        flat.add("hashtag", &post.hashtags);
        flat.add("mention", &post.mentions);
        flat.add("country", post.places.country());
        flat.add("relevant_to", record.relevant_to());
        flat.add("repost", [post.repost_of.is_some().to_string()]);
        flat.add(
            "media",
            post.media.iter().map(|m| match m.kind {
                MediaKind::Video => "video",
                MediaKind::Image | MediaKind::Thumbnail => "image",
            }),
        );
        if let Some(author) = &post.author {
            flat.add("author", author.handle.iter().chain(&author.id));
            flat.add("verified", author.verified.map(|v| v.to_string()));
            flat.number("followers", author.followers);
        }
        flat.number("likes", post.counts.likes);
        flat.number("comments", post.counts.comments);
        flat.number("reposts", post.counts.reposts);
        flat.number("views", post.counts.views);
        let pictures = post.media.iter().filter(|m| m.kind != MediaKind::Video);
        flat.number("pictures", Some(pictures.count() as u64));
        flat.add_attributes(record);
        flat
    }

    fn add_attributes(&mut self, record: &Record) {
        for (attribute, labels) in record.effective() {
            self.add(&attribute, labels);
        }
        for annotation in record.annotations.iter().filter(|a| a.stands()) {
            if let Value::Number(number) = annotation.value {
                self.numbers.insert(annotation.attribute.clone(), number);
            }
        }
    }

    fn add<T: AsRef<str>>(&mut self, field: &str, values: impl IntoIterator<Item = T>) {
        for value in values {
            let value = text::keyword(value.as_ref());
            if !value.is_empty() {
                match self.keywords.get_mut(field) {
                    Some(known) => {
                        known.insert(value);
                    }
                    None => {
                        self.keywords
                            .insert(field.to_owned(), BTreeSet::from([value]));
                    }
                }
            }
        }
    }

    fn number(&mut self, field: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.numbers.insert(field.to_owned(), value as f64);
        }
    }

    /// The values of a keyword field.
    pub fn values(&self, field: &str) -> impl Iterator<Item = &str> {
        self.keywords
            .get(field)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }
}
