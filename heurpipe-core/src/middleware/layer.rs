//! What a wrapper does around a call, whatever the part.

use std::borrow::Borrow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{
    Batch, Checkpoint, Enriched, Error, ErrorKind, Finding, Fingerprint, ItemResult, Page, PostId,
    Record, Result,
};

/// What is done around each call to a part; [`Layered`](super::Layered) makes a part of a part and a layer.
///
/// What an implementer must uphold: outcomes come back one per item and in order; dropping a call at any point is safe if it is safe for
/// the part; no task outlives the call.
#[async_trait]
pub trait Layer: Send + Sync + 'static {
    /// Around a call without items: `partitions`, `settled`, `flush`. `work` makes the call; it may be asked for more than one.
    async fn call<T, W, F>(&self, call: &Call<'_>, work: W) -> Result<T>
    where
        T: Send,
        W: Fn() -> F + Send + Sync,
        F: Future<Output = Result<T>> + Send;

    /// Around a call on a batch: `enrich`, `judge`, `write`.
    async fn batch<I, R, W>(&self, call: &Call<'_>, items: &I, work: &W) -> Result<Answer<R>>
    where
        I: Items + ?Sized,
        R: Send,
        W: Work<I, R>;

    /// Around the pages of a partition. `read` opens the part's stream at a checkpoint; it may be asked for more than one.
    fn pages(
        self: Arc<Self>,
        part: String,
        from: Checkpoint,
        read: Read,
    ) -> BoxStream<'static, Result<Page>>;
}

/// A call about to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call<'a> {
    /// The kind of part: `source`, `enricher`, `gate`, `sink`.
    pub kind: &'static str,
    /// The method: `partitions`, `read` (a page), `settled`, `enrich`, `judge`, `write`, `flush`.
    pub method: &'static str,
    /// The part's name.
    pub part: &'a str,
    /// Items handed over.
    pub items: usize,
}

impl<'a> Call<'a> {
    /// A call of a part's method.
    pub fn new(kind: &'static str, method: &'static str, part: &'a str, items: usize) -> Self {
        Self {
            kind,
            method,
            part,
            items,
        }
    }

    /// The page that a source is asked for next.
    pub fn page(part: &'a str) -> Self {
        Self::new("source", "read", part, 0)
    }

    /// An error of this call: it names the operation and the part.
    pub fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, format!("{}.{}", self.kind, self.method)).with("part", self.part)
    }
}

/// Opens a part's stream of pages at a checkpoint.
pub type Read = Arc<dyn Fn(Checkpoint) -> BoxStream<'static, Result<Page>> + Send + Sync>;

/// Makes a part's call on a batch.
#[async_trait]
pub trait Work<I: ?Sized, R>: Sync {
    /// Hands the items to the part.
    async fn run(&self, items: &I) -> Result<Answer<R>>;
}

/// Items that are handed over together.
pub trait Items: Send + Sync {
    /// A batch that owns its items.
    type Owned: Borrow<Self> + Send + Sync;

    /// How many.
    fn count(&self) -> usize;

    /// The post that the item at this place belongs to.
    fn post(&self, place: usize) -> &PostId;

    /// Those at these places, in this order.
    fn pick(&self, places: &[usize]) -> Self::Owned;
}

impl Items for [Arc<Record>] {
    type Owned = Vec<Arc<Record>>;

    fn count(&self) -> usize {
        self.len()
    }

    fn post(&self, place: usize) -> &PostId {
        self[place].id()
    }

    fn pick(&self, places: &[usize]) -> Self::Owned {
        places.iter().map(|p| Arc::clone(&self[*p])).collect()
    }
}

impl Items for Batch {
    type Owned = Batch;

    fn count(&self) -> usize {
        self.len()
    }

    fn post(&self, place: usize) -> &PostId {
        self.items[place].record.id()
    }

    fn pick(&self, places: &[usize]) -> Self::Owned {
        Batch::new(places.iter().map(|p| self.items[*p].clone()).collect())
    }
}

/// What a part answers to a batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer<R> {
    /// One outcome per item, in order.
    pub outcomes: Vec<ItemResult<R>>,
    /// What an enricher ran with.
    pub fingerprint: Option<Fingerprint>,
    /// CPU time on compute threads.
    pub cpu: Duration,
}

impl<R> Answer<R> {
    /// The outcomes of a batch.
    pub fn new(outcomes: Vec<ItemResult<R>>) -> Self {
        Self {
            outcomes,
            fingerprint: None,
            cpu: Duration::ZERO,
        }
    }
}

impl From<Enriched> for Answer<Vec<Finding>> {
    fn from(enriched: Enriched) -> Self {
        Self {
            outcomes: enriched.outcomes,
            fingerprint: Some(enriched.fingerprint),
            cpu: enriched.cpu,
        }
    }
}
