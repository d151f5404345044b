//! Odd letters, and what is missing, hidden or extreme.

use std::sync::Arc;

use heurpipe_core::{
    Annotation, Author, Counts, Filter, Media, Place as Where, Record, Target, Value,
};
use jiff::Timestamp;

use super::super::{Check, Failure};
use super::{
    Place, all_records, checks, column, dated, id, number, record, scanned, texts, with, writer,
};

checks!(
    dyn Place;
    odd_texts_come_back,
    nul_comes_back,
    odd_texts_are_told_apart_by_sql,
    odd_labels_come_back,
    what_is_missing_stays_missing,
    hidden_counts_are_not_zero,
    posts_without_a_time_are_kept,
    far_times_come_back,
    times_before_the_year_one_come_back,
    times_come_back_to_the_nanosecond,
    extreme_counts_come_back,
    extreme_numbers_come_back,
    pictures_and_places_come_back,
);

/// Texts that careless code takes for the end of a text, for syntax, or for fewer letters than they have.
const ODD: &[&str] = &[
    "",
    " ",
    "it's \"quoted\" — isn't it?",
    "'; DROP TABLE posts; --",
    "back\\slash \\n \\u0000 \\\"",
    "line\nbreak\r\n\ttab",
    "a,b;c\u{1f}d\u{1e}e",
    "🧥👗 👩🏽‍🎤 🇫🇷",
    "𠮷野家 \u{10ffff}",
    "עברית ثوب \u{202e}reversed\u{202c}",
    "e\u{301}té vs été",
    "\u{feff}mark \u{2028} \u{2029} \u{85}",
    "null",
    "NaN",
    "{\"json\": [1]}",
    "100%_wool `x` $1 ${x} @p ?",
];

async fn odd_texts_come_back(place: Arc<dyn Place>) -> Check {
    come_back(&*place, ODD).await
}

async fn nul_comes_back(place: Arc<dyn Place>) -> Check {
    come_back(
        &*place,
        &["\u{0}", "before\u{0}after", "control \u{1}\u{7f}"],
    )
    .await
}

/// In the text, the author's name, a tag.
async fn come_back(place: &dyn Place, odd: &[&str]) -> Check {
    let warehouse = writer(place).await?;
    let given: Vec<Record> = (0..)
        .zip(odd)
        .map(|(number, text)| odd_record(number, text))
        .collect();
    warehouse.append(given.clone()).await?;
    assert_eq!(all_records(&*warehouse).await?, given);
    let column = |name: &str| format!("SELECT {name} FROM posts ORDER BY native_id");
    for name in ["text", "author_name"] {
        assert_eq!(texts(&*warehouse, &column(name), &[]).await?, odd, "{name}");
    }
    Ok(())
}

fn odd_record(number: usize, text: &str) -> Record {
    let mut record = record(&format!("{number:02}"), 1, text);
    let mut author = Author::unknown();
    author.name = Some(text.to_owned());
    record.post.author = Some(author);
    record.post.hashtags = vec![text.to_owned()];
    record
}

async fn odd_texts_are_told_apart_by_sql(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given: Vec<Record> = (0..)
        .zip(ODD)
        .map(|(number, text)| odd_record(number, text))
        .collect();
    warehouse.append(given).await?;
    for (number, text) in ODD.iter().enumerate() {
        // Only quotes and backslashes are written otherwise in one dialect than in another.
        if text.contains(['\'', '\\', '\n', '\r']) {
            continue;
        }
        let query = format!("SELECT native_id FROM posts WHERE text = '{text}'");
        let found = texts(&*warehouse, &query, &[]).await?;
        assert_eq!(found, [format!("{number:02}")], "{text:?}");
    }
    Ok(())
}

async fn odd_labels_come_back(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let labels = [
        "o'neill",
        "say \"yes\"",
        "a\\b",
        "优衣库",
        "🧥",
        "a,b",
        "[x]",
        "null",
    ];
    warehouse
        .append(vec![with("1", &[("brand", &labels)])])
        .await?;
    let query = (place.dialect().unnested)("brand");
    let mut found = texts(&*warehouse, &query, &[]).await?;
    found.sort();
    let mut expected = labels.map(str::to_owned);
    expected.sort();
    assert_eq!(found, expected);
    Ok(())
}

