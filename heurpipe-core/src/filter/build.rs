//! Filters written in Rust.

use super::ast::{Filter, Keyword, Predicate};
use crate::text;

/// A keyword field or attribute, to make a filter of.
///
/// ```
/// use heurpipe_core::filter::attr;
/// let filter = attr("garment").is_present().and(attr("colour").is_any_of(["Red", "pink"]));
/// assert_eq!(filter.to_string(), "garment:* colour:pink,red");
/// ```
pub fn attr(name: impl Into<String>) -> Field {
    Field { name: name.into() }
}

/// See [`attr`].
#[derive(Debug, Clone)]
pub struct Field {
    name: String,
}

impl Field {
    /// Records that have any value of it.
    pub fn is_present(self) -> Filter {
        self.test(vec![Keyword::Prefix(String::new())])
    }

    /// Records that have this value.
    pub fn is(self, value: &str) -> Filter {
        self.is_any_of([value])
    }

    /// Records that have one of these values.
    pub fn is_any_of<'a>(self, values: impl IntoIterator<Item = &'a str>) -> Filter {
        let keywords = values.into_iter().map(|v| Keyword::Exact(text::keyword(v)));
        self.test(keywords.collect())
    }

    fn test(self, any_of: Vec<Keyword>) -> Filter {
        Filter::Test(Predicate::Keyword {
            field: self.name,
            any_of,
        })
        .normalised()
    }
}
