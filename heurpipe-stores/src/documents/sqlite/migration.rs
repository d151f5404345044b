//! Tables of earlier versions brought up to date.

use rusqlite::{Connection, Transaction};

use super::failure::Failure;
use super::{records, schema};

/// How many records are read at a time.
const PAGE: i64 = 500;

/// The indexes whose names are needed for others.
const DROPPED: &str = "
DROP INDEX records_by_analysis;
DROP INDEX states_by_name;
DROP INDEX dead_letters_by_time;
";

/// What was a table of version 1 has become this one, and its rows.
const STATES: &str = "
INSERT INTO states SELECT s.record, s.use_case, s.state, r.analysis FROM states_1 s JOIN records r ON r.seq = s.record;
DROP TABLE states_1;
";

/// Dead letters as versions 2 and 3 kept them.
const DEAD_LETTERS_2: &str = "
CREATE TABLE dead_letters (
    key TEXT PRIMARY KEY, use_case TEXT NOT NULL, stage TEXT NOT NULL, cause TEXT NOT NULL,
    at INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX dead_letters_by_time ON dead_letters (at, key, use_case, stage, cause);
CREATE INDEX dead_letters_by_cause ON dead_letters (use_case, stage, cause);
";

const DEAD_LETTERS: &str = "
INSERT INTO dead_letters
    SELECT key, use_case, json_extract(body, '$.stage'), json_extract(body, '$.cause'), at, body FROM dead_letters_1;
DROP TABLE dead_letters_1;
";

/// Makes room for tables and indexes that have other columns now.
const MOVED_3: &str = "
DROP INDEX dead_letters_by_time;
DROP INDEX dead_letters_by_cause;
DROP INDEX tasks_by_time;
ALTER TABLE dead_letters RENAME TO dead_letters_3;
ALTER TABLE tasks RENAME TO tasks_3;
";

const FROM_3: &str = "
INSERT INTO dead_letters
    SELECT key, use_case, stage, cause, at, body, json_extract(body, '$.post') FROM dead_letters_3;
DROP TABLE dead_letters_3;
INSERT INTO tasks SELECT id, use_case, asked, body, json_extract(body, '$.post') FROM tasks_3;
DROP TABLE tasks_3;
";

/// Brings tables of an earlier version up to this one, version by version.
pub(super) fn bring_up(connection: &mut Connection, from: i64) -> Result<(), Failure> {
    if from < 2 {
        from_1(connection)?;
    }
    if from < 3 {
        from_2(connection)?;
    }
    from_3(connection)
}

/// Brings tables of version 3 to version 4, which lets go of records and finds whatever is about a post.
fn from_3(connection: &mut Connection) -> Result<(), Failure> {
    let tx = connection.transaction()?;
    tx.execute_batch(MOVED_3)?;
    for tables in [
        schema::DEAD_LETTERS,
        schema::TASKS,
        schema::RECORDS_BY_TIME,
        schema::ARCHIVED,
        schema::LIKENESSES_BY_PICTURE,
    ] {
        tx.execute_batch(tables)?;
    }
    tx.execute_batch(FROM_3)?;
    tx.pragma_update(None, "user_version", 4)?;
    tx.commit()?;
    Ok(())
}

/// Brings tables of version 2 to version 3, which knows what analysed pictures look like.
fn from_2(connection: &mut Connection) -> Result<(), Failure> {
    let tx = connection.transaction()?;
    tx.execute_batch(schema::LIKENESSES)?;
    tx.pragma_update(None, "user_version", 3)?;
    tx.commit()?;
    Ok(())
}

/// Brings tables of version 1 to version 2, all or none of them.
///
/// Version 2 knows a dead letter's stage and cause, repeats each record's analysis in its states, counts more into an analysis than version 1
/// did, and remembers findings.
fn from_1(connection: &mut Connection) -> Result<(), Failure> {
    let tx = connection.transaction()?;
    tx.execute_batch(DROPPED)?;
    analyse_again(&tx)?;
    tx.execute_batch(schema::RECORDS_BY_ANALYSIS)?;

    tx.execute_batch("ALTER TABLE states RENAME TO states_1")?;
    tx.execute_batch(schema::STATES)?;
    tx.execute_batch(STATES)?;

    tx.execute_batch("ALTER TABLE dead_letters RENAME TO dead_letters_1")?;
    tx.execute_batch(DEAD_LETTERS_2)?;
    tx.execute_batch(DEAD_LETTERS)?;

    tx.execute_batch(schema::FINDINGS)?;
    tx.pragma_update(None, "user_version", 2)?;
    tx.commit()?;
    Ok(())
}

/// Writes every record's analysis as it is counted now. A record that cannot be read keeps what it has: whoever reads it is told.
fn analyse_again(tx: &Transaction<'_>) -> Result<(), Failure> {
    let mut page =
        tx.prepare("SELECT seq, revision, body FROM records WHERE seq > ? ORDER BY seq LIMIT ?")?;
    let mut update = tx.prepare("UPDATE records SET analysis = ? WHERE seq = ?")?;
    let mut after = i64::MIN;
    loop {
        // Rows are not changed while they are being read.
        let rows = page.query_map((after, PAGE), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        let rows: Vec<(i64, i64, String)> = rows.collect::<Result<_, _>>()?;
        let Some((last, ..)) = rows.last() else {
            return Ok(());
        };
        after = *last;
        for (seq, revision, body) in rows {
            if let Ok(record) = records::revive(revision, &body) {
                update.execute((record.analysis().as_str(), seq))?;
            }
        }
    }
}
