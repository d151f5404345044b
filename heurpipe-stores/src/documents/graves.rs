//! Under what erased posts and authors are remembered.

use heurpipe_core::{AuthorRef, Digest, ErasureKey, PostId};

/// The key of a store's hashes: without it what is remembered does not tell who was erased.
#[derive(Debug)]
pub(super) struct GraveKey(ErasureKey);

impl GraveKey {
    pub(super) fn of_bytes(bytes: Vec<u8>) -> Self {
        Self(ErasureKey::from_bytes(bytes))
    }

    pub(super) fn of(key: &ErasureKey) -> Self {
        Self(key.clone())
    }

    pub(super) fn key(&self) -> &ErasureKey {
        &self.0
    }

    pub(super) fn of_post(&self, id: &PostId) -> Digest {
        Digest::of_parts([self.0.as_bytes(), id.to_string().as_bytes()])
    }

    /// One part more than a post has, so that no author is taken for a post.
    pub(super) fn of_author(&self, author: &AuthorRef) -> Digest {
        let name = author.to_string();
        Digest::of_parts([self.0.as_bytes(), b"author", name.as_bytes()])
    }
}
