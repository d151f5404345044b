//! A filter means what core's own evaluation says, wherever records lie; [`differential`](super::differential) asks at random, these ask by name.

use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::filter::{Filter, Keyword, Predicate};
use heurpipe_core::{Annotation, Record, Target, Value};
use jiff::Timestamp;

use super::{Check, Failure, checks, record, with};

/// Whatever finds records by filters.
#[async_trait]
pub(super) trait Finder: Send + Sync {
    /// Stores records of which none is there yet.
    async fn fill(&self, records: &[Record]) -> Check;

    /// The native ids of what matches, in order.
    async fn found(&self, filter: &Filter) -> Result<Vec<String>, Failure>;
}

checks!(
    dyn Finder;
    a_missing_value_never_matches,
    negation_includes_the_missing,
    values_of_one_field_are_alternatives,
    predicates_may_be_met_by_different_values,
    a_prefix_is_the_beginning_only,
    any_value_is_a_value,
    keywords_are_folded_and_whole,
    what_looks_like_syntax_is_a_value,
    many_alternatives_are_found,
    a_field_is_not_the_beginning_of_another,
    a_phrase_is_in_order_and_unbroken,
    words_repeat,
    words_are_folded,
    han_is_found_by_character_and_word,
    words_are_not_keywords,
    bounds_are_open_or_closed,
    zero_is_a_number,
    numbers_may_be_negative_and_fractional,
    great_numbers_are_kept_apart,
    times_are_told_apart_to_the_nanosecond,
    a_date_is_the_whole_period,
    times_may_be_far,
    filters_nest,
    nothing_matches_what_cannot_be,
);

/// Each filter finds what is written behind it.
async fn finds(store: &dyn Finder, expected: &[(&str, &[&str])]) -> Check {
    for (filter, ids) in expected {
        assert_eq!(store.found(&filter.parse()?).await?, *ids, "{filter}");
    }
    Ok(())
}

async fn a_missing_value_never_matches(store: Arc<dyn Finder>) -> Check {
    let mut full = with("full", &[("brand", &["zara"])]);
    full.post.counts.likes = Some(1);
    full.post.published_at = Some(Timestamp::UNIX_EPOCH);
    full.post.text = "word".to_owned();
    store.fill(&[full, record("bare", 1, "")]).await?;
    for filter in [
        "brand:*",
        "brand:zara",
        "likes:>=0",
        "likes:<=5",
        "published:[* TO *]",
        "published:<=2100-01-01",
        "word",
    ] {
        assert_eq!(store.found(&filter.parse()?).await?, ["full"], "{filter}");
    }
    Ok(())
}

async fn negation_includes_the_missing(store: Arc<dyn Finder>) -> Check {
    let records = [
        with("red", &[("colour", &["red"])]),
        with("blue", &[("colour", &["blue"])]),
        record("none", 1, ""),
    ];
    store.fill(&records).await?;
    finds(
        &*store,
        &[
            ("-colour:red", &["blue", "none"]),
            ("-colour:*", &["none"]),
            ("-(-colour:red)", &["red"]),
            ("-colour:red -colour:blue", &["none"]),
            ("-(colour:red OR colour:blue)", &["none"]),
            ("-(colour:red colour:blue)", &["blue", "none", "red"]),
            ("-likes:>=0", &["blue", "none", "red"]),
            ("-word", &["blue", "none", "red"]),
        ],
    )
    .await
}

async fn values_of_one_field_are_alternatives(store: Arc<dyn Finder>) -> Check {
    let records = [
        with("1", &[("colour", &["red"])]),
        with("2", &[("colour", &["pink", "blue"])]),
        with("3", &[("colour", &["green"])]),
    ];
    store.fill(&records).await?;
    finds(
        &*store,
        &[
            ("colour:red,pink", &["1", "2"]),
            ("colour:bl*,green", &["2", "3"]),
            ("colour:grey,black", &[]),
        ],
    )
    .await
}

async fn predicates_may_be_met_by_different_values(store: Arc<dyn Finder>) -> Check {
    let records = [
        with("both", &[("brand", &["zara", "gucci"])]),
        with("one", &[("brand", &["zara"])]),
    ];
    store.fill(&records).await?;
    finds(
        &*store,
        &[
            ("brand:zara brand:gucci", &["both"]),
            ("brand:zara -brand:gucci", &["one"]),
        ],
    )
    .await
}

