//! Where erased posts and authors lie.

use std::collections::BTreeSet;

use heurpipe_core::{AuthorRef, Digest, ErasureKey, PostId, Result};
use mongodb::bson::{Bson, Document, doc};

use super::database::{Database, Durability};
use super::records::{binary, digest};
use super::server::{About, TOMBSTONES};
use crate::documents::graves::GraveKey;

/// Hashes that are asked for at a time.
const ASKED: usize = 5_000;

/// Hashes under a key, so that the database does not tell who was erased.
#[derive(Debug)]
pub(super) struct Graveyard {
    key: GraveKey,
}

/// Of what was asked, what lies in the graveyard.
#[derive(Debug, Default)]
pub(super) struct Buried(BTreeSet<Digest>);

impl Buried {
    pub(super) fn holds_one_of(&self, hashes: &[Digest]) -> bool {
        hashes.iter().any(|hash| self.0.contains(hash))
    }
}

impl Graveyard {
    pub(super) fn of(about: About) -> Self {
        Self {
            key: GraveKey::of_bytes(about.tombstone_key),
        }
    }

    /// Those of another key.
    pub(super) fn under(key: &ErasureKey) -> Self {
        Self {
            key: GraveKey::of(key),
        }
    }

    /// The key of the hashes.
    pub(super) fn key(&self) -> &ErasureKey {
        self.key.key()
    }

    pub(super) fn of_post(&self, id: &PostId) -> Digest {
        self.key.of_post(id)
    }

    pub(super) fn of_author(&self, author: &AuthorRef) -> Digest {
        self.key.of_author(author)
    }

    /// The hashes under which a post may lie here: those of its ids and of its author's names.
    pub(super) fn of_all<'a>(
        &self,
        posts: impl IntoIterator<Item = &'a PostId>,
        authors: &[AuthorRef],
    ) -> Vec<Digest> {
        let posts = posts.into_iter().map(|id| self.of_post(id));
        let authors = authors.iter().map(|author| self.of_author(author));
        posts.chain(authors).collect()
    }

    /// Which of these lie here. It is asked where it is written, so that whoever was erased a moment ago is found.
    pub(super) async fn buried(
        &self,
        database: &Database,
        operation: &'static str,
        hashes: BTreeSet<Digest>,
    ) -> Result<Buried> {
        let asked: Vec<Bson> = hashes.iter().map(binary).collect();
        let mut buried = BTreeSet::new();
        for hashes in asked.chunks(ASKED) {
            let query = doc! {"_id": {"$in": hashes.to_vec()}};
            let found = database
                .find_newest(operation, TOMBSTONES, query, doc! {"_id": 1})
                .await?;
            buried.extend(found.iter().filter_map(|stone| digest(stone, "_id")));
        }
        Ok(Buried(buried))
    }

    pub(super) async fn bury(
        &self,
        database: &Database,
        operation: &'static str,
        hashes: BTreeSet<Digest>,
    ) -> Result<()> {
        // A stone that is set again stays as it is.
        let stone = |hash| doc! {"q": {"_id": binary(hash)}, "u": {"$setOnInsert": {"is": "tombstone"}}, "upsert": true};
        let stones: Vec<Document> = hashes.iter().map(stone).collect();
        database
            .put(operation, TOMBSTONES, &stones, Durability::Full)
            .await
    }
}
