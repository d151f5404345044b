//! What fails is tried again as its error says: how often, after which waits, and what becomes of it in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use jiff::Timestamp;
use tokio::time::Instant;

use super::support::*;

const KINDS: [ErrorKind; 15] = [
    ErrorKind::InvalidInput,
    ErrorKind::Config,
    ErrorKind::NotFound,
    ErrorKind::Conflict,
    ErrorKind::Unauthenticated,
    ErrorKind::PermissionDenied,
    ErrorKind::RateLimited,
    ErrorKind::Timeout,
    ErrorKind::Unavailable,
    ErrorKind::TooLarge,
    ErrorKind::Corrupt,
    ErrorKind::Unsupported,
    ErrorKind::Io,
    ErrorKind::Cancelled,
    ErrorKind::Internal,
];

fn is_temporary(kind: ErrorKind) -> bool {
    error(kind).retry() == Retry::Temporary
}

/// So many calls fail, as a whole or item by item.
fn failing(calls: u64, what: fn(ErrorKind) -> Fault, kind: ErrorKind) -> Faults {
    Faults::none().rule(Rule::new(Trigger::first(calls), what(kind)))
}

/// Calls that fail in all these ways: the whole call, or its item alone.
const WAYS: [fn(ErrorKind) -> Fault; 2] = [Fault::Fail, Fault::FailItem];

fn one() -> Posts {
    Posts::new(posts(1))
}

fn outcome(report: &RunReport) -> (u64, u64) {
    (report.posts.delivered, report.posts.dead_lettered)
}

