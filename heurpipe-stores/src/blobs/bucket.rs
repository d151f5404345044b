//! Blobs as objects in a bucket: `ab/cd/DIGEST`.
//!
//! An object appears under its name only when all of it is there; that is what both services promise. Any number of processes may write at a time: those that
//! put the same bytes put the same object.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use heurpipe_core::{Blobs, Digest, Result, StoredBlob};
use jiff::{SignedDuration, Timestamp};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload};

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

    /// What the store says of an object; none where there is no such object.
    async fn look(&self, path: &Path, operation: &'static str) -> Result<Option<ObjectMeta>> {
        match self.store.head(path).await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failure(operation, path, error)),
        }
    }
}

/// So long an object counts as just put.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

fn is_recent(found: &ObjectMeta) -> bool {
    put_at(found).duration_until(Timestamp::now()) < RECENT
}

fn put_at(found: &ObjectMeta) -> Timestamp {
    let seconds = found.last_modified.timestamp();
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
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
        // A question is cheaper than a picture: what was reposted is not sent again, but for once a day, since only sending it tells that it was put.
        let found = self.look(&path, OPERATION).await?;
        let length = bytes.len() as u64;
        if !found.is_some_and(|found| found.size == length && is_recent(&found)) {
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
        let found = self.look(&path(digest), "blobs.contains").await?;
        Ok(found.is_some())
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

    fn list(&self) -> BoxStream<'static, Result<StoredBlob>> {
        let listed = self.store.list(None);
        let blob = |found: object_store::Result<ObjectMeta>| {
            let found = match found {
                Ok(found) => found,
                Err(error) => return Some(Err(failure("blobs.list", &Path::default(), error))),
            };
            // Objects of others are none of ours.
            let digest: Digest = found.location.filename()?.parse().ok()?;
            (path(&digest) == found.location).then(|| {
                Ok(StoredBlob {
                    digest,
                    bytes: found.size,
                    put_at: put_at(&found),
                })
            })
        };
        listed
            .filter_map(move |found| std::future::ready(blob(found)))
            .boxed()
    }
}
