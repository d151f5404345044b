//! Filters as queries. They are built as JSON values: no text of a filter is ever parsed by the server.

use std::ops::Bound;

use heurpipe_core::filter::{Filter, Keyword, Predicate, TimeField};
use serde_json::{Map, Value, json};

use super::mapping::{after, beginning, clipped, is_field, keyword, long, number, text};
use crate::junction::parts;

/// The query that finds what a filter matches.
///
/// Negations are carried inwards and like is joined with like, since the server allows only so many boolean queries within each other.
pub(super) fn query(filter: &Filter) -> Value {
    translated(filter, false)
}

/// The query of a filter or of its opposite.
fn translated(filter: &Filter, opposite: bool) -> Value {
    match (filter, opposite) {
        (Filter::All, false) => json!({"match_all": {}}),
        (Filter::All, true) => nothing(),
        (Filter::Test(predicate), false) => test(predicate),
        (Filter::Not(inner), _) => translated(inner, !opposite),
        (Filter::Test(_), true) | (Filter::And(_), false) | (Filter::Or(_), true) => {
            all(filter, opposite)
        }
        (Filter::Or(_), false) | (Filter::And(_), true) => any(filter, opposite),
    }
}

pub(super) fn nothing() -> Value {
    json!({"match_none": {}})
}

fn all(filter: &Filter, opposite: bool) -> Value {
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    for (part, opposite) in parts(filter, opposite, true) {
        match part {
            Filter::Test(predicate) if opposite => unwanted.push(test(predicate)),
            _ => wanted.push(translated(part, opposite)),
        }
    }
    // Without a clause that asks for something, the server takes the exclusions from everything.
    json!({"bool": {"filter": wanted, "must_not": unwanted}})
}

fn any(filter: &Filter, opposite: bool) -> Value {
    either(
        parts(filter, opposite, false)
            .into_iter()
            .map(|(part, opposite)| translated(part, opposite))
            .collect(),
    )
}

fn either(mut queries: Vec<Value>) -> Value {
    match queries.len() {
        0 => nothing(),
        1 => queries.remove(0),
        _ => json!({"bool": {"should": queries, "minimum_should_match": 1}}),
    }
}

fn test(predicate: &Predicate) -> Value {
    match predicate {
        Predicate::Keyword { field, any_of } => keywords(field, any_of),
        Predicate::Number {
            field,
            lower,
            upper,
        } => numbers(field, *lower, *upper),
        Predicate::Time {
            field,
            lower,
            upper,
        } => {
            let field = match field {
                TimeField::Published => "published_ns",
                TimeField::Collected => "collected_ns",
            };
            match (lower, upper) {
                (Bound::Unbounded, Bound::Unbounded) => json!({"exists": {"field": field}}),
                _ => range(field, lower.map(long), upper.map(long)),
            }
        }
        Predicate::Text { terms } => phrase(terms),
    }
}

fn keywords(field: &str, any_of: &[Keyword]) -> Value {
    if !is_field(field) {
        return nothing();
    }
    let mut exact = Vec::new();
    let mut queries = Vec::new();
    for accepted in any_of {
        match accepted {
            Keyword::Exact(value) => exact.push(keyword(field, value)),
            Keyword::Prefix(prefix) if prefix.is_empty() => {
                queries.push(json!({"term": {"present": clipped(field)}}))
            }
            Keyword::Prefix(prefix) => {
                queries.push(json!({"prefix": {"keywords": keyword(field, prefix)}}))
            }
        }
    }
    if !exact.is_empty() {
        queries.push(json!({"terms": {"keywords": exact}}));
    }
    either(queries)
}

fn numbers(field: &str, lower: Bound<f64>, upper: Bound<f64>) -> Value {
    let is_nan = |bound| matches!(bound, Bound::Included(n) | Bound::Excluded(n) if f64::is_nan(n));
    if !is_field(field) || is_nan(lower) || is_nan(upper) {
        return nothing();
    }
    let lower = match lower {
        Bound::Unbounded => Bound::Included(beginning(field)),
        given => given.map(|n| number(field, n)),
    };
    let upper = match upper {
        Bound::Unbounded => Bound::Excluded(after(field)),
        given => given.map(|n| number(field, n)),
    };
    range("numbers", lower, upper)
}

fn range<T: Into<Value>>(field: &str, lower: Bound<T>, upper: Bound<T>) -> Value {
    let mut bounds = Map::new();
    match lower {
        Bound::Unbounded => {}
        Bound::Included(value) => _ = bounds.insert("gte".to_owned(), value.into()),
        Bound::Excluded(value) => _ = bounds.insert("gt".to_owned(), value.into()),
    }
    match upper {
        Bound::Unbounded => {}
        Bound::Included(value) => _ = bounds.insert("lte".to_owned(), value.into()),
        Bound::Excluded(value) => _ = bounds.insert("lt".to_owned(), value.into()),
    }
    json!({"range": {field: bounds}})
}

fn phrase(terms: &[String]) -> Value {
    // Such terms are not in any text, and the server would take them apart.
    let impossible = |term: &String| {
        term.is_empty() || term.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    if terms.iter().any(impossible) {
        return nothing();
    }
    match terms {
        [] => nothing(),
        [_] => json!({"term": {"text": text(terms)}}),
        _ => json!({"match_phrase": {"text": text(terms)}}),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn translated(text: &str) -> Value {
        query(&text.parse().unwrap())
    }

    /// How many boolean queries lie within each other.
    fn depth(value: &Value) -> usize {
        match value {
            Value::Object(fields) => {
                let own = usize::from(fields.contains_key("bool"));
                own + fields.values().map(depth).max().unwrap_or(0)
            }
            Value::Array(values) => values.iter().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    #[test]
    fn negations_and_like_parts_add_no_depth() {
        let filter = format!(
            "{}colour:red OR likes:>=3{}",
            "-(".repeat(30),
            ")".repeat(30)
        );
        assert_eq!(depth(&translated(&filter)), 1);
        assert_eq!(
            depth(&translated(
                "(colour:red OR (brand:x OR (hashtag:y OR -(likes:3 likes:4))))"
            )),
            2
        );
    }

    #[test]
    fn values_are_never_syntax() {
        let query = translated(r#"brand:"a\" OR *" -brand:"x:y""#);
        assert_eq!(
            query,
            json!({"bool": {"filter": [{"terms": {"keywords": ["brand\u{1f}a\" or *"]}}], "must_not": [{"terms": {"keywords": ["brand\u{1f}x:y"]}}]}})
        );
    }
}
