//! The flat view of a record that every store indexes and every filter is evaluated on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{MediaKind, Record};
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
    /// `likes`, `comments`, `reposts`, `views`, `followers`, `pictures`, and attributes by their effective
    /// numbers.
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
        self.numbers.extend(record.effective_numbers());
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::{
        Annotation, Author, Counts, Finding, Fingerprint, Media, Place, Post, PostId, Producer,
        State, Target, Value,
    };

    fn record() -> Record {
        let id: PostId = "weibo:1".parse().unwrap();
        let mut post = Post::new(id, Timestamp::UNIX_EPOCH);
        post.text = "Été à Paris".into();
        post.hashtags = vec!["OOTD".into(), "穿搭".into()];
        post.media = vec![Media::image("a", "https://example.com/a"), {
            let mut video = Media::image("b", "https://example.com/b");
            video.kind = MediaKind::Video;
            video
        }];
        let mut author = Author::unknown();
        author.handle = Some("Zoé".into());
        author.id = Some("7".into());
        author.verified = Some(false);
        author.followers = Some(12);
        post.author = Some(author);
        post.counts = Counts::new(Some(0), None, Some(3));
        let mut place = Place::named("Paris");
        place.country = Some("FR".into());
        post.places.tagged = Some(place);
        Record::new(post)
    }

    fn values<'a>(flat: &'a Flat, field: &str) -> Vec<&'a str> {
        flat.values(field).collect()
    }

    #[test]
    fn built_in_fields_come_from_the_post() {
        let mut record = record();
        record.states.insert("catalog".into(), State::Delivered);
        record.states.insert(
            "trends".into(),
            State::Rejected {
                reason: "spam".into(),
            },
        );
        let flat = Flat::of(&record);
        assert_eq!(flat.terms, ["ete", "a", "paris"]);
        assert_eq!(values(&flat, "id"), ["weibo:1"]);
        assert_eq!(values(&flat, "platform"), ["weibo"]);
        assert_eq!(values(&flat, "author"), ["7", "zoe"]);
        assert_eq!(values(&flat, "hashtag"), ["ootd", "穿搭"]);
        assert_eq!(values(&flat, "country"), ["fr"]);
        assert_eq!(values(&flat, "media"), ["image", "video"]);
        assert_eq!(values(&flat, "verified"), ["false"]);
        assert_eq!(values(&flat, "repost"), ["false"]);
        assert_eq!(values(&flat, "relevant_to"), ["catalog"]);
        assert_eq!(flat.numbers["likes"], 0.0);
        assert_eq!(flat.numbers["pictures"], 1.0);
        // Hidden is not zero.
        assert!(!flat.numbers.contains_key("comments"));
    }

    #[test]
    fn a_persons_number_replaces_a_models() {
        let mut record = record();
        let producer = Producer {
            name: "score".into(),
            version: "1".into(),
            fingerprint: Fingerprint::of(["score"]),
            threshold: None,
            shadow: false,
        };
        let at = Timestamp::UNIX_EPOCH;
        let finding = Finding::new("score", Value::Number(0.9));
        let said = Annotation::produced(Target::Post, finding, producer, at);
        let decided = Annotation::decided(Target::Post, "score", Value::Number(0.2), "ann", at);
        record.annotations = vec![decided, said];
        let flat = Flat::of(&record);
        assert_eq!(flat.numbers["score"], 0.2);
        assert_eq!(values(&flat, "score"), ["0.2"]);
    }
}
