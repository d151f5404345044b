#![allow(clippy::unwrap_used)]

use std::ops::Bound;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{Filter, Keyword, Predicate, TimeField};
use crate::flat::{Flat, KEYWORD_FIELDS, NUMBER_FIELDS};
use crate::{ErrorKind, text};

fn parse(text: &str) -> Filter {
    text.parse()
        .unwrap_or_else(|error| panic!("`{text}` is not read: {error}"))
}

fn error(text: &str) -> String {
    let error = text.parse::<Filter>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
    error.to_string()
}

fn keyword(field: &str, any_of: &[&str]) -> Filter {
    Filter::Test(Predicate::Keyword {
        field: field.into(),
        any_of: any_of.iter().map(|k| Keyword::Exact((*k).into())).collect(),
    })
}

fn prefix(field: &str, prefix: &str) -> Filter {
    Filter::Test(Predicate::Keyword {
        field: field.into(),
        any_of: vec![Keyword::Prefix(prefix.into())],
    })
}

fn number(field: &str, lower: Bound<f64>, upper: Bound<f64>) -> Filter {
    Filter::Test(Predicate::Number {
        field: field.into(),
        lower,
        upper,
    })
}

fn published(lower: Bound<Timestamp>, upper: Bound<Timestamp>) -> Filter {
    Filter::Test(Predicate::Time {
        field: TimeField::Published,
        lower,
        upper,
    })
}

