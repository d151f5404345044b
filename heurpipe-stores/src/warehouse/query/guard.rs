//! Only reading statements.

use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::Statement as Sql;
use heurpipe_core::{Error, ErrorKind, Result, Retry};

use super::{OPERATION, failure};

/// The one statement of a query.
///
/// # Errors
/// `InvalidInput` when it is no SQL or not exactly one statement; `PermissionDenied` when it would change something.
pub(super) fn parse(query: &str) -> Result<Statement> {
    let mut statements = DFParser::parse_sql(query).map_err(failure::from_datafusion)?;
    match (statements.pop_front(), statements.len()) {
        (Some(statement), 0) => {
            check(&statement)?;
            Ok(statement)
        }
        (_, rest) => Err(Error::new(ErrorKind::InvalidInput, OPERATION)
            .message("a query is exactly one statement")
            .with("statements", if rest == 0 { 0 } else { rest + 1 })),
    }
}

fn check(statement: &Statement) -> Result<()> {
    match statement {
        Statement::Statement(sql) => match **sql {
            Sql::Query(_)
            | Sql::ExplainTable { .. }
            | Sql::ShowTables { .. }
            | Sql::ShowColumns { .. }
            | Sql::ShowFunctions { .. } => Ok(()),
            _ => Err(refused(statement)),
        },
        Statement::Explain(explain) => check(&explain.statement),
        _ => Err(refused(statement)),
    }
}

fn refused(statement: &Statement) -> Error {
    let text = statement.to_string();
    let verb: Vec<&str> = text.split_whitespace().take(2).collect();
    Error::new(ErrorKind::PermissionDenied, OPERATION)
        .retryable(Retry::Permanent)
        .message("the warehouse is read-only for queries; allowed are SELECT, EXPLAIN, DESCRIBE and SHOW")
        .with("statement", verb.join(" "))
}