async fn a_prefix_is_the_beginning_only(store: Arc<dyn Finder>) -> Check {
    let records = [
        with("1", &[("brand", &["miu miu"])]),
        with("2", &[("brand", &["emiu"])]),
        with("3", &[("brand", &["mi\u{10ffff}"])]),
    ];
    store.fill(&records).await?;
    finds(
        &*store,
        &[
            ("brand:mi*", &["1", "3"]),
            ("brand:miu*", &["1"]),
            ("brand:miu", &[]),
        ],
    )
    .await?;
    let blank = Filter::Test(Predicate::Keyword {
        field: "brand".to_owned(),
        any_of: vec![Keyword::Prefix("miu m".to_owned())],
    });
    assert_eq!(store.found(&blank).await?, ["1"]);
    Ok(())
}

async fn any_value_is_a_value(store: Arc<dyn Finder>) -> Check {
    let empty = with("empty", &[("brand", &["", "  "])]);
    store
        .fill(&[with("1", &[("brand", &["x"])]), empty, record("2", 1, "")])
        .await?;
    finds(
        &*store,
        &[
            ("brand:*", &["1"]),
            ("platform:*", &["1", "2", "empty"]),
            ("absent:*", &[]),
        ],
    )
    .await
}

async fn keywords_are_folded_and_whole(store: Arc<dyn Finder>) -> Check {
    store
        .fill(&[with("1", &[("brand", &["  Hermès  Paris "])])])
        .await?;
    finds(
        &*store,
        &[
            ("brand:\"HERMES paris\"", &["1"]),
            ("brand:hermes", &[]),
            ("brand:paris", &[]),
        ],
    )
    .await
}

async fn what_looks_like_syntax_is_a_value(store: Arc<dyn Finder>) -> Check {
    let values = [
        "*", "a*b", "a?b", "a.b", "[a to b]", "{}", "\"", "\\", "a:b", "-a", "or", "not a",
        "a\u{1f}b", "#", "@&<>~", "^$|()+", "null",
    ];
    let records: Vec<Record> = values
        .iter()
        .enumerate()
        .map(|(n, value)| with(&format!("{n:02}"), &[("brand", &[value])]))
        .collect();
    store.fill(&records).await?;
    for (number, value) in values.iter().enumerate() {
        let filter = Filter::Test(Predicate::Keyword {
            field: "brand".to_owned(),
            any_of: vec![Keyword::Exact((*value).to_owned())],
        });
        assert_eq!(
            store.found(&filter).await?,
            [format!("{number:02}")],
            "{value}"
        );
    }
    let filter = Filter::Test(Predicate::Keyword {
        field: "brand".to_owned(),
        any_of: vec![Keyword::Prefix("a*".to_owned())],
    });
    assert_eq!(
        store.found(&filter).await?,
        ["01"],
        "a star within a prefix is a letter"
    );
    Ok(())
}

async fn many_alternatives_are_found(store: Arc<dyn Finder>) -> Check {
    store
        .fill(&[
            with("1", &[("brand", &["brand 1999"])]),
            with("2", &[("brand", &["brand 2000"])]),
        ])
        .await?;
    let any_of: Vec<Keyword> = (0..2_000)
        .map(|n| Keyword::Exact(format!("brand {n}")))
        .collect();
    let filter = Filter::Test(Predicate::Keyword {
        field: "brand".to_owned(),
        any_of,
    });
    assert_eq!(store.found(&filter).await?, ["1"]);
    assert_eq!(store.found(&filter.negated()).await?, ["2"]);
    Ok(())
}

async fn a_field_is_not_the_beginning_of_another(store: Arc<dyn Finder>) -> Check {
    let records = [
        with("1", &[("style", &["x"])]),
        with("2", &[("style_x", &["x"])]),
        with("3", &[("style", &["_x"])]),
    ];
    store.fill(&records).await?;
    finds(
        &*store,
        &[
            ("style:x", &["1"]),
            ("style:*", &["1", "3"]),
            ("style_x:*", &["2"]),
            ("style:_*", &["3"]),
        ],
    )
    .await
}

