//! Findings by what they were made of.

use heurpipe_core::{Digest, Finding};
use rusqlite::{OptionalExtension, Transaction};

use super::failure::Failure;

/// What is known under each key. What cannot be read is not known: it is made again.
pub(super) fn recall(
    tx: &Transaction<'_>,
    keys: &[Digest],
) -> Result<Vec<Option<Vec<Finding>>>, Failure> {
    let mut statement = tx.prepare_cached("SELECT body FROM findings WHERE key = ?")?;
    let mut known = Vec::with_capacity(keys.len());
    for key in keys {
        let body: Option<String> = statement
            .query_row([key.as_bytes()], |row| row.get(0))
            .optional()?;
        known.push(body.and_then(|body| serde_json::from_str(&body).ok()));
    }
    Ok(known)
}

/// Findings as they are stored. Those that JSON cannot hold are left out: a cache may forget.
pub(super) fn encode(analyses: &[(Digest, Vec<Finding>)]) -> Vec<(Digest, String)> {
    let encode = |(key, findings): &(Digest, Vec<Finding>)| {
        let body = serde_json::to_string(findings).ok()?;
        Some((*key, body))
    };
    let storable =
        |(_, findings): &&(Digest, Vec<Finding>)| findings.iter().all(Finding::is_finite);
    analyses
        .iter()
        .filter(storable)
        .filter_map(encode)
        .collect()
}

/// Keeps findings whose key is not known, and at most `most` altogether: the oldest go, and with them what their pictures look like.
pub(super) fn remember(
    tx: &Transaction<'_>,
    analyses: &[(Digest, String)],
    most: usize,
) -> Result<(), Failure> {
    let mut insert =
        tx.prepare_cached("INSERT OR IGNORE INTO findings (key, body) VALUES (?, ?)")?;
    for (key, body) in analyses {
        insert.execute((key.as_bytes(), body))?;
    }
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    for forget in [
        "DELETE FROM likenesses WHERE finding <= (SELECT max(seq) FROM findings) - ?",
        "DELETE FROM findings WHERE seq <= (SELECT max(seq) FROM findings) - ?",
    ] {
        tx.prepare_cached(forget)?.execute([most])?;
    }
    Ok(())
}

/// Forgets what was found in pictures of which it is known what they look like, and that; how many findings went.
pub(super) fn forget(tx: &Transaction<'_>, pictures: &[Digest]) -> Result<u64, Failure> {
    let mut findings = tx.prepare_cached(
        "DELETE FROM findings WHERE seq IN (SELECT finding FROM likenesses WHERE picture = ?)",
    )?;
    let mut likenesses = tx.prepare_cached("DELETE FROM likenesses WHERE picture = ?")?;
    let mut gone = 0;
    for picture in pictures {
        gone += findings.execute([picture.as_bytes()])? as u64;
        likenesses.execute([picture.as_bytes()])?;
    }
    Ok(gone)
}
