//! Counts over time.

use std::collections::{BTreeMap, HashMap};
#[cfg(any(feature = "tantivy", feature = "elasticsearch"))]
use std::ops::Bound;

#[cfg(any(feature = "tantivy", feature = "elasticsearch"))]
use heurpipe_core::TrendRequest;
#[cfg(any(feature = "tantivy", feature = "elasticsearch"))]
use heurpipe_core::filter::{Filter, Predicate, TimeField};
use heurpipe_core::{Interval, Point, Series};
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use super::counts::commonest;

const DAY: i64 = 86_400_000_000_000;

/// 1970-01-01 was a Thursday: the third day of a week that began on 1969-12-29.
const DAYS_SINCE_MONDAY: i64 = 3;

/// The number of the interval in which a time (nanoseconds since 1970) lies. Numbers follow each other without gaps.
pub(crate) fn bucket(interval: Interval, nanoseconds: i64) -> i64 {
    let days = nanoseconds.div_euclid(DAY);
    match interval {
        Interval::Day => days,
        Interval::Week => (days + DAYS_SINCE_MONDAY).div_euclid(7),
        Interval::Month => {
            let date = Offset::UTC
                .to_datetime(Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or_default())
                .date();
            (i64::from(date.year()) - 1970) * 12 + i64::from(date.month()) - 1
        }
    }
}

/// When the interval of this number begins.
fn start(interval: Interval, bucket: i64) -> Timestamp {
    let epoch = Date::constant(1970, 1, 1);
    let date = match interval {
        Interval::Day => epoch.checked_add(bucket.days()),
        Interval::Week => epoch.checked_add((bucket * 7 - DAYS_SINCE_MONDAY).days()),
        Interval::Month => epoch.checked_add(bucket.months()),
    };
    // Buckets come from times, so that their beginnings are times too.
    date.and_then(|date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)))
        .unwrap_or_default()
}

/// The filter of a trend: what was published in its time.
#[cfg(any(feature = "tantivy", feature = "elasticsearch"))]
pub(crate) fn of_period(request: &TrendRequest) -> Filter {
    let period = Filter::Test(Predicate::Time {
        field: TimeField::Published,
        lower: request.from.map_or(Bound::Unbounded, Bound::Included),
        upper: request.to.map_or(Bound::Unbounded, Bound::Excluded),
    });
    request.filter.clone().and(period)
}

/// What a series is of: a value, and the value of the field by which it is split.
pub(crate) type SeriesKey = (String, Option<String>);

/// Counts by series and interval.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Matching records by interval.
    pub(crate) totals: HashMap<i64, u64>,
    /// Matching records that have any value, by value.
    pub(crate) values: HashMap<String, u64>,
    /// Matching records by series and interval.
    pub(crate) counts: HashMap<SeriesKey, BTreeMap<i64, u64>>,
}

impl Tally {
    /// Adds what another part of the index counted.
    #[cfg(feature = "tantivy")]
    pub(crate) fn merge(&mut self, other: Self) {
        for (bucket, count) in other.totals {
            *self.totals.entry(bucket).or_default() += count;
        }
        for (value, count) in other.values {
            *self.values.entry(value).or_default() += count;
        }
        for (key, counts) in other.counts {
            let mine = self.counts.entry(key).or_default();
            for (bucket, count) in counts {
                *mine.entry(bucket).or_default() += count;
            }
        }
    }

    /// The series of the commonest values, in order of how common they are, then by the value that splits them. All have the same points: from the
    /// first interval in which one of them counts anything to the last, without gaps.
    pub(crate) fn into_series(mut self, interval: Interval, limit: usize) -> Vec<Series> {
        let mut chosen: Vec<(SeriesKey, BTreeMap<i64, u64>)> = Vec::new();
        for value in commonest(std::mem::take(&mut self.values), limit) {
            let mut of_value: Vec<_> = self
                .counts
                .extract_if(|(name, _), _| *name == value.value)
                .collect();
            of_value.sort_by(|(a, _), (b, _)| a.cmp(b));
            chosen.extend(of_value);
        }
        let buckets = || chosen.iter().flat_map(|(_, counts)| counts.keys());
        let (Some(first), Some(last)) = (buckets().min().copied(), buckets().max().copied()) else {
            return Vec::new();
        };
        chosen
            .iter()
            .map(|((value, split), counts)| Series {
                value: value.clone(),
                split: split.clone(),
                points: (first..=last)
                    .map(|bucket| Point {
                        start: start(interval, bucket),
                        count: counts.get(&bucket).copied().unwrap_or(0),
                        total: self.totals.get(&bucket).copied().unwrap_or(0),
                    })
                    .collect(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::instant::nanoseconds;

    fn start_of(interval: Interval, time: &str) -> String {
        let time: Timestamp = time.parse().unwrap();
        start(interval, bucket(interval, nanoseconds(time))).to_string()
    }

    #[test]
    fn intervals_begin_at_midnight_on_monday_and_on_the_first() {
        let sunday = "2026-03-01T23:59:59.999Z";
        assert_eq!(start_of(Interval::Day, sunday), "2026-03-01T00:00:00Z");
        assert_eq!(start_of(Interval::Week, sunday), "2026-02-23T00:00:00Z");
        assert_eq!(start_of(Interval::Month, sunday), "2026-03-01T00:00:00Z");
        let monday = "2026-03-02T00:00:00Z";
        assert_eq!(start_of(Interval::Week, monday), monday);
        let leap = "2024-02-29T12:00:00Z";
        assert_eq!(start_of(Interval::Month, leap), "2024-02-01T00:00:00Z");
    }

    #[test]
    fn times_before_1970_have_intervals_too() {
        let time = "1969-12-31T23:00:00Z";
        assert_eq!(start_of(Interval::Day, time), "1969-12-31T00:00:00Z");
        assert_eq!(start_of(Interval::Week, time), "1969-12-29T00:00:00Z");
        assert_eq!(start_of(Interval::Month, time), "1969-12-01T00:00:00Z");
    }
}
