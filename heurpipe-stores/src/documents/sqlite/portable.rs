//! Giving out and taking in all that is kept.

use heurpipe_core::{
    Analysed, CheckpointKey, Collection, Digest, Entry, EntryPage, ErasureKey, Likeness, Partition,
    PictureHash, PostId, Result,
};
use rusqlite::{Row, Transaction, params};

use super::failure::Failure;
use super::graveyard::Graveyard;
use super::progress::{read, row_limit, written};
use super::records::{self, Prepared, revive};
use super::{archived, findings, letters, likenesses, progress};
use crate::documents::{erased_under_another_key, no_such_place, unknown_entry};
use crate::instant::nanoseconds;

/// The key under which the erased are remembered.
pub(super) fn key(tx: &Transaction<'_>) -> Result<ErasureKey, Failure> {
    Ok(Graveyard::visit(tx)?.key().clone())
}

/// Takes another store's key, where nobody was erased under this one's own.
pub(super) fn adopt(tx: &Transaction<'_>, key: &ErasureKey) -> Result<(), Failure> {
    let graveyard = Graveyard::visit(tx)?;
    if graveyard.key() == key {
        return Ok(());
    }
    if !graveyard.is_empty() {
        return Err(erased_under_another_key().into());
    }
    tx.execute(
        "UPDATE secrets SET value = ? WHERE name = 'tombstones'",
        [key.as_bytes()],
    )?;
    Ok(())
}

/// Entries of a collection after a place; of these, one more than asked for tells whether there are others.
pub(super) fn export(
    tx: &Transaction<'_>,
    collection: Collection,
    after: Option<&str>,
    limit: usize,
) -> Result<EntryPage, Failure> {
    let most = row_limit(limit).saturating_add(1);
    let mut placed = match collection {
        Collection::Erased => erased(tx, after, most)?,
        Collection::Records => all_records(tx, after, most)?,
        Collection::Archived => all_archived(tx, after, most)?,
        Collection::DeadLetters => bodies(
            tx,
            "SELECT key, body FROM dead_letters WHERE key > ? ORDER BY key LIMIT ?",
            (after.unwrap_or_default(), most),
            |body| Ok(Entry::DeadLetter(read(body)?)),
        )?,
        Collection::Tasks => tasks(tx, after, most)?,
        Collection::Findings => all_findings(tx, after, most)?,
        Collection::Checkpoints => checkpoints(tx, after, most)?,
        Collection::Runs => bodies(
            tx,
            "SELECT id, body FROM runs WHERE id > ? ORDER BY id LIMIT ?",
            (after.unwrap_or_default(), most),
            |body| Ok(Entry::Run(read(body)?)),
        )?,
        Collection::Memos => memos(tx, after, most)?,
        _ => Vec::new(),
    };
    let more = placed.len() > limit;
    placed.truncate(limit);
    let next = placed
        .last()
        .filter(|_| more)
        .map(|(place, _)| place.clone());
    let entries = placed.into_iter().filter_map(|(_, entry)| entry).collect();
    Ok(EntryPage { entries, next })
}

/// Entries, each with the place after which the next one comes. One that cannot be read and need not be is none.
type Placed = Vec<(String, Option<Entry>)>;

/// What a query's rows are; its second column is the text that makes the entry.
fn bodies(
    tx: &Transaction<'_>,
    sql: &str,
    (after, most): (&str, i64),
    entry: impl Fn(&str) -> Result<Entry>,
) -> Result<Placed, Failure> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query((after, most))?;
    let mut placed = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        placed.push((row.get(0)?, Some(entry(&body)?)));
    }
    Ok(placed)
}

fn erased(tx: &Transaction<'_>, after: Option<&str>, most: i64) -> Result<Placed, Failure> {
    let mut statement =
        tx.prepare_cached("SELECT post FROM tombstones WHERE post > ? ORDER BY post LIMIT ?")?;
    let mut rows = statement.query((hash(after)?, most))?;
    let mut placed = Vec::new();
    while let Some(row) = rows.next()? {
        let hash = Digest::from_bytes(row.get(0)?);
        placed.push((hash.to_string(), Some(Entry::Erased(hash))));
    }
    Ok(placed)
}

