//! Filters as SQL. Values are always parameters, never text of the statement.
//!
//! Every condition is true or false, never null, so that `NOT` means what core means by it: records that lack the field are included.

use std::ops::Bound;

use heurpipe_core::filter::{Filter, Keyword, Predicate, TimeField};
use rusqlite::types::Value;

use crate::documents::phrase;
use crate::instant::{after_prefix, nanoseconds};

/// A condition on `records r`, and the values of its `?`s in order.
#[derive(Debug, Default)]
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Condition {
    /// Adds text of the statement.
    pub(super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds a parameter.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.sql.push('?');
        self.values.push(value.into());
        self
    }

    /// Adds the condition that a filter states.
    pub(super) fn push_filter(&mut self, filter: &Filter) {
        match filter {
            Filter::All => {
                self.push("TRUE");
            }
            Filter::Test(predicate) => self.push_predicate(predicate),
            Filter::Not(inner) => {
                self.push("NOT (").push_filter(inner);
                self.push(")");
            }
            Filter::And(all) => self.push_joined(all, " AND ", "TRUE"),
            Filter::Or(any) => self.push_joined(any, " OR ", "FALSE"),
        }
    }

    /// Halves the list again and again: SQLite limits the depth of an expression, and `a AND b AND c` is as deep as it is long.
    fn push_joined(&mut self, filters: &[Filter], operator: &str, none: &str) {
        match filters {
            [] => {
                self.push(none);
            }
            [one] => self.push_filter(one),
            several => {
                let (left, right) = several.split_at(several.len() / 2);
                self.push("(").push_joined(left, operator, none);
                self.push(operator).push_joined(right, operator, none);
                self.push(")");
            }
        }
    }

    fn push_predicate(&mut self, predicate: &Predicate) {
        match predicate {
            Predicate::Keyword { field, any_of } => {
                self.push("EXISTS (SELECT 1 FROM keywords k WHERE k.record = r.seq AND k.field = ");
                self.bind(field.clone()).push(" AND ");
                self.push_keywords(any_of);
                self.push(")");
            }
            Predicate::Number {
                field,
                lower,
                upper,
            } => {
                self.push("EXISTS (SELECT 1 FROM numbers n WHERE n.record = r.seq AND n.field = ");
                self.bind(field.clone());
                self.push_bounds("n.value", *lower, *upper);
                self.push(")");
            }
            Predicate::Time {
                field,
                lower,
                upper,
            } => {
                let column = match field {
                    TimeField::Published => "r.published",
                    TimeField::Collected => "r.collected",
                };
                self.push("(").push(column).push(" IS NOT NULL");
                self.push_bounds(column, lower.map(nanoseconds), upper.map(nanoseconds));
                self.push(")");
            }
            Predicate::Text { terms } => self.push_phrase(terms),
        }
    }

    /// Adds the condition that `k.value` is accepted by one of the keywords.
    pub(super) fn push_keywords(&mut self, any_of: &[Keyword]) {
        let exact = any_of.iter().filter_map(|keyword| match keyword {
            Keyword::Exact(value) => Some(value),
            Keyword::Prefix(_) => None,
        });
        self.push("(k.value IN (");
        for (index, value) in exact.enumerate() {
            self.push(if index == 0 { "" } else { ", " });
            self.bind(value.clone());
        }
        self.push(")");
        for keyword in any_of {
            if let Keyword::Prefix(prefix) = keyword {
                self.push(" OR (k.value >= ").bind(prefix.clone());
                if let Some(end) = after_prefix(prefix) {
                    self.push(" AND k.value < ").bind(end);
                }
                self.push(")");
            }
        }
        self.push(")");
    }

    /// Adds the bounds of a range, each after an `AND`.
    pub(super) fn push_bounds<T: Into<Value>>(
        &mut self,
        column: &str,
        lower: Bound<T>,
        upper: Bound<T>,
    ) {
        for (bound, including, excluding) in [(lower, " >= ", " > "), (upper, " <= ", " < ")] {
            let (operator, value) = match bound {
                Bound::Included(value) => (including, value),
                Bound::Excluded(value) => (excluding, value),
                Bound::Unbounded => continue,
            };
            self.push(" AND ").push(column).push(operator).bind(value);
        }
    }

    fn push_phrase(&mut self, terms: &[String]) {
        if !phrase::is_possible(terms) {
            self.push("FALSE");
            return;
        }
        self.push("instr(r.terms, ")
            .bind(phrase::spaced(terms))
            .push(") > 0");
    }
}
