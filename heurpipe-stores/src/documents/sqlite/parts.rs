//! What filters and scans ask for, in tables beside the records.
//!
//! Of a record that is stored again only what has changed is written: each value lies in an index of its own place, and few of them change
//! between two revisions.

use std::collections::BTreeSet;

use rusqlite::types::FromSql;
use rusqlite::{Transaction, params};

use super::failure::Failure;
use super::records::Prepared;

/// Writes the parts of a record that has none yet.
pub(super) fn write(tx: &Transaction<'_>, seq: i64, record: &Prepared) -> Result<(), Failure> {
    let mut keyword = tx.prepare_cached("INSERT INTO keywords VALUES (?, ?, ?)")?;
    for (field, value) in keywords(record) {
        keyword.execute((seq, field, value))?;
    }
    let mut number = tx.prepare_cached("INSERT INTO numbers VALUES (?, ?, ?)")?;
    for (field, value) in &record.flat.numbers {
        number.execute((seq, field, value))?;
    }
    let mut state = tx.prepare_cached("INSERT INTO states VALUES (?, ?, ?, ?)")?;
    for (use_case, name) in &record.states {
        state.execute((seq, use_case, name, &record.analysis))?;
    }
    let mut alias = tx.prepare_cached("INSERT OR IGNORE INTO aliases VALUES (?, ?, ?)")?;
    for id in &record.aliases {
        alias.execute((seq, id.platform.as_str(), &*id.native))?;
    }
    Ok(())
}

/// Brings the parts of a record up to date.
pub(super) fn replace(tx: &Transaction<'_>, seq: i64, record: &Prepared) -> Result<(), Failure> {
    replace_keywords(tx, seq, record)?;
    replace_numbers(tx, seq, record)?;
    replace_states(tx, seq, record)?;
    replace_aliases(tx, seq, record)
}

/// Removes the parts of a record.
pub(super) fn delete(tx: &Transaction<'_>, seq: i64) -> Result<(), Failure> {
    for sql in [
        "DELETE FROM keywords WHERE record = ?",
        "DELETE FROM numbers WHERE record = ?",
        "DELETE FROM states WHERE record = ?",
        "DELETE FROM aliases WHERE record = ?",
    ] {
        tx.prepare_cached(sql)?.execute([seq])?;
    }
    Ok(())
}

fn keywords(record: &Prepared) -> impl Iterator<Item = (&str, &str)> {
    let fields = record.flat.keywords.iter();
    fields.flat_map(|(field, values)| values.iter().map(|value| (field.as_str(), value.as_str())))
}

fn replace_keywords(tx: &Transaction<'_>, seq: i64, record: &Prepared) -> Result<(), Failure> {
    let stored: Vec<(String, String)> = pairs(
        tx,
        "SELECT field, value FROM keywords WHERE record = ?",
        seq,
    )?;
    let stored: BTreeSet<(&str, &str)> = stored.iter().map(|(f, v)| (&**f, &**v)).collect();
    let wanted: BTreeSet<(&str, &str)> = keywords(record).collect();
    let mut delete =
        tx.prepare_cached("DELETE FROM keywords WHERE record = ? AND field = ? AND value = ?")?;
    for (field, value) in stored.difference(&wanted) {
        delete.execute((seq, field, value))?;
    }
    let mut insert = tx.prepare_cached("INSERT INTO keywords VALUES (?, ?, ?)")?;
    for (field, value) in wanted.difference(&stored) {
        insert.execute((seq, field, value))?;
    }
    Ok(())
}

fn replace_numbers(tx: &Transaction<'_>, seq: i64, record: &Prepared) -> Result<(), Failure> {
    let stored: Vec<(String, f64)> =
        pairs(tx, "SELECT field, value FROM numbers WHERE record = ?", seq)?;
    let wanted = &record.flat.numbers;
    let mut delete = tx.prepare_cached("DELETE FROM numbers WHERE record = ? AND field = ?")?;
    for (field, _) in stored.iter().filter(|(f, _)| !wanted.contains_key(f)) {
        delete.execute((seq, field))?;
    }
    let mut insert = tx.prepare_cached("INSERT OR REPLACE INTO numbers VALUES (?, ?, ?)")?;
    for (field, value) in wanted {
        if !stored.iter().any(|(f, v)| f == field && v == value) {
            insert.execute((seq, field, value))?;
        }
    }
    Ok(())
}

fn replace_states(tx: &Transaction<'_>, seq: i64, record: &Prepared) -> Result<(), Failure> {
    let mut statement =
        tx.prepare_cached("SELECT use_case, state, analysis FROM states WHERE record = ?")?;
    let stored = statement.query_map([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let stored: Vec<(String, String, String)> = stored.collect::<Result<_, _>>()?;
    let mut delete = tx.prepare_cached("DELETE FROM states WHERE record = ? AND use_case = ?")?;
    for (use_case, ..) in &stored {
        if !record.states.iter().any(|(wanted, _)| wanted == use_case) {
            delete.execute((seq, use_case))?;
        }
    }
    let mut insert = tx.prepare_cached("INSERT INTO states VALUES (?, ?, ?, ?)")?;
    // Each column is in an index of its own, which is left alone where the column stays the same.
    let mut enter =
        tx.prepare_cached("UPDATE states SET state = ? WHERE record = ? AND use_case = ?")?;
    let mut analyse =
        tx.prepare_cached("UPDATE states SET analysis = ? WHERE record = ? AND use_case = ?")?;
    for (use_case, name) in &record.states {
        match stored.iter().find(|(known, ..)| known == use_case) {
            None => {
                insert.execute(params![seq, use_case, name, record.analysis])?;
            }
            Some((_, state, analysis)) => {
                if state != name {
                    enter.execute(params![name, seq, use_case])?;
                }
                if *analysis != record.analysis {
                    analyse.execute(params![record.analysis, seq, use_case])?;
                }
            }
        }
    }
    Ok(())
}

fn replace_aliases(tx: &Transaction<'_>, seq: i64, record: &Prepared) -> Result<(), Failure> {
    let stored: Vec<(String, String)> = pairs(
        tx,
        "SELECT platform, native FROM aliases WHERE record = ?",
        seq,
    )?;
    let wanted = record.aliases.iter();
    let wanted: Vec<(&str, &str)> = wanted
        .map(|id| (id.platform.as_str(), &*id.native))
        .collect();
    let mut delete =
        tx.prepare_cached("DELETE FROM aliases WHERE record = ? AND platform = ? AND native = ?")?;
    for (platform, native) in &stored {
        if !wanted.contains(&(platform, native)) {
            delete.execute((seq, platform, native))?;
        }
    }
    let mut insert = tx.prepare_cached("INSERT OR IGNORE INTO aliases VALUES (?, ?, ?)")?;
    for (platform, native) in wanted {
        if !stored.iter().any(|(p, n)| p == platform && n == native) {
            insert.execute((seq, platform, native))?;
        }
    }
    Ok(())
}

fn pairs<A: FromSql, B: FromSql>(
    tx: &Transaction<'_>,
    sql: &str,
    seq: i64,
) -> Result<Vec<(A, B)>, Failure> {
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_map([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
