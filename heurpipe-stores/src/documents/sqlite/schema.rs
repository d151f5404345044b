//! The tables.

use heurpipe_core::{Error, ErrorKind};
use rusqlite::Connection;

use super::failure::Failure;

/// The version of the tables, kept in `user_version`.
pub(super) const VERSION: i64 = 4;

/// The earliest version that can be brought up to this one.
const EARLIEST: i64 = 1;

/// Marks a database as ours, kept in `application_id`: `heur`.
const APPLICATION: i64 = 0x6865_7572;

/// `seq` is what other tables refer to. What filters ask for lies in tables of its own, clustered by record: a filter is then decided by look-ups
/// that cost the same however common a value is, new records append, and an update finds what it replaces. The indexes by value
/// serve to begin at the few records that have a rare one.
const RECORDS: &str = "
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

CREATE TABLE keywords (
    record INTEGER NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (record, field, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX keywords_by_value ON keywords (field, value);

CREATE TABLE numbers (
    record INTEGER NOT NULL, field TEXT NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (record, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
    record INTEGER NOT NULL, platform TEXT NOT NULL, native TEXT NOT NULL,
    PRIMARY KEY (record, platform, native)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_id ON aliases (platform, native);
";

/// The records of one analysis in order of their ids: those of several are merged.
pub(super) const RECORDS_BY_ANALYSIS: &str = "
CREATE INDEX records_by_analysis ON records (analysis, platform, native);
";

/// The records of a day of publication.
pub(super) const RECORDS_BY_TIME: &str = "
CREATE INDEX records_by_time ON records (published);
";

/// Under which ids records were known that something else keeps now, each with the record's own. A few bytes a post, so that one that comes again
/// is recognised without asking who keeps it.
pub(super) const ARCHIVED: &str = "
CREATE TABLE archived (
    platform TEXT NOT NULL, native TEXT NOT NULL, post TEXT NOT NULL, revision INTEGER NOT NULL,
    PRIMARY KEY (platform, native, post)
) STRICT, WITHOUT ROWID;
CREATE INDEX archived_by_post ON archived (post, revision);
";

/// What use cases think of records. The record's analysis is repeated here, so that those of a use case are counted by one index.
pub(super) const STATES: &str = "
CREATE TABLE states (
    record INTEGER NOT NULL, use_case TEXT NOT NULL, state TEXT NOT NULL, analysis TEXT NOT NULL,
    PRIMARY KEY (record, use_case)
) STRICT, WITHOUT ROWID;
CREATE INDEX states_by_name ON states (use_case, state);
CREATE INDEX states_by_analysis ON states (use_case, analysis);
";

const PROGRESS: &str = "
CREATE TABLE tombstones (post BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO secrets VALUES ('tombstones', randomblob(32));

CREATE TABLE checkpoints (
    pipeline TEXT NOT NULL, source TEXT NOT NULL, part TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (pipeline, source, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (id TEXT PRIMARY KEY, started INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX runs_by_time ON runs (started, id);

CREATE TABLE memos (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

pub(super) const TASKS: &str = "
CREATE TABLE tasks (
    id BLOB PRIMARY KEY, use_case TEXT NOT NULL, asked INTEGER NOT NULL, body TEXT NOT NULL, post TEXT NOT NULL
) STRICT;
CREATE INDEX tasks_by_time ON tasks (asked, id);
CREATE INDEX tasks_by_post ON tasks (post);
";

/// The index by time also tells which letters are asked for, so that bodies are read of those only.
pub(super) const DEAD_LETTERS: &str = "
CREATE TABLE dead_letters (
    key TEXT PRIMARY KEY, use_case TEXT NOT NULL, stage TEXT NOT NULL, cause TEXT NOT NULL,
    at INTEGER NOT NULL, body TEXT NOT NULL, post TEXT NOT NULL
) STRICT;
CREATE INDEX dead_letters_by_time ON dead_letters (at, key, use_case, stage, cause);
CREATE INDEX dead_letters_by_cause ON dead_letters (use_case, stage, cause);
CREATE INDEX dead_letters_by_post ON dead_letters (post);
";

/// Rows are only appended and the oldest removed, so that `seq` tells both how old they are and how many.
pub(super) const FINDINGS: &str = "
CREATE TABLE findings (
    seq INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, body TEXT NOT NULL
) STRICT;
";

/// What the pictures look like in which findings were made, each with where it is looked for; see `documents::near`.
pub(super) const LIKENESSES: &str = "
CREATE TABLE likenesses (
    finding INTEGER PRIMARY KEY, picture BLOB NOT NULL, kind BLOB NOT NULL, hash INTEGER NOT NULL,
    band0 INTEGER NOT NULL, band1 INTEGER NOT NULL, band2 INTEGER NOT NULL, band3 INTEGER NOT NULL
) STRICT;
CREATE INDEX likenesses_by_band0 ON likenesses (band0);
CREATE INDEX likenesses_by_band1 ON likenesses (band1);
CREATE INDEX likenesses_by_band2 ON likenesses (band2);
CREATE INDEX likenesses_by_band3 ON likenesses (band3);
";

/// The likenesses of a picture that must be forgotten.
pub(super) const LIKENESSES_BY_PICTURE: &str = "
CREATE INDEX likenesses_by_picture ON likenesses (picture);
";

/// What a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing yet.
    Nothing,
    /// Our tables of this version.
    Ready,
    /// Our tables of an earlier version.
    Earlier(i64),
}

/// Looks at what a database holds.
///
/// # Errors
/// `Corrupt` when it has somebody else's tables, `Config` when a newer program wrote ours.
pub(super) fn look(connection: &Connection) -> Result<Found, Failure> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    let (application, version) = (number("application_id")?, number("user_version")?);
    match (application, version) {
        (0, 0) if tables == 0 => Ok(Found::Nothing),
        (APPLICATION, VERSION) => Ok(Found::Ready),
        (APPLICATION, EARLIEST..VERSION) => Ok(Found::Earlier(version)),
        (APPLICATION, other) => Err(of_another_version(other).into()),
        _ => Err(Error::new(ErrorKind::Corrupt, "sqlite.open")
            .message("the file is a database of another program")
            .into()),
    }
}

/// Makes our tables in an empty database, all or none.
pub(super) fn create(connection: &mut Connection) -> Result<(), Failure> {
    let transaction = connection.transaction()?;
    for tables in [
        RECORDS,
        RECORDS_BY_ANALYSIS,
        RECORDS_BY_TIME,
        ARCHIVED,
        STATES,
        PROGRESS,
        TASKS,
        DEAD_LETTERS,
        FINDINGS,
        LIKENESSES,
        LIKENESSES_BY_PICTURE,
    ] {
        transaction.execute_batch(tables)?;
    }
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

/// The error for earlier tables in a database that is only read.
pub(super) fn not_up_to_date(found: i64) -> Error {
    Error::new(ErrorKind::Config, "sqlite.open")
        .message(format!(
            "the database has tables of version {found}; the next run brings them up to version {VERSION}"
        ))
        .with("found", found)
        .with("known", VERSION)
}
