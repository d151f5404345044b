//! Records: loading, compare-and-set, erasing.

use heurpipe_core::{Digest, Flat, ItemResult, PostId, Record, Result, Stored};
use rusqlite::{OptionalExtension, Transaction, params};

use super::failure::Failure;
use super::filter::joined;
use super::parts;
use crate::codec;
use crate::documents::{outdated, tombstoned};
use crate::instant::nanoseconds;

/// A record made ready for storing, apart from the database, so that the writer waits for nobody's arithmetic.
#[derive(Debug)]
pub(super) struct Prepared {
    id: PostId,
    pub(super) aliases: Vec<PostId>,
    /// The revision that it must replace.
    replaces: u64,
    body: String,
    pub(super) analysis: String,
    terms: String,
    pub(super) flat: Flat,
    pub(super) states: Vec<(String, &'static str)>,
}

impl Prepared {
    /// Makes a record ready.
    ///
    /// # Errors
    /// `InvalidInput` when it cannot be stored.
    pub(super) fn new(record: &Record) -> Result<Self> {
        let flat = Flat::of(record);
        // JSON is UTF-8.
        let body = String::from_utf8_lossy(&codec::encode(record)?).into_owned();
        Ok(Self {
            id: record.id().clone(),
            aliases: record.post.aliases.clone(),
            replaces: record.revision,
            body,
            analysis: record.analysis().to_string(),
            terms: joined(&flat.terms),
            states: record
                .states
                .iter()
                .map(|(use_case, state)| (use_case.clone(), state.name()))
                .collect(),
            flat,
        })
    }
}

/// The record in a row. The revision is the row's: the body is written before it is known whether it will be.
pub(super) fn revive(revision: i64, body: &str) -> Result<Record> {
    let mut record = codec::decode(body.as_bytes())?;
    record.revision = revision.unsigned_abs();
    Ok(record)
}

/// What is known of each post.
pub(super) fn load(tx: &Transaction<'_>, ids: &[PostId]) -> Result<Vec<Stored>, Failure> {
    let graveyard = Graveyard::visit(tx)?;
    ids.iter().map(|id| load_one(tx, &graveyard, id)).collect()
}

fn load_one(tx: &Transaction<'_>, graveyard: &Graveyard, id: &PostId) -> Result<Stored, Failure> {
    if graveyard.holds(tx, id)? {
        return Ok(Stored::Tombstoned);
    }
    let Some(seq) = find(tx, id)? else {
        return Ok(Stored::Unknown);
    };
    let mut statement = tx.prepare_cached("SELECT revision, body FROM records WHERE seq = ?")?;
    let (revision, body): (i64, String) =
        statement.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Stored::Known(Box::new(revive(revision, &body)?)))
}

