//! Filters as queries. They are built as values: no text of a filter is ever parsed by the server.
//!
//! Negations are carried inwards and like is joined with like, so that a query is no deeper than its filter is mixed. What is deeper than the server
//! allows is left out at that depth: the query then finds all that the filter matches, and more, and core decides of each record.

use std::ops::Bound;

use heurpipe_core::filter::{Filter, Keyword, Predicate, TimeField};
use mongodb::bson::{Bson, Document, doc};

use crate::documents::phrase::{is_possible, spaced};
use crate::instant::{after_prefix, nanoseconds};
use crate::junction::{asks_for_all, parts};

/// How many times "all of" and "any of" may alternate: the server parses a hundred levels, of which tests need a few.
const DEEPEST: usize = 40;

/// What finds the records of a filter.
#[derive(Debug, PartialEq)]
pub(super) struct Query {
    pub(super) document: Document,
    /// Whether it finds nothing else.
    pub(super) is_exact: bool,
}

/// The query of a filter.
pub(super) fn query(filter: &Filter) -> Query {
    let mut is_exact = true;
    let document = translated(filter, false, 0, &mut is_exact);
    Query { document, is_exact }
}

/// The query of a filter or of its opposite.
fn translated(filter: &Filter, opposite: bool, depth: usize, is_exact: &mut bool) -> Document {
    if depth > DEEPEST {
        *is_exact = false;
        return everything();
    }
    match filter {
        Filter::All if opposite => nothing(),
        Filter::All => everything(),
        Filter::Test(predicate) if opposite => doc! {"$nor": [test(predicate)]},
        Filter::Test(predicate) => test(predicate),
        Filter::Not(inner) => translated(inner, !opposite, depth, is_exact),
        Filter::And(_) | Filter::Or(_) => {
            let all = asks_for_all(filter, opposite);
            let queries = parts(filter, opposite, all)
                .into_iter()
                .map(|(part, opposite)| translated(part, opposite, depth + 1, is_exact))
                .collect();
            if all {
                joined(queries)
            } else {
                either(queries)
            }
        }
    }
}

/// Everything that all queries find. The server takes no empty list of them.
pub(super) fn joined(mut queries: Vec<Document>) -> Document {
    queries.retain(|query| !query.is_empty());
    match queries.len() {
        0 => everything(),
        1 => queries.remove(0),
        _ => doc! {"$and": queries},
    }
}

fn either(mut queries: Vec<Document>) -> Document {
    if queries.iter().any(Document::is_empty) {
        return everything();
    }
    match queries.len() {
        0 => nothing(),
        1 => queries.remove(0),
        _ => doc! {"$or": queries},
    }
}

fn everything() -> Document {
    Document::new()
}

fn nothing() -> Document {
    doc! {"_id": {"$in": []}}
}

fn test(predicate: &Predicate) -> Document {
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
                TimeField::Published => "published",
                TimeField::Collected => "collected",
            };
            let bounds = bounds(lower.map(nanoseconds), upper.map(nanoseconds));
            match bounds.is_empty() {
                true => doc! {field: {"$ne": null}},
                false => doc! {field: bounds},
            }
        }
        Predicate::Text { terms } => phrase(terms),
    }
}

fn keywords(field: &str, any_of: &[Keyword]) -> Document {
    let mut exact = Vec::new();
    let mut queries = Vec::new();
    for keyword in any_of {
        match keyword {
            Keyword::Exact(value) => exact.push(value.as_str()),
            Keyword::Prefix(prefix) if prefix.is_empty() => {
                queries.push(doc! {"keywords.field": field});
            }
            Keyword::Prefix(prefix) => {
                let upper = after_prefix(prefix).map_or(Bound::Unbounded, Bound::Excluded);
                let bounds = bounds(Bound::Included(prefix.as_str()), upper);
                queries.push(element("keywords", field, bounds));
            }
        }
    }
    if !exact.is_empty() {
        queries.push(element("keywords", field, doc! {"$in": exact}));
    }
    either(queries)
}

