//! What reads attributes off posts and pictures.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::decoder::{PixelRequest, Pixels};
use crate::filter::Filter;
use crate::model::{Digest, Finding, Fingerprint, Media, Platform, Post, PostId, Record, Target};
use crate::{Error, ErrorKind, Result};

/// Reads attributes off a batch of targets.
///
/// What an implementer must uphold:
/// - `enrich` is pure: the same item gives the same findings as long as the fingerprint is the same. Whatever the result
///   depends on (model, version, parameters) is in the fingerprint.
/// - One outcome per item, in the order of the batch. An error of the whole call means that no item was done; the executor then retries
///   or bisects.
/// - CPU work of more than a millisecond runs on [`compute`](crate::compute), not on the calling task, and is reported in [`Enriched::cpu`].
/// - Dropping the future at any point is safe.
#[async_trait]
pub trait Enricher: Send + Sync {
    /// Name, fingerprint, needs, gives and the rest that a plan is made of.
    fn spec(&self) -> &EnricherSpec;

    /// Reads the attributes of each item.
    async fn enrich(&self, batch: &Batch) -> Result<Enriched>;

    /// Does what is better done before the first post comes: warming up a model, making a connection. A run calls it once, before any source is
    /// read; an error ends the run. `enrich` must work without it.
    async fn prepare(&self) -> Result<()> {
        Ok(())
    }
}

/// What an enricher says of itself.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EnricherSpec {
    /// Unique within a pipeline.
    pub name: String,
    /// For people; the fingerprint is what counts.
    pub version: String,
    /// What its results depend on, besides the input.
    pub fingerprint: Fingerprint,
    /// Attributes that must be there before it runs.
    pub needs: Vec<String>,
    /// Attributes it gives.
    pub gives: Vec<String>,
    /// What one item of a batch is.
    pub granularity: Granularity,
    /// What it wants to see of each item.
    pub input: Input,
    /// How dear it is.
    pub cost: Cost,
    /// The confidence from which its word counts.
    pub threshold: Option<f32>,
    /// Runs only on records that match.
    pub when: Option<Filter>,
    /// Runs beside the promoted enricher for comparison: what it says is kept and does not count.
    pub shadow: bool,
    /// Runs only on this share of all posts, 0 to 1, chosen by the hash of their ids: the same in every run. None: on all.
    pub sample: Option<f64>,
}

impl EnricherSpec {
    /// An enricher that sees the record, item by post.
    ///
    /// The fingerprint is made of name and version; an enricher with a model or parameters adds them by
    /// [`fingerprint`](Self::fingerprint).
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            fingerprint: Fingerprint::of([name, version]),
            needs: Vec::new(),
            gives: Vec::new(),
            granularity: Granularity::Post,
            input: Input::Record,
            cost: Cost::Cheap,
            threshold: None,
            when: None,
            shadow: false,
            sample: None,
        }
    }

    /// Attributes that must be there before it runs.
    pub fn needs<T: Into<String>>(mut self, attributes: impl IntoIterator<Item = T>) -> Self {
        self.needs = attributes.into_iter().map(Into::into).collect();
        self
    }

    /// Attributes it gives.
    pub fn gives<T: Into<String>>(mut self, attributes: impl IntoIterator<Item = T>) -> Self {
        self.gives = attributes.into_iter().map(Into::into).collect();
        self
    }

    /// Makes each picture an item, and hands over its bytes as stored.
    pub fn bytes(mut self) -> Self {
        self.granularity = Granularity::Media;
        self.input = Input::Bytes;
        self
    }

    /// Makes each picture an item, and hands over its pixels as asked for.
    pub fn pixels(mut self, request: PixelRequest) -> Self {
        self.granularity = Granularity::Media;
        self.input = Input::Pixels(request);
        self
    }

    /// Makes each part of a picture that was found under `attribute` an item, instead of each picture. To be called after [`pixels`](Self::pixels);
    /// the attribute becomes the first of its needs.
    pub fn regions_of(mut self, attribute: &str) -> Self {
        self.granularity = Granularity::Region;
        self.needs.retain(|need| need != attribute);
        self.needs.insert(0, attribute.to_owned());
        self
    }

    /// Says what the results depend on.
    pub fn fingerprint(mut self, fingerprint: Fingerprint) -> Self {
        self.fingerprint = fingerprint;
        self
    }

    /// Says how dear it is.
    pub fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Whether its work depends on an attribute: it needs it, or its condition asks for it.
    pub fn builds_upon(&self, attribute: &str) -> bool {
        let asks = |filter: &Filter| filter.fields().contains(attribute);
        self.needs.iter().any(|need| need == attribute) || self.when.as_ref().is_some_and(asks)
    }

    /// The confidence from which its word counts, 0 to 1.
    pub fn threshold(mut self, threshold: f32) -> Self {
        self.threshold = Some(threshold);
        self
    }
}

