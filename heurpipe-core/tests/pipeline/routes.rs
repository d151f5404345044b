//! Routes: each post goes one way, sees only the parts on it, and all ways are one again afterwards.

use heurpipe_core::testkit::Collect;
use heurpipe_core::*;

use super::support::*;

fn condition() -> LedgerOutcome {
    LedgerOutcome::Skipped(SkipReason::Condition)
}

/// Finds the last word of the text.
fn garment() -> Probe {
    let last = |post: &Post| post.text.split(' ').next_back().unwrap().to_owned();
    Probe::new("garment").labels(last)
}

fn mixed() -> testkit::Posts {
    texts(&["red dress", "red hat", "blue hat"])
}

fn is_red(record: &Record) -> bool {
    record.post.text.starts_with("red")
}

#[tokio::test]
async fn a_post_goes_the_first_way_whose_test_it_meets_and_the_ways_merge_again() {
    let documents = memory();
    let [dresses, reds, rest, all] = ["dresses", "reds", "rest", "all"].map(Collect::new);
    let [cut, shade, other, after] = ["cut", "shade", "other", "after"].map(Probe::new);
    let route = Route::new("kind")
        .case("dress", filter("garment:dress"), |way| {
            way.enrich(cut.clone()).sink(dresses.clone())
        })
        .case("red", is_red, |way| {
            way.enrich(shade.clone()).sink(reds.clone())
        })
        .otherwise("rest", |way| way.enrich(other.clone()).sink(rest.clone()));
    let report = run(with(&documents)
        .source(mixed())
        .enrich(garment())
        .route(route)
        .enrich(after.clone())
        .sink(all.clone()))
    .await;
    assert_eq!(report.posts.delivered, 3);
    assert_eq!(collected(&dresses), ["red dress"]);
    assert_eq!(collected(&reds), ["red hat"]);
    assert_eq!(collected(&rest), ["blue hat"]);
    assert_eq!(collected(&all).len(), 3);
    assert_eq!(cut.posts(), [id(0)].into());
    assert_eq!(shade.posts(), [id(1)].into());
    assert_eq!(other.posts(), [id(2)].into());
    assert_eq!(after.items(), 3);
    for (number, ran) in ["cut", "shade", "other"].into_iter().enumerate() {
        for enricher in ["cut", "shade", "other"] {
            let said = line(documents.as_ref(), number, enricher).await;
            let expected = match enricher == ran {
                true => LedgerOutcome::Done,
                false => condition(),
            };
            assert_eq!(said, expected, "{enricher} on post {number}");
        }
    }
    assert_eq!(stage(&report, "cut").skipped, 2);
}

#[tokio::test]
async fn a_closure_sees_what_was_found_before_the_route() {
    let chosen = Collect::new("chosen");
    let is_hat = |record: &Record| record.effective()["garment"].contains("hat");
    let dear = Probe::new("dear");
    let route = Route::new("by closure").case("hat", is_hat, |way| {
        way.enrich(dear.clone()).sink(chosen.clone())
    });
    let report = run(Pipeline::builder(NAME)
        .source(mixed())
        .route(Route::new("none"))
        .enrich(garment())
        .route(route))
    .await;
    assert_eq!((report.posts.delivered, report.posts.filtered), (2, 1));
    assert_eq!(collected(&chosen), ["red hat", "blue hat"]);
    assert_eq!(dear.posts(), [id(1), id(2)].into());
}

#[tokio::test]
async fn a_post_that_no_case_takes_goes_on_without() {
    let (dresses, all) = (Collect::new("dresses"), Collect::new("all"));
    let only_dresses =
        || Route::new("kind").case("dress", filter("dress"), |way| way.sink(dresses.clone()));
    let base = || {
        Pipeline::builder(NAME)
            .source(mixed())
            .route(only_dresses())
    };
    let report = run(base().sink(all.clone())).await;
    assert_eq!((report.posts.delivered, collected(&all).len()), (3, 3));
    // Where nobody else wants it, it is filtered.
    let report = run(base()).await;
    assert_eq!((report.posts.delivered, report.posts.filtered), (1, 2));
    assert_eq!(collected(&dresses), ["red dress"]);
}

