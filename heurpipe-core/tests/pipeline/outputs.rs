//! Sources that are merged, sinks that must all agree, side outputs that have no say, and receipts that come after durability.

use std::time::Duration;

use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;

use super::support::*;

fn from(first: usize, count: usize) -> Posts {
    let all = (first..first + count).map(|n| post(n, &format!("post {n}")));
    Posts::new(all.collect()).page(3)
}

#[tokio::test]
async fn several_sources_are_merged_and_keep_their_own_checkpoints() {
    let documents = memory();
    let out = Collect::new("out");
    let pipeline = |first: usize, second: usize| {
        with(&documents)
            .source(Watched::new("first", from(0, first)))
            .source(Watched::new("second", from(100, second)))
            .sink(out.clone())
    };
    let report = run(pipeline(10, 5)).await;
    assert_eq!((report.posts.read, out.records().len()), (15, 15));
    assert_eq!(stage(&report, "first").left, 10);
    assert_eq!(stage(&report, "second").left, 5);
    // Each goes on where it was: the second has grown, the first has not.
    let report = run(pipeline(10, 9)).await;
    assert_eq!((report.posts.read, out.records().len()), (4, 19));
    assert_eq!(stage(&report, "first").left, 0);
}

#[tokio::test]
async fn a_post_of_two_sources_is_delivered_once() {
    let events = Events::default();
    let out = Written::new(SinkSpec::new("out"), &events);
    let report = run(with(&memory())
        .source(Watched::new("first", from(0, 10)))
        .source(Watched::new("second", from(5, 10)))
        .sink(out.clone()))
    .await;
    assert_eq!((report.posts.read, report.posts.delivered), (20, 15));
    assert_eq!(report.posts.filtered, 5);
    assert_eq!(out.order().len(), 15);
}

#[tokio::test]
async fn a_post_is_delivered_when_all_its_sinks_have_it() {
    let documents = memory();
    let (first, second) = (Collect::new("first"), Collect::new("second"));
    let script = Faults::poison(id(1), ErrorKind::InvalidInput);
    let report = run(with(&documents)
        .source(from(0, 3))
        .sink(first.clone())
        .sink(Faulty::new(second.clone(), script)))
    .await;
    assert_eq!((report.posts.delivered, report.posts.dead_lettered), (2, 1));
    // The first has it; the post is not delivered all the same.
    assert_eq!((first.records().len(), second.records().len()), (3, 2));
    assert_eq!(letters(documents.as_ref()).await[0].stage, "second");
    assert_eq!(state(documents.as_ref(), 1).await.name(), "dead");
    assert_eq!(stage(&report, "second").failed, 1);
}

#[tokio::test]
async fn a_post_that_one_of_several_sinks_wants_is_delivered() {
    let (some, none) = (Collect::new("some"), Collect::new("none"));
    let report = run(Pipeline::builder(NAME)
        .source(texts(&["red dress", "blue hat"]))
        .sink(some.clone().only(filter("dress")))
        .sink(none.clone().only(filter("coat"))))
    .await;
    assert_eq!((report.posts.delivered, report.posts.filtered), (1, 1));
    assert_eq!(collected(&some), ["red dress"]);
    assert!(none.records().is_empty());
}

/// Five posts that end in five ways, named by their texts.
fn all_outcomes() -> Posts {
    texts(&["fine", "unsure", "bad", "poison", "dull"])
}

fn five_ways(
    documents: &std::sync::Arc<heurpipe_stores::documents::MemoryDocuments>,
) -> PipelineBuilder {
    let model = Probe::new("model").answers(|item| match item.post().text.as_str() {
        "poison" => Err(error(ErrorKind::Corrupt)),
        text => Ok(vec![Finding::label("model", text)]),
    });
    with(documents).source(all_outcomes()).enrich(model)
}

fn opinion() -> Gate {
    Gate::new("opinion", |record| {
        Ok(match record.post.text.as_str() {
            "unsure" => Verdict::Hold {
                reason: "unsure".to_owned(),
                tasks: Vec::new(),
                group: None,
            },
            "bad" => Verdict::Reject {
                reason: "bad".to_owned(),
            },
            _ => Verdict::Accept,
        })
    })
}

fn in_five_ways(report: &RunReport) {
    let posts = report.posts;
    let ends = [posts.delivered, posts.held, posts.rejected];
    assert_eq!(ends, [1, 1, 1], "{posts:?}");
    assert_eq!((posts.dead_lettered, posts.filtered), (1, 1), "{posts:?}");
}