/// What one item of a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// A post.
    Post,
    /// A picture.
    Media,
    /// A region that an earlier enricher found in a picture.
    Region,
}

/// What an enricher wants to see of each item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input {
    /// The record only.
    Record,
    /// The picture's bytes, as stored.
    Bytes,
    /// Decoded pixels.
    Pixels(PixelRequest),
}

/// How dear an enricher is; the plan runs the cheap before the dear.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// Well under a millisecond of CPU an item.
    Cheap,
    /// About so many CPU-milliseconds an item.
    CpuMs(f64),
}

impl Cost {
    /// The estimate in CPU-milliseconds an item.
    pub fn cpu_ms(self) -> f64 {
        match self {
            Self::Cheap => 0.1,
            Self::CpuMs(ms) => ms,
        }
    }
}

/// Items to be enriched together; each distinct picture comes once.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Batch {
    /// The items.
    pub items: Vec<Item>,
}

impl Batch {
    /// A batch of these items.
    pub fn new(items: Vec<Item>) -> Self {
        Self { items }
    }

    /// How many items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// One target with what the enricher asked to see of it. Cheap to clone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Item {
    /// The record that the target belongs to, with all annotations so far.
    pub record: Arc<Record>,
    /// The target.
    pub target: Target,
    /// The bytes as stored, if the input is [`Input::Bytes`].
    pub bytes: Option<Bytes>,
    /// The pixels, if the input is [`Input::Pixels`].
    pub pixels: Option<Arc<Pixels>>,
}

impl Item {
    /// A target of a record.
    pub fn new(record: Arc<Record>, target: Target) -> Self {
        Self {
            record,
            target,
            bytes: None,
            pixels: None,
        }
    }

    /// The post.
    pub fn post(&self) -> &Post {
        &self.record.post
    }

    /// The pixels.
    ///
    /// # Errors
    /// Where there are none: the enricher's spec did not ask for them.
    pub fn pixels(&self) -> Result<&Arc<Pixels>> {
        self.pixels.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "item.pixels")
                .message("the item came without pixels")
                .with("post", self.record.id())
                .with("target", &self.target)
        })
    }

    /// The stored bytes.
    ///
    /// # Errors
    /// Where there are none: the enricher's spec did not ask for them.
    pub fn bytes(&self) -> Result<&Bytes> {
        self.bytes.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "item.bytes")
                .message("the item came without bytes")
                .with("post", self.record.id())
                .with("target", &self.target)
        })
    }
}

impl From<Post> for Item {
    /// The post as a whole.
    fn from(post: Post) -> Self {
        Self::new(Arc::new(Record::new(post)), Target::Post)
    }
}

impl From<Pixels> for Item {
    /// A picture by itself, of a post that has nothing else.
    fn from(pixels: Pixels) -> Self {
        let id = PostId::new(
            Platform::new("picture"),
            Digest::of(&pixels.bytes).to_string(),
        );
        let mut post = Post::new(id, jiff::Timestamp::UNIX_EPOCH);
        let mut medium = Media::image("picture", "");
        medium.url = None;
        post.media.push(medium);
        let target = Target::Media("picture".to_owned());
        let mut item = Self::new(Arc::new(Record::new(post)), target);
        item.pixels = Some(Arc::new(pixels));
        item
    }
}

/// The outcome of one item of a batch.
pub type ItemResult<T> = std::result::Result<T, Error>;

/// What enriching a batch gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct Enriched {
    /// The fingerprint it really ran with; a model may have been swapped since the plan was made.
    pub fingerprint: Fingerprint,
    /// One outcome per item, in order.
    pub outcomes: Vec<ItemResult<Vec<Finding>>>,
    /// CPU time used outside of the calling task, on compute threads.
    pub cpu: Duration,
}

impl Enriched {
    /// Outcomes of a batch.
    pub fn new(fingerprint: Fingerprint, outcomes: Vec<ItemResult<Vec<Finding>>>) -> Self {
        Self {
            fingerprint,
            outcomes,
            cpu: Duration::ZERO,
        }
    }

    /// Says what it cost on compute threads.
    pub fn cpu(mut self, cpu: Duration) -> Self {
        self.cpu = cpu;
        self
    }
}

