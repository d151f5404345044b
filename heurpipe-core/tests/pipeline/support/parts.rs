//! Parts that are watched at work.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use heurpipe_core::testkit::Posts;
use heurpipe_core::*;
use tokio::time::Instant;

type Answer = dyn Fn(&Item) -> ItemResult<Vec<Finding>> + Send + Sync;
type Latency = dyn Fn(&Batch) -> Duration + Send + Sync;
/// When, and on which posts.
type Calls = Vec<(Instant, Vec<PostId>)>;

/// An enricher that is watched: what it was asked, when, and how often at a time. Clones are the same enricher.
#[derive(Clone)]
pub struct Probe {
    spec: EnricherSpec,
    answer: Arc<Answer>,
    latency: Arc<Latency>,
    cpu: Duration,
    calls: Arc<Mutex<Calls>>,
    now: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl Probe {
    /// Gives the attribute by its own name: `yes`.
    pub fn new(name: &str) -> Self {
        Self::of(EnricherSpec::new(name, "1").gives([name]))
    }

    /// Of a spec: finds its first attribute to be `yes`.
    pub fn of(spec: EnricherSpec) -> Self {
        let gives = spec.gives[0].clone();
        Self {
            spec,
            answer: Arc::new(move |_| Ok(vec![Finding::label(gives.clone(), "yes")])),
            latency: Arc::new(|_| Duration::ZERO),
            cpu: Duration::ZERO,
            calls: Arc::default(),
            now: Arc::default(),
            peak: Arc::default(),
        }
    }

    pub fn answers(
        mut self,
        answer: impl Fn(&Item) -> ItemResult<Vec<Finding>> + Send + Sync + 'static,
    ) -> Self {
        self.answer = Arc::new(answer);
        self
    }

    /// Finds the label that is made of the post.
    pub fn labels(self, label: impl Fn(&Post) -> String + Send + Sync + 'static) -> Self {
        let gives = self.spec.gives[0].clone();
        self.answers(move |item| Ok(vec![Finding::label(gives.clone(), label(item.post()))]))
    }

    /// Takes so long for a batch.
    pub fn takes(mut self, latency: impl Fn(&Batch) -> Duration + Send + Sync + 'static) -> Self {
        self.latency = Arc::new(latency);
        self
    }

    /// Says that each item cost so much.
    pub fn costs(mut self, each: Duration) -> Self {
        self.cpu = each;
        self
    }

    /// The sizes of the batches.
    pub fn sizes(&self) -> Vec<usize> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(_, posts)| posts.len()).collect()
    }

    /// How many items it was shown, over all calls.
    pub fn items(&self) -> usize {
        self.sizes().iter().sum()
    }

    /// The posts that it was shown.
    pub fn posts(&self) -> BTreeSet<PostId> {
        self.order().into_iter().collect()
    }

    /// The posts in the order in which it was shown them.
    pub fn order(&self) -> Vec<PostId> {
        let calls = self.calls.lock().unwrap();
        calls.iter().flat_map(|(_, posts)| posts).cloned().collect()
    }

    /// When it was called.
    pub fn times(&self) -> Vec<Instant> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(at, _)| *at).collect()
    }

    /// The most calls that were under way at a time.
    pub fn peak(&self) -> usize {
        self.peak.load(SeqCst)
    }
}

#[async_trait]
impl Enricher for Probe {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let posts = batch.items.iter().map(|i| i.record.id().clone()).collect();
        self.calls.lock().unwrap().push((Instant::now(), posts));
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.peak.fetch_max(now, SeqCst);
        let latency = (self.latency)(batch);
        if latency > Duration::ZERO {
            tokio::time::sleep(latency).await;
        }
        self.now.fetch_sub(1, SeqCst);
        let outcomes = batch.items.iter().map(|i| (self.answer)(i)).collect();
        let cpu = self.cpu * u32::try_from(batch.len()).unwrap();
        Ok(Enriched::new(self.spec.fingerprint.clone(), outcomes).cpu(cpu))
    }
}

type Judge = dyn Fn(&Record) -> ItemResult<Verdict> + Send + Sync;

