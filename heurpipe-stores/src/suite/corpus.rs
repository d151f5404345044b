//! Records and filters made from a seed: the same seed gives the same ones.

use std::ops::Bound;

use heurpipe_core::filter::{Filter, Keyword, Predicate, TimeField};
use heurpipe_core::text::{analyse, keyword};
use heurpipe_core::{
    Annotation, Author, Finding, Fingerprint, Media, Place, Platform, Post, PostId, Producer,
    Record, State, Target, Value,
};
use jiff::Timestamp;

/// Numbers that look random and follow from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as the seed says.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    ///
    /// # Panics
    /// When `end` is zero.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of several.
    ///
    /// # Panics
    /// When there are none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

/// Values of keywords, among them some that a careless store takes for syntax.
const WORDS: &[&str] = &[
    "Miu Miu",
    "Hermès",
    "优衣库",
    "優衣庫",
    "o'neill",
    "say \"yes\"",
    "100%_wool",
    "a:b",
    "-minus",
    "*",
    "red",
    "Red ",
    "redder",
    "OR",
    "NOT x",
    "back\\slash",
    "[x TO y]",
    "🧥",
    "\u{10ffff}",
];

const TEXTS: &[&str] = &[
    "Summer look",
    "a summer look, SUMMER",
    "look summer",
    "今天穿连衣裙 ok",
    "连衣 裙子",
    "été à #Paris",
    "a a b a",
    "it's \"quoted\" — isn't it?",
    "under_score 100%",
    "カタカナ ひらがな",
    "🧥🧥",
];

const COUNTRIES: &[&str] = &["FR", "CN", "IT"];

const TIMES: &[&str] = &[
    "1969-12-31T23:59:59.5Z",
    "2024-02-29T12:00:00Z",
    "2025-12-31T23:59:59.999999999Z",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.000000001Z",
    "2026-02-01T00:00:00Z",
    "2026-02-04T08:00:00Z",
    "2026-03-01T23:59:59Z",
    "2026-03-02T00:00:00Z",
];

const NUMBERS: &[f64] = &[-1.5, -0.0, 0.0, 0.1, 0.5, 1.0, 2.0, 99.0, 100.0, 1e12];

const KEYWORD_FIELDS: &[&str] = &[
    "platform",
    "hashtag",
    "mention",
    "brand",
    "colour",
    "country",
    "author",
    "media",
    "verified",
    "repost",
    "relevant_to",
    "score",
    "absent",
];

const NUMBER_FIELDS: &[&str] = &[
    "likes",
    "comments",
    "score",
    "pictures",
    "followers",
    "absent",
];

fn time(dice: &mut Dice) -> Timestamp {
    dice.pick(TIMES).parse().unwrap_or_default()
}

/// A record whose id follows from `number`; everything that may be missing sometimes is.
pub fn record(dice: &mut Dice, number: u64) -> Record {
    let platform = *dice.pick(&["instagram", "weibo", "we-ibo"]);
    let id = PostId::new(Platform::new(platform), format!("{number}"));
    let mut post = Post::new(id, time(dice));
    post.published_at = (!dice.once_in(6)).then(|| time(dice));
    if !dice.once_in(5) {
        post.text = format!("{} {}", dice.pick(TEXTS), dice.pick(TEXTS));
    }
    post.hashtags = words(dice, 3);
    post.mentions = words(dice, 2);
    post.counts.likes = (!dice.once_in(4)).then(|| *dice.pick(&[0, 1, 2, 99, 100, 101]));
    post.counts.comments = (!dice.once_in(4)).then(|| dice.below(4));
    if !dice.once_in(3) {
        let mut author = Author::unknown();
        author.handle = Some(words(dice, 1).pop().unwrap_or_else(|| "who".to_owned()));
        author.verified = (!dice.once_in(3)).then(|| dice.once_in(2));
        author.followers = (!dice.once_in(3)).then(|| dice.below(3) * 1000);
        post.author = Some(author);
    }
    if !dice.once_in(3) {
        let mut place = Place::named("somewhere");
        place.country = Some((*dice.pick(COUNTRIES)).to_owned());
        post.places.tagged = Some(place);
    }
    for number in 0..dice.below(3) {
        let url = "https://pictures.example/1.jpg";
        post.media.push(Media::image(format!("{number}"), url));
    }
    post.repost_of = dice.once_in(4).then(|| PostId::new(Platform::weibo(), "1"));
    let mut record = Record::new(post);
    annotate(dice, &mut record);
    for use_case in ["catalog", "trends"] {
        if !dice.once_in(3) {
            let reason = "for a reason".to_owned();
            let delivered = dice.once_in(2);
            let pending = State::Pending { delivered };
            let states = [pending, State::Delivered, State::Held { reason }];
            record
                .states
                .insert(use_case.to_owned(), dice.pick(&states).clone());
        }
    }
    record
}