fn all_records(tx: &Transaction<'_>, after: Option<&str>, most: i64) -> Result<Placed, Failure> {
    let (platform, native) = match after {
        Some(place) => {
            let id: PostId = place.parse().map_err(|_| no_such_place(place))?;
            (id.platform.as_str().to_owned(), id.native.to_string())
        }
        None => Default::default(),
    };
    let mut statement = tx.prepare_cached(
        "SELECT revision, body FROM records WHERE (platform, native) > (?, ?) ORDER BY platform, native LIMIT ?",
    )?;
    let mut rows = statement.query((platform, native, most))?;
    let mut placed = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        let record = revive(row.get(0)?, &body)?;
        let place = record.id().to_string();
        placed.push((place, Some(Entry::Record(Box::new(record)))));
    }
    Ok(placed)
}

fn all_archived(tx: &Transaction<'_>, after: Option<&str>, most: i64) -> Result<Placed, Failure> {
    let mut statement = tx.prepare_cached(
        "SELECT DISTINCT post, revision FROM archived WHERE post > ? ORDER BY post LIMIT ?",
    )?;
    let mut rows = statement.query((after.unwrap_or_default(), most))?;
    let mut placed = Vec::new();
    while let Some(row) = rows.next()? {
        let (own, revision): (String, i64) = (row.get(0)?, row.get(1)?);
        let post: PostId = own.parse()?;
        let mut aliases = archived::names(tx, &post)?;
        aliases.retain(|name| *name != post);
        aliases.sort();
        let entry = Entry::Archived {
            post,
            aliases,
            revision: revision.unsigned_abs(),
        };
        placed.push((own, Some(entry)));
    }
    Ok(placed)
}

fn tasks(tx: &Transaction<'_>, after: Option<&str>, most: i64) -> Result<Placed, Failure> {
    let mut statement =
        tx.prepare_cached("SELECT id, body FROM tasks WHERE id > ? ORDER BY id LIMIT ?")?;
    let mut rows = statement.query((hash(after)?, most))?;
    let mut placed = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        let id = Digest::from_bytes(row.get(0)?);
        placed.push((id.to_string(), Some(Entry::Task(read(&body)?))));
    }
    Ok(placed)
}

/// What cannot be read is left out: it is not known here either.
fn all_findings(tx: &Transaction<'_>, after: Option<&str>, most: i64) -> Result<Placed, Failure> {
    let number = |place: &str| place.parse::<i64>().map_err(|_| no_such_place(place));
    let after = after.map(number).transpose()?.unwrap_or(i64::MIN);
    let mut statement = tx.prepare_cached(
        "SELECT f.seq, f.key, f.body, l.picture, l.kind, l.hash FROM findings f
         LEFT JOIN likenesses l ON l.finding = f.seq WHERE f.seq > ? ORDER BY f.seq LIMIT ?",
    )?;
    let mut rows = statement.query((after, most))?;
    let mut placed = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(2)?;
        let (key, picture) = (Digest::from_bytes(row.get(1)?), picture(row)?);
        let readable = serde_json::from_str(&body).ok();
        let entry = readable.map(|findings| Entry::Findings {
            key,
            findings,
            picture,
        });
        placed.push((row.get::<_, i64>(0)?.to_string(), entry));
    }
    Ok(placed)
}

fn picture(row: &Row<'_>) -> Result<Option<(Digest, Likeness)>, Failure> {
    let Some(picture) = row.get::<_, Option<[u8; 32]>>(3)? else {
        return Ok(None);
    };
    let likeness = Likeness {
        group: Digest::from_bytes(row.get(4)?),
        hash: PictureHash(row.get::<_, i64>(5)?.cast_unsigned()),
    };
    Ok(Some((Digest::from_bytes(picture), likeness)))
}

fn checkpoints(tx: &Transaction<'_>, after: Option<&str>, most: i64) -> Result<Placed, Failure> {
    let all = after.is_none();
    let after: (String, String, String) = match after {
        Some(place) => serde_json::from_str(place).map_err(|_| no_such_place(place))?,
        None => Default::default(),
    };
    let mut statement = tx.prepare_cached(
        "SELECT pipeline, source, part, body FROM checkpoints
         WHERE ?4 OR (pipeline, source, part) > (?1, ?2, ?3) ORDER BY pipeline, source, part LIMIT ?5",
    )?;
    let mut rows = statement.query(params![after.0, after.1, after.2, all, most])?;
    let mut placed = Vec::new();
    while let Some(row) = rows.next()? {
        let key = CheckpointKey {
            pipeline: row.get(0)?,
            source: row.get(1)?,
            partition: Partition(row.get(2)?),
        };
        let body: String = row.get(3)?;
        let place = written(&(&key.pipeline, &key.source, &key.partition.0))?;
        placed.push((place, Some(Entry::Checkpoint(key, read(&body)?))));
    }
    Ok(placed)
}