#[tokio::test]
async fn a_side_output_gets_what_settles_whatever_becomes_of_it() {
    let documents = memory();
    let (out, side) = (Collect::new("out"), Collect::new("side"));
    let report = run(five_ways(&documents)
        .gate(opinion())
        .sink(out.clone().only(filter("-model:dull")))
        .tee(side.clone()))
    .await;
    in_five_ways(&report);
    assert_eq!(collected(&out), ["fine"]);
    assert_eq!(side.records().len(), 5);
    let states: Vec<&str> = [0, 1, 2, 3, 4]
        .map(|n| side.records()[n].states[NAME].name())
        .to_vec();
    assert_eq!(
        states,
        ["delivered", "held", "rejected", "dead", "filtered"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_side_output_refuses_changes_nothing_and_is_counted() {
    let documents = memory();
    let (out, side) = (Collect::new("out"), Collect::new("side"));
    for kind in [
        ErrorKind::Corrupt,
        ErrorKind::Unavailable,
        ErrorKind::Unauthenticated,
    ] {
        let down = Faults::none().rule(Rule::new(Trigger::Always, Fault::Fail(kind)));
        let report = run(five_ways(&memory())
            .gate(opinion())
            .tee(Faulty::new(side.clone(), down))
            .sink(out.clone().only(filter("-model:dull"))))
        .await;
        in_five_ways(&report);
        assert_eq!(report.status, RunStatus::Done);
        assert_eq!(stage(&report, "side").failed, 5, "{kind}");
    }
    // One that refuses a single post gets the others.
    let poisoned = Faults::poison(id(0), ErrorKind::Corrupt);
    let report = run(five_ways(&documents)
        .tee(Faulty::new(side.clone(), poisoned))
        .sink(out.clone()))
    .await;
    assert_eq!(stage(&report, "side").failed, 1);
    assert_eq!((side.records().len(), report.posts.delivered), (4, 4));
}

#[tokio::test]
async fn what_fails_is_not_judged_and_what_is_refused_is_not_written() {
    let gate = opinion();
    let out = Collect::new("out");
    let never = Gate::open("second");
    let report = run(five_ways(&memory())
        .gate(gate.clone())
        .gate(never.clone())
        .sink(out.clone()))
    .await;
    assert_eq!((report.posts.dead_lettered, report.posts.delivered), (1, 2));
    assert!(!gate.judged().contains(&id(3)), "it failed before");
    assert_eq!(never.judged(), [id(0), id(4)]);
    assert_eq!(collected(&out), ["fine", "dull"]);
}

#[tokio::test]
async fn a_receipt_comes_after_the_flush_of_a_sink_that_needs_one() {
    let events = Events::default();
    let source = Watched::new("posts", from(0, 3)).telling(&events);
    let flushed = SinkSpec::new("index").durable_at_flush();
    run(with(&memory())
        .source(source)
        .sink(Written::new(SinkSpec::new("table"), &events))
        .sink(Written::new(flushed, &events)))
    .await;
    // What is durable when written is not flushed.
    assert_eq!(
        events.all(),
        [
            "table writes 3",
            "index writes 3",
            "index flushes",
            "settled 3"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_fails_holds_the_receipts_back() {
    let events = Events::default();
    let source = Watched::new("posts", from(0, 3)).telling(&events);
    let sink = Written::new(SinkSpec::new("index").durable_at_flush(), &events);
    let down = Fault::Fail(ErrorKind::Unavailable);
    let script = Faults::none().rule(Rule::new(Trigger::first(3), down).on("flush"));
    let faulty = Faulty::new(sink, script);
    let report = run(with(&memory()).source(source).sink(faulty.clone())).await;
    assert_eq!((faulty.injected().fail, report.posts.delivered), (3, 3));
    assert_eq!(
        events.all(),
        ["index writes 3", "index flushes", "settled 3"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_source_is_told_of_its_pages_in_order_whichever_is_done_first() {
    let source = Watched::new("posts", from(0, 12));
    let first_page = |batch: &Batch| match batch.items[0].record.id() == &id(0) {
        true => Duration::from_secs(5),
        false => Duration::from_millis(1),
    };
    let events = Events::default();
    let out = Written::new(SinkSpec::new("out"), &events);
    let mut options = one_by_one(3);
    options.workers = 4;
    let poison = Faults::poison(id(7), ErrorKind::Corrupt);
    let report = run_with(
        with(&memory())
            .source(source.clone())
            .enrich(Faulty::new(Probe::new("slow").takes(first_page), poison))
            .sink(out.clone()),
        options,
    )
    .await;
    assert_eq!(
        (report.posts.delivered, report.posts.dead_lettered),
        (11, 1)
    );
    assert_eq!(out.order().last(), Some(&id(2)), "the first page is last");
    let told = source.settled();
    let upto: Vec<String> = told
        .iter()
        .map(|(upto, _)| upto.resume.clone().unwrap().0)
        .collect();
    assert_eq!(upto, ["3", "6", "9", "12"]);
    for (page, (_, outcomes)) in told.iter().enumerate() {
        let mut ids: Vec<PostId> = outcomes.iter().map(|(id, _)| id.clone()).collect();
        ids.sort();
        assert_eq!(ids, [0, 1, 2].map(|n| id(3 * page + n)));
        for (post, outcome) in outcomes {
            let expected = match *post == id(7) {
                true => Outcome::DeadLettered,
                false => Outcome::Delivered,
            };
            assert_eq!(*outcome, expected, "{post}");
        }
    }
}
