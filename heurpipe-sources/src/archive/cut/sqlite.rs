//! Rows of a database of SQLite, each an object by column.

use std::ops::ControlFlow;
use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, value::to_raw_value};

use super::{Cut, Item, Role, Take};

/// Gives the rows of a query, in its order. The database is opened for reading only.
///
/// # Errors
/// `InvalidInput` when it is no database or has other tables than the query asks for.
pub(in super::super) fn rows(path: &Path, query: &str, take: &mut Take<'_>) -> Result<()> {
    let wrong = |error: rusqlite::Error| {
        Error::new(ErrorKind::InvalidInput, "archive.read")
            .message("the database cannot be read")
            .with("file", path.display())
            .cause(error)
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
    let mut statement = connection.prepare(query).map_err(wrong)?;
    let columns: Vec<String> = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut rows = statement.query([]).map_err(wrong)?;
    let mut number = 0_u64;
    while let Some(row) = rows.next().map_err(wrong)? {
        let mut object = serde_json::Map::new();
        for (index, column) in columns.iter().enumerate() {
            object.insert(column.clone(), value(row.get_ref(index).map_err(wrong)?));
        }
        let json = to_raw_value(&object)
            .map_err(|error| Error::new(ErrorKind::Internal, "archive.read").cause(error))?;
        let item = Item {
            place: number.to_string(),
            role: Role::Whole,
            json: &json,
        };
        if take(Cut::Item(item)) == ControlFlow::Break(()) {
            break;
        }
        number += 1;
    }
    Ok(())
}

fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        // Pictures stored within: said to be there, read by nobody.
        ValueRef::Blob(bytes) => serde_json::json!({ "bytes": bytes.len() }),
    }
}
