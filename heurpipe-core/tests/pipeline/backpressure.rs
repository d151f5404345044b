//! Whatever is held up at the end holds up the source: what is in memory stays bounded in posts and in bytes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use tokio::sync::watch;

use super::support::pictures::{Fetcher, pictured};
use super::support::*;

/// A door that everything waits at until it is opened.
#[derive(Clone)]
struct Door(watch::Sender<bool>);

impl Door {
    fn closed() -> Self {
        Self(watch::Sender::new(false))
    }

    fn open(&self) {
        self.0.send_replace(true);
    }

    async fn pass(&self) {
        let mut open = self.0.subscribe();
        open.wait_for(|open| *open).await.unwrap();
    }
}

/// A sink that takes nothing until the door is opened.
struct Behind {
    door: Door,
    out: Collect,
}

#[async_trait]
impl Sink for Behind {
    fn spec(&self) -> &SinkSpec {
        self.out.spec()
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        self.door.pass().await;
        self.out.write(records).await
    }
}

/// An enricher that looks at pictures when the door is opened.
struct Waiting {
    door: Door,
    spec: EnricherSpec,
}

#[async_trait]
impl Enricher for Waiting {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        self.door.pass().await;
        let outcomes = batch.items.iter().map(|_| Ok(Vec::new())).collect();
        Ok(Enriched::new(self.spec.fingerprint.clone(), outcomes))
    }
}

/// Patient, and as wide as posts alone would not bound it.
fn wide(batch: usize) -> RunOptions {
    let mut options = RunOptions::default();
    options.batch = batch;
    options.settle_every = batch;
    options.workers = 256;
    options.fetches = 2;
    options.timeout = Duration::from_secs(1_000_000);
    options
}

/// Runs until nothing moves any more, looks, opens the door, and runs to the end.
async fn held_up<T>(
    pipeline: PipelineBuilder,
    options: RunOptions,
    door: &Door,
    look: impl Fn() -> T,
) -> (T, RunReport) {
    let running = tokio::spawn(run_with(pipeline, options));
    tokio::time::sleep(Duration::from_secs(60)).await;
    let earlier = look();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let seen = look();
    drop(earlier);
    door.open();
    (seen, running.await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_takes_nothing_stops_the_reading_after_so_many_posts() {
    let door = Door::closed();
    let source = Watched::new("posts", Posts::new(posts(4000)).page(10));
    let out = Collect::new("out");
    let sink = Behind {
        door: door.clone(),
        out: out.clone(),
    };
    let pipeline = with(&memory())
        .source(source.clone())
        .enrich(Probe::new("probe"))
        .sink(sink);
    let mut options = wide(10);
    options.workers = 2;
    let (taken, report) = held_up(pipeline, options, &door, || source.taken()).await;
    // Two batches before each of four stages, two being fetched and two being enriched, one in each hand between.
    assert!((50..=200).contains(&taken), "{taken} posts are held");
    assert_eq!((report.posts.delivered, out.records().len()), (4000, 4000));
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_takes_nothing_stops_the_reading_after_so_many_bytes() {
    const POST: usize = 64 << 10;
    let door = Door::closed();
    let large = |n| post(n, &"x".repeat(POST));
    let source = Watched::new("posts", Posts::new((0..400).map(large).collect()).page(1));
    let out = Collect::new("out");
    let sink = Behind {
        door: door.clone(),
        out: out.clone(),
    };
    let pipeline = with(&memory())
        .source(source.clone())
        .enrich(Probe::new("probe"))
        .sink(sink);
    let mut options = wide(1);
    options.byte_budget = 16 * (POST + 4096);
    // By their number, all posts might be settled together.
    options.settle_every = 1024;
    let (taken, report) = held_up(pipeline, options, &door, || source.taken()).await;
    // What the budget holds, and what waits for room: one at intake, two before it, one at the reader.
    assert!((16..=16 + 4).contains(&taken), "{taken} posts are held");
    assert_eq!((report.posts.delivered, out.records().len()), (400, 400));
}

#[tokio::test(start_paused = true)]
async fn enrichers_that_come_to_nothing_stop_the_fetching_after_so_many_bytes() {
    const PICTURE: usize = 100 << 10;
    let door = Door::closed();
    let given = (0..60).map(|n| pictured(n, &[&format!("picture {n} ")]));
    let fetcher = Fetcher::new().size(PICTURE);
    let waiting = Waiting {
        door: door.clone(),
        spec: EnricherSpec::new("waiting", "1").gives(["x"]).bytes(),
    };
    let pipeline = with(&memory())
        .source(Posts::new(given.collect()))
        .fetch_media(fetcher.clone())
        .enrich(waiting)
        .sink(Collect::new("out"));
    let mut options = wide(1);
    options.byte_budget = 10 * (PICTURE + 1024);
    let (fetched, report) = held_up(pipeline, options, &door, || fetcher.fetched()).await;
    // What the budget holds, one that waits for room in it, and two that were being fetched meanwhile.
    let pictures = fetched / PICTURE;
    assert!(
        (10..=13).contains(&pictures),
        "{pictures} pictures are held"
    );
    assert_eq!((report.posts.delivered, report.media.fetched), (60, 60));
}

#[tokio::test(start_paused = true)]
async fn what_is_larger_than_the_budget_goes_alone_and_does_not_get_stuck() {
    let sizes = [1 << 20, 10, 10].into_iter().cycle().take(12);
    let sized = sizes.enumerate();
    let given = sized.map(|(n, size)| post(n, &"x".repeat(size))).collect();
    let mut options = RunOptions::default();
    options.batch = 1;
    options.byte_budget = 64 << 10;
    let out = Collect::new("out");
    let pipeline = with(&memory()).source(Posts::new(given)).sink(out.clone());
    let report = run_with(pipeline, options).await;
    assert_eq!((report.posts.delivered, out.records().len()), (12, 12));
}

/// A fetcher and a sink that hold the same lock while they work, as a network's look-ups and documents share a store.
#[derive(Clone)]
struct Locking {
    lock: Arc<tokio::sync::Mutex<()>>,
    fetcher: Fetcher,
    out: Collect,
}

#[async_trait]
impl FetchMedia for Locking {
    async fn fetch(&self, requests: &[MediaRequest]) -> Vec<ItemResult<MediaOutcome>> {
        let _held = self.lock.lock().await;
        self.fetcher.fetch(requests).await
    }

    async fn load(&self, digest: &Digest) -> Result<bytes::Bytes> {
        self.fetcher.load(digest).await
    }
}

#[async_trait]
impl Sink for Locking {
    fn spec(&self) -> &SinkSpec {
        self.out.spec()
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        let _held = self.lock.lock().await;
        self.out.write(records).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_holds_what_the_sink_needs_goes_on_while_the_sink_is_waited_for() {
    let out = Collect::new("out");
    let locking = Locking {
        lock: Arc::default(),
        fetcher: Fetcher::new().takes(|_| Duration::from_secs(1)),
        out: out.clone(),
    };
    let posts = (0..100).map(|n| pictured(n, &[&format!("picture {n}")]));
    let pipeline = with(&memory())
        .source(Posts::new(posts.collect()))
        .fetch_media(locking.clone())
        .sink(locking);
    let mut options = wide(1);
    // Of those who want the lock in turn the sink is one of nine.
    options.fetches = 8;
    let running = run_with(pipeline, options);
    let ended = tokio::time::timeout(Duration::from_secs(10_000), running).await;
    assert!(ended.is_ok(), "it stands still");
    assert_eq!(out.records().len(), 100);
}
