//! A run that is killed anywhere ends, when it is run again, as one that never was.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use heurpipe_core::testkit::{Collect, Posts, canonical};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

use super::support::*;

/// A sink that becomes durable at flush: what was written and not flushed is lost when the run is killed.
#[derive(Clone)]
struct Volatile {
    spec: SinkSpec,
    written: Arc<Mutex<Vec<Arc<Record>>>>,
    durable: Collect,
}

impl Volatile {
    fn new() -> Self {
        Self {
            spec: SinkSpec::new("volatile").durable_at_flush(),
            written: Arc::default(),
            durable: Collect::new("durable"),
        }
    }

    fn crash(&self) {
        self.written.lock().unwrap().clear();
    }

    fn contents(&self) -> Vec<String> {
        let records = self.durable.records();
        records.iter().map(|record| canonical(record)).collect()
    }
}

#[async_trait]
impl Sink for Volatile {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        self.written.lock().unwrap().extend_from_slice(records);
        tokio::time::sleep(Duration::from_millis(2)).await;
        Ok(records.iter().map(|_| Ok(())).collect())
    }

    async fn flush(&self) -> Result<()> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let written = std::mem::take(&mut *self.written.lock().unwrap());
        self.durable.write(&written).await?;
        Ok(())
    }
}

fn pipeline(documents: &Arc<MemoryDocuments>, sink: &Volatile, calls: &Probe) -> Pipeline {
    let length = EnricherSpec::new("length", "1")
        .needs(["parity"])
        .gives(["length"]);
    with(documents)
        .source(Posts::new(posts(600)).page(20))
        .enrich(Probe::of(length).labels(|post| post.text.len().to_string()))
        .enrich(calls.clone())
        .sink(sink.clone().only(filter("parity:p0")))
        .build()
        .unwrap()
}

/// An enricher that takes its time, so that time can be told by how far it has come.
fn parity() -> Probe {
    Probe::new("parity")
        .labels(|post| format!("p{}", post.text.len() % 2))
        .takes(|batch| Duration::from_millis(batch.len() as u64))
}

fn options() -> RunOptions {
    let mut options = RunOptions::default();
    options.settle_every = 64;
    options.workers = 2;
    options
}

#[tokio::test(start_paused = true)]
async fn a_run_killed_anywhere_ends_as_an_unbroken_one() {
    let unbroken = memory();
    let whole = Volatile::new();
    let started = tokio::time::Instant::now();
    let calls = parity();
    let report = pipeline(&unbroken, &whole, &calls).run(options()).await;
    assert_eq!(report.unwrap().posts.settled(), 600);
    let lasted = started.elapsed();
    let expected = everything(unbroken.as_ref()).await;
    assert!(whole.contents().len() > 100);

    let mut lost = 0;
    let step = lasted / 25;
    for kill in (0..25).map(|n| step * n) {
        let documents = memory();
        let sink = Volatile::new();
        let calls = parity();
        let broken = pipeline(&documents, &sink, &calls);
        let running = tokio::spawn(async move { broken.run(options()).await });
        tokio::time::sleep(kill).await;
        running.abort();
        assert!(running.await.is_err(), "it was over before {kill:?}");
        // What was aborted ends before anything else is done.
        tokio::task::yield_now().await;
        lost += sink.written.lock().unwrap().len();
        sink.crash();
        let report = pipeline(&documents, &sink, &calls).run(options()).await;
        let posts = report.unwrap().posts;
        assert_eq!(posts.read, posts.settled());
        assert!(everything(documents.as_ref()).await == expected, "{kill:?}");
        assert!(sink.contents() == whole.contents(), "{kill:?}");
        let twice = calls.items() - 600;
        // Two batches at work, two that wait for delivery, and what is settled together.
        assert!(twice <= 64 + 6 * 32, "{twice} were done twice");
    }
    assert!(lost > 0, "no kill came between a write and its flush");
}

#[tokio::test]
async fn a_second_run_does_nothing_again() {
    let documents = memory();
    let probe = Probe::new("probe");
    let over = |count: usize| {
        with(&documents)
            .source(Posts::new(posts(count)))
            .enrich(probe.clone())
            .sink(Collect::new("out"))
    };
    assert_eq!(run(over(500)).await.posts.delivered, 500);
    // The stored checkpoint says that the source was read to its end.
    assert_eq!(run(over(500)).await.posts.read, 0);
    // New posts are read from there on.
    let third = run(over(510)).await;
    assert_eq!((third.posts.read, third.posts.delivered), (10, 10));
    assert_eq!(probe.items(), 510);
}

#[tokio::test]
async fn a_state_that_cannot_be_kept_is_not_needed_to_run() {
    let out = Collect::new("out");
    let pipeline = || {
        Pipeline::builder(NAME)
            .source(Watched::new("first", Posts::new(posts(20)).page(3)))
            .source(Watched::new("second", Posts::new(posts(25)).page(4)))
            .sink(out.clone())
    };
    let report = run(pipeline()).await;
    // Of a post that comes twice only the first is taken.
    assert_eq!((report.posts.delivered, report.posts.filtered), (25, 20));
    assert_eq!(out.records().len(), 25);
    // There are no checkpoints: it is all read again.
    assert_eq!(run(pipeline()).await.posts.read, 45);
}