fn words(terms: &[&str]) -> Filter {
    Filter::Test(Predicate::Text {
        terms: terms.iter().map(|t| (*t).into()).collect(),
    })
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

#[test]
fn texts_are_read_as_the_language_says() {
    use Bound::{Excluded, Included, Unbounded};
    let not = |inner: Filter| Filter::Not(Box::new(inner));
    let midnight = |date: &str| at(&format!("{date}T00:00:00Z"));
    let examples = [
        ("", Filter::All),
        ("  \n", Filter::All),
        ("*", Filter::All),
        ("(*)", Filter::All),
        ("-*", not(Filter::All)),
        ("platform:instagram", keyword("platform", &["instagram"])),
        ("PLATFORM:Instagram", keyword("platform", &["instagram"])),
        (r#"brand:"Miu  Miu""#, keyword("brand", &["miu miu"])),
        (r"brand:miu\ miu", keyword("brand", &["miu miu"])),
        (r#"brand:"a \"b\" \\""#, keyword("brand", &[r#"a "b" \"#])),
        ("colour:red,pink,red", keyword("colour", &["pink", "red"])),
        ("colour:red , pink", keyword("colour", &["pink", "red"])),
        (
            "id:weibo:4383183661430868",
            keyword("id", &["weibo:4383183661430868"]),
        ),
        ("brand:levi's", keyword("brand", &["levi's"])),
        ("brand:迪奥", keyword("brand", &["迪奥"])),
        ("brand:-x", keyword("brand", &["-x"])),
        ("garment:*", prefix("garment", "")),
        ("brand:Miu*", prefix("brand", "miu")),
        (r"brand:miu\ m*", prefix("brand", "miu m")),
        (r#"brand:"miu*""#, keyword("brand", &["miu*"])),
        ("platfrom:instagram", keyword("platfrom", &["instagram"])),
        (
            "likes:100",
            number("likes", Included(100.0), Included(100.0)),
        ),
        ("likes:>=1e3", number("likes", Included(1000.0), Unbounded)),
        ("likes:> 100", number("likes", Excluded(100.0), Unbounded)),
        ("likes:<=5", number("likes", Unbounded, Included(5.0))),
        ("likes:<5", number("likes", Unbounded, Excluded(5.0))),
        ("likes:*", number("likes", Unbounded, Unbounded)),
        (
            "likes:[1 TO 5}",
            number("likes", Included(1.0), Excluded(5.0)),
        ),
        ("likes:{1 TO *]", number("likes", Excluded(1.0), Unbounded)),
        ("score:>-0.5", number("score", Excluded(-0.5), Unbounded)),
        ("score:[* TO *]", number("score", Unbounded, Unbounded)),
        ("score:5", keyword("score", &["5"])),
        (
            "published:2026-01-31",
            published(
                Included(midnight("2026-01-31")),
                Excluded(midnight("2026-02-01")),
            ),
        ),
        (
            "published:2024-02",
            published(
                Included(midnight("2024-02-01")),
                Excluded(midnight("2024-03-01")),
            ),
        ),
        (
            "published:2026",
            published(
                Included(midnight("2026-01-01")),
                Excluded(midnight("2027-01-01")),
            ),
        ),
        (
            "published:[2026-01-01 TO 2026-02-01}",
            published(
                Included(midnight("2026-01-01")),
                Excluded(midnight("2026-02-01")),
            ),
        ),
        (
            "published:{2026-01-01 TO 2026-01-31]",
            published(
                Included(midnight("2026-01-02")),
                Excluded(midnight("2026-02-01")),
            ),
        ),
        (
            "published:>2026",
            published(Included(midnight("2027-01-01")), Unbounded),
        ),
        (
            "published:<2026",
            published(Unbounded, Excluded(midnight("2026-01-01"))),
        ),
        ("published:*", published(Unbounded, Unbounded)),
        (
            "published:>=2026-01-01T12:00:00+02:00",
            published(Included(at("2026-01-01T10:00:00Z")), Unbounded),
        ),
        (
            r#"published:<="2026-01-01 12:00:00Z""#,
            published(Unbounded, Included(at("2026-01-01T12:00:00Z"))),
        ),
        (
            "summer look",
            Filter::And(vec![words(&["summer"]), words(&["look"])]),
        ),
        (r#""Summer look!""#, words(&["summer", "look"])),
        ("t-shirt", words(&["t", "shirt"])),
        ("#OOTD", words(&["ootd"])),
        ("连衣裙", words(&["连", "连衣", "衣", "衣裙", "裙"])),
        (r#""12:30""#, words(&["12", "30"])),
        ("text:dress", words(&["dress"])),
        ("text:12:30", words(&["12", "30"])),
        (
            "text:dress,skirt",
            Filter::Or(vec![words(&["dress"]), words(&["skirt"])]),
        ),
        (r#""AND""#, words(&["and"])),
        (r"\OR", words(&["or"])),
        ("and", words(&["and"])),
        ("-garment:hat", not(keyword("garment", &["hat"]))),
        ("NOT garment:hat", not(keyword("garment", &["hat"]))),
        ("--garment:hat", keyword("garment", &["hat"])),
        (
            "a OR b c OR d",
            Filter::Or(vec![
                words(&["a"]),
                Filter::And(vec![words(&["b"]), words(&["c"])]),
                words(&["d"]),
            ]),
        ),
        (
            "(a OR b) AND c",
            Filter::And(vec![
                Filter::Or(vec![words(&["a"]), words(&["b"])]),
                words(&["c"]),
            ]),
        ),
        (
            "-(a b)c",
            Filter::And(vec![
                not(Filter::And(vec![words(&["a"]), words(&["b"])])),
                words(&["c"]),
            ]),
        ),
        (
            "((a (b c)))",
            Filter::And(vec![words(&["a"]), words(&["b"]), words(&["c"])]),
        ),
        ("a *", words(&["a"])),
        ("a OR *", Filter::All),
    ];
    for (text, filter) in examples {
        assert_eq!(parse(text), filter, "{text}");
        assert_eq!(parse(&filter.to_string()), filter, "{text} as {filter}");
    }
}

#[test]
fn filters_are_printed_canonically() {
    let examples = [
        ("*", ""),
        ("-*", "-*"),
        ("Colour:Red,pink", "colour:pink,red"),
        ("(a b) c", "a b c"),
        ("a b OR c", "(a b) OR c"),
        ("NOT (a OR b)", "-(a OR b)"),
        (r#"brand:"gucci""#, "brand:gucci"),
        (r#"brand:">3","a,b","(x)""#, r#"brand:"(x)",">3","a,b""#),
        (r"brand:a\ b\**", r"brand:a\ b\**"),
        ("likes:[100 TO 100]", "likes:100"),
        ("likes:[100 TO *]", "likes:>=100"),
        ("likes:{* TO 7}", "likes:<7"),
        ("score:[1 TO 1]", "score:[1 TO 1]"),
        ("likes:1e3", "likes:1000"),
        ("published:2026-01", "published:[2026-01-01 TO 2026-02-01}"),
        (
            "published:[2026-01-01 TO 2026-02-01T00:00:00Z]",
            "published:[2026-01-01 TO 2026-02-01T00:00:00Z]",
        ),
        ("Été", "ete"),
        (r#""Wide-leg JEANS""#, r#""wide leg jeans""#),
        (r#""连衣裙""#, "连衣裙"),
        (r#""红 裙""#, r#""红 裙""#),
    ];
    for (text, canonical) in examples {
        assert_eq!(parse(text).to_string(), canonical, "{text}");
        assert_eq!(parse(canonical), parse(text), "{text}");
    }
}

#[test]
fn errors_say_where_what_was_expected_and_what_was_found() {
    let examples = [
        (
            "brand:",
            "expected a value directly after `brand:`, found the end of the text",
            7,
        ),
        (
            "brand: gucci",
            "expected a value directly after `brand:`, found white space",
            7,
        ),
        (
            "colour:red,",
            "expected a value after `,`, found the end of the text",
            12,
        ),
        (
            "red, pink",
            "`,` separates alternatives of one field, as in `colour:red,pink`; write `OR` between conditions",
            4,
        ),
        (
            r#"été "abc"#,
            "the quoted text that begins here has no closing `\"`",
            5,
        ),
        ("(a b", "the `(` that stands here has no closing `)`", 1),
        (
            "a)",
            "expected a condition or the end of the text, found `)`",
            2,
        ),
        ("()", "expected a condition, found `)`", 2),
        ("a OR", "expected a condition, found the end of the text", 5),
        ("OR a", "expected a condition, found the operator `OR`", 1),
        (
            "a OR OR b",
            "expected a condition, found the operator `OR`",
            6,
        ),
        (
            "a - b",
            "expected a condition directly after `-`, found white space",
            4,
        ),
        ("likes:many", "expected a number, found `many`", 7),
        ("likes:NaN", "expected a number, found `NaN`", 7),
        ("likes:1e999", "expected a number, found `1e999`", 7),
        (
            "likes:1,2",
            "`likes` takes one value or range; write `OR` between several",
            8,
        ),
        (
            "likes:[1 5]",
            "expected `TO` between the ends of the range, found `5`",
            10,
        ),
        (
            "likes:[1 TO 5",
            "expected `]` or `}` at the end of the range, found the end of the text",
            14,
        ),
        (
            "likes:[TO 5]",
            "expected `TO` between the ends of the range, found `5`",
            11,
        ),
        (
            "likes:>",
            "expected a value after the comparison, found the end of the text",
            8,
        ),
        (
            "platform:>3",
            "`platform` holds words; ranges and comparisons are for numbers and times",
            10,
        ),
        ("score:[a TO b]", "expected a number, found `a`", 8),
        (
            "published:yesterday",
            "expected a date (2026-01-31, 2026-01, 2026) or a time such as 2026-01-31T12:00:00Z, found `yesterday`",
            11,
        ),
        (
            "published:2026-02-30",
            "expected a date (2026-01-31, 2026-01, 2026) or a time such as 2026-01-31T12:00:00Z, found `2026-02-30`",
            11,
        ),
        (
            "published:9999",
            "expected a date (2026-01-31, 2026-01, 2026) or a time such as 2026-01-31T12:00:00Z, found `9999`",
            11,
        ),
        (
            "brand:m*u",
            "`*` may only stand at the end of a word; write `\\*` for the character itself",
            8,
        ),
        (
            "miu*",
            "only the keywords of a field can end in `*`, as in `brand:miu*`",
            1,
        ),
        (
            "text:*",
            "only the keywords of a field can end in `*`, as in `brand:miu*`",
            6,
        ),
        (r#"brand:" ""#, "an empty keyword matches nothing", 7),
        ("!?", "`!?` holds no word to search for", 1),
        (
            "12:30",
            "`12` is no name of a field; put the text in quotes to search for it",
            1,
        ),
        (
            "größe:xl",
            "`größe` is no name of a field; put the text in quotes to search for it",
            1,
        ),
        (
            r"a\",
            "expected a character after `\\`, found the end of the text",
            2,
        ),
        (
            "a [b]",
            "expected a condition or the end of the text, found `[`",
            3,
        ),
    ];
    for (text, message, column) in examples {
        assert_eq!(
            error(text),
            format!("filter.parse: {message} (invalid_input, column={column})"),
            "{text}"
        );
    }
}

#[test]
fn hostile_texts_are_refused_without_harm() {
    let refused = |text: String| text.parse::<Filter>().unwrap_err();
    for deep in ["(", "-", "NOT ", "-("] {
        let error = refused(format!("{}a", deep.repeat(10_000)));
        assert!(
            error.to_string().contains("nest more than 64 deep"),
            "{error}"
        );
    }
    assert_eq!(refused("a ".repeat(40_000)).kind(), ErrorKind::TooLarge);
    let wide = "a OR ".repeat(10_000) + "a";
    assert!(matches!(parse(&wide), Filter::Or(any) if any.len() == 10_001));
    // Neighbours do not add to the depth.
    parse(&"(a) -b ".repeat(1000));
}

#[test]
fn a_missing_value_satisfies_nothing_and_the_opposite_of_everything() {
    let nothing = Flat::default();
    for text in [
        "brand:gucci",
        "brand:*",
        "likes:<5",
        "likes:*",
        "published:*",
        "dress",
    ] {
        assert!(!parse(text).matches(&nothing), "{text}");
        assert!(parse(&format!("-{text}")).matches(&nothing), "{text}");
    }
    assert!(parse("").matches(&nothing));
    assert!(!parse("-*").matches(&nothing));
}

#[test]
fn filters_mean_what_they_say() {
    let mut flat = Flat::default();
    let values = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
    flat.keywords
        .insert("brand".into(), values(&["miu miu", "prada"]));
    flat.keywords.insert("score".into(), values(&["0.5"]));
    flat.numbers.insert("score".into(), 0.5);
    flat.numbers.insert("likes".into(), 100.0);
    flat.published = Some(at("2026-01-31T23:59:59Z"));
    flat.terms = text::analyse("My new summer look: 小黑裙 #ootd");
    let matching = [
        r#"brand:"Miu Miu""#,
        "brand:miu*",
        "brand:gucci,prada",
        "brand:prada -brand:gucci",
        "score:0.5 score:>0.4 score:[0.5 TO 0.5]",
        "likes:100 likes:<=100 likes:{99 TO 101}",
        "published:2026-01-31 published:[2026-01-01 TO 2026-01-31] published:<2026-02",
        r#""summer look" look ootd 黑裙"#,
        r#""new summer look 小黑裙 ootd""#,
        "gucci OR summer",
    ];
    for text in matching {
        assert!(parse(text).matches(&flat), "{text}");
    }
    let others = [
        "brand:miu",
        r#"brand:"miu miu" brand:gucci"#,
        "-brand:prada",
        "likes:>100",
        "likes:[* TO 100}",
        "published:>2026-01-31",
        "published:2026-01-30",
        r#""look summer""#,
        r#""new look""#,
        "小裙",
        "score:>0.5",
    ];
    for text in others {
        assert!(!parse(text).matches(&flat), "{text}");
    }
}

#[test]
fn predicates_without_alternatives_match_nothing() {
    for empty in [keyword("brand", &[]), keyword("brand", &[" "]), words(&[])] {
        assert!(!empty.matches(&Flat::default()));
        assert_eq!(empty.to_string(), "-*");
    }
    assert_eq!(Filter::Or(Vec::new()).to_string(), "-*");
    assert_eq!(Filter::And(Vec::new()).to_string(), "");
}

#[test]
fn json_holds_the_text() {
    let filter = parse("brand:gucci likes:>=5");
    let json = serde_json::to_string(&filter).unwrap();
    assert_eq!(json, r#""brand:gucci likes:>=5""#);
    assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
    assert!(serde_json::from_str::<Filter>(r#""brand:""#).is_err());
}

fn bounds<T: Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = (Bound<T>, Bound<T>)> {
    let bound = prop_oneof![
        value.clone().prop_map(Bound::Included),
        value.prop_map(Bound::Excluded),
        Just(Bound::Unbounded),
    ];
    (bound.clone(), bound)
}

fn keyword_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Zé:<>=*\\\\\"'(),\\[\\]{} -]{0,10}",
        "\\PC{0,10}",
        Just("AND".to_owned()),
    ]
}

fn predicate(keywords: &BoxedStrategy<String>) -> impl Strategy<Value = Predicate> + use<> {
    let attribute = "[a-z][a-z0-9_.-]{0,8}";
    let keyword_field = prop_oneof![
        proptest::sample::select(KEYWORD_FIELDS).prop_map(str::to_owned),
        attribute.prop_map(|name| format!("x{name}")),
    ];
    let number_field = prop_oneof![
        proptest::sample::select(NUMBER_FIELDS).prop_map(str::to_owned),
        attribute.prop_map(|name| format!("x{name}")),
    ];
    let keyword = prop_oneof![
        keywords.clone().prop_map(Keyword::Exact),
        keywords.clone().prop_map(Keyword::Prefix),
    ];
    let numbers = prop_oneof![
        (-1000_i32..1000).prop_map(f64::from),
        proptest::num::f64::NORMAL,
        Just(-0.0),
    ];
    let times = prop_oneof![
        (-100_000_i64..100_000).prop_map(|day| Timestamp::from_second(day * 86_400).unwrap()),
        (Timestamp::MIN.as_second()..Timestamp::MAX.as_second())
            .prop_map(|second| Timestamp::from_second(second).unwrap()),
        any::<i64>().prop_map(|nanos| Timestamp::from_nanosecond(nanos.into()).unwrap()),
    ];
    prop_oneof![
        (keyword_field, proptest::collection::vec(keyword, 0..4))
            .prop_map(|(field, any_of)| Predicate::Keyword { field, any_of }),
        (number_field, bounds(numbers)).prop_map(|(field, (lower, upper))| Predicate::Number {
            field,
            lower,
            upper
        }),
        (any::<bool>(), bounds(times)).prop_map(|(published, (lower, upper))| Predicate::Time {
            field: if published {
                TimeField::Published
            } else {
                TimeField::Collected
            },
            lower,
            upper
        }),
        "[a-zA-Z连衣裙 #-]{0,12}|\\PC{0,12}".prop_map(|text| Predicate::Text {
            terms: text::analyse(&text)
        }),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    filter_of(&keyword_text().boxed())
}

/// Filters whose keywords have the form in which values are compared: others mean something only once they are normalised.
fn comparable_filter() -> impl Strategy<Value = Filter> {
    filter_of(&keyword_text().prop_map(|text| text::keyword(&text)).boxed())
}

fn filter_of(keywords: &BoxedStrategy<String>) -> impl Strategy<Value = Filter> + use<> {
    let leaf = prop_oneof![
        1 => Just(Filter::All),
        8 => predicate(keywords).prop_map(Filter::Test),
    ];
    leaf.prop_recursive(5, 32, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|f| Filter::Not(Box::new(f))),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            proptest::collection::vec(inner, 0..4).prop_map(Filter::Or),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_printed_is_read_as_the_canonical_form(filter in filter()) {
        let printed = filter.to_string();
        let read: Filter = printed.parse().unwrap();
        prop_assert_eq!(&read, &filter.normalised(), "{}", printed);
        prop_assert_eq!(read.to_string(), printed);
    }

    #[test]
    fn the_canonical_form_is_its_own_canonical_form(filter in filter()) {
        let once = filter.normalised();
        prop_assert_eq!(once.clone().normalised(), once);
    }

    #[test]
    fn the_canonical_form_means_the_same(
        filter in comparable_filter(),
        brand in proptest::collection::btree_set("[a-c]{1,2}", 0..3),
        likes in proptest::option::of(-3_i32..3),
        caption in "[a-c ]{0,8}",
    ) {
        let mut flat = Flat::default();
        flat.keywords.insert("platform".into(), brand);
        flat.numbers.extend(likes.map(|n| ("likes".to_owned(), f64::from(n))));
        flat.terms = text::analyse(&caption);
        prop_assert_eq!(filter.clone().normalised().matches(&flat), filter.matches(&flat));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = text.parse::<Filter>();
    }

    #[test]
    fn no_mixture_of_signs_makes_the_parser_panic(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "a", "AND", "OR", "NOT", "TO", "-", "(", ")", "[", "]", "{", "}", ":", ",", "*", "\"", "\\", " ",
                "brand:", "likes:", "published:", "text:", "2026-01-01", "1e5", ">=", "<", "裙", "\u{301}",
            ]),
            0..20,
        ),
    ) {
        let text = parts.concat();
        if let Ok(filter) = text.parse::<Filter>() {
            let printed = filter.to_string();
            prop_assert_eq!(printed.parse::<Filter>().unwrap(), filter, "{} as {}", text, printed);
        }
    }
}
