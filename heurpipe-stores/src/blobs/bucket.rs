//! Blobs as objects in a bucket: `ab/cd/DIGEST`.
//!
//! An object appears under its name only when all of it is there; that is what both services promise. Any number of processes may write at a time: those that
//! put the same bytes put the same object.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use heurpipe_core::{Blobs, Digest, Result};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::{changed, not_found};
use crate::objects::failure;
use crate::{Mode, objects};

/// A blob store in a bucket of Google Cloud Storage or S3.
#[derive(Debug, Clone)]
pub struct BucketBlobs {
    store: Arc<dyn ObjectStore>,
    mode: Mode,
}

impl BucketBlobs {
    /// Opens a bucket by URL, and asks it once whether it is there.
    ///
    /// # Errors
    /// `Config` for a URL that cannot be read; `NotFound` when there is no such bucket; `Unauthenticated` or `PermissionDenied` when it refuses.
    pub async fn open(url: &str, mode: Mode) -> Result<Self> {
        let store = objects::open_there(url, "blobs.open").await?;
        Ok(Self { store, mode })
    }

    /// Whether an object is there, and whole.
    async fn length(&self, path: &Path, operation: &'static str) -> Result<Option<u64>> {
        match self.store.head(path).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failure(operation, path, error)),
        }
    }
}

fn path(digest: &Digest) -> Path {
    let name = digest.to_string();
    Path::from_iter([&name[..2], &name[2..4], &name])
}

#[async_trait]
impl Blobs for BucketBlobs {
    async fn put(&self, bytes: Bytes) -> Result<Digest> {
        const OPERATION: &str = "blobs.put";
        self.mode.check_writable(OPERATION)?;
        let digest = Digest::of(&bytes);
        let path = path(&digest);
        // A question is cheaper than a picture: what was reposted is not sent again.
        if self.length(&path, OPERATION).await? != Some(bytes.len() as u64) {
            self.store
                .put(&path, PutPayload::from_bytes(bytes))
                .await
                .map_err(|error| failure(OPERATION, &path, error))?;
        }
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Bytes> {
        const OPERATION: &str = "blobs.get";
        let path = path(digest);
        let found = match self.store.get(&path).await {
            Ok(found) => found.bytes().await,
            Err(object_store::Error::NotFound { .. }) => return Err(not_found(digest)),
            Err(error) => Err(error),
        };
        let bytes = found.map_err(|error| failure(OPERATION, &path, error))?;
        match Digest::of(&bytes) == *digest {
            true => Ok(bytes),
            false => Err(changed().with("object", path)),
        }
    }

    async fn contains(&self, digest: &Digest) -> Result<bool> {
        let length = self.length(&path(digest), "blobs.contains").await?;
        Ok(length.is_some())
    }

    async fn delete(&self, digest: &Digest) -> Result<()> {
        const OPERATION: &str = "blobs.delete";
        self.mode.check_writable(OPERATION)?;
        let path = path(digest);
        match self.store.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure(OPERATION, &path, error)),
        }
    }
}