#[tokio::test]
async fn routes_nest() {
    let [red_hats, other_hats, dresses] = ["red hats", "other hats", "dresses"].map(Collect::new);
    let tint = Probe::new("tint");
    let hats = Route::new("colour")
        .case("red", is_red, |way| {
            way.enrich(tint.clone()).sink(red_hats.clone())
        })
        .otherwise("other", |way| way.sink(other_hats.clone()));
    let report = run(Pipeline::builder(NAME).source(mixed()).route(
        Route::new("kind")
            .case("hat", filter("hat"), |way| way.route(hats))
            .otherwise("dress", |way| way.sink(dresses.clone())),
    ))
    .await;
    assert_eq!(report.posts.delivered, 3);
    assert_eq!(collected(&red_hats), ["red hat"]);
    assert_eq!(collected(&other_hats), ["blue hat"]);
    assert_eq!(collected(&dresses), ["red dress"]);
    // "red" alone would have taken the red dress too.
    assert_eq!(tint.posts(), [id(1)].into());
}

#[tokio::test]
async fn a_gate_on_a_way_judges_only_what_comes_by() {
    let documents = memory();
    let all = Collect::new("all");
    let refuse = |_: &Record| {
        Ok(Verdict::Reject {
            reason: "a hat".to_owned(),
        })
    };
    let gate = Gate::new("no hats", refuse);
    let report = run(with(&documents)
        .source(mixed())
        .route(Route::new("kind").case("hat", filter("hat"), |way| way.gate(gate.clone())))
        .sink(all.clone()))
    .await;
    assert_eq!((report.posts.delivered, report.posts.rejected), (1, 2));
    assert_eq!(gate.judged(), [id(1), id(2)]);
    assert_eq!(collected(&all), ["red dress"]);
    let refused = State::Rejected {
        reason: "a hat".to_owned(),
    };
    assert_eq!(state(documents.as_ref(), 1).await, refused);
}

#[tokio::test]
async fn a_side_output_on_a_way_gets_only_what_comes_by() {
    let (side, all) = (Collect::new("side"), Collect::new("all"));
    let report = run(Pipeline::builder(NAME)
        .source(mixed())
        .route(Route::new("kind").case("hat", filter("hat"), |way| way.tee(side.clone())))
        .sink(all.clone().only(filter("-blue"))))
    .await;
    assert_eq!((report.posts.delivered, report.posts.filtered), (2, 1));
    assert_eq!(collected(&side), ["red hat", "blue hat"]);
}

#[tokio::test]
async fn a_test_that_asks_something_else_is_asked_again_on_stored_posts() {
    let documents = memory();
    let probe = Probe::new("probe");
    let pipeline = |test: &str| {
        with(&documents)
            .route(Route::new("kind").case("some", filter(test), |way| way.enrich(probe.clone())))
            .sink(Collect::new("out"))
    };
    run(pipeline("dress").source(mixed())).await;
    assert_eq!(probe.posts(), [id(0)].into());
    let again = run(pipeline("dress").stale(Filter::All)).await;
    assert_eq!((again.posts.read, probe.items()), (0, 1));
    run(pipeline("hat").stale(Filter::All)).await;
    assert_eq!(probe.items(), 3);
    let done = line(documents.as_ref(), 1, "probe").await;
    assert_eq!(done, LedgerOutcome::Done);
    // Whoever has all posts looked at withdraws what was found where the enricher no longer belongs.
    let all = StoredRecords::of_use_case(documents.clone(), NAME, Filter::All);
    run(pipeline("hat").source(all)).await;
    assert_eq!(probe.items(), 3);
    assert_eq!(line(documents.as_ref(), 0, "probe").await, condition());
    let withdrawn = record(documents.as_ref(), 0).await;
    assert!(withdrawn.annotations.is_empty());
}
