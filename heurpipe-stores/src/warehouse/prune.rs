//! Which segments cannot hold what a filter asks for.

use std::ops::Bound;

use heurpipe_core::Filter;
use heurpipe_core::filter::{Predicate, TimeField};
use jiff::Timestamp;

/// Whether a post published within these bounds may match. `None`: posts that do not say when.
pub(super) fn may_match(filter: &Filter, published: Option<(Timestamp, Timestamp)>) -> bool {
    match filter {
        Filter::Test(Predicate::Time {
            field: TimeField::Published,
            lower,
            upper,
        }) => published.is_some_and(|(first, last)| {
            reaches(*lower, last, |bound, last| bound <= last)
                && reaches(*upper, first, |bound, first| bound >= first)
        }),
        Filter::And(all) => all.iter().all(|part| may_match(part, published)),
        Filter::Or(any) => any.iter().any(|part| may_match(part, published)),
        // A negation of "may match" would not be "may match" of the negation.
        Filter::All | Filter::Not(_) | Filter::Test(_) => true,
    }
}

/// Treats an exclusive bound as inclusive: pruning may keep too much, never too little.
fn reaches(
    bound: Bound<Timestamp>,
    extreme: Timestamp,
    compare: impl Fn(Timestamp, Timestamp) -> bool,
) -> bool {
    match bound {
        Bound::Included(bound) | Bound::Excluded(bound) => compare(bound, extreme),
        Bound::Unbounded => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn published(lower: &str, upper: &str) -> Filter {
        Filter::Test(Predicate::Time {
            field: TimeField::Published,
            lower: Bound::Included(at(lower)),
            upper: Bound::Excluded(at(upper)),
        })
    }

    #[test]
    fn only_segments_that_the_range_touches_are_read() {
        let march = published("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z");
        let within = Some((at("2026-03-05T00:00:00Z"), at("2026-03-05T23:00:00Z")));
        let before = Some((at("2026-02-05T00:00:00Z"), at("2026-02-28T23:00:00Z")));
        assert!(may_match(&march, within));
        assert!(!may_match(&march, before));
        assert!(!may_match(&march, None));
        assert!(may_match(&march.clone().negated(), before));
        assert!(may_match(&march.negated(), within));
    }
}
