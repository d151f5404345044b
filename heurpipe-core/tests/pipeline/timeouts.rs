//! What never answers is given up in time.

use std::time::Duration;

use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use tokio::time::Instant;

use super::support::*;

fn hangs(on: Trigger) -> Faults {
    Faults::none().rule(Rule::new(on, Fault::Hang))
}

/// A call is given up after two seconds and made no more.
fn impatient() -> StageOptions {
    StageOptions::default()
        .timeout(Duration::from_secs(2))
        .retry(RetryPolicy::none())
}

async fn buried(documents: &dyn Documents, stage: &str) {
    let letter = letters(documents).await.remove(0);
    let found = (letter.stage.as_str(), letter.cause.as_str(), letter.post);
    assert_eq!(found, (stage, "timeout", id(1)));
    assert!(letter.chain[0].contains("limit_s=2"), "{:?}", letter.chain);
}

#[tokio::test(start_paused = true)]
async fn an_enricher_that_hangs_on_a_post_costs_that_post_only() {
    let documents = memory();
    let hanging = Faulty::new(Probe::new("model"), hangs(Trigger::Post(id(1))));
    let report = run(with(&documents)
        .source(Posts::new(posts(4)))
        .enrich_with(hanging, impatient())
        .sink(Collect::new("out")))
    .await;
    assert_eq!((report.posts.delivered, report.posts.dead_lettered), (3, 1));
    buried(documents.as_ref(), "model").await;
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_hangs_on_a_post_costs_that_post_only() {
    let documents = memory();
    let hanging = Faulty::new(Gate::open("gate"), hangs(Trigger::Post(id(1))));
    let report = run(with(&documents)
        .source(Posts::new(posts(4)))
        .gate_with(hanging, impatient())
        .sink(Collect::new("out")))
    .await;
    assert_eq!((report.posts.delivered, report.posts.dead_lettered), (3, 1));
    buried(documents.as_ref(), "gate").await;
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_is_called_again_and_loses_nothing() {
    for method in ["write", "flush"] {
        let events = Events::default();
        let out = Written::new(SinkSpec::new("out").durable_at_flush(), &events);
        let script = Faults::none().rule(Rule::new(Trigger::first(3), Fault::Hang).on(method));
        let hanging = Faulty::new(out.clone(), script);
        let started = Instant::now();
        let report = run(with(&memory())
            .source(Posts::new(posts(4)))
            .sink_with(hanging.clone(), impatient()))
        .await;
        assert_eq!(
            (report.status, report.posts.delivered),
            (RunStatus::Done, 4)
        );
        assert_eq!(hanging.injected().hang, 3);
        // Three times its own limit, and the waits between.
        assert!(started.elapsed() < Duration::from_secs(10));
        assert_eq!(events.all(), ["out writes 4", "out flushes"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_side_output_that_hangs_is_waited_for_no_longer_than_a_call() {
    let started = Instant::now();
    let mut options = RunOptions::default();
    options.timeout = Duration::from_secs(2);
    options.retry = RetryPolicy::none();
    let side = Faulty::new(Collect::new("side"), hangs(Trigger::Always));
    let out = Collect::new("out");
    let pipeline = with(&memory())
        .source(Posts::new(posts(4)))
        .tee(side)
        .sink(out.clone());
    let report = run_with(pipeline, options).await;
    assert_eq!((report.posts.delivered, out.records().len()), (4, 4));
    assert_eq!(stage(&report, "side").failed, 4);
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_says_nothing_has_the_time_of_the_run_and_its_own_goes_before() {
    let slow = |name: &str| Probe::new(name).takes(|_| Duration::from_secs(5));
    let mut options = RunOptions::default();
    options.timeout = Duration::from_secs(2);
    options.retry = RetryPolicy::none();
    let patient = StageOptions::default().timeout(Duration::from_secs(10));
    let documents = memory();
    let pipeline = with(&documents)
        .source(Posts::new(posts(1)))
        .enrich_with(slow("patient"), patient)
        .enrich(slow("hurried"))
        .sink(Collect::new("out"));
    let report = run_with(pipeline, options).await;
    assert_eq!(report.posts.dead_lettered, 1);
    assert_eq!(letters(documents.as_ref()).await[0].stage, "hurried");
    let done = line(documents.as_ref(), 0, "patient").await;
    assert_eq!(done, LedgerOutcome::Done);
}
