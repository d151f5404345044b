//! What the wrappers do to batches, pages and cancelled calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use heurpipe_core::middleware::MiddlewareExt;
use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::testkit::{Collect, VirtualClock};
use heurpipe_core::*;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::parts::*;

const SECOND: Duration = Duration::from_secs(1);

fn hang(trigger: Trigger) -> Faults {
    Faults::none().rule(Rule::new(trigger, Fault::Hang))
}

/// Everything that a source yields, and how it ended.
async fn read_all(source: &impl Source) -> (Vec<String>, Option<Error>) {
    let partition = source.partitions().await.unwrap().remove(0);
    let mut pages = source.read(partition, Checkpoint::default());
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Err(error) => {
                assert!(pages.next().await.is_none(), "an error ends the stream");
                return (ids, Some(error));
            }
            Ok(page) => ids.extend(page.items.iter().map(|item| match item {
                Incoming::Post(post) => post.id.native.to_string(),
                other => panic!("{other:?}"),
            })),
        }
    }
    (ids, None)
}

#[tokio::test(start_paused = true)]
async fn a_time_out_names_part_and_limit() {
    let sink = Faulty::new(Collect::new("slow"), hang(Trigger::nth(2))).with_timeout(5 * SECOND);
    sink.write(&records(2)).await.unwrap();
    let started = Instant::now();
    let error = sink.write(&records(2)).await.unwrap_err();
    assert_eq!(started.elapsed(), 5 * SECOND);
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Timeout, Retry::Temporary)
    );
    assert_eq!(
        error.to_string(),
        "sink.write: it took longer than allowed (timeout, part=slow, limit=5s)"
    );
    sink.flush().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_page_has_the_limit_to_itself() {
    let slow = Rule::new(Trigger::Always, Fault::Delay(4 * SECOND));
    let slow = Faulty::new(source(), Faults::none().rule(slow)).with_timeout(5 * SECOND);
    let (ids, error) = read_all(&slow).await;
    assert_eq!((ids.len(), error.is_none()), (7, true));

    let stuck = Faulty::new(source(), hang(Trigger::nth(2))).with_timeout(5 * SECOND);
    let (ids, error) = read_all(&stuck).await;
    let error = error.unwrap();
    assert_eq!((ids.len(), error.kind()), (3, ErrorKind::Timeout));
    assert_eq!(error.operation(), "source.read");
}

#[tokio::test(start_paused = true)]
async fn limited_attempts_are_tried_again() {
    let stuck = || Faulty::new(source(), hang(Trigger::nth(2)));
    let each = stuck()
        .with_timeout(SECOND)
        .with_retry(RetryPolicy::default());
    let (ids, error) = read_all(&each).await;
    assert_eq!((ids, error.is_none()), (names(0..7), true));
    let together = stuck()
        .with_retry(RetryPolicy::default())
        .with_timeout(SECOND);
    assert_eq!(
        read_all(&together).await.1.unwrap().kind(),
        ErrorKind::Timeout
    );
}

