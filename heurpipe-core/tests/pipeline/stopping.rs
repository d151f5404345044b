//! A run that is asked to end reads no more and settles what it has read; asked twice, it ends at once. Either way the next run goes on.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;
use tokio::time::Instant;

use super::support::*;

const POSTS: usize = 300;

struct World {
    documents: Arc<MemoryDocuments>,
    enricher: Probe,
    out: Collect,
}

impl World {
    /// An enricher that takes a second for ten posts.
    fn new() -> Self {
        Self {
            documents: memory(),
            enricher: Probe::new("model")
                .takes(|batch| Duration::from_millis(100) * batch.len() as u32),
            out: Collect::new("out"),
        }
    }

    fn source(&self) -> PipelineBuilder {
        with(&self.documents)
            .source(Posts::new(posts(POSTS)).page(10))
            .enrich(self.enricher.clone())
    }

    fn pipeline(&self) -> PipelineBuilder {
        self.source().sink(self.out.clone())
    }

    /// Runs to the end and checks that all is there, once.
    async fn finish(&self) -> RunReport {
        let report = run_with(self.pipeline(), one_by_one(10)).await;
        assert_eq!(report.status, RunStatus::Done);
        assert_eq!(self.out.records().len(), POSTS);
        let records = self.out.records();
        assert!(records.iter().all(|r| r.states[NAME] == State::Delivered));
        assert_eq!(everything(self.documents.as_ref()).await.len(), POSTS);
        let pending = Scan::matching(Filter::All).in_state(NAME, "pending");
        assert_eq!(self.documents.count(&pending).await.unwrap(), 0);
        report
    }
}

fn switched() -> (StopSwitch, RunOptions) {
    let (switch, signal) = stop_signal();
    let mut options = one_by_one(10);
    options.stop = Some(signal);
    (switch, options)
}

#[tokio::test(start_paused = true)]
async fn the_first_press_settles_what_was_read_and_no_more() {
    let world = World::new();
    let (switch, options) = switched();
    let running = tokio::spawn(run_with(world.pipeline(), options));
    tokio::time::sleep(Duration::from_millis(5500)).await;
    switch.press();
    let report = running.await.unwrap();
    assert_eq!(report.status, RunStatus::Stopped);
    let read = report.posts.read;
    assert!((50..POSTS as u64).contains(&read), "{read}");
    assert_eq!(
        (report.posts.delivered, report.posts.settled()),
        (read, read)
    );
    assert_eq!(world.enricher.items() as u64, read);
    let saved = world.documents.runs(1).await.unwrap().remove(0);
    assert_eq!(saved.report, report);
    assert!(saved.ended_at.is_some());
    // The checkpoint says what was read: the next run reads the rest and does nothing again.
    let next = world.finish().await;
    assert_eq!(next.posts.read, POSTS as u64 - read);
    assert_eq!(world.enricher.items(), POSTS);
}

#[tokio::test(start_paused = true)]
async fn the_second_press_ends_a_run_that_hangs_at_once() {
    let world = World::new();
    let (switch, mut options) = switched();
    options.timeout = Duration::from_secs(1_000_000);
    let after = Trigger::Calls {
        first: 3,
        count: 1000,
    };
    let hangs = Faults::none().rule(Rule::new(after, Fault::Hang));
    let pipeline = world.source().sink(Faulty::new(world.out.clone(), hangs));
    let running = tokio::spawn(async move { pipeline.build().unwrap().run(options).await });
    tokio::time::sleep(Duration::from_secs(60)).await;
    switch.press();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(!running.is_finished(), "it waits for the sink");
    switch.press();
    let pressed = Instant::now();
    let report = running.await.unwrap().unwrap();
    assert_eq!(pressed.elapsed(), Duration::ZERO);
    assert_eq!(
        (report.status, report.posts.delivered),
        (RunStatus::Stopped, 20)
    );
    assert!(report.posts.settled() < report.posts.read);
    let next = world.finish().await;
    // What was on its way was pending, the rest is read from the source; nothing is delivered twice.
    assert_eq!(next.posts.delivered, POSTS as u64 - 20);
}

