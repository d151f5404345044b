//! Where posts come from.

use std::borrow::Cow;

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Platform, Post, PostId, Record};
use crate::{Outcome, Result};

/// Anything that yields posts or records: an API, an archive, a folder, a store, a queue.
///
/// What an implementer must uphold:
/// - A partition's name is stable between runs; its checkpoint is stored under it.
/// - Reading from a checkpoint that an earlier read yielded misses no post that comes after it; reading some again is allowed.
/// - A page's checkpoint speaks for everything up to the end of that page.
/// - Dropping the stream at any point is safe. An error ends the stream; temporary ones are retried by the executor from the last
///   checkpoint it was given.
#[async_trait]
pub trait Source: Send + Sync {
    /// Name and platform, for plans, logs and checkpoints.
    fn spec(&self) -> &SourceSpec;

    /// The independent streams that this source consists of. They may be read at the same time.
    async fn partitions(&self) -> Result<Vec<Partition>>;

    /// Reads a partition from a checkpoint; [`Checkpoint::default`] is the beginning.
    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>>;

    /// Says that everything up to `upto` is settled, with the outcome of each item. Queues acknowledge here.
    async fn settled(
        &self,
        _partition: &Partition,
        _upto: &Checkpoint,
        _outcomes: &[(PostId, Outcome)],
    ) -> Result<()> {
        Ok(())
    }
}

/// Asks a network for single posts that are known already: to see how they fare, or to have the address of a picture again.
///
/// What an implementer must uphold:
/// - [`Sighting::Gone`] is said only where the network says so outright; where it may be a limit in disguise, an error or
///   [`Sighting::CannotTell`] is right.
/// - The post that comes back is the one that was asked for, under whichever of its ids.
#[async_trait]
pub trait LookUpPost: Send + Sync {
    /// The network.
    fn platform(&self) -> Platform;

    /// How the post fares.
    ///
    /// # Errors
    /// When there is no answer: limits, credentials, the network itself.
    async fn look_up(&self, post: &KnownPost) -> Result<Sighting>;
}

/// What is known of a post that is asked for once more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownPost {
    /// Its id.
    pub id: PostId,
    /// Other ids: under one of them its source may know it better.
    pub aliases: Vec<PostId>,
    /// The author's handle, where it is known: some calls find a post by its author only.
    pub author: Option<String>,
}

impl From<PostId> for KnownPost {
    fn from(id: PostId) -> Self {
        Self {
            id,
            aliases: Vec::new(),
            author: None,
        }
    }
}

impl From<&Post> for KnownPost {
    fn from(post: &Post) -> Self {
        let author = post.author.as_ref();
        Self {
            id: post.id.clone(),
            aliases: post.aliases.clone(),
            author: author.and_then(|author| author.handle.clone()),
        }
    }
}

/// How a post fares.
#[derive(Debug, Clone, PartialEq)]
pub enum Sighting {
    /// This is how it is now.
    There(Box<Post>),
    /// The network says that it is no longer there, or no longer to be seen.
    Gone,
    /// This source has no call that tells.
    CannotTell,
}

/// What a source says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceSpec {
    /// Unique within a pipeline; part of the key of its checkpoints.
    pub name: String,
    /// One line for plans: what is read.
    pub description: String,
}

impl SourceSpec {
    /// A source of this name.
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
        }
    }
}

/// An independent stream of a source: an account, a hashtag, a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub String);

/// A run of items and the point reached after them.
#[derive(Debug, Clone)]
pub struct Page {
    /// The items, in the order of the source.
    pub items: Vec<Incoming>,
    /// Where to go on after this page.
    pub checkpoint: Checkpoint,
}

/// What a source yields.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Incoming {
    /// A post as its network gives it.
    Post(Box<Post>),
    /// A full record, ledger and all: from documents, the warehouse, an NDJSON file of our own.
    Record(Box<Record>),
    /// The source says that this post is no longer there.
    Gone(PostId),
    /// An item that could not be read as a post: becomes a dead letter, so that it is counted and not lost.
    Unreadable(Box<Unreadable>),
}

impl Incoming {
    /// The post that the item is about; for an unreadable one, the id that stands for its place.
    pub fn id(&self) -> Cow<'_, PostId> {
        match self {
            Self::Post(post) => Cow::Borrowed(&post.id),
            Self::Record(record) => Cow::Borrowed(record.id()),
            Self::Gone(id) => Cow::Borrowed(id),
            Self::Unreadable(unreadable) => Cow::Owned(unreadable.id()),
        }
    }
}

/// An item of a source that is not a post, and why.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Unreadable {
    /// A name that is stable between reads: file and line, URL and index.
    pub place: String,
    /// What was wrong with it.
    pub reason: String,
    /// The beginning of the payload, for whoever looks into it.
    pub excerpt: String,
}

impl Unreadable {
    /// What stands for the post that it never became: `unreadable:PLACE`.
    pub fn id(&self) -> PostId {
        PostId::new(Platform::new("unreadable"), self.place.as_str())
    }

    /// An unreadable item. Of the payload the first 2,000 characters are kept.
    pub fn new(place: impl Into<String>, reason: impl Into<String>, payload: &str) -> Self {
        Self {
            place: place.into(),
            reason: reason.into(),
            excerpt: payload.chars().take(2000).collect(),
        }
    }
}

/// How far a partition has been read.
///
/// A cursor is the source's own and dies sooner or later; a watermark lasts and serves the next run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Where to resume within this pass; none: at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Cursor>,
    /// The newest post seen by completed passes: time and native id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<(Timestamp, String)>,
}

/// A source's own notion of a place in its stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

impl Checkpoint {
    /// A checkpoint at a cursor.
    pub fn at(cursor: impl Into<String>) -> Self {
        Self {
            resume: Some(Cursor(cursor.into())),
            watermark: None,
        }
    }

    /// Keeps a watermark.
    pub fn with_watermark(mut self, watermark: Option<(Timestamp, String)>) -> Self {
        self.watermark = watermark;
        self
    }
}