fn names(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|n| n.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_source_is_read_on_from_the_last_page() {
    // Each page fails twice; every page brings the attempts back.
    let script = Faults::none()
        .rule(Rule::new(
            Trigger::first(2),
            Fault::Fail(ErrorKind::Unavailable),
        ))
        .rule(Rule::new(
            Trigger::Calls { first: 4, count: 2 },
            Fault::Drop,
        ));
    let flaky = Faulty::new(source(), script);
    let (ids, error) =
        read_all(&flaky.clone().with_retry(RetryPolicy::default().attempts(2))).await;
    assert_eq!((ids, error.is_none()), (names(0..7), true));
    assert_eq!((flaky.injected().fail, flaky.injected().drop), (2, 2));

    let down = Faulty::new(source(), Faults::outage(1, 100));
    let policy = RetryPolicy::default().attempts(2);
    let (ids, error) = read_all(&down.clone().with_retry(policy)).await;
    assert_eq!(
        (ids, error.unwrap().kind()),
        (names(0..3), ErrorKind::Unavailable)
    );
    assert_eq!(down.injected().fail, 3);
}

/// Fails these items, so many calls long; notes how many items each call had.
struct Picky {
    spec: EnricherSpec,
    fails: Vec<(&'static str, ErrorKind, usize)>,
    calls: std::sync::Mutex<Vec<usize>>,
    swap_at: usize,
}

impl Picky {
    fn new(fails: &[(&'static str, ErrorKind, usize)]) -> Self {
        Self {
            spec: EnricherSpec::new("picky", "1").gives(["seen"]),
            fails: fails.to_vec(),
            calls: std::sync::Mutex::default(),
            swap_at: usize::MAX,
        }
    }

    fn calls(&self) -> Vec<usize> {
        self.calls.lock().unwrap().clone()
    }
}

#[async_trait]
impl Enricher for Picky {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let mut calls = self.calls.lock().unwrap();
        calls.push(batch.len());
        let version = if calls.len() > self.swap_at { "2" } else { "1" };
        let read = |item: &Item| {
            let native = &*item.post().id.native;
            let failing = self
                .fails
                .iter()
                .find(|(id, _, times)| *id == native && calls.len() <= *times);
            match failing {
                Some((_, kind, _)) => Err(Error::new(*kind, "picky.read")),
                None => Ok(vec![Finding::label(
                    "seen",
                    format!("{native} by {version}"),
                )]),
            }
        };
        let outcomes = batch.items.iter().map(read).collect();
        let fingerprint = Fingerprint::of([version]);
        Ok(Enriched::new(fingerprint, outcomes).cpu(Duration::from_millis(batch.len() as u64)))
    }
}

async fn seen(enricher: &impl Enricher) -> Vec<String> {
    let enriched = enricher.enrich(&Batch::new(items())).await.unwrap();
    let told = |outcome: ItemResult<Vec<Finding>>| match outcome {
        Ok(findings) => findings[0].value.labels().remove(0),
        Err(error) => error.kind().to_string(),
    };
    enriched.outcomes.into_iter().map(told).collect()
}

#[tokio::test(start_paused = true)]
async fn items_that_failed_for_the_moment_are_tried_again_by_themselves() {
    let picky = Picky::new(&[
        ("0", ErrorKind::Unavailable, 1),
        ("1", ErrorKind::Corrupt, 9),
        ("3", ErrorKind::RateLimited, 2),
    ]);
    let retried = picky.with_retry(RetryPolicy::default());
    assert_eq!(
        seen(&retried).await,
        ["0 by 1", "corrupt", "2 by 1", "3 by 1"]
    );
    assert_eq!(retried.part().calls(), [4, 2, 1]);

    let exhausted =
        Picky::new(&[("3", ErrorKind::Timeout, 9)]).with_retry(RetryPolicy::default().attempts(2));
    assert_eq!(
        seen(&exhausted).await,
        ["0 by 1", "1 by 1", "2 by 1", "timeout"]
    );
    assert_eq!(exhausted.part().calls(), [4, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn the_cost_of_all_attempts_is_told() {
    let retried = Picky::new(&[("0", ErrorKind::Timeout, 2)]).with_retry(RetryPolicy::default());
    let enriched = retried.enrich(&Batch::new(items())).await.unwrap();
    assert_eq!(enriched.cpu, Duration::from_millis(4 + 1 + 1));
}

#[tokio::test(start_paused = true)]
async fn one_answer_never_mixes_two_models() {
    let mut picky = Picky::new(&[("3", ErrorKind::Unavailable, 1)]);
    picky.swap_at = 1;
    let retried = picky.with_retry(RetryPolicy::default());
    assert_eq!(
        seen(&retried).await,
        ["0 by 2", "1 by 2", "2 by 2", "3 by 2"]
    );
    assert_eq!(retried.part().calls(), [4, 1, 4]);

    let mut picky = Picky::new(&[("3", ErrorKind::Unavailable, 1)]);
    picky.swap_at = 1;
    let retried = picky.with_retry(RetryPolicy::default().attempts(1));
    let error = retried.enrich(&Batch::new(items())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn whole_calls_are_tried_again_whole() {
    let sink = Collect::new("out");
    let flaky = Faulty::new(sink.clone(), Faults::fail_first(2, ErrorKind::Unavailable));
    let retried = flaky.with_retry(RetryPolicy::default());
    assert_eq!(retried.write(&records(3)).await.unwrap().len(), 3);
    assert_eq!(sink.records().len(), 3);

    let refusing = Faulty::new(sink, Faults::fail_first(2, ErrorKind::Unauthenticated));
    let error = refusing
        .clone()
        .with_retry(RetryPolicy::default())
        .write(&records(3))
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unauthenticated);
    assert_eq!(refusing.injected().fail, 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_number_of_outcomes_is_an_error() {
    struct Short(SinkSpec);
    #[async_trait]
    impl Sink for Short {
        fn spec(&self) -> &SinkSpec {
            &self.0
        }
        async fn write(&self, _: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
            Ok(vec![Ok(())])
        }
    }
    let sink = Short(SinkSpec::new("short")).with_retry(RetryPolicy::default());
    let error = sink.write(&records(2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn calls_go_at_the_pace_allowed() {
    let time = VirtualClock::start(Timestamp::UNIX_EPOCH);
    let sink = Collect::new("slow").with_rate_limit(10.0);
    let millis = || time.now().as_millisecond();
    // The bucket holds a second's worth; the rest waits.
    sink.write(&records(10)).await.unwrap();
    assert_eq!(millis(), 0);
    sink.write(&records(5)).await.unwrap();
    assert!((500..510).contains(&millis()), "{}", millis());
    // A batch larger than the bucket goes whole, after what it takes too much.
    sink.write(&records(40)).await.unwrap();
    assert!((4500..4510).contains(&millis()), "{}", millis());
    sink.flush().await.unwrap();
    sink.write(&[]).await.unwrap();
    assert!(millis() < 4510);
    // Idle time fills the bucket, and no more than that.
    time.advance(Duration::from_secs(60)).await;
    let idle = millis();
    sink.write(&records(20)).await.unwrap();
    assert!(
        (1000..1010).contains(&(millis() - idle)),
        "{}",
        millis() - idle
    );
}

#[tokio::test]
async fn pages_come_at_the_pace_allowed() {
    let time = VirtualClock::start(Timestamp::UNIX_EPOCH);
    let slow = source().with_rate_limit(1.0);
    let (ids, error) = read_all(&slow).await;
    assert_eq!((ids.len(), error.is_none()), (7, true));
    // Seven items at one a second, the first of which was in the bucket.
    assert_eq!(time.now().as_second(), 6);
}

#[tokio::test]
async fn a_call_dropped_in_the_wait_gives_its_places_back() {
    let time = VirtualClock::start(Timestamp::UNIX_EPOCH);
    let sink = Collect::new("slow").with_rate_limit(10.0);
    sink.write(&records(10)).await.unwrap();
    let dropped = tokio::time::timeout(SECOND, sink.write(&records(100))).await;
    assert!(dropped.is_err());
    sink.write(&records(10)).await.unwrap();
    assert_eq!(time.now().as_second(), 1);
    assert_eq!(sink.part().records().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn no_rate_at_all_is_the_slowest() {
    for rate in [0.0, -1.0, f64::NAN] {
        let sink = Collect::new("stopped").with_rate_limit(rate);
        sink.write(&records(1)).await.unwrap();
        let more = tokio::time::timeout(3600 * SECOND, sink.write(&records(1))).await;
        assert!(more.is_err(), "{rate}");
    }
}

#[tokio::test]
async fn wrappers_say_of_themselves_what_the_part_says() {
    let wrapped = gate()
        .with_tracing()
        .with_timeout(SECOND)
        .with_retry(RetryPolicy::none());
    assert_eq!(
        (wrapped.name(), wrapped.needs()),
        (gate().name(), gate().needs())
    );
    assert_eq!(wrapped.describe(), gate().describe());
    let settled = Arc::new(AtomicUsize::new(0));
    let queue = Queue(source().spec().clone(), Arc::clone(&settled)).with_tracing();
    let place = (Partition("all".to_owned()), Checkpoint::default());
    queue.settled(&place.0, &place.1, &[]).await.unwrap();
    assert_eq!(settled.load(SeqCst), 1);
}

/// Counts what is acknowledged.
struct Queue(SourceSpec, Arc<AtomicUsize>);

#[async_trait]
impl Source for Queue {
    fn spec(&self) -> &SourceSpec {
        &self.0
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(Vec::new())
    }

    fn read(
        &self,
        _: Partition,
        _: Checkpoint,
    ) -> futures::stream::BoxStream<'static, Result<Page>> {
        futures::stream::empty().boxed()
    }

    async fn settled(&self, _: &Partition, _: &Checkpoint, _: &[(PostId, Outcome)]) -> Result<()> {
        self.1.fetch_add(1, SeqCst);
        Ok(())
    }
}