#[tokio::test(start_paused = true)]
async fn an_enrichers_error_is_tried_again_if_it_is_temporary_and_only_then() {
    for kind in KINDS {
        for way in WAYS {
            let probe = Probe::new("probe");
            let enricher = Faulty::new(probe.clone(), failing(3, way, kind));
            let documents = memory();
            let report = run(with(&documents)
                .source(one())
                .enrich(enricher.clone())
                .sink(Collect::new("out")))
            .await;
            let failures = enricher.injected().total();
            if is_temporary(kind) {
                assert_eq!((outcome(&report), failures), ((1, 0), 3), "{kind}");
                assert_eq!(probe.items(), 1, "{kind}");
            } else {
                assert_eq!((outcome(&report), failures), ((0, 1), 1), "{kind}");
                let letter = letters(documents.as_ref()).await.remove(0);
                assert_eq!(
                    (letter.stage, letter.cause),
                    ("probe".into(), kind.as_str().into())
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_error_says_of_itself_goes_before_what_its_kind_usually_means() {
    let said = [
        (ErrorKind::Corrupt, Retry::Temporary, 4),
        (ErrorKind::Unavailable, Retry::Permanent, 1),
        (ErrorKind::Unavailable, Retry::NeedsOperator, 1),
    ];
    for (kind, retry, calls) in said {
        let probe = Probe::new("probe").answers(move |_| Err(error(kind).retryable(retry)));
        let pipeline = with(&memory())
            .source(one())
            .enrich(probe.clone())
            .sink(Collect::new("out"));
        assert_eq!(outcome(&run(pipeline).await), (0, 1));
        assert_eq!(probe.items(), calls, "{kind} {retry:?}");

        let gate = Gate::new("gate", move |_| Err(error(kind).retryable(retry)));
        let pipeline = with(&memory())
            .source(one())
            .gate(gate.clone())
            .sink(Collect::new("out"));
        assert_eq!(outcome(&run(pipeline).await), (0, 1));
        assert_eq!(gate.judged().len(), calls, "{kind} {retry:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_gates_error_is_tried_again_if_it_is_temporary_and_only_then() {
    for kind in KINDS {
        for way in WAYS {
            let gate = Gate::open("gate");
            let faulty = Faulty::new(gate.clone(), failing(3, way, kind));
            let documents = memory();
            let report = run(with(&documents)
                .source(one())
                .gate(faulty.clone())
                .sink(Collect::new("out")))
            .await;
            let failures = faulty.injected().total();
            if is_temporary(kind) {
                assert_eq!((outcome(&report), failures), ((1, 0), 3), "{kind}");
                assert_eq!(gate.judged().len(), 1, "{kind}");
            } else {
                assert_eq!((outcome(&report), failures), ((0, 1), 1), "{kind}");
                let letter = letters(documents.as_ref()).await.remove(0);
                assert_eq!(
                    (letter.stage, letter.cause),
                    ("gate".into(), kind.as_str().into())
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_that_a_sink_refuses_is_tried_again_if_that_is_temporary_and_only_then() {
    for kind in KINDS {
        let out = Collect::new("out");
        let faulty = Faulty::new(out.clone(), failing(3, Fault::FailItem, kind));
        let documents = memory();
        let report = run(with(&documents).source(one()).sink(faulty.clone())).await;
        let failures = faulty.injected().total();
        if is_temporary(kind) {
            assert_eq!((outcome(&report), failures), ((1, 0), 3), "{kind}");
            assert_eq!(out.records().len(), 1);
        } else {
            assert_eq!((outcome(&report), failures), ((0, 1), 1), "{kind}");
            let letter = letters(documents.as_ref()).await.remove(0);
            assert_eq!(
                (letter.stage, letter.cause),
                ("out".into(), kind.as_str().into())
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_fails_as_a_whole_is_waited_for_refuses_for_good_or_needs_somebody() {
    for kind in KINDS {
        let documents = memory();
        let out = Collect::new("out");
        // More often than any policy would try.
        let faulty = Faulty::new(out.clone(), failing(9, Fault::Fail, kind));
        let pipeline = with(&documents)
            .source(one())
            .sink(faulty.clone())
            .build()
            .unwrap();
        let ran = pipeline.run(RunOptions::default()).await;
        match error(kind).retry() {
            Retry::Temporary => {
                assert_eq!(outcome(&ran.unwrap()), (1, 0), "{kind}");
                assert_eq!(faulty.injected().fail, 9);
            }
            Retry::Permanent => {
                assert_eq!(outcome(&ran.unwrap()), (0, 1), "{kind}");
                assert_eq!(faulty.injected().fail, 1);
            }
            Retry::NeedsOperator => {
                assert_eq!(ran.unwrap_err().kind(), kind);
                assert_eq!(faulty.injected().fail, 1);
                let runs = documents.runs(1).await.unwrap();
                assert_eq!(runs[0].report.status, RunStatus::Failed);
                // Nothing is lost: once somebody has seen to it, the next run takes the post up.
                assert_eq!(state(documents.as_ref(), 0).await.name(), "pending");
                let report = run(with(&documents).source(one()).sink(out.clone())).await;
                assert_eq!((outcome(&report), out.records().len()), ((1, 0), 1));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_down_is_given_up_after_as_many_calls_as_the_policy_says() {
    let policy = RetryPolicy::default().attempts(5);
    let options = StageOptions::default().retry(policy);
    let always = |what| Faults::none().rule(Rule::new(Trigger::Always, what));
    for way in WAYS {
        let down = always(way(ErrorKind::Unavailable));
        let enricher = Faulty::new(Probe::new("probe"), down.clone());
        let report = run(with(&memory())
            .source(one())
            .enrich_with(enricher.clone(), options.clone())
            .sink(Collect::new("out")))
        .await;
        assert_eq!((outcome(&report), enricher.injected().total()), ((0, 1), 6));

        let gate = Faulty::new(Gate::open("gate"), down);
        let report = run(with(&memory())
            .source(one())
            .gate_with(gate.clone(), options.clone())
            .sink(Collect::new("out")))
        .await;
        assert_eq!((outcome(&report), gate.injected().total()), ((0, 1), 6));
    }
    let refuses = always(Fault::FailItem(ErrorKind::Unavailable));
    let sink = Faulty::new(Collect::new("out"), refuses);
    let report = run(with(&memory())
        .source(one())
        .sink_with(sink.clone(), options))
    .await;
    assert_eq!((outcome(&report), sink.injected().total()), ((0, 1), 6));
}

#[tokio::test(start_paused = true)]
async fn waits_double_up_to_the_ceiling() {
    let busy = Probe::new("busy").answers(|_| Err(error(ErrorKind::Unavailable)));
    let second = Duration::from_secs(1);
    let policy = RetryPolicy::default()
        .attempts(6)
        .first(second)
        .ceiling(4 * second);
    let mut options = RunOptions::default();
    options.retry = policy;
    let pipeline = Pipeline::builder(NAME)
        .source(one())
        .enrich(busy.clone())
        .sink(Collect::new("out"));
    run_with(pipeline, options).await;
    let times = busy.times();
    let waits: Vec<Duration> = times.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(waits.len(), 6);
    // Up to as much again is added, so that many do not come back at one moment; never beyond the ceiling.
    assert!(waits[0] >= second && waits[0] <= 2 * second, "{waits:?}");
    assert!(waits[1] >= 2 * second, "{waits:?}");
    let timer = Duration::from_millis(2);
    assert!(waits.iter().all(|w| *w <= 4 * second + timer), "{waits:?}");
    assert!(waits[2..].iter().all(|w| *w >= 4 * second), "{waits:?}");
}

/// An enricher, a gate and a sink that ask once to be left alone for so long, as a whole or item by item.
struct Asking {
    spec: EnricherSpec,
    sink: SinkSpec,
    wait: Duration,
    calls: AtomicUsize,
    at: std::sync::Mutex<Vec<Instant>>,
}

impl Asking {
    fn new(wait: Duration) -> Arc<Self> {
        Arc::new(Self {
            spec: EnricherSpec::new("asking", "1").gives(["x"]),
            sink: SinkSpec::new("asking"),
            wait,
            calls: AtomicUsize::new(0),
            at: std::sync::Mutex::default(),
        })
    }

    /// The first call fails as a whole, the second with its items.
    fn call(&self) -> Result<ItemResult<()>> {
        self.at.lock().unwrap().push(Instant::now());
        let busy = error(ErrorKind::RateLimited).after(self.wait);
        match self.calls.fetch_add(1, SeqCst) {
            0 => Err(busy),
            1 => Ok(Err(busy)),
            _ => Ok(Ok(())),
        }
    }

    fn waits(&self) -> Vec<Duration> {
        let at = self.at.lock().unwrap();
        at.windows(2).map(|two| two[1] - two[0]).collect()
    }
}

#[async_trait]
impl Enricher for Asking {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, _: &Batch) -> Result<Enriched> {
        let outcome = self.call()?.map(|()| Vec::new());
        Ok(Enriched::new(self.spec.fingerprint.clone(), vec![outcome]))
    }
}

#[async_trait]
impl QualityGate for Asking {
    fn name(&self) -> &str {
        &self.spec.name
    }

    fn describe(&self) -> String {
        String::new()
    }

    async fn judge(&self, _: &[Arc<Record>]) -> Result<Vec<ItemResult<Verdict>>> {
        Ok(vec![self.call()?.map(|()| Verdict::Accept)])
    }
}

#[async_trait]
impl Sink for Asking {
    fn spec(&self) -> &SinkSpec {
        &self.sink
    }

    async fn write(&self, _: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        Ok(vec![self.call()?])
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_while_is_left_alone_so_long_but_not_beyond_the_ceiling() {
    let policy = RetryPolicy::default().ceiling(Duration::from_secs(10));
    let options = StageOptions::default().retry(policy);
    for (asked, waited) in [(3, 3), (600, 10)] {
        let [enricher, gate, sink] = [(); 3].map(|()| Asking::new(Duration::from_secs(asked)));
        let source = || with(&memory()).source(one());
        let out = || Collect::new("out");
        run(source()
            .enrich_with(enricher.clone(), options.clone())
            .sink(out()))
        .await;
        run(source()
            .gate_with(gate.clone(), options.clone())
            .sink(out()))
        .await;
        run(source().sink_with(sink.clone(), options.clone())).await;
        let waited = Duration::from_secs(waited);
        let about = |wait: &Duration| *wait >= waited && *wait < waited + Duration::from_millis(5);
        for (part, waits) in [("enricher", enricher.waits()), ("gate", gate.waits())] {
            assert_eq!(waits.len(), 2, "{part}");
            assert!(waits.iter().all(about), "{part}: {waits:?}");
        }
        // A sink that takes no call at all is down; how long its store is waited for is the run's matter, not the stage's.
        assert_eq!(sink.waits().len(), 2);
        assert!(about(&sink.waits()[1]), "{:?}", sink.waits());
    }
}

/// A source whose allowance is used up after its first page, for so long.
struct Spent {
    spec: SourceSpec,
    wait: Duration,
    reads: AtomicUsize,
}

#[async_trait]
impl Source for Spent {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(vec![Partition("all".to_owned())])
    }

    fn read(&self, _partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let page = |number: usize| {
            let id: PostId = format!("test:{number}").parse().unwrap();
            let post = Post::new(id, Timestamp::UNIX_EPOCH);
            Ok(Page {
                items: vec![Incoming::Post(Box::new(post))],
                checkpoint: Checkpoint::at(number.to_string()),
            })
        };
        let spent = Error::new(ErrorKind::RateLimited, "test.read").after(self.wait);
        self.reads.fetch_add(1, SeqCst);
        match from.resume {
            None => stream::iter([page(1), Err(spent)]).boxed(),
            Some(_) => stream::iter([page(2)]).boxed(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_is_waited_for_as_long_as_there_is_patience() {
    for (wait, read, status) in [
        (Duration::from_secs(3600), 2, RunStatus::Done),
        (Duration::from_secs(7 * 24 * 3600), 1, RunStatus::Partial),
    ] {
        let source = Spent {
            spec: SourceSpec::new("spent", "an allowance"),
            wait,
            reads: AtomicUsize::new(0),
        };
        let begun = Instant::now();
        let pipeline = Pipeline::builder("patience")
            .source(source)
            .sink(Collect::new("out"))
            .build()
            .unwrap();
        let report = pipeline.run(RunOptions::default()).await.unwrap();
        assert_eq!(
            (report.posts.read, report.status),
            (read, status),
            "{wait:?}"
        );
        let waited = begun.elapsed() >= wait;
        assert_eq!(waited, status == RunStatus::Done, "{wait:?}");
    }
}
