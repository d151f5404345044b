//! Where erased posts and authors lie.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use heurpipe_core::{AuthorRef, Digest, ErasureKey, PostId};

use crate::documents::graves::GraveKey;

/// Hashes under a key, as the stores have them that outlive the process: so they can be taken to one, and from one.
#[derive(Debug)]
pub(super) struct Graveyard {
    key: GraveKey,
    hashes: BTreeSet<Digest>,
}

impl Default for Graveyard {
    fn default() -> Self {
        // Each hasher begins with numbers that no other has.
        let random = (0_u64..4).flat_map(|n| RandomState::new().hash_one(n).to_le_bytes());
        Self {
            key: GraveKey::of_bytes(random.collect()),
            hashes: BTreeSet::new(),
        }
    }
}

impl Graveyard {
    pub(super) fn holds_post(&self, id: &PostId) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&self.key.of_post(id))
    }

    pub(super) fn holds_author(&self, author: &AuthorRef) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&self.key.of_author(author))
    }

    pub(super) fn bury_post(&mut self, id: &PostId) {
        self.hashes.insert(self.key.of_post(id));
    }

    pub(super) fn bury_author(&mut self, author: &AuthorRef) {
        self.hashes.insert(self.key.of_author(author));
    }

    pub(super) fn key(&self) -> &ErasureKey {
        self.key.key()
    }

    /// Takes another key. Whether that could be done: under another one those who lie here would not be recognised.
    pub(super) fn adopt(&mut self, key: &ErasureKey) -> bool {
        let same = self.key.key() == key;
        if !same && self.hashes.is_empty() {
            self.key = GraveKey::of(key);
            return true;
        }
        same
    }

    pub(super) fn hashes(&self) -> &BTreeSet<Digest> {
        &self.hashes
    }

    pub(super) fn bury_hash(&mut self, hash: Digest) {
        self.hashes.insert(hash);
    }
}
