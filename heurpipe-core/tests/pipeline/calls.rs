//! How stages are called: how many items at a time, how many calls at a time, in which order.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use tokio::time::Instant;

use super::support::pictures::{Fetcher, pictured};
use super::support::*;

const SECOND: Duration = Duration::from_secs(1);

/// The sizes of the calls to an enricher.
async fn sizes(posts: Posts, options: RunOptions, own: StageOptions) -> Vec<usize> {
    let probe = Probe::new("probe");
    let pipeline = Pipeline::builder(NAME)
        .source(posts)
        .enrich_with(probe.clone(), own)
        .sink(Collect::new("out"));
    let report = run_with(pipeline, options).await;
    assert_eq!(probe.items() as u64, report.posts.delivered);
    probe.sizes()
}

#[tokio::test(start_paused = true)]
async fn batches_close_by_size_whatever_the_pages() {
    let pages = Posts::new(posts(100)).page(9);
    let sizes = sizes(pages, one_by_one(16), StageOptions::default()).await;
    assert_eq!(sizes, [16, 16, 16, 16, 16, 16, 4]);
}

#[tokio::test(start_paused = true)]
async fn batches_close_by_bytes_unless_one_alone_has_more() {
    let large = |n: usize| post(n, &"x".repeat(if n == 5 { 900_000 } else { 100_000 }));
    let given = Posts::new((0..9).map(large).collect());
    let mut options = one_by_one(100);
    options.batch_bytes = 300_000;
    // The one that exceeds the bound closes the batch.
    assert_eq!(
        sizes(given, options, StageOptions::default()).await,
        [3, 3, 3]
    );
    let alone = Posts::new((5..7).map(large).collect());
    let mut options = one_by_one(100);
    options.batch_bytes = 300_000;
    assert_eq!(sizes(alone, options, StageOptions::default()).await, [1, 1]);
}

/// Posts of which some come ten seconds later.
struct Halting(Posts);

