//! Filters as conditions on rows.
//!
//! Rows do not hold all that filters speak of: the analysed text, numbers of attributes, the keyword form of names. So a condition finds all that its
//! filter matches, and may find more; core decides of each record that comes. Negations are carried inwards, since the opposite of "may match" is not
//! "may match" of the opposite. Values are always parameters.

use std::ops::Bound;

use heurpipe_core::filter::{Filter, Keyword, Predicate, TimeField};
use heurpipe_core::{KEYWORD_FIELDS, NUMBER_FIELDS};
use jiff::Timestamp;

use super::file::first_time;
use super::parameter::Statement;
use crate::junction::{asks_for_all, parts};
use crate::warehouse::schema::ATTRIBUTE_COLUMNS;

/// How many times "all of" and "any of" may alternate: what lies deeper is left to core.
const DEEPEST: usize = 20;

/// Values that a statement may have; the service takes 10,000. A filter with more is left to core.
const MOST_PARAMETERS: usize = 4_000;

/// Numbers from here on are not the same as whole numbers of 63 bits and as those of filters.
const GREATEST: f64 = (1_u64 << 62) as f64;

/// What is always so.
const ALWAYS: &str = "TRUE";

/// Adds the condition that finds all that a filter matches.
pub(super) fn push(statement: &mut Statement, filter: &Filter) {
    let mut attempt = statement.clone();
    push_filter(&mut attempt, filter, false, 0);
    if attempt.parameters.len() > MOST_PARAMETERS {
        statement.push(ALWAYS);
    } else {
        *statement = attempt;
    }
}

fn push_filter(statement: &mut Statement, filter: &Filter, opposite: bool, depth: usize) {
    match filter {
        Filter::All if opposite => _ = statement.push("FALSE"),
        Filter::All => _ = statement.push(ALWAYS),
        Filter::Not(inner) => push_filter(statement, inner, !opposite, depth),
        Filter::Test(predicate) => push_predicate(statement, predicate, opposite),
        Filter::And(_) | Filter::Or(_) if depth >= DEEPEST => _ = statement.push(ALWAYS),
        Filter::And(_) | Filter::Or(_) => {
            let all = asks_for_all(filter, opposite);
            let parts = parts(filter, opposite, all);
            if parts.is_empty() {
                statement.push(if all { ALWAYS } else { "FALSE" });
                return;
            }
            for (index, (part, opposite)) in parts.into_iter().enumerate() {
                statement.push(match (index, all) {
                    (0, _) => "(",
                    (_, true) => " AND ",
                    (_, false) => " OR ",
                });
                push_filter(statement, part, opposite, depth + 1);
            }
            statement.push(")");
        }
    }
}

fn push_predicate(statement: &mut Statement, predicate: &Predicate, opposite: bool) {
    match predicate {
        Predicate::Keyword { field, any_of } => push_keyword(statement, field, any_of, opposite),
        Predicate::Number {
            field,
            lower,
            upper,
        } => push_number(statement, field, *lower, *upper, opposite),
        Predicate::Time {
            field,
            lower,
            upper,
        } => push_time(statement, *field, *lower, *upper, opposite),
        Predicate::Text { .. } => _ = statement.push(ALWAYS),
    }
}

fn push_keyword(statement: &mut Statement, field: &str, any_of: &[Keyword], opposite: bool) {
    let not = if opposite { "NOT " } else { "" };
    let list = match field {
        "hashtag" => Some("hashtags"),
        "mention" => Some("mentions"),
        "relevant_to" => Some("relevant_to"),
        // One column is less to read than the attributes of all names.
        attribute => ATTRIBUTE_COLUMNS
            .iter()
            .find(|column| **column == attribute)
            .copied(),
    };
    if let Some(list) = list {
        statement
            .push(not)
            .push("EXISTS (SELECT 1 FROM UNNEST(")
            .push(list)
            .push(") v WHERE ");
        push_accepted(statement, "v", any_of);
        statement.push(")");
    } else if field == "platform" {
        // A name that is none of these may have another keyword form than itself.
        statement.push("(").push(not);
        push_accepted(statement, "platform", any_of);
        statement.push(" OR NOT REGEXP_CONTAINS(platform, r'^[a-z0-9_.-]+$'))");
    } else if field == "verified" {
        statement.push(not).push("IFNULL(");
        push_accepted(statement, "CAST(verified AS STRING)", any_of);
        statement.push(", FALSE)");
    } else if KEYWORD_FIELDS.contains(&field) {
        statement.push(ALWAYS);
    } else {
        statement.push(not);
        statement.push(
            "EXISTS (SELECT 1 FROM UNNEST(attributes) a, UNNEST(a.`values`) v WHERE a.`keys` = ",
        );
        statement.bind_text(field).push(" AND ");
        push_accepted(statement, "v", any_of);
        statement.push(")");
    }
}

/// Adds the condition that a value is accepted by one of the keywords.
fn push_accepted(statement: &mut Statement, value: &str, any_of: &[Keyword]) {
    let exact = any_of.iter().filter_map(|keyword| match keyword {
        Keyword::Exact(value) => Some(value.as_str()),
        Keyword::Prefix(_) => None,
    });
    statement
        .push("(")
        .push(value)
        .push(" IN UNNEST(")
        .bind_texts(exact)
        .push(")");
    for keyword in any_of {
        if let Keyword::Prefix(prefix) = keyword {
            statement.push(" OR STARTS_WITH(").push(value).push(", ");
            statement.bind_text(prefix).push(")");
        }
    }
    statement.push(")");
}

