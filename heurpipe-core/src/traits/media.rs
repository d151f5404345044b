//! Fetching the bytes of media while their URLs still work.

use async_trait::async_trait;
use bytes::Bytes;

use super::enricher::ItemResult;
use crate::Result;
use crate::model::{Digest, Media, Post, PostId};

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
    pub post: PostId,
    /// The medium.
    pub media: Media,
    /// Other ids of the post: under one of them its source may know it better.
    pub aliases: Vec<PostId>,
    /// The author's handle, where it is known: some sources find a post by its author only.
    pub author: Option<String>,
}

impl MediaRequest {
    /// A request that says no more of the post than its id.
    pub fn new(post: PostId, media: Media) -> Self {
        Self {
            post,
            media,
            aliases: Vec::new(),
            author: None,
        }
    }

    /// A request for one of a post's media.
    pub fn of(post: &Post, media: &Media) -> Self {
        let author = post.author.as_ref();
        Self {
            post: post.id.clone(),
            media: media.clone(),
            aliases: post.aliases.clone(),
            author: author.and_then(|author| author.handle.clone()),
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
