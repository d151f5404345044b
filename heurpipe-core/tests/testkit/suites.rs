//! Ready parts pass the suites, bare, within each wrapper, and with passing faults within retries.

use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::middleware::MiddlewareExt;
use heurpipe_core::testkit::Posts;
use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::testkit::suite::{self, SinkOptions, SourceOptions};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;
use heurpipe_stores::{Mode, search};

use crate::parts::*;

const LONG: Duration = Duration::from_secs(3600);

/// So many attempts that no script of passing faults uses them up.
fn patient() -> RetryPolicy {
    RetryPolicy::default().attempts(20)
}

#[tokio::test]
async fn posts() {
    let options = SourceOptions::default().platform(Platform::new("test"));
    let report = suite::source(source, options).await;
    report.assert_passed();
    // One partition cannot be read beside another.
    assert_eq!(report.upheld().count(), report.checks.len() - 1, "{report}");
    let empty = suite::source(|| Posts::new(Vec::new()), SourceOptions::default()).await;
    assert!(empty.assert_passed().upheld().count() > 3);
}

#[tokio::test]
async fn stored_records() {
    let documents = Arc::new(MemoryDocuments::new());
    let pending = State::Pending { delivered: false };
    let mut records: Vec<Record> = (0..5).map(|n| Record::new(post(n, "a dress"))).collect();
    for record in &mut records {
        record.states.insert("catalog".to_owned(), pending.clone());
    }
    let given: Vec<&Record> = records.iter().collect();
    documents.commit(&given).await.unwrap();
    let stored = || StoredRecords::of_use_case(documents.clone(), "catalog", Filter::All);
    let report = suite::source(stored, SourceOptions::default()).await;
    assert!(
        report
            .assert_passed()
            .upheld()
            .any(|c| c == "reading twice gives the same")
    );
}

#[tokio::test]
async fn closures_and_conditions() {
    let report = suite::enricher(words, enricher_options()).await;
    // It asks for no input.
    assert_made(&report, report.checks.len() - 1);
    let when = || words().when("likes:>10".parse::<Filter>().unwrap());
    suite::enricher(when, enricher_options())
        .await
        .assert_passed();
}

#[tokio::test]
async fn the_review_gate() {
    let report = suite::gate(gate, gate_options()).await;
    // It neither withholds nor rejects.
    assert_made(&report, report.checks.len() - 2);
}

#[tokio::test]
async fn collections_and_conditional_ones() {
    let (collect, options) = collect();
    let report = suite::sink(|| collect.clone(), options).await;
    // It takes everything.
    assert_made(&report, report.checks.len() - 1);
    let (collect, options) = crate::parts::collect();
    let only = || collect.clone().only(Filter::All).named("reds");
    suite::sink(only, options).await.assert_passed();
    let unseen = suite::sink(|| collect.clone(), SinkOptions::default()).await;
    assert!(unseen.assert_passed().upheld().count() < report.upheld().count());
}

/// Runs all four suites on parts within a wrapper.
macro_rules! wrapped {
    ($part:ident => $wrapped:expr) => {{
        suite::source(
            || {
                let $part = source();
                $wrapped
            },
            SourceOptions::default(),
        )
        .await
        .assert_passed();
        suite::enricher(
            || {
                let $part = words();
                $wrapped
            },
            enricher_options(),
        )
        .await
        .assert_passed();
        suite::gate(
            || {
                let $part = gate();
                $wrapped
            },
            gate_options(),
        )
        .await
        .assert_passed();
        let (sink, options) = collect();
        suite::sink(
            || {
                let $part = sink.clone();
                $wrapped
            },
            options,
        )
        .await
        .assert_passed();
    }};
}

#[tokio::test(start_paused = true)]
async fn parts_within_each_wrapper() {
    wrapped!(part => part.with_timeout(LONG));
    wrapped!(part => part.with_retry(RetryPolicy::default()));
    wrapped!(part => part.with_rate_limit(2.0));
    wrapped!(part => part.with_tracing());
    wrapped!(part => Faulty::new(part, Faults::none()));
    wrapped!(part => part.with_timeout(LONG).with_retry(patient()).with_rate_limit(9.0).with_tracing());
}

#[tokio::test(start_paused = true)]
async fn parts_that_are_late_and_work_twice() {
    let late = Rule::new(Trigger::Always, Fault::Delay(Duration::from_millis(20)));
    let twice = Rule::new(Trigger::Always, Fault::Duplicate);
    let mixed = Rule::new(Trigger::Always, Fault::Reorder(7));
    let script = Faults::none().rule(late).rule(twice).rule(mixed);
    wrapped!(part => Faulty::new(part, script.clone()));
}

#[tokio::test(start_paused = true)]
async fn parts_with_passing_faults_within_retries() {
    for seed in 0..60 {
        let script = Faults::random(seed);
        println!("seed {seed}: {script}");
        wrapped!(part => Faulty::new(part, script.clone()).with_retry(patient()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_hangs_fails_its_checks_and_no_more() {
    let hang = Faults::none().rule(Rule::new(Trigger::Always, Fault::Hang));
    let report = suite::gate(|| Faulty::new(gate(), hang.clone()), gate_options()).await;
    assert_caught(&report, "the same verdicts twice");
    assert!(
        report.to_string().contains("no answer within 60s"),
        "{report}"
    );
    let outcomes: Vec<&str> = report.upheld().collect();
    assert_eq!(outcomes, ["the spec is stable"]);
}

#[tokio::test]
#[should_panic(expected = "FAILED  one outcome per record")]
async fn a_failed_report_is_the_message() {
    let down = Faults::fail_first(100, ErrorKind::Unavailable);
    let (sink, options) = collect();
    let report = suite::sink(|| Faulty::new(sink.clone(), down.clone()), options).await;
    report.assert_passed();
}

#[tokio::test]
async fn a_search_index() {
    let index = search::open("memory:", Mode::ReadWrite).await.unwrap();
    let store = Arc::clone(&index);
    let options = SinkOptions::default().reader(move || {
        let store = Arc::clone(&store);
        async move {
            let all = SearchRequest::new(Filter::All).limit(1000);
            let page = store.search(&all).await.unwrap();
            page.items
                .iter()
                .map(|r| (r.id().clone(), r.revision))
                .collect()
        }
    });
    let report = suite::sink(|| Arc::clone(&index), options).await;
    // No poison was given.
    assert_made(&report, report.checks.len() - 1);
}