async fn a_phrase_is_in_order_and_unbroken(store: Arc<dyn Finder>) -> Check {
    let records = [
        record("1", 1, "a summer look"),
        record("2", 1, "look: summer"),
        record("3", 1, "summer, and a look"),
        record("4", 1, "Summer-Look!"),
    ];
    store.fill(&records).await?;
    finds(
        &*store,
        &[
            ("\"summer look\"", &["1", "4"]),
            ("summer look", &["1", "2", "3", "4"]),
            ("\"look summer\"", &["2"]),
            ("-\"summer look\"", &["2", "3"]),
        ],
    )
    .await
}

async fn words_repeat(store: Arc<dyn Finder>) -> Check {
    store
        .fill(&[
            record("1", 1, "a a b a"),
            record("2", 1, "a b a"),
            record("3", 1, "a"),
        ])
        .await?;
    finds(
        &*store,
        &[
            ("\"a a\"", &["1"]),
            ("\"a b a\"", &["1", "2"]),
            ("\"a a b a\"", &["1"]),
            ("\"a a a\"", &[]),
        ],
    )
    .await
}

async fn words_are_folded(store: Arc<dyn Finder>) -> Check {
    store
        .fill(&[record("1", 1, "ÉTÉ à #Paris"), record("2", 1, "ｓｔｙｌｅ")])
        .await?;
    finds(
        &*store,
        &[
            ("ete", &["1"]),
            ("\"été a paris\"", &["1"]),
            ("style", &["2"]),
        ],
    )
    .await
}

async fn han_is_found_by_character_and_word(store: Arc<dyn Finder>) -> Check {
    store
        .fill(&[
            record("1", 1, "今天穿连衣裙"),
            record("2", 1, "连 衣 裙"),
            record("3", 1, "衣连"),
        ])
        .await?;
    finds(
        &*store,
        &[
            ("连衣裙", &["1"]),
            ("衣", &["1", "2", "3"]),
            ("连衣", &["1"]),
            ("衣连", &["3"]),
        ],
    )
    .await
}

async fn words_are_not_keywords(store: Arc<dyn Finder>) -> Check {
    let mut tagged = record("1", 1, "no tag in the words");
    tagged.post.hashtags = vec!["Hidden".to_owned()];
    store.fill(&[tagged, record("2", 1, "hidden")]).await?;
    finds(
        &*store,
        &[("hashtag:hidden", &["1"]), ("hidden", &["2"]), ("wor", &[])],
    )
    .await
}

fn liked(native: &str, likes: Option<u64>) -> Record {
    let mut record = record(native, 1, "");
    record.post.counts.likes = likes;
    record
}

async fn bounds_are_open_or_closed(store: Arc<dyn Finder>) -> Check {
    store
        .fill(&[
            liked("1", Some(1)),
            liked("2", Some(2)),
            liked("3", Some(3)),
        ])
        .await?;
    finds(
        &*store,
        &[
            ("likes:[1 TO 3]", &["1", "2", "3"]),
            ("likes:{1 TO 3}", &["2"]),
            ("likes:[1 TO 3}", &["1", "2"]),
            ("likes:{1 TO *]", &["2", "3"]),
            ("likes:>2", &["3"]),
            ("likes:<=2", &["1", "2"]),
            ("likes:2", &["2"]),
            ("likes:[3 TO 1]", &[]),
        ],
    )
    .await
}

async fn zero_is_a_number(store: Arc<dyn Finder>) -> Check {
    store
        .fill(&[liked("0", Some(0)), liked("hidden", None)])
        .await?;
    finds(
        &*store,
        &[
            ("likes:0", &["0"]),
            ("likes:-0", &["0"]),
            ("likes:<1", &["0"]),
            ("-likes:0", &["hidden"]),
        ],
    )
    .await
}

fn scored(native: &str, score: f64) -> Record {
    let mut record = record(native, 1, "");
    let decided = Annotation::decided(
        Target::Post,
        "score",
        Value::Number(score),
        "ann",
        Timestamp::UNIX_EPOCH,
    );
    record.annotations.push(decided);
    record
}

async fn numbers_may_be_negative_and_fractional(store: Arc<dyn Finder>) -> Check {
    store
        .fill(&[
            scored("-2.5", -2.5),
            scored("-1", -1.0),
            scored("0.1", 0.1),
            scored("1e-9", 1e-9),
        ])
        .await?;
    finds(
        &*store,
        &[
            ("score:<0", &["-1", "-2.5"]),
            ("score:>-2.5", &["-1", "0.1", "1e-9"]),
            ("score:[-1 TO 0.1}", &["-1", "1e-9"]),
            ("score:0.1", &["0.1"]),
        ],
    )
    .await
}

