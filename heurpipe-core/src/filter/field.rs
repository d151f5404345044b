//! Which fields there are and what they hold.

use super::ast::TimeField;
use crate::flat::{KEYWORD_FIELDS, NUMBER_FIELDS};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Text,
    Time(TimeField),
    Number,
    Keyword,
    /// Keywords or a number, as its enricher gives them.
    Attribute,
}

pub(super) fn kind_of(field: &str) -> Kind {
    match field {
        "text" => Kind::Text,
        "published" => Kind::Time(TimeField::Published),
        "collected" => Kind::Time(TimeField::Collected),
        _ if NUMBER_FIELDS.contains(&field) => Kind::Number,
        _ if KEYWORD_FIELDS.contains(&field) => Kind::Keyword,
        _ => Kind::Attribute,
    }
}

/// Whether an attribute may have this name: a lower-case ASCII letter, then letters, digits, `_`, `-` and `.`, and not the name of a
/// built-in field. Filters can speak of attributes with such names only.
///
/// ```
/// use heurpipe_core::filter::is_attribute_name;
/// assert!(is_attribute_name("sleeve_length"));
/// assert!(!is_attribute_name("likes"));
/// assert!(!is_attribute_name("Sleeve length"));
/// ```
pub fn is_attribute_name(name: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.".contains(c);
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(known)
        && kind_of(name) == Kind::Attribute
}