#[async_trait]
impl Source for Halting {
    fn spec(&self) -> &SourceSpec {
        self.0.spec()
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        self.0.partitions().await
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let late = async |(n, page)| {
            if n == 1 {
                tokio::time::sleep(10 * SECOND).await;
            }
            page
        };
        let pages = self.0.read(partition, from).enumerate();
        pages.then(late).boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_more_posts_only_so_long() {
    let started = Instant::now();
    let probe = Probe::new("probe");
    let mut options = one_by_one(100);
    options.batch_age = Duration::from_millis(300);
    let pipeline = Pipeline::builder(NAME)
        .source(Halting(Posts::new(posts(6)).page(3)))
        .enrich(probe.clone())
        .sink(Collect::new("out"));
    run_with(pipeline, options).await;
    assert_eq!(probe.sizes(), [3, 3]);
    let times = probe.times();
    let waited = times[0] - started;
    let age = Duration::from_millis(300);
    assert!(waited >= age && waited < 2 * age, "{waited:?}");
    // At the end of the source nothing is waited for.
    assert!(times[1] - started < 10 * SECOND + age, "{times:?}");
}

/// In which order posts leave the enrichers, of which the first takes longest.
async fn order_out(order: Order) -> Vec<PostId> {
    let slow = |batch: &Batch| match batch.items[0].record.id() == &id(0) {
        true => 5 * SECOND,
        false => SECOND,
    };
    let out = Written::new(SinkSpec::new("out"), &Events::default());
    let mut options = one_by_one(1);
    options.workers = 4;
    options.enrich_order = order;
    let pipeline = Pipeline::builder(NAME)
        .source(Posts::new(posts(4)))
        .enrich(Probe::new("slow").takes(slow))
        .sink(out.clone());
    run_with(pipeline, options).await;
    out.order()
}

#[tokio::test(start_paused = true)]
async fn batches_leave_the_enrichers_as_they_are_done_or_in_order() {
    let free = order_out(Order::Free).await;
    assert_eq!(free.last(), Some(&id(0)), "a slow batch holds up no other");
    let kept = order_out(Order::Kept).await;
    assert_eq!(kept, [0, 1, 2, 3].map(id));
}

#[tokio::test(start_paused = true)]
async fn batches_leave_the_fetching_as_they_are_done_or_in_order() {
    for (order, last) in [(Order::Free, id(0)), (Order::Kept, id(3))] {
        let slow = |post: &PostId| match *post == id(0) {
            true => 5 * SECOND,
            false => SECOND,
        };
        let given = (0..4).map(|n| pictured(n, &[&format!("picture {n}")]));
        let spec = EnricherSpec::new("probe", "1").gives(["x"]).bytes();
        let probe = Probe::of(spec);
        let mut options = one_by_one(1);
        options.fetches = 4;
        options.fetch_order = order;
        let pipeline = Pipeline::builder(NAME)
            .source(Posts::new(given.collect()))
            .fetch_media(Fetcher::new().takes(slow))
            .enrich(probe.clone())
            .sink(Collect::new("out"));
        let before = Instant::now();
        run_with(pipeline, options).await;
        assert_eq!(probe.order().last(), Some(&last), "{order:?}");
        // Four at a time: all have been fetched when the slowest has.
        assert!(before.elapsed() < 6 * SECOND, "{:?}", before.elapsed());
    }
}

/// The most calls of an enricher that were under way at a time, with so many workers.
async fn peak(workers: usize, batch: usize, own: StageOptions) -> usize {
    let probe = Probe::new("probe").takes(|_| SECOND);
    let mut options = one_by_one(batch);
    options.workers = workers;
    let pipeline = Pipeline::builder(NAME)
        .source(Posts::new(posts(48)))
        .enrich_with(probe.clone(), own)
        .sink(Collect::new("out"));
    let report = run_with(pipeline, options).await;
    assert_eq!((report.posts.delivered, probe.items()), (48, 48));
    probe.peak()
}

#[tokio::test(start_paused = true)]
async fn as_many_calls_are_made_at_a_time_as_the_stage_allows() {
    let options = StageOptions::default;
    // As many as there are batches under way.
    assert_eq!(peak(6, 1, options()).await, 6);
    // Over all batches.
    assert_eq!(peak(6, 1, options().concurrency(4)).await, 4);
    assert_eq!(peak(6, 1, options().concurrency(1)).await, 1);
    // Within one batch, where calls are smaller.
    let four = BatchSize::AtMost(4);
    assert_eq!(peak(1, 48, options().batch(four)).await, 1);
    assert_eq!(peak(1, 48, options().batch(four).concurrency(3)).await, 3);
    // Both at once.
    assert_eq!(peak(3, 16, options().batch(four).concurrency(5)).await, 5);
}

#[tokio::test(start_paused = true)]
async fn calls_are_no_larger_than_the_stage_wants() {
    let own = StageOptions::default().batch(BatchSize::AtMost(5));
    let sizes = sizes(Posts::new(posts(32)), one_by_one(16), own).await;
    assert_eq!(sizes, [5, 5, 5, 1, 5, 5, 5, 1]);
}

#[tokio::test(start_paused = true)]
async fn sizes_are_found_at_which_an_item_takes_least() {
    async fn last_sizes(takes: fn(usize) -> Duration) -> Vec<usize> {
        let probe = Probe::new("probe").takes(move |batch| takes(batch.len()));
        let bounds = BatchSize::Adaptive { least: 2, most: 32 };
        let pipeline = Pipeline::builder(NAME)
            .source(Posts::new(posts(20_000)))
            .enrich_with(probe.clone(), StageOptions::default().batch(bounds))
            .sink(Collect::new("out"));
        let report = run_with(pipeline, one_by_one(256)).await;
        assert_eq!((report.posts.delivered, probe.items()), (20_000, 20_000));
        let sizes = probe.sizes();
        assert!(sizes.iter().all(|size| *size <= 32), "{sizes:?}");
        sizes[sizes.len() - 100..].to_vec()
    }
    let most = |sizes: &[usize], wanted: usize| {
        let so = sizes.iter().filter(|size| **size == wanted).count();
        assert!(2 * so > sizes.len(), "{wanted}: {sizes:?}");
    };
    // A call costs something whatever is in it: the larger, the better.
    let large = last_sizes(|n| Duration::from_millis(100 + n as u64)).await;
    most(&large, 32);
    // Beyond what fits somewhere it gets slower: the smallest is best.
    let small = last_sizes(|n| Duration::from_millis((n * n) as u64)).await;
    most(&small, 2);
}

/// A gate and a sink that are watched: the sizes of their calls, and how many were made at a time.
#[derive(Clone)]
struct End {
    spec: SinkSpec,
    sizes: Arc<Mutex<Vec<usize>>>,
    now: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl End {
    fn new() -> Self {
        Self {
            spec: SinkSpec::new("end"),
            sizes: Arc::default(),
            now: Arc::default(),
            peak: Arc::default(),
        }
    }

    async fn call(&self, items: usize) {
        self.sizes.lock().unwrap().push(items);
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.peak.fetch_max(now, SeqCst);
        tokio::time::sleep(SECOND).await;
        self.now.fetch_sub(1, SeqCst);
    }

    fn seen(&self) -> (Vec<usize>, usize) {
        (self.sizes.lock().unwrap().clone(), self.peak.load(SeqCst))
    }
}

#[async_trait]
impl QualityGate for End {
    fn name(&self) -> &str {
        "gate"
    }

    fn describe(&self) -> String {
        String::new()
    }

    /// Refuses every third post, by its place in the call's outcomes.
    async fn judge(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<Verdict>>> {
        self.call(records.len()).await;
        let verdict = |record: &Arc<Record>| match record.post.text.ends_with('3') {
            true => Verdict::Reject {
                reason: "three".to_owned(),
            },
            false => Verdict::Accept,
        };
        Ok(records.iter().map(|r| Ok(verdict(r))).collect())
    }
}

#[async_trait]
impl Sink for End {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        self.call(records.len()).await;
        let refused = |record: &Arc<Record>| match record.post.text.ends_with('7') {
            true => Err(error(ErrorKind::InvalidInput)),
            false => Ok(()),
        };
        Ok(records.iter().map(refused).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn gates_and_sinks_are_called_as_their_stages_say() {
    for (batch, calls, gate_sees, sink_sees) in [
        (BatchSize::Whole, None, (vec![40], 1), (vec![36], 1)),
        (
            BatchSize::AtMost(15),
            None,
            (vec![15, 15, 10], 1),
            (vec![15, 15, 6], 1),
        ),
        (
            BatchSize::AtMost(10),
            Some(3),
            (vec![10; 4], 3),
            (vec![10, 10, 10, 6], 3),
        ),
    ] {
        let (gate, sink) = (End::new(), End::new());
        let mut own = StageOptions::default().batch(batch);
        own.concurrency = calls;
        let documents = memory();
        let pipeline = with(&documents)
            .source(Posts::new(posts(40)))
            .gate_with(gate.clone(), own.clone())
            .sink_with(sink.clone(), own);
        let report = run_with(pipeline, one_by_one(40)).await;
        assert_eq!(gate.seen(), gate_sees);
        assert_eq!(sink.seen(), sink_sees);
        // Whatever the calls, each outcome is that of its post.
        let ends = report.posts;
        assert_eq!(
            (ends.delivered, ends.rejected, ends.dead_lettered),
            (32, 4, 4)
        );
        for number in 0..40 {
            let expected = match number % 10 {
                3 => "rejected",
                7 => "dead",
                _ => "delivered",
            };
            assert_eq!(state(documents.as_ref(), number).await.name(), expected);
        }
    }
}