fn push_number(
    statement: &mut Statement,
    field: &str,
    lower: Bound<f64>,
    upper: Bound<f64>,
    opposite: bool,
) {
    let column = NUMBER_FIELDS
        .iter()
        .find(|f| **f == field && field != "pictures");
    let is_sure = |bound: &Bound<f64>| match bound {
        Bound::Included(n) | Bound::Excluded(n) => n.abs() < GREATEST,
        Bound::Unbounded => true,
    };
    let Some(column) = column.filter(|_| is_sure(&lower) && is_sure(&upper)) else {
        statement.push(ALWAYS);
        return;
    };
    statement.push(if opposite { "NOT (" } else { "(" });
    statement.push(column).push(" IS NOT NULL");
    for (bound, including, excluding) in [(lower, " >= ", " > "), (upper, " <= ", " < ")] {
        let (operator, value) = match bound {
            Bound::Included(value) => (including, value),
            Bound::Excluded(value) => (excluding, value),
            Bound::Unbounded => continue,
        };
        // A number that is missing makes no part of this unknown: `NOT` would leave it so.
        statement
            .push(" AND IFNULL(CAST(")
            .push(column)
            .push(" AS FLOAT64)");
        statement.push(operator).bind_number(value).push(", FALSE)");
    }
    statement.push(")");
}

/// Rows hold times cut to the microsecond, so that a bound is met by what is cut as the bound is.
fn push_time(
    statement: &mut Statement,
    field: TimeField,
    lower: Bound<Timestamp>,
    upper: Bound<Timestamp>,
    opposite: bool,
) {
    let column = match field {
        TimeField::Published => "published_at",
        TimeField::Collected => "collected_at",
    };
    let inclusive = |bound| match bound {
        Bound::Included(time) | Bound::Excluded(time) if time >= first_time() => Some(cut(time)),
        _ => None,
    };
    let bounds = [
        (inclusive(lower), " >= ", " <= "),
        (inclusive(upper), " <= ", " >= "),
    ];
    // A bound that nothing kept here can be before says nothing, or that nothing is there: core knows.
    let is_early = matches!(upper, Bound::Included(t) | Bound::Excluded(t) if t < first_time());
    if is_early {
        statement.push(ALWAYS);
        return;
    }
    statement.push("(").push(column);
    statement.push(if opposite { " IS NULL" } else { " IS NOT NULL" });
    for (bound, within, beyond) in bounds {
        if let Some(time) = bound {
            statement
                .push(if opposite { " OR " } else { " AND " })
                .push(column);
            statement
                .push(if opposite { beyond } else { within })
                .bind_time(time);
        }
    }
    statement.push(")");
}

fn cut(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn condition(text: &str) -> Statement {
        let mut statement = Statement::default();
        push(&mut statement, &text.parse().unwrap());
        statement
    }

    #[test]
    fn values_are_never_text_of_the_statement() {
        let statement =
            condition(r#"silhouette:"' OR 1=1 --" x-y:"`" hashtag:"a'*" platform:"é'""#);
        assert!(
            !statement.sql.contains("1=1") && !statement.sql.contains("x-y"),
            "{}",
            statement.sql
        );
        assert_eq!(statement.parameters.len(), 6);
        assert!(
            statement.sql.contains("a.`keys` = @p0"),
            "{}",
            statement.sql
        );
    }

    #[test]
    fn what_rows_do_not_hold_is_left_to_core() {
        for text in [
            "coat",
            "author:maison",
            "pictures:>=2",
            "score:>=0.5",
            "id:a",
            "likes:>=1e19",
            "*",
        ] {
            assert_eq!(condition(text).sql, ALWAYS, "{text}");
            if text != "*" {
                assert_eq!(condition(&format!("-{text}")).sql, ALWAYS, "-{text}");
            }
        }
        assert_eq!(condition("-*").sql, "FALSE");
    }

    #[test]
    fn negations_reach_the_tests_and_bounds_are_never_too_narrow() {
        let statement = condition("-(coat hashtag:ootd published:[2026-01-01 TO 2026-02-01})");
        assert_eq!(
            statement.sql,
            "(TRUE OR NOT EXISTS (SELECT 1 FROM UNNEST(hashtags) v WHERE (v IN UNNEST(@p0))) OR \
             (published_at IS NULL OR published_at <= @p1 OR published_at >= @p2))"
        );
        assert_eq!(
            statement.parameters[1]["parameterValue"]["value"],
            "2026-01-01T00:00:00.000000Z"
        );
        let open = condition("published:>2026-01-01T00:00:00.0000009Z");
        assert_eq!(
            open.sql,
            "(published_at IS NOT NULL AND published_at >= @p0)"
        );
        assert_eq!(
            open.parameters[0]["parameterValue"]["value"],
            "2026-01-01T00:00:00.000000Z"
        );
    }

    #[test]
    fn what_is_too_deep_or_too_long_is_left_to_core() {
        let mut deep: Filter = "hashtag:red".parse().unwrap();
        for level in 0..90 {
            let other: Filter = "brand:x".parse().unwrap();
            deep = match level % 2 {
                0 => Filter::And(vec![deep, other]),
                _ => Filter::Or(vec![deep, other]),
            };
        }
        let mut statement = Statement::default();
        push(&mut statement, &deep);
        assert!(
            statement.sql.matches('(').count() < 200,
            "{}",
            statement.sql
        );
        let long = Filter::Or(vec!["hashtag:red".parse().unwrap(); MOST_PARAMETERS + 1]);
        let mut statement = Statement::new("WHERE ");
        push(&mut statement, &long);
        assert_eq!(statement, Statement::new("WHERE TRUE"));
    }
}