async fn great_numbers_are_kept_apart(store: Arc<dyn Finder>) -> Check {
    store
        .fill(&[
            liked("1", Some(1 << 53)),
            liked("2", Some((1 << 53) + 2)),
            liked("3", Some(u64::MAX)),
        ])
        .await?;
    finds(
        &*store,
        &[
            ("likes:>9007199254740992", &["2", "3"]),
            ("likes:9007199254740992", &["1"]),
            ("likes:>=1e19", &["3"]),
        ],
    )
    .await
}

fn at(native: &str, time: &str) -> Result<Record, Failure> {
    let mut record = record(native, 1, "");
    record.post.published_at = Some(time.parse()?);
    Ok(record)
}

async fn times_are_told_apart_to_the_nanosecond(store: Arc<dyn Finder>) -> Check {
    let records = [
        at("1", "2026-01-01T00:00:00Z")?,
        at("2", "2026-01-01T00:00:00.000000001Z")?,
        at("3", "2025-12-31T23:59:59.999999999Z")?,
    ];
    store.fill(&records).await?;
    finds(
        &*store,
        &[
            ("published:>2026-01-01T00:00:00Z", &["2"]),
            ("published:<2026-01-01T00:00:00Z", &["3"]),
            ("published:<=2026-01-01T00:00:00Z", &["1", "3"]),
        ],
    )
    .await
}

async fn a_date_is_the_whole_period(store: Arc<dyn Finder>) -> Check {
    let records = [
        at("1", "2026-01-31T23:59:59.999999999Z")?,
        at("2", "2026-02-01T00:00:00Z")?,
    ];
    store.fill(&records).await?;
    finds(
        &*store,
        &[
            ("published:2026-01", &["1"]),
            ("published:[2026-01-01 TO 2026-01-31]", &["1"]),
            ("published:2026", &["1", "2"]),
            ("published:>2026-01-31", &["2"]),
        ],
    )
    .await
}

async fn times_may_be_far(store: Arc<dyn Finder>) -> Check {
    let records = [
        at("1", "0001-01-01T00:00:00Z")?,
        at("2", "1969-12-31T23:59:59Z")?,
        at("3", "9999-01-01T00:00:00Z")?,
    ];
    store.fill(&records).await?;
    finds(
        &*store,
        &[
            ("published:[* TO *]", &["1", "2", "3"]),
            ("published:<1970-01-01", &["1", "2"]),
            ("published:>2100-01-01", &["3"]),
        ],
    )
    .await
}

async fn filters_nest(store: Arc<dyn Finder>) -> Check {
    store
        .fill(&[
            with("1", &[("colour", &["red"])]),
            with("2", &[("colour", &["blue"])]),
        ])
        .await?;
    let red: Filter = "colour:red".parse()?;
    let other: Filter = "likes:>5".parse()?;
    // Each turn asks for what the turn before asks for, by other words.
    let mut filter = red.clone();
    for turn in 0..12 {
        filter = match turn % 3 {
            0 => Filter::Or(vec![filter, other.clone()]),
            1 => Filter::And(vec![filter, other.clone().negated()]),
            _ => filter.negated().negated(),
        };
    }
    assert_eq!(store.found(&filter).await?, ["1"]);
    assert_eq!(store.found(&filter.negated()).await?, ["2"]);
    Ok(())
}

async fn nothing_matches_what_cannot_be(store: Arc<dyn Finder>) -> Check {
    store.fill(&[record("1", 1, "some words")]).await?;
    let text = |terms: &[&str]| {
        Filter::Test(Predicate::Text {
            terms: terms.iter().map(|t| (*t).to_owned()).collect(),
        })
    };
    let nan = Filter::Test(Predicate::Number {
        field: "likes".to_owned(),
        lower: std::ops::Bound::Included(f64::NAN),
        upper: std::ops::Bound::Unbounded,
    });
    for filter in [
        text(&["some words"]),
        text(&[""]),
        text(&[]),
        text(&["some", ""]),
        nan,
        Filter::Or(vec![]),
    ] {
        assert_eq!(store.found(&filter).await?, [""; 0], "{filter:?}");
        assert_eq!(store.found(&Filter::Not(Box::new(filter))).await?, ["1"]);
    }
    assert_eq!(store.found(&Filter::And(vec![])).await?, ["1"]);
    Ok(())
}