fn words(dice: &mut Dice, most: u64) -> Vec<String> {
    let count = dice.below(most + 1);
    (0..count).map(|_| (*dice.pick(WORDS)).to_owned()).collect()
}

fn annotate(dice: &mut Dice, record: &mut Record) {
    let producer = Producer {
        name: "corpus".to_owned(),
        version: "1".to_owned(),
        fingerprint: Fingerprint::of(["corpus"]),
        threshold: None,
        shadow: false,
    };
    for attribute in ["brand", "colour"] {
        if dice.once_in(3) {
            continue;
        }
        let labels = words(dice, 3);
        let finding = Finding::new(attribute, Value::Labels(labels)).confidence(0.7);
        let at = time(dice);
        let annotation = Annotation::produced(Target::Post, finding, producer.clone(), at);
        record.annotations.push(annotation);
    }
    if dice.once_in(2) {
        let finding = Finding::new("score", Value::Number(*dice.pick(NUMBERS)));
        let at = time(dice);
        let annotation = Annotation::produced(Target::Post, finding, producer, at);
        record.annotations.push(annotation);
    }
}

/// A filter, nested up to `depth` deep.
pub fn filter(dice: &mut Dice, depth: u32) -> Filter {
    if depth > 0 && !dice.once_in(3) {
        let count = 2 + dice.below(2);
        let inner = |dice: &mut Dice| (0..count).map(|_| filter(dice, depth - 1)).collect();
        return match dice.below(3) {
            0 => Filter::Not(Box::new(filter(dice, depth - 1))),
            1 => Filter::And(inner(dice)),
            _ => Filter::Or(inner(dice)),
        };
    }
    match dice.below(9) {
        0 => Filter::All,
        1 | 2 => Filter::Test(number(dice)),
        3 => Filter::Test(period(dice)),
        4 | 5 => Filter::Test(phrase(dice)),
        _ => Filter::Test(keywords(dice)),
    }
}

fn keywords(dice: &mut Dice) -> Predicate {
    let field = (*dice.pick(KEYWORD_FIELDS)).to_owned();
    let count = 1 + dice.below(3);
    let any_of = (0..count).map(|_| accepted(dice, &field)).collect();
    Predicate::Keyword { field, any_of }
}

fn accepted(dice: &mut Dice, field: &str) -> Keyword {
    let value = match field {
        "platform" => *dice.pick(&["instagram", "weibo", "we-ibo"]),
        "country" => *dice.pick(COUNTRIES),
        "relevant_to" => *dice.pick(&["catalog", "trends"]),
        "verified" | "repost" => *dice.pick(&["true", "false"]),
        "media" => "image",
        "score" => *dice.pick(&["-1.5", "0.1", "2"]),
        _ => dice.pick(WORDS),
    };
    let value = keyword(value);
    if dice.once_in(2) {
        return Keyword::Exact(value);
    }
    let length = dice.below(4) as usize;
    Keyword::Prefix(value.chars().take(length).collect())
}

fn number(dice: &mut Dice) -> Predicate {
    Predicate::Number {
        field: (*dice.pick(NUMBER_FIELDS)).to_owned(),
        lower: bound(dice, |dice| *dice.pick(NUMBERS)),
        upper: bound(dice, |dice| *dice.pick(NUMBERS)),
    }
}

fn period(dice: &mut Dice) -> Predicate {
    let field = *dice.pick(&[TimeField::Published, TimeField::Collected]);
    Predicate::Time {
        field,
        lower: bound(dice, time),
        upper: bound(dice, time),
    }
}

fn bound<T>(dice: &mut Dice, value: impl Fn(&mut Dice) -> T) -> Bound<T> {
    match dice.below(3) {
        0 => Bound::Unbounded,
        1 => Bound::Included(value(dice)),
        _ => Bound::Excluded(value(dice)),
    }
}

fn phrase(dice: &mut Dice) -> Predicate {
    let mut terms = analyse(dice.pick::<&str>(TEXTS));
    let start = dice.below(terms.len() as u64 + 1) as usize;
    terms.drain(..start);
    terms.truncate(1 + dice.below(3) as usize);
    if dice.once_in(8) {
        // No text has such a term, though its parts stand side by side in some.
        terms = vec![terms.join(" ")];
    }
    Predicate::Text { terms }
}
