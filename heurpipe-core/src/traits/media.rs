//! Fetching the bytes of media while their URLs still work.

use async_trait::async_trait;
use bytes::Bytes;

use super::enricher::ItemResult;
use super::source::KnownPost;
use crate::Result;
use crate::model::{Digest, Media};

/// Fetches media into a blob store.
///
/// What an implementer must uphold: the bytes are in the blob store, durably, before the outcome is given; what cannot be had for good is
/// [`MediaOutcome::Gone`], not an error; an error means that trying again may help, or that a person is needed.
#[async_trait]
pub trait FetchMedia: Send + Sync {
    /// Fetches each medium. One outcome per request, in order.
    async fn fetch(&self, requests: &[MediaRequest]) -> Vec<ItemResult<MediaOutcome>>;

    /// The bytes of a medium fetched earlier.
    ///
    /// # Errors
    /// `NotFound` when they are no longer stored.
    async fn load(&self, digest: &Digest) -> Result<Bytes>;
}

/// A medium to fetch.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MediaRequest {
    /// The post it belongs to.
    pub post: KnownPost,
    /// The medium.
    pub media: Media,
}

impl MediaRequest {
    /// A request for a medium of a post.
    pub fn new(post: impl Into<KnownPost>, media: Media) -> Self {
        Self {
            post: post.into(),
            media,
        }
    }
}

/// What came of fetching a medium.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaOutcome {
    /// The bytes are stored.
    Stored {
        /// Under this digest.
        digest: Digest,
        /// The bytes.
        bytes: Bytes,
        /// What they are, told from the bytes.
        content_type: String,
    },
    /// They cannot be had.
    Gone {
        /// Why.
        reason: String,
    },
}