/// The record of this id, else the first that has it as an alias.
fn find(tx: &Transaction<'_>, id: &PostId) -> Result<Option<i64>, Failure> {
    let key = (id.platform.as_str(), &*id.native);
    let own = tx
        .prepare_cached("SELECT seq FROM records WHERE platform = ? AND native = ?")?
        .query_row(key, |row| row.get(0))
        .optional()?;
    if own.is_some() {
        return Ok(own);
    }
    Ok(tx
        .prepare_cached(
            "SELECT r.seq FROM aliases a JOIN records r ON r.seq = a.record
             WHERE a.platform = ? AND a.native = ? ORDER BY r.platform, r.native LIMIT 1",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?)
}

/// Stores what replaces the stored revision; one outcome each.
pub(super) fn commit(
    tx: &Transaction<'_>,
    records: Vec<Result<Prepared>>,
) -> Result<Vec<ItemResult<u64>>, Failure> {
    let graveyard = Graveyard::visit(tx)?;
    records
        .into_iter()
        .map(|prepared| match prepared {
            Ok(prepared) => commit_one(tx, &graveyard, &prepared),
            Err(error) => Ok(Err(error)),
        })
        .collect()
}

fn commit_one(
    tx: &Transaction<'_>,
    graveyard: &Graveyard,
    record: &Prepared,
) -> Result<ItemResult<u64>, Failure> {
    for id in std::iter::once(&record.id).chain(&record.aliases) {
        if graveyard.holds(tx, id)? {
            return Ok(Err(tombstoned(&record.id)));
        }
    }
    let written = if record.replaces == 0 {
        insert(tx, record)?
    } else {
        update(tx, record)?
    };
    let Some(seq) = written else {
        let stored = stored_revision(tx, &record.id)?;
        return Ok(Err(outdated(&record.id, record.replaces, stored)));
    };
    match record.replaces {
        0 => parts::write(tx, seq, record)?,
        _ => parts::replace(tx, seq, record)?,
    }
    Ok(Ok(record.replaces + 1))
}

/// The new row's `seq`; none when there is a record already.
fn insert(tx: &Transaction<'_>, record: &Prepared) -> Result<Option<i64>, Failure> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO records (platform, native, revision, published, collected, analysis, terms, body)
         VALUES (?, ?, 1, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq",
    )?;
    let flat = &record.flat;
    let values = params![
        record.id.platform.as_str(),
        &*record.id.native,
        flat.published.map(nanoseconds),
        flat.collected.map_or(0, nanoseconds),
        record.analysis,
        record.terms,
        record.body,
    ];
    Ok(statement.query_row(values, |row| row.get(0)).optional()?)
}

/// The replaced row's `seq`; none when there is no record, or another revision of it.
fn update(tx: &Transaction<'_>, record: &Prepared) -> Result<Option<i64>, Failure> {
    let mut statement = tx.prepare_cached(
        "UPDATE records SET revision = revision + 1, published = ?, collected = ?, analysis = ?, terms = ?, body = ?
         WHERE platform = ? AND native = ? AND revision = ? RETURNING seq",
    )?;
    let flat = &record.flat;
    let values = params![
        flat.published.map(nanoseconds),
        flat.collected.map_or(0, nanoseconds),
        record.analysis,
        record.terms,
        record.body,
        record.id.platform.as_str(),
        &*record.id.native,
        i64::try_from(record.replaces).unwrap_or(i64::MAX),
    ];
    Ok(statement.query_row(values, |row| row.get(0)).optional()?)
}

fn stored_revision(tx: &Transaction<'_>, id: &PostId) -> Result<u64, Failure> {
    let revision: Option<i64> = tx
        .prepare_cached("SELECT revision FROM records WHERE platform = ? AND native = ?")?
        .query_row((id.platform.as_str(), &*id.native), |row| row.get(0))
        .optional()?;
    Ok(revision.unwrap_or(0).unsigned_abs())
}

/// Removes posts and remembers, by keyed hash, that they must not come back, under whatever id they were known.
pub(super) fn tombstone(tx: &Transaction<'_>, ids: &[PostId]) -> Result<(), Failure> {
    let graveyard = Graveyard::visit(tx)?;
    for id in ids {
        graveyard.bury(tx, id)?;
        let Some(seq) = find(tx, id)? else { continue };
        for known in names(tx, seq)? {
            graveyard.bury(tx, &known)?;
        }
        parts::delete(tx, seq)?;
        tx.execute("DELETE FROM records WHERE seq = ?", [seq])?;
    }
    Ok(())
}

/// The id of a record and its aliases.
fn names(tx: &Transaction<'_>, seq: i64) -> Result<Vec<PostId>, Failure> {
    let mut statement = tx.prepare_cached(
        "SELECT platform, native FROM records WHERE seq = ?1
         UNION ALL SELECT platform, native FROM aliases WHERE record = ?1",
    )?;
    let names = statement.query_map([seq], |row| {
        let (platform, native): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(PostId::new(heurpipe_core::Platform::new(&platform), native))
    })?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Where erased posts lie: hashes under a key, so that the database does not tell who was erased.
struct Graveyard {
    key: Vec<u8>,
    empty: bool,
}

impl Graveyard {
    fn visit(tx: &Transaction<'_>) -> Result<Self, Failure> {
        let (key, empty) = tx
            .prepare_cached(
                "SELECT value, NOT EXISTS (SELECT 1 FROM tombstones) FROM secrets WHERE name = 'tombstones'",
            )?
            .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self { key, empty })
    }

    fn hash(&self, id: &PostId) -> Digest {
        let name = id.to_string();
        Digest::of_parts([self.key.as_slice(), name.as_bytes()])
    }

    fn holds(&self, tx: &Transaction<'_>, id: &PostId) -> Result<bool, Failure> {
        if self.empty {
            return Ok(false);
        }
        Ok(tx
            .prepare_cached("SELECT 1 FROM tombstones WHERE post = ?")?
            .exists([self.hash(id).as_bytes()])?)
    }

    fn bury(&self, tx: &Transaction<'_>, id: &PostId) -> Result<(), Failure> {
        tx.prepare_cached("INSERT OR IGNORE INTO tombstones VALUES (?)")?
            .execute([self.hash(id).as_bytes()])?;
        Ok(())
    }
}
