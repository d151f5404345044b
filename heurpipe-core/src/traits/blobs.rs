//! Bytes by their digest.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use jiff::Timestamp;

use crate::Result;
use crate::model::Digest;

/// Keeps bytes under their SHA-256. Putting the same bytes again changes nothing.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores bytes. Durable when it returns. Bytes that are there already count as put anew, though a store need not take note of it more than once a day:
    /// whoever clears away what nobody refers to leaves alone what was put of late.
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

    /// All that is stored, each once, in no particular order. What is put or deleted meanwhile may be among it or not.
    fn list(&self) -> BoxStream<'static, Result<StoredBlob>>;
}

/// What a store says of some bytes without reading them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlob {
    /// Under what they are stored.
    pub digest: Digest,
    /// How many they are.
    pub bytes: u64,
    /// When they were last put, or up to a day before.
    pub put_at: Timestamp,
}