/// A gate made of a closure, which counts the posts that it judged.
#[derive(Clone)]
pub struct Gate {
    name: String,
    judge: Arc<Judge>,
    judged: Arc<Mutex<Vec<PostId>>>,
}

impl Gate {
    pub fn new(
        name: &str,
        judge: impl Fn(&Record) -> ItemResult<Verdict> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            judge: Arc::new(judge),
            judged: Arc::default(),
        }
    }

    /// Accepts everything.
    pub fn open(name: &str) -> Self {
        Self::new(name, |_| Ok(Verdict::Accept))
    }

    /// The posts that it was asked about, as often as it was.
    pub fn judged(&self) -> Vec<PostId> {
        self.judged.lock().unwrap().clone()
    }
}

#[async_trait]
impl QualityGate for Gate {
    fn name(&self) -> &str {
        &self.name
    }

    fn describe(&self) -> String {
        "as the test wants it".to_owned()
    }

    async fn judge(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<Verdict>>> {
        let ids = records.iter().map(|r| r.id().clone());
        self.judged.lock().unwrap().extend(ids);
        Ok(records.iter().map(|r| (self.judge)(r)).collect())
    }
}

/// What happened, in order; shared by the parts that tell.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    pub fn tell(&self, event: impl Into<String>) {
        self.0.lock().unwrap().push(event.into());
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A sink that tells of every write and flush, in order.
#[derive(Clone)]
pub struct Written {
    spec: SinkSpec,
    events: Events,
    records: Arc<Mutex<Vec<Arc<Record>>>>,
}

impl Written {
    pub fn new(spec: SinkSpec, events: &Events) -> Self {
        Self {
            spec,
            events: events.clone(),
            records: Arc::default(),
        }
    }

    /// The posts in the order in which they were written.
    pub fn order(&self) -> Vec<PostId> {
        let records = self.records.lock().unwrap();
        records.iter().map(|r| r.id().clone()).collect()
    }
}

#[async_trait]
impl Sink for Written {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        self.events
            .tell(format!("{} writes {}", self.spec.name, records.len()));
        self.records.lock().unwrap().extend_from_slice(records);
        Ok(records.iter().map(|_| Ok(())).collect())
    }

    async fn flush(&self) -> Result<()> {
        self.events.tell(format!("{} flushes", self.spec.name));
        Ok(())
    }
}

type Pages = Vec<(Checkpoint, Vec<(PostId, Outcome)>)>;

/// Given posts as a source of this name that counts what is taken from it and keeps what it was told. Clones are the same source.
#[derive(Clone)]
pub struct Watched {
    spec: SourceSpec,
    posts: Posts,
    events: Events,
    taken: Arc<AtomicUsize>,
    settled: Arc<Mutex<Pages>>,
}

impl Watched {
    pub fn new(name: &str, posts: Posts) -> Self {
        Self {
            spec: SourceSpec::new(name, "watched posts"),
            posts,
            events: Events::default(),
            taken: Arc::default(),
            settled: Arc::default(),
        }
    }

    /// Tells of settlements there.
    pub fn telling(mut self, events: &Events) -> Self {
        self.events = events.clone();
        self
    }

    /// Posts yielded so far.
    pub fn taken(&self) -> usize {
        self.taken.load(SeqCst)
    }

    /// What it was told, call by call.
    pub fn settled(&self) -> Pages {
        self.settled.lock().unwrap().clone()
    }
}

#[async_trait]
impl Source for Watched {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        self.posts.partitions().await
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let taken = Arc::clone(&self.taken);
        let pages = self.posts.read(partition, from);
        let count = move |page: &Result<Page>| {
            taken.fetch_add(page.as_ref().map_or(0, |p| p.items.len()), SeqCst);
        };
        pages.inspect(count).boxed()
    }

    async fn settled(
        &self,
        _: &Partition,
        upto: &Checkpoint,
        outcomes: &[(PostId, Outcome)],
    ) -> Result<()> {
        self.events.tell(format!("settled {}", outcomes.len()));
        let told = (upto.clone(), outcomes.to_vec());
        self.settled.lock().unwrap().push(told);
        Ok(())
    }
}
