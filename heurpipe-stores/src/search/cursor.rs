//! Places in an order of results: what pages are cut by.

use heurpipe_core::{Error, ErrorKind, Result, Sort};

/// Where a record stands by its sort value: the smaller comes first, and what has no value comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    missing: bool,
    key: u64,
}

impl Rank {
    /// The rank of a time in nanoseconds.
    pub(crate) fn of_time(time: Option<i64>, newest_first: bool) -> Self {
        // Flipping the sign bit puts negative numbers before positive ones.
        let key = time.map(|t| t.cast_unsigned() ^ (1 << 63));
        Self::new(key, newest_first)
    }

    /// The rank of a number that is sorted by.
    #[cfg(feature = "elasticsearch")]
    pub(crate) fn of_long(number: Option<i64>, descending: bool) -> Self {
        Self::of_time(number, descending)
    }

    /// The number that [`of_long`](Self::of_long) was given.
    #[cfg(feature = "elasticsearch")]
    pub(crate) fn to_long(self, descending: bool) -> Option<i64> {
        let key = if descending { !self.key } else { self.key };
        (!self.missing).then_some((key ^ (1 << 63)).cast_signed())
    }

    /// The rank of a number, greatest first.
    pub(crate) fn of_number(number: Option<f64>) -> Self {
        Self::new(number.map(order_preserving), true)
    }

    fn new(key: Option<u64>, descending: bool) -> Self {
        Self {
            missing: key.is_none(),
            key: key.map_or(0, |key| if descending { !key } else { key }),
        }
    }
}

/// Bits that compare as the numbers do.
pub(crate) fn order_preserving(number: f64) -> u64 {
    // Minus zero equals zero.
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

/// Where a record stands, ties broken by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) rank: Rank,
    pub(crate) id: String,
}

impl Place {
    /// Where a record stands by how near it is: the nearest first.
    pub(crate) fn by_score(score: f32, id: String) -> Self {
        Self {
            rank: Rank::of_number(Some(score.into())),
            id,
        }
    }

    /// The cursor that goes on after this place.
    pub(crate) fn to_cursor(&self, sort: Sort) -> String {
        let missing = u8::from(self.rank.missing);
        let key = self.rank.key;
        format!("{}.{missing}.{key:016x}.{}", name(sort), self.id)
    }

    /// The place that a cursor names.
    ///
    /// # Errors
    /// `InvalidInput` when it was not made for this order.
    pub(crate) fn from_cursor(cursor: &str, sort: Sort) -> Result<Self> {
        parse(cursor, sort).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "search.cursor")
                .message("the cursor does not belong to this order of results")
                .with("cursor", cursor)
                .with("sort", name(sort))
        })
    }
}

fn parse(cursor: &str, sort: Sort) -> Option<Place> {
    let mut parts = cursor.splitn(4, '.');
    if parts.next()? != name(sort) {
        return None;
    }
    let missing = match parts.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let key = u64::from_str_radix(parts.next()?, 16).ok()?;
    let id = parts.next()?.to_owned();
    Some(Place {
        rank: Rank { missing, key },
        id,
    })
}

fn name(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "newest",
        Sort::Oldest => "oldest",
        Sort::MostLiked => "most_liked",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn bits_compare_as_numbers_do() {
        let numbers = [
            f64::NEG_INFINITY,
            -2.5,
            -1e-300,
            0.0,
            1e-300,
            1.0,
            2.5,
            f64::INFINITY,
        ];
        for pair in numbers.windows(2) {
            assert!(order_preserving(pair[0]) < order_preserving(pair[1]));
        }
        assert_eq!(order_preserving(-0.0), order_preserving(0.0));
    }

    #[test]
    fn missing_values_come_last_in_every_order() {
        let missing = Rank::of_time(None, true);
        assert!(Rank::of_time(Some(i64::MIN), true) < missing);
        assert!(Rank::of_time(Some(i64::MAX), false) < Rank::of_time(None, false));
        assert!(Rank::of_number(Some(0.0)) < Rank::of_number(None));
        assert!(Rank::of_time(Some(2), true) < Rank::of_time(Some(1), true));
        assert!(Rank::of_time(Some(-1), false) < Rank::of_time(Some(1), false));
    }

    #[test]
    fn a_cursor_names_its_place_and_its_order() {
        let place = Place {
            rank: Rank::of_time(Some(-5), true),
            id: "folder:a.b.c".to_owned(),
        };
        let cursor = place.to_cursor(Sort::Newest);
        assert_eq!(Place::from_cursor(&cursor, Sort::Newest).unwrap(), place);
        let error = Place::from_cursor(&cursor, Sort::Oldest).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(Place::from_cursor("newest.2.zz.id", Sort::Newest).is_err());
    }
}
