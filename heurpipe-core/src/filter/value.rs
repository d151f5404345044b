//! Numbers and dates as written in filters, and their canonical form.

use std::ops::Bound;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

/// A time as written: a moment, or a day, month or year that lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Period {
    /// Its first moment.
    pub(super) start: Timestamp,
    /// The first moment after it; none for a moment.
    pub(super) end: Option<Timestamp>,
}

impl Period {
    /// Reads `2026-01-31`, `2026-01`, `2026` (UTC) or RFC 3339.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.contains(['T', 't', ' ']) {
            let start = text.parse().ok()?;
            return Some(Self { start, end: None });
        }
        let parts: Vec<&str> = text.split('-').collect();
        let (year, month, day) = match parts[..] {
            [year] => (year, None, None),
            [year, month] => (year, Some(month), None),
            [year, month, day] => (year, Some(month), Some(day)),
            _ => return None,
        };
        let number = |part: Option<&str>| part.map_or(Some(1), |text| digits(text, 2));
        let first = Date::new(
            digits(year, 4)?,
            number(month)?.try_into().ok()?,
            number(day)?.try_into().ok()?,
        )
        .ok()?;
        let span = match (month, day) {
            (None, _) => 1.year(),
            (_, None) => 1.month(),
            _ => 1.day(),
        };
        Some(Self {
            start: midnight(first)?,
            end: Some(midnight(first.checked_add(span).ok()?)?),
        })
    }

    /// From it on.
    pub(super) fn from(self) -> Bound<Timestamp> {
        Bound::Included(self.start)
    }

    /// After it.
    pub(super) fn after(self) -> Bound<Timestamp> {
        self.end
            .map_or(Bound::Excluded(self.start), Bound::Included)
    }

    /// Before it.
    pub(super) fn before(self) -> Bound<Timestamp> {
        Bound::Excluded(self.start)
    }

    /// Up to its end.
    pub(super) fn until(self) -> Bound<Timestamp> {
        self.end
            .map_or(Bound::Included(self.start), Bound::Excluded)
    }
}

fn digits(text: &str, count: usize) -> Option<i16> {
    if text.len() == count && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

fn midnight(date: Date) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

/// The date, if the time is a midnight (UTC) that can be written with four digits for the year.
pub(super) fn whole_day(time: Timestamp) -> Option<Date> {
    let local = Offset::UTC.to_datetime(time);
    let date = local.date();
    let plain = date.at(0, 0, 0, 0) == local && (0..9999).contains(&date.year());
    plain.then_some(date)
}

/// Reads a decimal number; `NaN` and infinities are none.
pub(super) fn number(text: &str) -> Option<f64> {
    let known = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    if !text.chars().all(known) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}
