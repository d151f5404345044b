//! What a filter is once parsed.

use std::collections::BTreeSet;
use std::ops::Bound;

use jiff::Timestamp;

/// A condition on records: which posts are meant.
///
/// Parsed from text with [`str::parse`], printed canonically with [`Display`](std::fmt::Display), evaluated with
/// [`Filter::matches`]. Stores translate this tree; none of them ever sees the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Filter {
    /// Every record (the empty text).
    #[default]
    All,
    /// One condition on one field.
    Test(Predicate),
    /// Every record that the inner filter does not match, those with missing values included.
    Not(Box<Filter>),
    /// All of these, at least two.
    And(Vec<Filter>),
    /// Any of these, at least two.
    Or(Vec<Filter>),
}

impl Filter {
    /// The keyword and number fields that it asks for, built-in ones and attributes.
    pub fn fields(&self) -> BTreeSet<String> {
        let mut fields = BTreeSet::new();
        self.collect_fields(&mut fields);
        fields
    }

    fn collect_fields(&self, fields: &mut BTreeSet<String>) {
        match self {
            Self::All => {}
            Self::Not(inner) => inner.collect_fields(fields),
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.collect_fields(fields));
            }
            Self::Test(Predicate::Keyword { field, .. } | Predicate::Number { field, .. }) => {
                fields.insert(field.clone());
            }
            Self::Test(Predicate::Time { .. } | Predicate::Text { .. }) => {}
        }
    }
}

/// A condition on one field. A record that lacks the field does not satisfy it.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// A keyword field holds at least one value that any of these accepts.
    Keyword {
        /// The field: a built-in one or an attribute; see [`Flat::keywords`](crate::Flat::keywords).
        field: String,
        /// The alternatives; at least one.
        any_of: Vec<Keyword>,
    },
    /// A numeric field lies in a range.
    Number {
        /// The field; see [`Flat::numbers`](crate::Flat::numbers).
        field: String,
        /// Lower bound.
        lower: Bound<f64>,
        /// Upper bound.
        upper: Bound<f64>,
    },
    /// A time lies in a range.
    Time {
        /// The field.
        field: TimeField,
        /// Lower bound.
        lower: Bound<Timestamp>,
        /// Upper bound.
        upper: Bound<Timestamp>,
    },
    /// The analysed text holds these terms, one directly after the other.
    Text {
        /// The terms as [`analyse`](crate::text::analyse) gives them; at least one.
        terms: Vec<String>,
    },
}

/// The fields that hold a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeField {
    /// `published`.
    Published,
    /// `collected`.
    Collected,
}

impl TimeField {
    /// The name in filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Collected => "collected",
        }
    }
}

/// One accepted keyword, in the form of [`keyword`](crate::text::keyword).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keyword {
    /// Exactly this.
    Exact(String),
    /// Whatever begins with this; the empty prefix accepts every value.
    Prefix(String),
}

impl Keyword {
    /// Whether a value (already in keyword form) is accepted.
    pub fn accepts(&self, value: &str) -> bool {
        match self {
            Self::Exact(exact) => value == exact,
            Self::Prefix(prefix) => value.starts_with(prefix.as_str()),
        }
    }
}

impl Filter {
    /// Both this and the other.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, other) | (other, Self::All) => other,
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(mut all), other) => {
                all.push(other);
                Self::And(all)
            }
            (first, Self::And(mut rest)) => {
                rest.insert(0, first);
                Self::And(rest)
            }
            (first, second) => Self::And(vec![first, second]),
        }
    }

    /// This one's opposite.
    pub fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}
