//! From tree to canonical tree, and to text.

use std::fmt::{self, Display, Write as _};
use std::ops::Bound;

use jiff::Timestamp;

use super::ast::{Filter, Keyword, Predicate};
use super::field::{Kind, kind_of};
use super::lexer::ends_word;
use super::value::whole_day;
use crate::text;

impl Filter {
    /// The canonical form: nested alike conditions flattened, those of one member unwrapped, keywords in keyword form, sorted
    /// and each once. Means the same; printing it and parsing the text gives it back.
    ///
    /// A predicate without alternatives or terms matches nothing and becomes the opposite of [`Filter::All`].
    pub fn normalised(self) -> Self {
        match self {
            Self::All => Self::All,
            Self::Test(predicate) => predicate
                .normalised()
                .map_or_else(|| Self::All.negated(), Self::Test),
            Self::Not(inner) => inner.normalised().negated(),
            Self::And(all) => {
                let mut flat = Vec::new();
                for condition in all {
                    match condition.normalised() {
                        Self::All => {}
                        Self::And(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                one_or(flat, Self::And, Self::All)
            }
            Self::Or(any) => {
                let mut flat = Vec::new();
                for alternative in any {
                    match alternative.normalised() {
                        Self::All => return Self::All,
                        Self::Or(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                one_or(flat, Self::Or, Self::All.negated())
            }
        }
    }
}

fn one_or(mut members: Vec<Filter>, many: fn(Vec<Filter>) -> Filter, none: Filter) -> Filter {
    match members.len() {
        0 => none,
        1 => members.remove(0),
        _ => many(members),
    }
}

impl Predicate {
    /// The canonical form; none if no record can satisfy it.
    fn normalised(self) -> Option<Self> {
        match self {
            Self::Keyword { field, any_of } => {
                let mut any_of: Vec<Keyword> = any_of
                    .iter()
                    .map(|keyword| match keyword {
                        Keyword::Exact(exact) => Keyword::Exact(text::keyword(exact)),
                        Keyword::Prefix(prefix) => Keyword::Prefix(text::keyword(prefix)),
                    })
                    .filter(|keyword| *keyword != Keyword::Exact(String::new()))
                    .collect();
                any_of.sort();
                any_of.dedup();
                (!any_of.is_empty()).then_some(Self::Keyword { field, any_of })
            }
            Self::Text { terms } => {
                let terms = text::analyse(&text::restore(&terms));
                (!terms.is_empty()).then_some(Self::Text { terms })
            }
            Self::Number { .. } | Self::Time { .. } => Some(self),
        }
    }
}

impl Display for Filter {
    /// The canonical text; empty for [`Filter::All`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.clone().normalised() {
            Self::All => Ok(()),
            Self::And(all) => members(f, &all, " "),
            Self::Or(any) => members(f, &any, " OR "),
            other => member(f, &other),
        }
    }
}

fn members(f: &mut fmt::Formatter<'_>, filters: &[Filter], between: &str) -> fmt::Result {
    for (index, filter) in filters.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        member(f, filter)?;
    }
    Ok(())
}

/// A filter so written that it holds together beside others.
fn member(f: &mut fmt::Formatter<'_>, filter: &Filter) -> fmt::Result {
    match filter {
        Filter::All => f.write_char('*'),
        Filter::Test(predicate) => predicate.fmt(f),
        Filter::Not(inner) => {
            f.write_char('-')?;
            member(f, inner)
        }
        Filter::And(all) => {
            f.write_char('(')?;
            members(f, all, " ")?;
            f.write_char(')')
        }
        Filter::Or(any) => {
            f.write_char('(')?;
            members(f, any, " OR ")?;
            f.write_char(')')
        }
    }
}

impl Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyword { field, any_of } => {
                write!(f, "{field}:")?;
                for (index, keyword) in any_of.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    keyword.fmt(f)?;
                }
                Ok(())
            }
            Self::Number {
                field,
                lower,
                upper,
            } => {
                write!(f, "{field}:")?;
                // A bare number after an attribute would be a keyword.
                let bare = kind_of(field) != Kind::Attribute;
                limits(f, bare, *lower, *upper, |f, number, _| {
                    write!(f, "{number}")
                })
            }
            Self::Time {
                field,
                lower,
                upper,
            } => {
                write!(f, "{}:", field.as_str())?;
                limits(f, true, *lower, *upper, time)
            }
            Self::Text { terms } => {
                let text = text::restore(terms);
                if text.contains(ends_word) {
                    quoted(f, &text)
                } else {
                    f.write_str(&text)
                }
            }
        }
    }
}