fn memos(tx: &Transaction<'_>, after: Option<&str>, most: i64) -> Result<Placed, Failure> {
    let mut statement =
        tx.prepare_cached("SELECT name, value FROM memos WHERE name > ? ORDER BY name LIMIT ?")?;
    let mut rows = statement.query((after.unwrap_or_default(), most))?;
    let mut placed = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let value = row.get(1)?;
        placed.push((name.clone(), Some(Entry::Memo { name, value })));
    }
    Ok(placed)
}

/// The place after a digest, as its column has it.
fn hash(after: Option<&str>) -> Result<Vec<u8>, Failure> {
    let Some(place) = after else {
        return Ok(Vec::new());
    };
    let digest: Digest = place.parse().map_err(|_| no_such_place(place))?;
    Ok(digest.as_bytes().to_vec())
}

/// An entry made ready for storing, apart from the database.
#[derive(Debug)]
pub(super) enum Ready {
    Record(u64, Box<Prepared>),
    Other(Entry),
}

impl Ready {
    /// Makes an entry ready.
    ///
    /// # Errors
    /// `InvalidInput` when it cannot be stored.
    pub(super) fn new(entry: &Entry) -> Result<Self> {
        match entry {
            Entry::Record(record) => {
                let prepared = Prepared::new(record)?;
                Ok(Self::Record(record.revision, Box::new(prepared)))
            }
            other => Ok(Self::Other(other.clone())),
        }
    }
}

/// Takes in entries, those that are not there.
pub(super) fn import(tx: &Transaction<'_>, entries: &[Ready], most: usize) -> Result<(), Failure> {
    for entry in entries {
        match entry {
            Ready::Record(revision, record) => records::take_in(tx, record, *revision)?,
            Ready::Other(entry) => import_other(tx, entry, most)?,
        }
    }
    Ok(())
}

fn import_other(tx: &Transaction<'_>, entry: &Entry, most: usize) -> Result<(), Failure> {
    match entry {
        Entry::Erased(hash) => {
            tx.prepare_cached("INSERT OR IGNORE INTO tombstones VALUES (?)")?
                .execute([hash.as_bytes()])?;
        }
        Entry::Archived {
            post,
            aliases,
            revision,
        } => import_archived(tx, post, aliases, *revision)?,
        Entry::DeadLetter(letter) => {
            let known = tx
                .prepare_cached("SELECT 1 FROM dead_letters WHERE key = ?")?
                .exists([&letter.key])?;
            if !known {
                letters::bury(tx, std::slice::from_ref(letter))?;
            }
        }
        Entry::Task(task) => progress::ask(tx, std::slice::from_ref(task))?,
        Entry::Findings {
            key,
            findings: found,
            picture,
        } => {
            let rows = findings::encode(&[(*key, found.clone())]);
            findings::remember(tx, &rows, most)?;
            if let Some((picture, likeness)) = picture {
                let analysed = Analysed {
                    key: *key,
                    picture: *picture,
                    likeness: *likeness,
                };
                likenesses::remember(tx, &[analysed])?;
            }
        }
        Entry::Checkpoint(key, checkpoint) => {
            tx.prepare_cached("INSERT OR IGNORE INTO checkpoints VALUES (?, ?, ?, ?)")?
                .execute((
                    &key.pipeline,
                    &key.source,
                    &key.partition.0,
                    written(checkpoint)?,
                ))?;
        }
        Entry::Run(run) => {
            tx.prepare_cached("INSERT OR IGNORE INTO runs VALUES (?, ?, ?)")?
                .execute((&run.report.run, nanoseconds(run.started_at), written(run)?))?;
        }
        Entry::Memo { name, value } => {
            tx.prepare_cached("INSERT OR IGNORE INTO memos VALUES (?, ?)")?
                .execute((name, value))?;
        }
        _ => return Err(unknown_entry().into()),
    }
    Ok(())
}

fn import_archived(
    tx: &Transaction<'_>,
    post: &PostId,
    aliases: &[PostId],
    revision: u64,
) -> Result<(), Failure> {
    let names: Vec<PostId> = std::iter::once(post).chain(aliases).cloned().collect();
    let refused = Graveyard::visit(tx)?.holds_one_of(tx, &mut names.iter(), &[])?;
    let here = tx
        .prepare_cached("SELECT 1 FROM records WHERE platform = ? AND native = ?")?
        .exists((post.platform.as_str(), &*post.native))?;
    if refused || here || archived::revision(tx, post)?.is_some() {
        return Ok(());
    }
    archived::mark(tx, post, &names, revision)
}
