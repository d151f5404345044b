#![allow(clippy::unwrap_used)]

use jiff::civil::Date;
use proptest::prelude::*;

use super::*;

/// 20:30 in China.
const SEEN: &str = "2026-03-01T12:30:40Z";

fn at(text: &str) -> (String, Option<Precision>) {
    let moment = moment(text, SEEN.parse().unwrap()).unwrap();
    let china = moment.at.to_zoned(china()).datetime();
    (china.to_string(), moment.within)
}

#[test]
fn each_spelling_is_read_as_exactly_as_it_says() {
    use Precision::{Day, Hour, Minute};
    for (text, china, within) in [
        (
            "Tue May 31 17:46:55 +0800 2011",
            "2011-05-31T17:46:55",
            None,
        ),
        (
            "Tue May 31 09:46:55 +0000 2011",
            "2011-05-31T17:46:55",
            None,
        ),
        ("2020-05-20T05:14:00Z", "2020-05-20T13:14:00", None),
        ("2020-05-20 13:14:05", "2020-05-20T13:14:05", None),
        ("2020-05-20T13:14:05", "2020-05-20T13:14:05", None),
        (
            "2020-05-20 13:14\u{a0}",
            "2020-05-20T13:14:00",
            Some(Minute),
        ),
        ("2020-05-20", "2020-05-20T00:00:00", Some(Day)),
        ("刚刚", "2026-03-01T20:29:40", Some(Minute)),
        ("20秒前", "2026-03-01T20:29:40", Some(Minute)),
        ("3分钟前", "2026-03-01T20:26:40", Some(Minute)),
        ("2小时前", "2026-03-01T17:30:40", Some(Hour)),
        ("今天 08:30", "2026-03-01T08:30:00", Some(Minute)),
        ("昨天 20:15", "2026-02-28T20:15:00", Some(Minute)),
        ("昨天", "2026-02-28T00:00:00", Some(Day)),
        ("02-14", "2026-02-14T00:00:00", Some(Day)),
        ("02-14 09:05", "2026-02-14T09:05:00", Some(Minute)),
        ("2月14日 09:05", "2026-02-14T09:05:00", Some(Minute)),
        // The year has no such day, or it would lie ahead: one before.
        ("02-29", "2024-02-29T00:00:00", Some(Day)),
        ("03-02", "2025-03-02T00:00:00", Some(Day)),
        ("03-01 21:00", "2025-03-01T21:00:00", Some(Minute)),
    ] {
        assert_eq!(at(text), (china.to_owned(), within), "{text}");
    }
}

#[test]
fn what_is_no_time_is_said_to_be_none() {
    let seen = SEEN.parse().unwrap();
    for text in [
        "",
        "无",
        "前",
        "分钟前",
        "-1分钟前",
        "13-40",
        "99999999999999分钟前",
    ] {
        let wrong = moment(text, seen).unwrap_err();
        assert!(wrong.starts_with("its time is none"), "{text}: {wrong}");
    }
}

fn seconds(within: Option<Precision>) -> i64 {
    match within {
        None => 1,
        Some(Precision::Minute) => 60,
        Some(Precision::Hour) => 3600,
        Some(_) => 86_400,
    }
}

/// As the network tells a time to a reader at `seen`.
fn told(published: Timestamp, seen: Timestamp) -> String {
    let seconds = seen.as_second() - published.as_second();
    let day = |at: Timestamp| -> Date { at.to_zoned(china()).date() };
    let local = published.to_zoned(china());
    match seconds {
        0..60 => "刚刚".to_owned(),
        60..3600 => format!("{}分钟前", seconds / 60),
        _ if day(published) == day(seen) => format!("{}小时前", seconds / 3600),
        _ if day(published) == day(seen).yesterday().unwrap() => {
            local.strftime("昨天 %H:%M").to_string()
        }
        _ if local.year() == seen.to_zoned(china()).year() => local.strftime("%m-%d").to_string(),
        _ => local.strftime("%Y-%m-%d").to_string(),
    }
}

proptest! {
    #[test]
    fn the_true_time_lies_within_what_is_said(
        seen in 1_250_000_000_i64..2_000_000_000,
        ago in prop_oneof![0_i64..7200, 0_i64..200_000, 0_i64..100_000_000],
    ) {
        let seen = Timestamp::from_second(seen).unwrap();
        let published = Timestamp::from_second(seen.as_second() - ago).unwrap();
        let read = moment(&told(published, seen), seen).unwrap();
        let late = published.as_second() - read.at.as_second();
        // The beginning of the span is the network's to round: a minute has just passed, or is just about to.
        prop_assert!((0..=seconds(read.within)).contains(&late), "{late} seconds late: {read:?}");
    }

    #[test]
    fn no_text_is_a_time_by_accident_that_panics(text in ".{0,24}", seen in any::<i32>()) {
        let _ = moment(&text, Timestamp::from_second(seen.into()).unwrap());
    }
}