impl Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(exact) => {
                let plain = !exact.is_empty()
                    && !exact.starts_with(['<', '>'])
                    && !exact.contains(|c: char| ends_word(c) || c == '\\' || c == '*');
                if plain {
                    f.write_str(exact)
                } else {
                    quoted(f, exact)
                }
            }
            Self::Prefix(prefix) => {
                for (index, c) in prefix.chars().enumerate() {
                    let sign = ends_word(c) || c == '\\' || c == '*';
                    if sign || (index == 0 && (c == '<' || c == '>')) {
                        f.write_char('\\')?;
                    }
                    f.write_char(c)?;
                }
                f.write_char('*')
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if c == '"' || c == '\\' {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

/// At which end of a range a value stands, and how.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// `[a`, `>=a`, `b}` or `<b`: a date written here stands for its first moment.
    FirstMoment,
    /// `{a`, `>a`, `b]`, `<=b` or a value alone: a date written here would stand for its whole day.
    WholeDay,
}

fn limits<T: Copy + PartialEq>(
    f: &mut fmt::Formatter<'_>,
    bare: bool,
    lower: Bound<T>,
    upper: Bound<T>,
    value: fn(&mut fmt::Formatter<'_>, T, End) -> fmt::Result,
) -> fmt::Result {
    match (lower, upper) {
        (Bound::Unbounded, Bound::Unbounded) if bare => f.write_char('*'),
        (Bound::Unbounded, Bound::Unbounded) => f.write_str("[* TO *]"),
        (Bound::Included(from), Bound::Included(to)) if bare && from == to => {
            value(f, from, End::WholeDay)
        }
        (Bound::Included(from), Bound::Unbounded) => {
            f.write_str(">=")?;
            value(f, from, End::FirstMoment)
        }
        (Bound::Excluded(from), Bound::Unbounded) => {
            f.write_char('>')?;
            value(f, from, End::WholeDay)
        }
        (Bound::Unbounded, Bound::Included(to)) => {
            f.write_str("<=")?;
            value(f, to, End::WholeDay)
        }
        (Bound::Unbounded, Bound::Excluded(to)) => {
            f.write_char('<')?;
            value(f, to, End::FirstMoment)
        }
        (lower, upper) => {
            match lower {
                Bound::Included(from) => {
                    f.write_char('[')?;
                    value(f, from, End::FirstMoment)?;
                }
                Bound::Excluded(from) => {
                    f.write_char('{')?;
                    value(f, from, End::WholeDay)?;
                }
                Bound::Unbounded => f.write_str("[*")?,
            }
            f.write_str(" TO ")?;
            match upper {
                Bound::Included(to) => {
                    value(f, to, End::WholeDay)?;
                    f.write_char(']')
                }
                Bound::Excluded(to) => {
                    value(f, to, End::FirstMoment)?;
                    f.write_char('}')
                }
                Bound::Unbounded => f.write_str("*]"),
            }
        }
    }
}

fn time(f: &mut fmt::Formatter<'_>, time: Timestamp, end: End) -> fmt::Result {
    match whole_day(time) {
        Some(date) if end == End::FirstMoment => write!(f, "{date}"),
        _ => write!(f, "{time}"),
    }
}