#[tokio::test(start_paused = true)]
async fn a_run_stopped_at_any_time_is_completed_by_the_next() {
    for after in (0..32_000).step_by(1700) {
        let world = World::new();
        let (switch, options) = switched();
        let pipeline = world.pipeline().build().unwrap();
        let running = tokio::spawn(async move { pipeline.run(options).await });
        tokio::time::sleep(Duration::from_millis(after)).await;
        switch.stop();
        let report = running.await.unwrap().unwrap();
        let next = world.finish().await;
        let twice = world.enricher.items() - POSTS;
        // Done again is at most what was between the enricher and the commit.
        assert!(twice <= 40, "after {after} ms: {twice} done twice");
        let delivered = report.posts.delivered + next.posts.delivered;
        assert_eq!(delivered, POSTS as u64, "after {after} ms");
    }
}

/// Posts after which the source stays silent for ever, as a live stream may.
struct Silent(Posts);

#[async_trait::async_trait]
impl Source for Silent {
    fn spec(&self) -> &SourceSpec {
        self.0.spec()
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        self.0.partitions().await
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let pages = self.0.read(partition, from);
        pages.chain(futures::stream::pending()).boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_press_ends_the_reading_of_a_source_that_says_nothing() {
    let (switch, options) = switched();
    let out = Collect::new("out");
    let pipeline = with(&memory())
        .source(Silent(Posts::new(posts(25))))
        .sink(out.clone());
    let running = tokio::spawn(run_with(pipeline, options));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    // Meanwhile what has come is delivered.
    assert_eq!(out.records().len(), 25);
    assert!(!running.is_finished());
    switch.press();
    let report = running.await.unwrap();
    assert_eq!(
        (report.status, report.posts.delivered),
        (RunStatus::Stopped, 25)
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_a_store_can_be_ended_and_loses_nothing() {
    let world = World::new();
    let (switch, options) = switched();
    let after = Trigger::Calls {
        first: 3,
        count: 100_000,
    };
    let down = Rule::new(after, Fault::Fail(ErrorKind::Unavailable));
    let sink = Faulty::new(world.out.clone(), Faults::none().rule(down));
    let pipeline = world.source().sink(sink).build().unwrap();
    let running = tokio::spawn(async move { pipeline.run(options).await });
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(!running.is_finished(), "it waits");
    switch.press();
    // It cannot settle what it has read, and says so.
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(world.out.records().len(), 20);
    world.finish().await;
}

#[tokio::test]
async fn a_limit_leaves_the_rest_for_the_next_run() {
    let documents = memory();
    let out = Collect::new("out");
    let pipeline = || {
        with(&documents)
            .source(Posts::new(posts(250)).page(40))
            .sink(out.clone())
    };
    let mut options = RunOptions::default();
    options.limit = Some(100);
    let first = run_with(pipeline(), options).await;
    assert_eq!((first.posts.read, first.status), (100, RunStatus::Done));
    assert_eq!(out.records().len(), 100);
    let second = run(pipeline()).await;
    assert_eq!(out.records().len(), 250);
    // The page in which the limit fell is read again; what was done of it is unchanged.
    assert_eq!((second.posts.delivered, second.posts.filtered), (150, 20));
}

#[tokio::test]
async fn a_limit_holds_over_all_partitions() {
    let mut options = RunOptions::default();
    options.limit = Some(7);
    let pipeline = with(&memory())
        .source(Watched::new("first", Posts::new(posts(50)).page(3)))
        .source(Watched::new("second", Posts::new(posts(50)).page(3)))
        .sink(Collect::new("out"));
    assert_eq!(run_with(pipeline, options).await.posts.read, 7);
}
