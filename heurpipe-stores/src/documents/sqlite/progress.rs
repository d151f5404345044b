//! What is kept beside records: checkpoints, runs, tasks, memos.

use heurpipe_core::{
    Checkpoint, CheckpointKey, Error, ErrorKind, PostId, Result, ReviewTask, RunRecord,
};
use rusqlite::{OptionalExtension, Params, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::graveyard::Graveyard;
use crate::instant::nanoseconds;

pub(super) fn checkpoint(
    tx: &Transaction<'_>,
    key: &CheckpointKey,
) -> Result<Option<Checkpoint>, Failure> {
    let body: Option<String> = tx
        .prepare_cached(
            "SELECT body FROM checkpoints WHERE pipeline = ? AND source = ? AND part = ?",
        )?
        .query_row((&key.pipeline, &key.source, &key.partition.0), |row| {
            row.get(0)
        })
        .optional()?;
    Ok(body.map(|body| read(&body)).transpose()?)
}

pub(super) fn save_checkpoint(
    tx: &Transaction<'_>,
    key: &CheckpointKey,
    checkpoint: &Checkpoint,
) -> Result<(), Failure> {
    tx.prepare_cached("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?)")?
        .execute((
            &key.pipeline,
            &key.source,
            &key.partition.0,
            written(checkpoint)?,
        ))?;
    Ok(())
}

pub(super) fn save_run(tx: &Transaction<'_>, run: &RunRecord) -> Result<(), Failure> {
    tx.prepare_cached("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)")?
        .execute((&run.report.run, nanoseconds(run.started_at), written(run)?))?;
    Ok(())
}

pub(super) fn runs(tx: &Transaction<'_>, limit: usize) -> Result<Vec<RunRecord>, Failure> {
    bodies(
        tx,
        "SELECT body FROM runs ORDER BY started DESC, id DESC LIMIT ?",
        [row_limit(limit)],
    )
}

/// Stores tasks, apart from those about what was erased.
pub(super) fn ask(tx: &Transaction<'_>, tasks: &[ReviewTask]) -> Result<(), Failure> {
    let graveyard = Graveyard::visit(tx)?;
    let mut statement = tx.prepare_cached("INSERT OR IGNORE INTO tasks VALUES (?, ?, ?, ?, ?)")?;
    for task in tasks {
        if graveyard.holds_post(tx, &task.post)? {
            continue;
        }
        statement.execute((
            task.id.as_bytes(),
            &task.use_case,
            nanoseconds(task.asked_at),
            written(task)?,
            task.post.to_string(),
        ))?;
    }
    Ok(())
}

/// Removes the tasks about a post; how many there were.
pub(super) fn forget_tasks(tx: &Transaction<'_>, post: &PostId) -> Result<u64, Failure> {
    let gone = tx
        .prepare_cached("DELETE FROM tasks WHERE post = ?")?
        .execute([post.to_string()])?;
    Ok(gone as u64)
}

pub(super) fn open_tasks(
    tx: &Transaction<'_>,
    use_case: Option<&str>,
    limit: usize,
) -> Result<Vec<ReviewTask>, Failure> {
    bodies(
        tx,
        "SELECT body FROM tasks WHERE ?1 IS NULL OR use_case = ?1 ORDER BY asked, id LIMIT ?2",
        (use_case, row_limit(limit)),
    )
}

pub(super) fn memo(tx: &Transaction<'_>, name: &str) -> Result<Option<String>, Failure> {
    Ok(tx
        .prepare_cached("SELECT value FROM memos WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

pub(super) fn save_memo(tx: &Transaction<'_>, name: &str, value: &str) -> Result<(), Failure> {
    tx.prepare_cached("INSERT OR REPLACE INTO memos VALUES (?, ?)")?
        .execute((name, value))?;
    Ok(())
}

/// The values that a query's first column holds.
pub(super) fn bodies<T: DeserializeOwned>(
    tx: &Transaction<'_>,
    sql: &str,
    values: impl Params,
) -> Result<Vec<T>, Failure> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(0)?;
        found.push(read(&body)?);
    }
    Ok(found)
}

pub(super) fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn written(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(ErrorKind::InvalidInput, "sqlite.write").cause(error))
}

pub(super) fn read<T: DeserializeOwned>(body: &str) -> Result<T> {
    serde_json::from_str(body).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "sqlite.read")
            .message("a stored value cannot be read")
            .cause(error)
    })
}
