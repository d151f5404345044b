//! Only one reading statement, and only of the table `posts`.
//!
//! The account that asks may see more than this warehouse: other tables of the project, connections to other databases, functions that call out. A query
//! names none of these. The text is sent as it was written, within a statement of ours; the server's own word on what kind of statement it became is asked
//! for, too.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, ObjectName, Query, Statement, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::BigQueryDialect;
use datafusion::sql::sqlparser::parser::Parser;
use heurpipe_core::{Error, ErrorKind, Result, Retry};

const OPERATION: &str = "warehouse.sql";

/// What a query may name besides the tables that it defines itself.
const TABLE: &str = "posts";

/// Namespaces of functions that compute and do no more.
const NAMESPACES: &[&str] = &["safe", "net", "hll_count"];

/// A query that may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checked<'a> {
    /// As it was written, without the semicolon at its end.
    pub(super) text: &'a str,
    /// Whether it begins with tables of its own (`WITH`).
    pub(super) defines_tables: bool,
}

/// A query that is one reading statement.
///
/// # Errors
/// `InvalidInput` when it is no SQL, not exactly one statement, or names another table; `PermissionDenied` when it would change something or call out.
pub(super) fn checked(query: &str) -> Result<Checked<'_>> {
    let invalid = |message: String| Error::new(ErrorKind::InvalidInput, OPERATION).message(message);
    let statements = Parser::parse_sql(&BigQueryDialect {}, query)
        .map_err(|error| invalid(format!("the query is not valid: {error}")))?;
    let [statement] = &statements[..] else {
        return Err(invalid("a query is exactly one statement".to_owned())
            .with("statements", statements.len()));
    };
    let Statement::Query(parsed) = statement else {
        return Err(refused(&statement.to_string()));
    };
    let mut defined = Defined(BTreeSet::from([TABLE.to_owned()]));
    let _ = statement.visit(&mut defined);
    match statement.visit(&mut Named(defined.0)) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(Checked {
            text: query.trim_end().trim_end_matches(';'),
            defines_tables: parsed.with.is_some(),
        }),
    }
}

/// The error for a statement that would do more than read.
pub(super) fn refused(statement: &str) -> Error {
    let verb: Vec<&str> = statement.split_whitespace().take(2).collect();
    Error::new(ErrorKind::PermissionDenied, OPERATION)
        .retryable(Retry::Permanent)
        .message("the warehouse is read-only for queries; allowed is SELECT")
        .with("statement", verb.join(" "))
}

/// Tables that a query defines itself.
struct Defined(BTreeSet<String>);

impl Visitor for Defined {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.0
            .extend(tables.map(|table| table.alias.name.value.to_lowercase()));
        ControlFlow::Continue(())
    }
}

/// Ends at the first name that a query may not use; holds those of tables that it may.
struct Named(BTreeSet<String>);

impl Visitor for Named {
    type Break = Error;

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<Error> {
        match statement {
            Statement::Query(_) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(refused(&statement.to_string())),
        }
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<Error> {
        let is_known = |part: &str| self.0.contains(&part.to_lowercase());
        match parts(name).as_slice() {
            [one] if is_known(one) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(
                Error::new(ErrorKind::InvalidInput, OPERATION)
                    .message("a query reads the table posts only; a list of it is read by UNNEST")
                    .with("table", name),
            ),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        match factor {
            TableFactor::Table { args: None, .. }
            | TableFactor::Derived { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::NestedJoin { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. } => ControlFlow::Continue(()),
            other => ControlFlow::Break(refused(&other.to_string())),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else {
            return ControlFlow::Continue(());
        };
        match parts(&function.name).as_slice() {
            [_] => ControlFlow::Continue(()),
            [space, _] if NAMESPACES.contains(&&*space.to_lowercase()) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(refused(&function.name.to_string())),
        }
    }
}

/// The parts of a name; quotation marks may hold several.
fn parts(name: &ObjectName) -> Vec<String> {
    let text = name.to_string().replace('`', "");
    text.split('.').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reading_statements_pass_as_they_were_written() {
        for query in [
            "SELECT count(*) FROM posts",
            "SELECT platform, COUNT(*) n FROM posts WHERE 'red' IN UNNEST(colour) GROUP BY platform ORDER BY n DESC LIMIT 3",
            "WITH x AS (SELECT * FROM posts) SELECT h FROM x, UNNEST(hashtags) AS h",
            "SELECT TIMESTAMP_TRUNC(published_at, DAY), SUBSTR(text, 1) FROM posts AS p WHERE p.likes > 3",
            "SELECT id FROM posts QUALIFY ROW_NUMBER() OVER (PARTITION BY platform ORDER BY likes DESC) = 1",
            "SELECT 'DROP TABLE posts; --' FROM posts UNION ALL (SELECT text FROM posts)",
        ] {
            let checked = checked(query).unwrap();
            assert_eq!(
                (checked.text, checked.defines_tables),
                (query, query.starts_with("WITH"))
            );
        }
        assert_eq!(checked("SELECT 1 ;\n").unwrap().text, "SELECT 1 ");
    }

    #[test]
    fn what_changes_something_or_calls_out_is_refused() {
        for query in [
            "DROP TABLE posts",
            "DELETE FROM posts WHERE TRUE",
            "INSERT INTO posts SELECT * FROM posts",
            "UPDATE posts SET text = '' WHERE TRUE",
            "CREATE TABLE t AS SELECT * FROM posts",
            "SELECT * FROM EXTERNAL_QUERY('us.other', 'SELECT 1')",
            "SELECT other.remote_function(text) FROM posts",
            // The parser does not know this prefix: better refused than let through unseen.
            "SELECT SAFE.SUBSTR(text, 1) FROM posts",
            "SELECT `p.other.f`(text) FROM posts",
        ] {
            let error = checked(query).unwrap_err();
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::InvalidInput
                ),
                "{query}: {error}"
            );
        }
        assert_eq!(
            checked("DROP TABLE posts").unwrap_err().kind(),
            ErrorKind::PermissionDenied
        );
    }

    #[test]
    fn other_tables_and_several_statements_are_refused() {
        for query in [
            "",
            "SELECT 1; SELECT 2",
            "SELECT FROM WHERE",
            "SELECT 1) ; DROP TABLE x; SELECT (1",
            "SELECT * FROM other.secrets",
            "SELECT * FROM `p.other.secrets`",
            "SELECT * FROM secrets",
            "SELECT * FROM other.INFORMATION_SCHEMA.TABLES",
            "SELECT (SELECT x FROM other.secrets LIMIT 1) FROM posts",
            "WITH x AS (SELECT * FROM other.secrets) SELECT * FROM x",
        ] {
            let error = checked(query).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{query}: {error}");
        }
    }
}