fn numbers(field: &str, lower: Bound<f64>, upper: Bound<f64>) -> Document {
    let is_nan = |bound| matches!(bound, Bound::Included(n) | Bound::Excluded(n) if f64::is_nan(n));
    // To the server nothing is less than this; to core nothing can be compared with it.
    if is_nan(lower) || is_nan(upper) {
        return nothing();
    }
    let bounds = bounds(lower.map(number), upper.map(number));
    match bounds.is_empty() {
        true => doc! {"numbers.field": field},
        false => element("numbers", field, bounds),
    }
}

/// One element has both the field and a value like this.
fn element(list: &str, field: &str, value: Document) -> Document {
    doc! {list: {"$elemMatch": {"field": field, "value": value}}}
}

/// A number as it is stored: the two zeros are one.
pub(super) fn number(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value }
}

fn bounds<L: Into<Bson>, U: Into<Bson>>(lower: Bound<L>, upper: Bound<U>) -> Document {
    let mut bounds = Document::new();
    match lower {
        Bound::Unbounded => {}
        Bound::Included(value) => _ = bounds.insert("$gte", value),
        Bound::Excluded(value) => _ = bounds.insert("$gt", value),
    }
    match upper {
        Bound::Unbounded => {}
        Bound::Included(value) => _ = bounds.insert("$lte", value),
        Bound::Excluded(value) => _ = bounds.insert("$lt", value),
    }
    bounds
}

/// The words have an index, and say which records are worth looking for the phrase in.
fn phrase(terms: &[String]) -> Document {
    match terms {
        _ if !is_possible(terms) => nothing(),
        [word] => doc! {"words": word},
        several => {
            let place = doc! {"$indexOfBytes": ["$text", {"$literal": spaced(several)}]};
            doc! {"words": {"$all": several}, "$expr": {"$gte": [place, 0]}}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn translation(text: &str) -> Query {
        query(&text.parse().unwrap())
    }

    /// How many lists of queries lie within each other.
    fn depth(value: &Bson) -> usize {
        match value {
            Bson::Document(fields) => {
                let own = usize::from(fields.keys().any(|k| k == "$and" || k == "$or"));
                own + fields.values().map(depth).max().unwrap_or(0)
            }
            Bson::Array(values) => values.iter().map(depth).max().unwrap_or(0),
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
        assert_eq!(depth(&translation(&filter).document.into()), 1);
        let mixed = translation("(colour:red OR (brand:x OR (hashtag:y OR -(likes:3 likes:4))))");
        assert_eq!(depth(&mixed.document.into()), 1);
    }

    #[test]
    fn values_are_never_syntax() {
        let query = translation(r#"brand:"$gt" -brand:"x.y""#);
        let element = |value: &str| doc! {"keywords": {"$elemMatch": {"field": "brand", "value": {"$in": [value]}}}};
        assert_eq!(
            query.document,
            doc! {"$and": [element("$gt"), {"$nor": [element("x.y")]}]}
        );
        let phrase = translation(r#""$text $where""#);
        assert!(phrase.is_exact);
        assert!(phrase.document.to_string().contains("$literal"));
    }

    #[test]
    fn what_is_too_deep_for_the_server_is_left_to_core() {
        let mut filter: Filter = "colour:red".parse().unwrap();
        for level in 0..90 {
            let other: Filter = "brand:x".parse().unwrap();
            filter = match level % 2 {
                0 => Filter::And(vec![filter, other]),
                _ => Filter::Or(vec![filter, other]),
            };
        }
        let query = query(&filter);
        assert!(!query.is_exact);
        assert!(depth(&query.document.into()) <= DEEPEST + 1);
        assert!(translation("(a:1 OR b:2) c:3").is_exact);
    }

    #[test]
    fn what_matches_everything_or_nothing_is_said_so() {
        assert_eq!(translation("*").document, everything());
        assert_eq!(translation("-*").document, nothing());
        assert_eq!(translation("colour:red OR *").document, everything());
        assert_eq!(query(&Filter::Or(Vec::new())).document, nothing());
        assert_eq!(query(&Filter::And(Vec::new())).document, everything());
    }
}
