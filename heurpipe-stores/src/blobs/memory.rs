//! Blobs in memory, for tests and trials.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use heurpipe_core::{Blobs, Digest, Result, StoredBlob};
use jiff::Timestamp;

use super::not_found;

/// A blob store that begins empty and ends with the value.
#[derive(Debug, Default)]
pub struct MemoryBlobs {
    blobs: Mutex<HashMap<Digest, (Bytes, Timestamp)>>,
}

impl MemoryBlobs {
    /// A store without anything in it.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, (Bytes, Timestamp)>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn put(&self, bytes: Bytes) -> Result<Digest> {
        let digest = Digest::of(&bytes);
        self.lock().insert(digest, (bytes, Timestamp::now()));
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Bytes> {
        self.lock()
            .get(digest)
            .map(|(bytes, _)| bytes.clone())
            .ok_or_else(|| not_found(digest))
    }

    async fn contains(&self, digest: &Digest) -> Result<bool> {
        Ok(self.lock().contains_key(digest))
    }

    async fn delete(&self, digest: &Digest) -> Result<()> {
        self.lock().remove(digest);
        Ok(())
    }

    fn list(&self) -> BoxStream<'static, Result<StoredBlob>> {
        let blobs = self.lock();
        let listed = blobs.iter().map(|(digest, (bytes, put_at))| StoredBlob {
            digest: *digest,
            bytes: bytes.len() as u64,
            put_at: *put_at,
        });
        let listed: Vec<StoredBlob> = listed.collect();
        stream::iter(listed).map(Ok).boxed()
    }
}
