//! Records: loading, compare-and-set.

use heurpipe_core::{AuthorRef, Flat, ItemResult, Platform, PostId, Record, Result, Stored};
use rusqlite::{OptionalExtension, Transaction, params};

use super::archived;
use super::failure::Failure;
use super::graveyard::Graveyard;
use super::parts;
use crate::codec;
use crate::documents::phrase::spaced;
use crate::documents::{outdated, tombstoned};
use crate::instant::nanoseconds;

/// A record made ready for storing, apart from the database, so that the writer waits for nobody's arithmetic.
#[derive(Debug)]
pub(super) struct Prepared {
    id: PostId,
    pub(super) aliases: Vec<PostId>,
    authors: Vec<AuthorRef>,
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
            authors: record.post.author_names(),
            replaces: record.revision,
            body,
            analysis: record.analysis().to_string(),
            terms: spaced(&flat.terms),
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
    if graveyard.holds_post(tx, id)? {
        return Ok(Stored::Tombstoned);
    }
    let Some(seq) = find(tx, id)? else {
        let mark = archived::find(tx, id)?;
        return Ok(
            mark.map_or(Stored::Unknown, |(post, revision)| Stored::Archived {
                post,
                revision,
            }),
        );
    };
    let mut statement = tx.prepare_cached("SELECT revision, body FROM records WHERE seq = ?")?;
    let (revision, body): (i64, String) =
        statement.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Stored::Known(Box::new(revive(revision, &body)?)))
}

/// The record of this id, else the first that has it as an alias.
pub(super) fn find(tx: &Transaction<'_>, id: &PostId) -> Result<Option<i64>, Failure> {
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
    let mut names = std::iter::once(&record.id).chain(&record.aliases);
    if graveyard.holds_one_of(tx, &mut names, &record.authors)? {
        return Ok(Err(tombstoned(&record.id)));
    }
    if let Some(seq) = update(tx, record)? {
        parts::replace(tx, seq, record)?;
        return Ok(Ok(record.replaces + 1));
    }
    let archived = archived::revision(tx, &record.id)?;
    if archived.unwrap_or(0) == record.replaces
        && let Some(seq) = insert(tx, record, record.replaces + 1)?
    {
        parts::write(tx, seq, record)?;
        if archived.is_some() {
            archived::forget(tx, &record.id)?;
        }
        return Ok(Ok(record.replaces + 1));
    }
    let stored = stored_revision(tx, &record.id)?;
    let stored = stored.or(archived).unwrap_or(0);
    Ok(Err(outdated(&record.id, record.replaces, stored)))
}

/// Stores a record with a revision that another store has given it, where there is none and its post may be stored.
pub(super) fn take_in(
    tx: &Transaction<'_>,
    record: &Prepared,
    revision: u64,
) -> Result<(), Failure> {
    let graveyard = Graveyard::visit(tx)?;
    let mut names = std::iter::once(&record.id).chain(&record.aliases);
    if graveyard.holds_one_of(tx, &mut names, &record.authors)? {
        return Ok(());
    }
    if let Some(seq) = insert(tx, record, revision)? {
        parts::write(tx, seq, record)?;
    }
    Ok(())
}

/// The new row's `seq`; none when there is a record already.
fn insert(tx: &Transaction<'_>, record: &Prepared, revision: u64) -> Result<Option<i64>, Failure> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO records (platform, native, revision, published, collected, analysis, terms, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq",
    )?;
    let flat = &record.flat;
    let values = params![
        record.id.platform.as_str(),
        &*record.id.native,
        as_stored(revision),
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
    if record.replaces == 0 {
        return Ok(None);
    }
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
        as_stored(record.replaces),
    ];
    Ok(statement.query_row(values, |row| row.get(0)).optional()?)
}

/// Lets go of records, if they have the given revisions; one outcome each.
pub(super) fn remove(
    tx: &Transaction<'_>,
    records: &[(PostId, u64)],
) -> Result<Vec<ItemResult<()>>, Failure> {
    records
        .iter()
        .map(|(id, revision)| remove_one(tx, id, *revision))
        .collect()
}

fn remove_one(tx: &Transaction<'_>, id: &PostId, revision: u64) -> Result<ItemResult<()>, Failure> {
    let key = (id.platform.as_str(), &*id.native);
    let stored: Option<(i64, i64)> = tx
        .prepare_cached("SELECT seq, revision FROM records WHERE platform = ? AND native = ?")?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((seq, stored)) = stored else {
        return Ok(Ok(()));
    };
    if stored.unsigned_abs() != revision {
        return Ok(Err(outdated(id, revision, stored.unsigned_abs())));
    }
    archived::mark(tx, id, &names(tx, seq)?, revision)?;
    delete(tx, seq)?;
    Ok(Ok(()))
}

/// Removes a record and whatever finds it.
pub(super) fn delete(tx: &Transaction<'_>, seq: i64) -> Result<(), Failure> {
    parts::delete(tx, seq)?;
    tx.prepare_cached("DELETE FROM records WHERE seq = ?")?
        .execute([seq])?;
    Ok(())
}

/// The id of a record, then its aliases.
pub(super) fn names(tx: &Transaction<'_>, seq: i64) -> Result<Vec<PostId>, Failure> {
    let mut statement = tx.prepare_cached(
        "SELECT platform, native FROM records WHERE seq = ?1
         UNION ALL SELECT platform, native FROM aliases WHERE record = ?1",
    )?;
    let names = statement.query_map([seq], |row| {
        let (platform, native): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(PostId::new(Platform::new(&platform), native))
    })?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// A revision as the tables keep it.
pub(super) fn as_stored(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn stored_revision(tx: &Transaction<'_>, id: &PostId) -> Result<Option<u64>, Failure> {
    let revision: Option<i64> = tx
        .prepare_cached("SELECT revision FROM records WHERE platform = ? AND native = ?")?
        .query_row((id.platform.as_str(), &*id.native), |row| row.get(0))
        .optional()?;
    Ok(revision.map(i64::unsigned_abs))
}
