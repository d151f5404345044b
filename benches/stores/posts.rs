//! Records as a pipeline delivers them.

use heurpipe_core::{
    Annotation, Author, Counts, Finding, Fingerprint, Platform, Post, PostId, Producer, Record,
    State, Target, Value,
};
use jiff::{Timestamp, ToSpan};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

/// The day after the last one on which a post was published.
pub const TODAY: &str = "2026-07-01T00:00:00Z";

/// Days on which posts were published.
pub const DAYS: i64 = 180;

/// From when posts are numbered: that of Instagram.
const EPOCH_MS: i64 = 1_314_220_021_721;

const GARMENTS: &[&str] = &[
    "dress", "coat", "shirt", "trousers", "bag", "boots", "sneaker", "hat", "pullover", "sandal",
];
const COLOURS: &[&str] = &[
    "black", "white", "red", "blue", "green", "pink", "beige", "brown",
];
const PATTERNS: &[&str] = &["plain", "striped", "checked", "dotted", "floral"];
const COUNTRIES: &[&str] = &["FR", "CN", "IT", "US", "JP", "GB", "DE", "KR"];
const WORDS: &[&str] = &[
    "summer",
    "look",
    "new",
    "in",
    "love",
    "with",
    "this",
    "vintage",
    "street",
    "style",
    "of",
    "the",
    "day",
    "evening",
    "linen",
    "silk",
    "from",
    "paris",
    "milan",
    "made",
    "今天",
    "穿搭",
    "连衣裙",
    "街拍",
    "秋冬",
];

/// The first `count` records, revision 1, each the same in every run.
pub fn records(count: usize) -> Vec<Record> {
    (0..count as u64).map(record).collect()
}

/// One record: some 140 characters, three hashtags, five attributes, about 2 KB as JSON.
pub fn record(number: u64) -> Record {
    let mut dice = ChaCha8Rng::seed_from_u64(number);
    let platform = [Platform::instagram(), Platform::weibo()][dice.random_range(0..2)].clone();
    let today: Timestamp = TODAY.parse().unwrap_or_default();
    let published = today - dice.random_range(1..DAYS * 24 * 60).minutes();
    let mut post = Post::new(id(platform, published, number), today);
    post.published_at = Some(published);
    let words: Vec<&str> = (0..25).map(|_| pick(&mut dice, WORDS)).collect();
    post.text = words.join(" ");
    post.hashtags = (0..3).map(|_| skewed(&mut dice, "tag", 20_000)).collect();
    post.counts = Counts::new(
        Some(dice.random_range(0..5_000)),
        Some(dice.random_range(0..90)),
        None,
    );
    let mut author = Author::unknown();
    let who = dice.random_range(0..200_000);
    author.id = Some(format!("{who}"));
    author.handle = Some(format!("maison.{who}"));
    author.followers = Some(dice.random_range(0..100_000));
    post.author = Some(author);
    let brand = skewed(&mut dice, "brand", 600);
    let country = pick(&mut dice, COUNTRIES).to_owned();
    let labels = [
        ("garment", pick(&mut dice, GARMENTS).to_owned()),
        ("colour", pick(&mut dice, COLOURS).to_owned()),
        ("pattern", pick(&mut dice, PATTERNS).to_owned()),
        ("origin", country),
        ("brand", brand),
    ];
    let mut record = Record::new(post);
    for (attribute, label) in labels {
        let finding = Finding::new(attribute, Value::Labels(vec![label])).confidence(0.9);
        record.annotations.push(Annotation::produced(
            Target::Post,
            finding,
            producer(attribute),
            today,
        ));
    }
    for use_case in ["catalog", "trends"] {
        record.states.insert(use_case.to_owned(), State::Delivered);
    }
    record.revision = 1;
    record
}

/// So many records of posts that were published on one day, the `later`th after all others.
pub fn day(later: u64, count: usize) -> Vec<Record> {
    let today: Timestamp = TODAY.parse().unwrap_or_default();
    let published = |number: u64| today + (later * 86_400 + number).cast_signed().seconds();
    let of_that_day = |number: u64| {
        let mut record = record(number);
        let published = published(number);
        record.post.id = id(record.post.id.platform.clone(), published, number);
        record.post.published_at = Some(published);
        record
    };
    (0..count as u64).map(of_that_day).collect()
}

/// Numbers as networks give them: the time in milliseconds, and 23 bits that tell posts of one moment apart.
fn id(platform: Platform, published: Timestamp, number: u64) -> PostId {
    let since = published.as_millisecond() - EPOCH_MS;
    let native = (since.cast_unsigned() << 23) | (number & 0x7f_ffff);
    PostId::new(platform, native.to_string())
}

fn producer(attribute: &str) -> Producer {
    Producer {
        name: attribute.to_owned(),
        version: "1".to_owned(),
        fingerprint: Fingerprint::of([attribute]),
        threshold: None,
        shadow: false,
    }
}

fn pick<'a>(dice: &mut ChaCha8Rng, from: &[&'a str]) -> &'a str {
    from.choose(dice).copied().unwrap_or_default()
}

/// One of `count` names, of which the first are common and the last rare.
fn skewed(dice: &mut ChaCha8Rng, name: &str, count: u32) -> String {
    let place = dice.random::<f64>().powi(3);
    format!("{name}{}", (place * f64::from(count)) as u32)
}

/// The size of records as JSON, in bytes.
pub fn bytes(records: &[Record]) -> Result<usize, serde_json::Error> {
    let sizes = records
        .iter()
        .map(|record| serde_json::to_vec(record).map(|json| json.len()));
    sizes.sum()
}
