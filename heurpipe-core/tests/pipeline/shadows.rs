//! A shadow runs beside the enricher that it may replace: on a sample, kept, and without a say.

use std::sync::Arc;

use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

use super::support::*;

fn kind(version: &str, label: &'static str) -> Probe {
    Probe::of(EnricherSpec::new("kind", version).gives(["kind"])).labels(move |_| label.to_owned())
}

/// Builds upon what the promoted model says.
fn after() -> Probe {
    let spec = EnricherSpec::new("after", "1")
        .needs(["kind"])
        .gives(["after"]);
    Probe::of(spec)
}

async fn gather(
    documents: &Arc<MemoryDocuments>,
    builder: PipelineBuilder,
) -> (RunReport, Collect) {
    let sink = Collect::new("out");
    let only_dresses = sink.clone().only(filter("kind:dress"));
    let report = run(builder.documents(documents.clone()).sink(only_dresses)).await;
    (report, sink)
}

#[tokio::test]
async fn what_a_shadow_says_is_kept_and_counts_nowhere() {
    let documents = memory();
    let (shadow, after) = (kind("2", "hat"), after());
    let builder = Pipeline::builder(NAME)
        .source(Posts::new(posts(1)))
        .enrich(kind("1", "dress"))
        .enrich(shadow.clone().shadow(1.0))
        .enrich(after.clone());
    let (report, sink) = gather(&documents, builder).await;
    assert_eq!(report.posts.delivered, 1);
    assert_eq!((shadow.items(), after.items()), (1, 1));
    let stored = record(documents.as_ref(), 0).await;
    let said: Vec<_> = stored
        .annotations
        .iter()
        .filter(|a| a.attribute == "kind")
        .collect();
    assert_eq!(said.len(), 2);
    assert_eq!(said.iter().filter(|a| a.is_shadow()).count(), 1);
    assert!(filter("kind:dress -kind:hat").matches(&Flat::of(&stored)));
    assert_eq!(sink.records().len(), 1);
}

#[tokio::test]
async fn the_two_are_compared_label_by_label() {
    let documents = memory();
    let promoted = EnricherSpec::new("kind", "1").gives(["kind"]);
    let promoted = Probe::of(promoted).labels(|post| post.text.clone());
    let shadow = EnricherSpec::new("kind", "2").gives(["kind"]);
    let shadow = Probe::of(shadow).labels(|post| post.text.replace("coat", "jacket"));
    let builder = Pipeline::builder(NAME)
        .source(texts(&["dress", "coat", "coat", "hat"]))
        .enrich(promoted)
        .enrich(shadow.shadow(1.0));
    gather(&documents, builder).await;
    let mut comparison = Comparison::of("kind", "kind");
    for number in 0..4 {
        let mut stored = record(documents.as_ref(), number).await;
        if number == 1 {
            let decided = Value::Label("jacket".to_owned());
            let at = jiff::Timestamp::UNIX_EPOCH;
            stored.annotations.push(Annotation::decided(
                Target::Post,
                "kind",
                decided,
                "eva",
                at,
            ));
        }
        comparison.add(&stored);
    }
    assert_eq!((comparison.targets, comparison.same), (4, 2));
    let flip = ("coat".to_owned(), "jacket".to_owned());
    assert_eq!(comparison.flips[&flip], 2);
    let right = (comparison.promoted.right, comparison.shadow.right);
    assert_eq!((comparison.decided, right), (1, (0, 1)));
    let said = comparison.to_string();
    assert!(
        said.contains("coat -> jacket  2") && !said.contains("hat ->"),
        "{said}"
    );
}

#[tokio::test]
async fn adding_and_removing_a_shadow_makes_nothing_else_stale() {
    let documents = memory();
    let (promoted, after) = (kind("1", "dress"), after());
    let plain = || {
        Pipeline::builder(NAME)
            .enrich(promoted.clone())
            .enrich(after.clone())
    };
    gather(&documents, plain().source(Posts::new(posts(20)))).await;
    let shadow = kind("2", "hat");
    let stale = || plain().documents(documents.clone()).stale(Filter::All);
    gather(&documents, stale().enrich(shadow.clone().shadow(1.0))).await;
    gather(&documents, stale()).await;
    assert_eq!((promoted.items(), after.items()), (20, 20));
    assert_eq!(shadow.items(), 20);
}

#[tokio::test]
async fn promotion_makes_exactly_the_changed_analyses_stale() {
    let documents = memory();
    let (promoted, after, other) = (kind("1", "dress"), after(), Probe::new("other"));
    let with_kind = |kind: &Probe| {
        Pipeline::builder(NAME)
            .enrich(kind.clone())
            .enrich(after.clone())
            .enrich(other.clone())
    };
    gather(
        &documents,
        with_kind(&promoted).source(Posts::new(posts(20))),
    )
    .await;
    let successor = kind("2", "dress");
    gather(&documents, with_kind(&successor).stale(Filter::All)).await;
    assert_eq!(successor.items(), 20);
    assert_eq!(after.items(), 40, "it builds upon what has changed");
    assert_eq!(other.items(), 20, "it has nothing to do with it");
}

#[tokio::test]
async fn a_sample_is_the_same_in_every_run_and_about_as_large_as_asked() {
    let documents = memory();
    let shadow = kind("2", "hat");
    let builder = || {
        Pipeline::builder(NAME)
            .source(Posts::new(posts(1000)))
            .enrich(kind("1", "dress"))
            .enrich(shadow.clone().shadow(0.2))
    };
    gather(&documents, builder()).await;
    let chosen = shadow.posts();
    assert!((150..250).contains(&chosen.len()), "{}", chosen.len());
    let elsewhere = memory();
    gather(&elsewhere, builder()).await;
    assert_eq!(shadow.posts(), chosen);
    assert_eq!(shadow.items(), 2 * chosen.len());
}
