//! The reference meaning of a filter.

use std::ops::{Bound, RangeBounds};

use super::ast::{Filter, Predicate, TimeField};
use crate::flat::Flat;

impl Filter {
    /// Whether a record, in its flat view, is meant. Every store is tested against this.
    pub fn matches(&self, flat: &Flat) -> bool {
        match self {
            Self::All => true,
            Self::Test(predicate) => predicate.matches(flat),
            Self::Not(inner) => !inner.matches(flat),
            Self::And(all) => all.iter().all(|f| f.matches(flat)),
            Self::Or(any) => any.iter().any(|f| f.matches(flat)),
        }
    }
}

impl Predicate {
    fn matches(&self, flat: &Flat) -> bool {
        match self {
            Self::Keyword { field, any_of } => flat
                .values(field)
                .any(|value| any_of.iter().any(|keyword| keyword.accepts(value))),
            Self::Number {
                field,
                lower,
                upper,
            } => flat
                .numbers
                .get(field)
                .is_some_and(|value| (*lower, *upper).contains(value)),
            Self::Time {
                field,
                lower,
                upper,
            } => {
                let time = match field {
                    TimeField::Published => flat.published,
                    TimeField::Collected => flat.collected,
                };
                time.is_some_and(|time| within(*lower, *upper, &time))
            }
            Self::Text { terms } => {
                !terms.is_empty() && flat.terms.windows(terms.len()).any(|w| w == terms)
            }
        }
    }
}

fn within<T: PartialOrd>(lower: Bound<T>, upper: Bound<T>, value: &T) -> bool {
    (lower, upper).contains(value)
}