/// The columns of a post of which little is known, as texts.
const LITTLE: &[&str] = &[
    "author_id",
    "author_handle",
    "author_name",
    "followers",
    "verified",
    "language",
    "published_at",
    "likes",
    "comments",
    "reposts",
    "views",
    "country",
];

async fn what_is_missing_stays_missing(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let bare = record("1", 1, "");
    warehouse.append(vec![bare.clone()]).await?;
    assert_eq!(all_records(&*warehouse).await?, [bare]);
    let query = format!("SELECT {} FROM posts", LITTLE.join(", "));
    for (place, name) in LITTLE.iter().enumerate() {
        let found = column(&*warehouse, &query, place, &[]).await?;
        assert_eq!(found, [None], "{name}");
    }
    for list in ["hashtags", "mentions", "relevant_to", "brand"] {
        let query = (place.dialect().unnested)(list);
        let found = texts(&*warehouse, &query, &[]).await?;
        assert!(found.is_empty(), "{list}: {found:?}");
    }
    Ok(())
}

async fn hidden_counts_are_not_zero(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let counted = |native: &str, likes, comments| {
        let mut record = record(native, 1, "");
        record.post.counts = Counts::new(likes, comments, None);
        record
    };
    let given = [
        counted("1", Some(0), None),
        counted("2", None, Some(0)),
        counted("3", Some(5), Some(1)),
    ];
    warehouse.append(given.to_vec()).await?;
    assert_eq!(all_records(&*warehouse).await?, given);
    for (condition, expected) in [
        ("likes IS NULL", 1),
        ("likes = 0", 1),
        ("likes >= 0", 2),
        ("comments IS NULL", 1),
        ("comments = 0", 1),
        ("reposts IS NULL", 3),
    ] {
        let query = format!("SELECT count(*) FROM posts WHERE {condition}");
        assert_eq!(
            number(&*warehouse, &query, &[]).await?,
            expected,
            "{condition}"
        );
    }
    let sum = "SELECT sum(likes) FROM posts";
    assert_eq!(number(&*warehouse, sum, &[]).await?, 5);
    Ok(())
}

async fn posts_without_a_time_are_kept(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = [
        dated("1", 1, "")?,
        dated("2", 1, "2026-03-01T00:00:00Z")?,
        dated("3", 1, "")?,
    ];
    warehouse.append(given.to_vec()).await?;
    assert_eq!(all_records(&*warehouse).await?, given);
    let query = "SELECT native_id FROM posts WHERE published_at IS NULL ORDER BY native_id";
    assert_eq!(texts(&*warehouse, query, &[]).await?, ["1", "3"]);
    let coverage = warehouse.coverage().await?;
    assert_eq!((coverage.posts, coverage.undated), (3, 2));
    let dated = scanned(&*warehouse, &"published:[* TO *]".parse()?).await?;
    assert_eq!(dated, given[1..2]);
    let none = scanned(&*warehouse, &"-published:[* TO *]".parse()?).await?;
    assert_eq!(none.len(), 2);
    Ok(())
}

async fn far_times_come_back(place: Arc<dyn Place>) -> Check {
    let times = [
        "0001-01-01T00:00:00Z",
        "1582-10-10T12:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2038-01-19T03:14:08Z",
        "9999-12-30T22:00:00Z",
    ];
    let records: Result<Vec<Record>, Failure> = (0..)
        .zip(times)
        .map(|(number, time)| dated(&format!("{number}"), 1, time))
        .collect();
    keeps_times(&*place, records?).await
}

async fn times_before_the_year_one_come_back(place: Arc<dyn Place>) -> Check {
    let mut records = vec![record("1", 1, ""), record("2", 1, "")];
    records[0].post.published_at = Some(Timestamp::MIN);
    records[1].post.published_at = Some(Timestamp::MAX);
    keeps_times(&*place, records).await
}

