//! What the ledger has is not done again; conditions decide what is done at all.

use std::sync::Arc;

use heurpipe_core::gate::{ReviewGate, uncertain};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

use super::support::*;

/// All that is stored, once more.
fn stored(documents: &Arc<MemoryDocuments>) -> StoredRecords {
    StoredRecords::of_use_case(documents.clone(), NAME, Filter::All)
}

/// An enricher of this version that gives a label to every post.
fn saying(name: &str, version: &str, label: &'static str) -> Probe {
    Probe::of(EnricherSpec::new(name, version).gives([name])).labels(move |_| label.to_owned())
}

#[tokio::test]
async fn unchanged_posts_run_nothing_unless_forced() {
    let documents = memory();
    let [first, second] = ["first", "second"].map(Probe::new);
    let out = Collect::new("out");
    let pipeline = || {
        with(&documents)
            .enrich(first.clone())
            .enrich(second.clone())
            .sink(out.clone())
    };
    run(pipeline().source(Posts::new(posts(20)))).await;
    let calls = || (first.items(), second.items());
    assert_eq!(calls(), (20, 20));

    let report = run(pipeline().source(stored(&documents))).await;
    assert_eq!((report.posts.read, report.posts.filtered), (20, 20));
    assert_eq!(calls(), (20, 20));
    let revisions = || out.records().iter().map(|r| r.revision).max();
    assert_eq!(revisions(), Some(2));

    let mut options = RunOptions::default();
    options.force = Force::Enrichers(["second".to_owned()].into());
    let report = run_with(pipeline().source(stored(&documents)), options).await;
    assert_eq!(report.posts.delivered, 20);
    assert_eq!(calls(), (20, 40));
    assert_eq!(stage(&report, "first").skipped, 20);

    let mut options = RunOptions::default();
    options.force = Force::Everything;
    run_with(pipeline().stale(Filter::All), options).await;
    assert_eq!(calls(), (40, 60));
}

#[tokio::test]
async fn a_post_whose_text_changed_is_read_again() {
    let documents = memory();
    let probe = Probe::new("probe").labels(|post| post.text.clone());
    let pipeline = |name: &str, texts: [&str; 2], at: i64| {
        let mut posts = vec![post(0, texts[0]), post(1, texts[1])];
        for post in &mut posts {
            post.collected_at = jiff::Timestamp::from_second(at).unwrap();
        }
        with(&documents)
            .source(Watched::new(name, Posts::new(posts)))
            .enrich(probe.clone())
            .sink(Collect::new("out"))
    };
    run(pipeline("monday", ["a hat", "a coat"], 0)).await;
    let report = run(pipeline("tuesday", ["a hat", "a red coat"], 86_400)).await;
    assert_eq!((report.posts.delivered, report.posts.filtered), (1, 1));
    assert_eq!(probe.items(), 3);
    let changed = record(documents.as_ref(), 1).await;
    assert_eq!(changed.effective()["probe"].len(), 1);
    assert!(changed.effective()["probe"].contains("a red coat"));
}

#[tokio::test]
async fn a_new_version_runs_that_enricher_and_what_depends_on_it() {
    let documents = memory();
    let depends = EnricherSpec::new("shout", "1")
        .needs(["parity"])
        .gives(["shout"]);
    let shout = Probe::of(depends).answers(|item| {
        let parity = item.record.effective()["parity"].clone();
        let labels = Value::Labels(parity.into_iter().collect());
        Ok(vec![Finding::new("shout", labels)])
    });
    let length = Probe::new("length");
    let pipeline = |parity: &Probe| {
        with(&documents)
            .enrich(shout.clone())
            .enrich(parity.clone())
            .enrich(length.clone())
            .sink(Collect::new("out"))
    };
    let first = saying("parity", "1", "odd");
    run(pipeline(&first).source(Posts::new(posts(50)))).await;
    assert_eq!((first.items(), shout.items(), length.items()), (50, 50, 50));

    let second = saying("parity", "2", "even");
    let report = run(pipeline(&second).source(stored(&documents))).await;
    assert_eq!(report.posts.delivered, 50);
    assert_eq!(
        (second.items(), shout.items(), length.items()),
        (50, 100, 50)
    );
    let record = record(documents.as_ref(), 7).await;
    assert_eq!(record.effective()["shout"], ["even".to_owned()].into());
}