/// Convenience for users of enrichers.
#[async_trait]
pub trait EnricherExt: Enricher {
    /// Enriches one post or picture without a pipeline.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> heurpipe_core::Result<()> {
    /// use heurpipe_core::{EnricherExt, EnricherFn, EnricherSpec, Finding, Platform, Post, PostId};
    ///
    /// let loud = EnricherFn::new(EnricherSpec::new("loud", "1").gives(["loud"]), |item| {
    ///     Ok(vec![Finding::label("loud", item.post().text.contains('!').to_string())])
    /// });
    /// let id = PostId::new(Platform::weibo(), "4383183661430868");
    /// let mut post = Post::new(id, jiff::Timestamp::now());
    /// post.text = "look!".to_owned();
    /// assert_eq!(loud.enrich_one(post).await?[0], Finding::label("loud", "true"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Whatever the enricher says of this item.
    async fn enrich_one<I: Into<Item> + Send>(&self, item: I) -> Result<Vec<Finding>> {
        let enriched = self.enrich(&Batch::new(vec![item.into()])).await?;
        enriched.outcomes.into_iter().next().unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Internal, "enricher.enrich_one")
                .message("the enricher gave no outcome for the item")
                .with("enricher", &self.spec().name))
        })
    }

    /// Runs only on records that match the filter; elsewhere it is skipped and the ledger says so.
    fn when(self, filter: Filter) -> When<Self>
    where
        Self: Sized,
    {
        let mut spec = self.spec().clone();
        spec.when = Some(match spec.when.take() {
            Some(earlier) => earlier.and(filter),
            None => filter,
        });
        When { inner: self, spec }
    }

    /// Runs beside the enricher of the same name, under that name with `.shadow` added, on this share of all posts. What it says is kept, for comparing
    /// the two, and counts nowhere: no filter, gate, sink or other enricher sees it.
    fn shadow(self, share: f64) -> Shadow<Self>
    where
        Self: Sized,
    {
        let mut spec = self.spec().clone();
        spec.name = shadow_name(&spec.name);
        spec.shadow = true;
        spec.sample = Some(share);
        Shadow { inner: self, spec }
    }
}

impl<T: Enricher + ?Sized> EnricherExt for T {}

/// The name of the shadow that runs beside the enricher of this name.
pub fn shadow_name(enricher: &str) -> String {
    format!("{enricher}.shadow")
}

/// An enricher that runs beside the one it may replace; see [`EnricherExt::shadow`].
#[derive(Debug)]
pub struct Shadow<E> {
    inner: E,
    spec: EnricherSpec,
}

/// An enricher with a condition; see [`EnricherExt::when`].
#[derive(Debug)]
pub struct When<E> {
    inner: E,
    spec: EnricherSpec,
}

#[async_trait]
impl<E: Enricher> Enricher for Shadow<E> {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        self.inner.enrich(batch).await
    }

    async fn prepare(&self) -> Result<()> {
        self.inner.prepare().await
    }
}

#[async_trait]
impl<E: Enricher> Enricher for When<E> {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        self.inner.enrich(batch).await
    }

    async fn prepare(&self) -> Result<()> {
        self.inner.prepare().await
    }
}

#[async_trait]
impl<E: Enricher + ?Sized> Enricher for Arc<E> {
    fn spec(&self) -> &EnricherSpec {
        (**self).spec()
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        (**self).enrich(batch).await
    }

    async fn prepare(&self) -> Result<()> {
        (**self).prepare().await
    }
}

#[async_trait]
impl<E: Enricher + ?Sized> Enricher for Box<E> {
    fn spec(&self) -> &EnricherSpec {
        (**self).spec()
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        (**self).enrich(batch).await
    }

    async fn prepare(&self) -> Result<()> {
        (**self).prepare().await
    }
}

/// An enricher made of a closure that reads one item.
///
/// ```
/// use heurpipe_core::{EnricherFn, EnricherSpec, Finding, Value};
/// let shouting = EnricherFn::new(EnricherSpec::new("shouting", "1").gives(["shouting"]), |item| {
///     let loud = item.post().text.contains('!');
///     Ok(vec![Finding::label("shouting", if loud { "yes" } else { "no" })])
/// });
/// # let _ = shouting;
/// ```
pub struct EnricherFn<F> {
    spec: EnricherSpec,
    read: F,
}

impl<F> EnricherFn<F>
where
    F: Fn(&Item) -> ItemResult<Vec<Finding>> + Send + Sync,
{
    /// An enricher with this spec that calls `read` for each item.
    pub fn new(spec: EnricherSpec, read: F) -> Self {
        Self { spec, read }
    }
}

#[async_trait]
impl<F> Enricher for EnricherFn<F>
where
    F: Fn(&Item) -> ItemResult<Vec<Finding>> + Send + Sync,
{
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let outcomes = batch.items.iter().map(&self.read).collect();
        Ok(Enriched::new(self.spec.fingerprint.clone(), outcomes))
    }
}
