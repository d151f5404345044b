//! Dead letters.

use heurpipe_core::{DeadLetter, DeadLetterCount, DeadLetterScan, PostId};
use rusqlite::{Transaction, params, params_from_iter};

use super::failure::Failure;
use super::filter::Condition;
use super::graveyard::Graveyard;
use super::progress::{bodies, row_limit, written};
use crate::instant::nanoseconds;

/// Stores letters, apart from those about what was erased.
pub(super) fn bury(tx: &Transaction<'_>, letters: &[DeadLetter]) -> Result<(), Failure> {
    let graveyard = Graveyard::visit(tx)?;
    let mut statement =
        tx.prepare_cached("INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?)")?;
    for letter in letters {
        let record = letter.record.as_ref();
        let authors = record.map_or_else(Vec::new, |record| record.post.author_names());
        if graveyard.holds_one_of(tx, &mut std::iter::once(&letter.post), &authors)? {
            continue;
        }
        statement.execute(params![
            letter.key,
            letter.use_case,
            letter.stage,
            letter.cause,
            nanoseconds(letter.at),
            written(letter)?,
            letter.post.to_string(),
        ])?;
    }
    Ok(())
}

/// The letters that a scan asks for, oldest first.
pub(super) fn page(
    tx: &Transaction<'_>,
    scan: &DeadLetterScan,
) -> Result<Vec<DeadLetter>, Failure> {
    let query = page_query(scan);
    bodies(tx, &query.sql, params_from_iter(query.values))
}

/// The pages of a scan together read the index once, whatever is asked for, and no body that is not wanted.
pub(super) fn page_query(scan: &DeadLetterScan) -> Condition {
    let mut query = Condition::default();
    query.push("SELECT body FROM dead_letters INDEXED BY dead_letters_by_time WHERE TRUE");
    for (column, wanted) in [
        ("use_case", &scan.use_case),
        ("stage", &scan.stage),
        ("cause", &scan.cause),
    ] {
        if let Some(wanted) = wanted {
            query.push(" AND ").push(column).push(" = ");
            query.bind(wanted.clone());
        }
    }
    if let Some((at, key)) = &scan.after {
        query.push(" AND (at, key) > (").bind(nanoseconds(*at));
        query.push(", ").bind(key.clone()).push(")");
    }
    query.push(" ORDER BY at, key LIMIT ");
    query.bind(row_limit(scan.limit));
    query
}

/// How many letters there are by use case, stage and cause.
pub(super) fn counts(
    tx: &Transaction<'_>,
    use_case: Option<&str>,
) -> Result<Vec<DeadLetterCount>, Failure> {
    let mut query = Condition::default();
    query.push("SELECT use_case, stage, cause, count(*) FROM dead_letters");
    if let Some(use_case) = use_case {
        query.push(" WHERE use_case = ").bind(use_case.to_owned());
    }
    query.push(" GROUP BY use_case, stage, cause ORDER BY use_case, stage, cause");
    let mut statement = tx.prepare_cached(&query.sql)?;
    let counts = statement.query_map(params_from_iter(query.values), |row| {
        Ok(DeadLetterCount {
            use_case: row.get(0)?,
            stage: row.get(1)?,
            cause: row.get(2)?,
            letters: row.get::<_, i64>(3)?.unsigned_abs(),
        })
    })?;
    Ok(counts.collect::<Result<_, _>>()?)
}

pub(super) fn exhume(tx: &Transaction<'_>, keys: &[String]) -> Result<(), Failure> {
    let mut statement = tx.prepare_cached("DELETE FROM dead_letters WHERE key = ?")?;
    for key in keys {
        statement.execute([key])?;
    }
    Ok(())
}

/// Removes the letters about a post; how many there were.
pub(super) fn forget(tx: &Transaction<'_>, post: &PostId) -> Result<u64, Failure> {
    let gone = tx
        .prepare_cached("DELETE FROM dead_letters WHERE post = ?")?
        .execute([post.to_string()])?;
    Ok(gone as u64)
}
