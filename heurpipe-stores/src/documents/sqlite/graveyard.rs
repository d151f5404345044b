//! Where erased posts and authors lie.

use heurpipe_core::{AuthorRef, Digest, ErasureKey, PostId};
use rusqlite::Transaction;

use super::failure::Failure;
use crate::documents::graves::GraveKey;

/// Hashes under a key, so that the database does not tell who was erased.
pub(super) struct Graveyard {
    key: GraveKey,
    empty: bool,
}

impl Graveyard {
    pub(super) fn visit(tx: &Transaction<'_>) -> Result<Self, Failure> {
        let (key, empty) = tx
            .prepare_cached(
                "SELECT value, NOT EXISTS (SELECT 1 FROM tombstones) FROM secrets WHERE name = 'tombstones'",
            )?
            .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self {
            key: GraveKey::of_bytes(key),
            empty,
        })
    }

    /// The key of the hashes.
    pub(super) fn key(&self) -> &ErasureKey {
        self.key.key()
    }

    /// Whether nobody lies here.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    pub(super) fn holds_post(&self, tx: &Transaction<'_>, id: &PostId) -> Result<bool, Failure> {
        if self.empty {
            return Ok(false);
        }
        holds(tx, &self.key.of_post(id))
    }

    /// Whether one of these lies here.
    pub(super) fn holds_one_of(
        &self,
        tx: &Transaction<'_>,
        posts: &mut dyn Iterator<Item = &PostId>,
        authors: &[AuthorRef],
    ) -> Result<bool, Failure> {
        if self.empty {
            return Ok(false);
        }
        for id in posts {
            if holds(tx, &self.key.of_post(id))? {
                return Ok(true);
            }
        }
        for author in authors {
            if holds(tx, &self.key.of_author(author))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn bury_post(&self, tx: &Transaction<'_>, id: &PostId) -> Result<(), Failure> {
        bury(tx, &self.key.of_post(id))
    }

    pub(super) fn bury_author(
        &self,
        tx: &Transaction<'_>,
        author: &AuthorRef,
    ) -> Result<(), Failure> {
        bury(tx, &self.key.of_author(author))
    }
}

fn holds(tx: &Transaction<'_>, hash: &Digest) -> Result<bool, Failure> {
    Ok(tx
        .prepare_cached("SELECT 1 FROM tombstones WHERE post = ?")?
        .exists([hash.as_bytes()])?)
}

fn bury(tx: &Transaction<'_>, hash: &Digest) -> Result<(), Failure> {
    tx.prepare_cached("INSERT OR IGNORE INTO tombstones VALUES (?)")?
        .execute([hash.as_bytes()])?;
    Ok(())
}
