//! What is remembered of records that something else keeps now.

use heurpipe_core::PostId;
use rusqlite::{OptionalExtension, Transaction};

use super::failure::Failure;
use super::records::as_stored;

/// The record that was known under this id, and its revision; of several the one whose own id it is.
pub(super) fn find(tx: &Transaction<'_>, id: &PostId) -> Result<Option<(PostId, u64)>, Failure> {
    let key = (id.platform.as_str(), &*id.native, id.to_string());
    let found: Option<(String, i64)> = tx
        .prepare_cached(
            "SELECT post, revision FROM archived WHERE platform = ? AND native = ? ORDER BY post <> ?, post LIMIT 1",
        )?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((post, revision)) = found else {
        return Ok(None);
    };
    Ok(Some((post.parse()?, revision.unsigned_abs())))
}

/// The revision that a record had which is remembered under its own id.
pub(super) fn revision(tx: &Transaction<'_>, post: &PostId) -> Result<Option<u64>, Failure> {
    let revision: Option<i64> = tx
        .prepare_cached("SELECT revision FROM archived WHERE post = ? LIMIT 1")?
        .query_row([post.to_string()], |row| row.get(0))
        .optional()?;
    Ok(revision.map(i64::unsigned_abs))
}

/// Remembers a record under these ids.
pub(super) fn mark(
    tx: &Transaction<'_>,
    post: &PostId,
    names: &[PostId],
    revision: u64,
) -> Result<(), Failure> {
    let mut insert = tx.prepare_cached("INSERT OR REPLACE INTO archived VALUES (?, ?, ?, ?)")?;
    for name in names {
        insert.execute((
            name.platform.as_str(),
            &*name.native,
            post.to_string(),
            as_stored(revision),
        ))?;
    }
    Ok(())
}

/// The ids under which a record is remembered, its own among them.
pub(super) fn names(tx: &Transaction<'_>, post: &PostId) -> Result<Vec<PostId>, Failure> {
    let mut statement =
        tx.prepare_cached("SELECT platform || ':' || native FROM archived WHERE post = ?")?;
    let rows = statement.query_map([post.to_string()], |row| row.get::<_, String>(0))?;
    let mut names = Vec::new();
    for name in rows {
        names.push(name?.parse()?);
    }
    Ok(names)
}

/// Forgets a record. Whether it was remembered.
pub(super) fn forget(tx: &Transaction<'_>, post: &PostId) -> Result<bool, Failure> {
    let gone = tx
        .prepare_cached("DELETE FROM archived WHERE post = ?")?
        .execute([post.to_string()])?;
    Ok(gone > 0)
}
