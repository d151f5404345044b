//! Numbers, times and names as people read them.

use heurpipe_core::{Relation, Total};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `12,345`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 post`, `12,345 posts`, `at least 10,000 posts`.
pub(super) fn posts(total: Total) -> String {
    let most = match total.relation {
        Relation::Eq => "",
        Relation::Gte => "at least ",
    };
    let noun = if total.value == 1 { "post" } else { "posts" };
    format!("{most}{} {noun}", number(total.value))
}

/// `3 Mar 2026`, in UTC.
pub(super) fn date(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%-d %b %Y")
        .to_string()
}

/// `Mar 2026`, in UTC.
pub(super) fn month(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%b %Y").to_string()
}

/// `3 Mar 2026, 14:05`, in UTC.
pub(super) fn minute(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%-d %b %Y, %H:%M")
        .to_string()
}

/// `12 %`; shares below a tenth that are not whole keep a digit more: `1.3 %`.
pub(super) fn share(part: f64) -> String {
    let percent = part * 100.0;
    let is_whole = (percent - percent.round()).abs() < 1e-6;
    if percent >= 10.0 || is_whole {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// `42 s`, `3 min 5 s`, `2 h 10 min`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A field's name as a heading: `relevant_to` becomes `Relevant to`.
pub(super) fn heading(field: &str) -> String {
    let spaced = field.replace(['_', '-'], " ");
    let mut characters = spaced.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => spaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let grouped = [0, 999, 1000, 1_234_567].map(number);
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn small_shares_keep_a_digit() {
        let told = [0.0, 0.013, 0.05, 0.123, 1.0].map(share);
        assert_eq!(told, ["0 %", "1.3 %", "5 %", "12 %", "100 %"]);
    }

    #[test]
    fn durations_take_the_unit_that_fits() {
        assert_eq!(duration(4.25), "4.2 s");
        assert_eq!(duration(185.0), "3 min 5 s");
        assert_eq!(duration(7800.0), "2 h 10 min");
    }
}