#[tokio::test]
async fn a_condition_decides_on_which_posts_an_enricher_runs() {
    let documents = memory();
    let cheap = Probe::new("cheap").labels(|post| post.text.clone());
    let dear = Probe::new("dear");
    let after = Probe::of(
        EnricherSpec::new("after", "1")
            .needs(["dear"])
            .gives(["after"]),
    );
    let report = run(with(&documents)
        .source(texts(&["hat", "dress", "coat"]))
        .enrich(after.clone())
        .enrich(
            dear.clone()
                .when(filter("cheap:dress,coat"))
                .when(filter("-cheap:coat")),
        )
        .enrich(cheap)
        .sink(Collect::new("out")))
    .await;
    assert_eq!(report.posts.delivered, 3);
    // It waited for what its condition asks about, and both conditions count.
    assert_eq!(dear.posts(), [id(1)].into());
    assert_eq!(
        (stage(&report, "dear").left, stage(&report, "dear").skipped),
        (1, 2)
    );
    let skipped = LedgerOutcome::Skipped(SkipReason::Condition);
    assert_eq!(line(documents.as_ref(), 0, "dear").await, skipped);
    assert_eq!(line(documents.as_ref(), 2, "dear").await, skipped);
    assert_eq!(
        line(documents.as_ref(), 1, "dear").await,
        LedgerOutcome::Done
    );
    // What builds upon it runs all the same, and sees that there is nothing.
    assert_eq!(after.items(), 3);
}

#[tokio::test]
async fn a_condition_that_comes_true_runs_the_enricher_and_one_that_fails_withdraws_it() {
    let documents = memory();
    let dear = Probe::new("dear");
    let pipeline = |cheap: Probe| {
        with(&documents)
            .enrich(dear.clone().when(filter("cheap:interesting")))
            .enrich(cheap)
            .sink(Collect::new("out"))
    };
    let has = async |attribute: &str| {
        record(documents.as_ref(), 3)
            .await
            .effective()
            .contains_key(attribute)
    };
    let dull = || saying("cheap", "1", "dull");
    run(pipeline(dull()).source(Posts::new(posts(10)))).await;
    assert_eq!((dear.items(), has("dear").await), (0, false));
    let interesting = saying("cheap", "2", "interesting");
    run(pipeline(interesting).source(stored(&documents))).await;
    assert_eq!((dear.items(), has("dear").await), (10, true));
    run(pipeline(dull()).source(stored(&documents))).await;
    assert_eq!((dear.items(), has("dear").await), (10, false));
}

#[tokio::test]
async fn sinks_learn_that_a_post_is_no_longer_relevant() {
    let documents = memory();
    let out = Collect::new("out");
    let pipeline = |version: &str, label: &'static str| {
        with(&documents)
            .enrich(saying("garment", version, label))
            .sink(out.clone().only(filter("garment:dress")))
    };
    run(pipeline("1", "dress").source(Posts::new(posts(3)))).await;
    let relevant = |r: &Arc<Record>| r.relevant_to().count();
    assert_eq!(out.records().iter().map(relevant).sum::<usize>(), 3);

    let report = run(pipeline("2", "hat").source(stored(&documents))).await;
    assert_eq!(report.posts.filtered, 3, "{report:?}");
    for (number, record) in out.records().iter().enumerate() {
        assert_eq!(relevant(record), 0);
        assert!(record.effective()["garment"].contains("hat"));
        let stored = super::support::record(documents.as_ref(), number).await;
        assert_eq!(**record, stored);
    }
}

#[tokio::test]
async fn every_outcome_is_counted_and_kept() {
    let documents = memory();
    let out = Collect::new("out");
    let spec = EnricherSpec::new("garment", "1").gives(["garment"]);
    let garment = Probe::of(spec.threshold(0.5)).answers(|item| {
        let sure = |sure| Ok(vec![Finding::label("garment", "dress").confidence(sure)]);
        match item.post().text.as_str() {
            "sure dress" => sure(0.95),
            "unsure dress" => sure(0.45),
            "poison" => Err(error(ErrorKind::Corrupt)),
            _ => Ok(Vec::new()),
        }
    });
    let report = run(with(&documents)
        .source(texts(&["sure dress", "unsure dress", "poison", "a view"]))
        .enrich(garment)
        .gate(ReviewGate::policy(["garment"], uncertain(0.1)))
        .sink(out.clone().only(filter("garment:dress"))))
    .await;
    let posts = report.posts;
    let ends = [
        posts.delivered,
        posts.held,
        posts.dead_lettered,
        posts.filtered,
    ];
    assert_eq!((report.status, ends), (RunStatus::Done, [1, 1, 1, 1]));
    assert_eq!(collected(&out), ["sure dress"]);
    let states = [0, 1, 2, 3].map(async |n| state(documents.as_ref(), n).await);
    let mut names = Vec::new();
    for state in states {
        names.push(state.await.name());
    }
    assert_eq!(names, ["delivered", "held", "dead", "filtered"]);
    let tasks = documents.open(Some(NAME), 10).await.unwrap();
    assert_eq!((tasks.len(), tasks[0].post.clone()), (1, id(1)));
}
