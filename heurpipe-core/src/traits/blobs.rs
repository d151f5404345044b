//! Bytes by their digest.

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;
use crate::model::Digest;

/// Keeps bytes under their SHA-256. Putting the same bytes again changes nothing.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores bytes. Durable when it returns.
    async fn put(&self, bytes: Bytes) -> Result<Digest>;

    /// The bytes.
    ///
    /// # Errors
    /// `NotFound` when there are none under this digest.
    async fn get(&self, digest: &Digest) -> Result<Bytes>;

    /// Whether there are bytes under this digest.
    async fn contains(&self, digest: &Digest) -> Result<bool>;

    /// Removes the bytes; removing what is not there is fine.
    async fn delete(&self, digest: &Digest) -> Result<()>;
}
