//! Filters as queries. They are built by hand: no text is ever parsed by tantivy.

use std::ops::Bound;

use heurpipe_core::filter::{Filter, Keyword, Predicate, TimeField};
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, InvertedIndexRangeQuery, Occur, PhraseQuery, Query,
    RangeQuery, TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::fields::{Fields, clipped, keyword, number, range};
use super::settled::Settled;
use crate::instant::{after_prefix, nanoseconds};

/// The query that finds what a filter matches.
pub(super) fn query(fields: &Fields, filter: &Filter) -> Box<dyn Query> {
    match filter {
        Filter::All => Box::new(AllQuery),
        Filter::Test(predicate) => test(fields, predicate),
        Filter::Not(_) => all(fields, std::slice::from_ref(filter)),
        Filter::And(filters) => all(fields, filters),
        Filter::Or(filters) => any(filters.iter().map(|f| query(fields, f)).collect()),
    }
}

/// The query that finds what a filter matches, but not what has one of these keys.
pub(super) fn query_without(fields: &Fields, filter: &Filter, keys: Vec<Term>) -> Box<dyn Query> {
    let excluded = keys.into_iter().map(|key| (Occur::MustNot, one_term(key)));
    let wanted = std::iter::once((Occur::Must, query(fields, filter)));
    Box::new(BooleanQuery::new(wanted.chain(excluded).collect()))
}

/// What all filters match. A boolean query finds only what some clause asks for, so that mere exclusions are taken from everything.
fn all(fields: &Fields, filters: &[Filter]) -> Box<dyn Query> {
    let mut clauses: Vec<(Occur, Box<dyn Query>)> = filters
        .iter()
        .map(|filter| match filter {
            Filter::Not(inner) => (Occur::MustNot, excluded(fields, inner)),
            other => (Occur::Must, query(fields, other)),
        })
        .collect();
    if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
        clauses.push((Occur::Must, Box::new(AllQuery)));
    }
    Box::new(BooleanQuery::new(clauses))
}

/// The query of what is to be left out. All but the simplest are settled first; see [`Settled`].
fn excluded(fields: &Fields, filter: &Filter) -> Box<dyn Query> {
    let query = query(fields, filter);
    match filter {
        Filter::All | Filter::Test(Predicate::Number { .. } | Predicate::Time { .. }) => query,
        Filter::Test(Predicate::Keyword { any_of, .. }) if any_of.len() == 1 => query,
        _ => Box::new(Settled(query)),
    }
}

fn any(mut queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(BooleanQuery::union(queries)),
    }
}

fn test(fields: &Fields, predicate: &Predicate) -> Box<dyn Query> {
    match predicate {
        Predicate::Keyword { field, any_of } => keywords(fields, field, any_of),
        Predicate::Number {
            field,
            lower,
            upper,
        } => numbers(fields, field, *lower, *upper),
        Predicate::Time {
            field,
            lower,
            upper,
        } => {
            let column = match field {
                TimeField::Published => fields.published,
                TimeField::Collected => fields.collected,
            };
            times(column, lower.map(nanoseconds), upper.map(nanoseconds))
        }
        Predicate::Text { terms } => phrase(fields.text, terms),
    }
}

fn keywords(fields: &Fields, field: &str, any_of: &[Keyword]) -> Box<dyn Query> {
    let mut exact = Vec::new();
    let mut queries: Vec<Box<dyn Query>> = Vec::new();
    for accepted in any_of {
        match accepted {
            Keyword::Exact(value) => {
                let term = keyword(field, value);
                exact.push(Term::from_field_text(fields.keywords, &term));
            }
            Keyword::Prefix(prefix) if prefix.is_empty() => {
                queries.push(one_term(Term::from_field_text(
                    fields.present,
                    clipped(field),
                )));
            }
            Keyword::Prefix(prefix) => queries.push(beginning(fields.keywords, field, prefix)),
        }
    }
    match exact.len() {
        0 => {}
        1 => queries.push(one_term(exact.remove(0))),
        _ => queries.push(Box::new(TermSetQuery::new(exact))),
    }
    any(queries)
}

fn one_term(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn beginning(keywords: Field, field: &str, prefix: &str) -> Box<dyn Query> {
    let first = keyword(field, prefix);
    // The term begins with the field's name and is never without a successor.
    let after = after_prefix(&first).unwrap_or_else(|| range(field).1);
    Box::new(InvertedIndexRangeQuery::new(
        Bound::Included(Term::from_field_text(keywords, &first)),
        Bound::Excluded(Term::from_field_text(keywords, &after)),
    ))
}

fn numbers(fields: &Fields, field: &str, lower: Bound<f64>, upper: Bound<f64>) -> Box<dyn Query> {
    let is_nan = |bound| matches!(bound, Bound::Included(n) | Bound::Excluded(n) if f64::is_nan(n));
    if is_nan(lower) || is_nan(upper) {
        return Box::new(EmptyQuery);
    }
    let (first, after) = range(field);
    let or = |bound, otherwise| match bound {
        Bound::Unbounded => otherwise,
        given => given,
    };
    let lower = or(lower.map(|n| number(field, n)), Bound::Included(first));
    let upper = or(upper.map(|n| number(field, n)), Bound::Excluded(after));
    let term = |text: String| Term::from_field_text(fields.numbers, &text);
    Box::new(RangeQuery::new(lower.map(term), upper.map(term)))
}

fn times(column: Field, lower: Bound<i64>, upper: Bound<i64>) -> Box<dyn Query> {
    // A range query must have a bound, and one without is answered by the least of all times: only records with a time have any.
    let lower = match lower {
        Bound::Unbounded => Bound::Included(i64::MIN),
        given => given,
    };
    let term = |time| Term::from_field_i64(column, time);
    Box::new(RangeQuery::new(lower.map(term), upper.map(term)))
}

fn phrase(text: Field, terms: &[String]) -> Box<dyn Query> {
    // Such terms are not in any text, whatever the index makes of them.
    let impossible = |term: &String| term.is_empty() || term.contains(char::is_whitespace);
    if terms.iter().any(impossible) {
        return Box::new(EmptyQuery);
    }
    let term = |text_of: &String| Term::from_field_text(text, clipped(text_of));
    match terms {
        [] => Box::new(EmptyQuery),
        [one] => one_term(term(one)),
        several => Box::new(PhraseQuery::new(several.iter().map(term).collect())),
    }
}
