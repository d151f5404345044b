//! The tables.

use heurpipe_core::{Error, ErrorKind};
use rusqlite::Connection;

use super::failure::Failure;

/// The version of the tables, kept in `user_version`.
const VERSION: i64 = 1;

/// Marks a database as ours, kept in `application_id`: `heur`.
const APPLICATION: i64 = 0x6865_7572;

/// `seq` is what other tables refer to. What filters ask for lies in tables of its own, clustered by record: a filter is then decided by look-ups
/// that cost the same however common a value is, new records append, and an update finds what it replaces. The indexes by value
/// serve to begin at the few records that have a rare one.
const TABLES: &str = "
CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    platform TEXT NOT NULL,
    native TEXT NOT NULL,
    revision INTEGER NOT NULL,
    published INTEGER,
    collected INTEGER NOT NULL,
    analysis TEXT NOT NULL,
    terms TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_by_id ON records (platform, native);
CREATE INDEX records_by_analysis ON records (analysis);

CREATE TABLE keywords (
    record INTEGER NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (record, field, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX keywords_by_value ON keywords (field, value);

CREATE TABLE numbers (
    record INTEGER NOT NULL, field TEXT NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (record, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE states (
    record INTEGER NOT NULL, use_case TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (record, use_case)
) STRICT, WITHOUT ROWID;
CREATE INDEX states_by_name ON states (use_case, state);

CREATE TABLE aliases (
    record INTEGER NOT NULL, platform TEXT NOT NULL, native TEXT NOT NULL,
    PRIMARY KEY (record, platform, native)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_id ON aliases (platform, native);

CREATE TABLE tombstones (post BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO secrets VALUES ('tombstones', randomblob(32));

CREATE TABLE checkpoints (
    pipeline TEXT NOT NULL, source TEXT NOT NULL, part TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (pipeline, source, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (id TEXT PRIMARY KEY, started INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX runs_by_time ON runs (started, id);

CREATE TABLE dead_letters (
    key TEXT PRIMARY KEY, use_case TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX dead_letters_by_time ON dead_letters (at, key);

CREATE TABLE tasks (
    id BLOB PRIMARY KEY, use_case TEXT NOT NULL, asked INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX tasks_by_time ON tasks (asked, id);

CREATE TABLE memos (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// Whether the database has our tables.
///
/// # Errors
/// `Corrupt` when it has somebody else's, `Config` when a newer program wrote ours.
pub(super) fn is_ready(connection: &Connection) -> Result<bool, Failure> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    let (application, version) = (number("application_id")?, number("user_version")?);
    match (application, version) {
        (0, 0) if tables == 0 => Ok(false),
        (APPLICATION, VERSION) => Ok(true),
        (APPLICATION, other) => Err(of_another_version(other).into()),
        _ => Err(Error::new(ErrorKind::Corrupt, "sqlite.open")
            .message("the file is a database of another program")
            .into()),
    }
}

/// Makes our tables in an empty database, all or none.
pub(super) fn create(connection: &mut Connection) -> Result<(), Failure> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

fn of_another_version(found: i64) -> Error {
    Error::new(ErrorKind::Config, "sqlite.open")
        .message(format!(
            "the database has tables of version {found}, this program knows version {VERSION}"
        ))
        .with("found", found)
        .with("known", VERSION)
}