/// Records in the order of their times, whose ids are in that order too.
async fn keeps_times(place: &dyn Place, given: Vec<Record>) -> Check {
    let warehouse = writer(place).await?;
    warehouse.append(given.clone()).await?;
    assert_eq!(all_records(&*warehouse).await?, given);
    let query = "SELECT native_id FROM posts ORDER BY published_at";
    let expected: Vec<String> = given.iter().map(|r| r.id().native.to_string()).collect();
    assert_eq!(texts(&*warehouse, query, &[]).await?, expected);
    let coverage = warehouse.coverage().await?;
    let (first, last) = (given.first(), given.last());
    let published = |record: Option<&Record>| record.and_then(|r| r.post.published_at);
    assert!(coverage.from <= published(first), "{coverage:?}");
    assert!(coverage.to >= published(last), "{coverage:?}");
    Ok(())
}

async fn times_come_back_to_the_nanosecond(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = [
        dated("1", 1, "2025-12-31T23:59:59.999999999Z")?,
        dated("2", 1, "2026-01-01T00:00:00Z")?,
        dated("3", 1, "2026-01-01T00:00:00.000000001Z")?,
    ];
    warehouse.append(given.to_vec()).await?;
    assert_eq!(all_records(&*warehouse).await?, given);
    let year = "SELECT count(*) FROM posts WHERE published_at < '2026-01-01T00:00:00Z'";
    assert_eq!(number(&*warehouse, year, &[]).await?, 1);
    Ok(())
}

async fn extreme_counts_come_back(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let greatest = i64::MAX as u64;
    let counts = [0, 1 << 53, (1 << 53) + 1, greatest - 1, greatest, u64::MAX];
    let mut given = Vec::new();
    for (number, likes) in counts.into_iter().enumerate() {
        let mut record = record(&number.to_string(), 1, "");
        record.post.counts = Counts::new(Some(likes), None, None);
        given.push(record);
    }
    warehouse.append(given.clone()).await?;
    assert_eq!(all_records(&*warehouse).await?, given);
    let found = texts(
        &*warehouse,
        "SELECT likes FROM posts ORDER BY native_id",
        &[],
    )
    .await?;
    let expected = counts.map(|likes| likes.min(greatest).to_string());
    assert_eq!(found, expected, "a row holds at most 63 bits");
    Ok(())
}

async fn extreme_numbers_come_back(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = Vec::new();
    let scores = [
        f64::MIN,
        -0.0,
        f64::MIN_POSITIVE,
        5e-324,
        0.1 + 0.2,
        f64::MAX,
    ];
    for (number, score) in scores.into_iter().enumerate() {
        let mut record = record(&number.to_string(), 1, "");
        let when = Timestamp::UNIX_EPOCH;
        let decided = Annotation::decided(Target::Post, "score", Value::Number(score), "ann", when);
        record.annotations.push(decided);
        given.push(record);
    }
    warehouse.append(given.clone()).await?;
    let found = scanned(&*warehouse, &Filter::All).await?;
    assert_eq!(found, given);
    let bits = |record: &Record| match record.annotations[0].value {
        Value::Number(score) => score.to_bits(),
        _ => 0,
    };
    for (found, score) in found.iter().zip(scores) {
        assert_eq!(bits(found), score.to_bits(), "{score}");
    }
    Ok(())
}

async fn pictures_and_places_come_back(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = record("1", 1, "");
    for number in 0..40 {
        let url = format!("https://pictures.example/{number}.jpg?a='&b=\"");
        given.post.media.push(Media::image(number.to_string(), url));
    }
    let mut tagged = Where::named("Città di \"Roma\"");
    tagged.country = Some("IT".to_owned());
    given.post.places.tagged = Some(tagged);
    given.post.repost_of = Some(id("0"));
    warehouse.append(vec![given.clone()]).await?;
    assert_eq!(all_records(&*warehouse).await?, [given]);
    let country = texts(&*warehouse, "SELECT country FROM posts", &[]).await?;
    assert_eq!(country, ["IT"]);
    Ok(())
}
