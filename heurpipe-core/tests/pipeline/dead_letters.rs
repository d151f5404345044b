//! Dead letters: kept with what went wrong, counted by cause, and tried once more on request.

use heurpipe_core::testkit::faults::{Faults, Faulty};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;

use super::support::*;

/// An enricher of this version for which posts with this text fail.
fn model(version: &str, fails: &'static [(&'static str, ErrorKind)]) -> Probe {
    let spec = EnricherSpec::new("model", version).gives(["model"]);
    let version = version.to_owned();
    Probe::of(spec).answers(move |item| {
        match fails.iter().find(|(text, _)| *text == item.post().text) {
            Some((_, kind)) => Err(error(*kind).with("model", &version)),
            None => Ok(vec![Finding::label("model", version.clone())]),
        }
    })
}

const BROKEN: &[(&str, ErrorKind)] = &[
    ("post 1", ErrorKind::Corrupt),
    ("post 2", ErrorKind::TooLarge),
    ("post 3", ErrorKind::Corrupt),
];

/// Six posts: three fail in the model, one at the sink.
async fn four_letters() -> std::sync::Arc<heurpipe_stores::documents::MemoryDocuments> {
    let documents = memory();
    let refuses = Faults::poison(id(5), ErrorKind::InvalidInput);
    let report = run(with(&documents)
        .source(Posts::new(posts(6)))
        .enrich(model("1", BROKEN))
        .sink(Faulty::new(Collect::new("out"), refuses)))
    .await;
    assert_eq!((report.posts.delivered, report.posts.dead_lettered), (2, 4));
    documents
}

fn replay(
    documents: &std::sync::Arc<heurpipe_stores::documents::MemoryDocuments>,
    scan: DeadLetterScan,
    filter: Filter,
    model: Probe,
    out: &Collect,
) -> PipelineBuilder {
    with(documents)
        .source(DeadLetters::of(documents.clone(), NAME, scan, filter))
        .enrich(model)
        .sink(out.clone())
}

#[tokio::test]
async fn they_say_which_stage_why_and_keep_the_record() {
    let documents = four_letters().await;
    let letters = letters(documents.as_ref()).await;
    let told: Vec<(PostId, &str, &str)> = letters
        .iter()
        .map(|l| (l.post.clone(), l.stage.as_str(), l.cause.as_str()))
        .collect();
    let mut sorted = told.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        [
            (id(1), "model", "corrupt"),
            (id(2), "model", "too_large"),
            (id(3), "model", "corrupt"),
            (id(5), "out", "invalid_input"),
        ]
    );
    for letter in &letters {
        assert_eq!(letter.use_case, NAME);
        let kept = letter.record.as_ref().unwrap();
        assert_eq!(*kept.id(), letter.post);
    }
    let counts = documents.dead_letter_counts(Some(NAME)).await.unwrap();
    let counts: Vec<(&str, &str, u64)> = counts
        .iter()
        .map(|c| (c.stage.as_str(), c.cause.as_str(), c.letters))
        .collect();
    assert_eq!(
        counts,
        [
            ("model", "corrupt", 2),
            ("model", "too_large", 1),
            ("out", "invalid_input", 1)
        ]
    );
}

#[tokio::test]
async fn the_whole_chain_of_an_error_is_kept() {
    let documents = memory();
    let deep = Probe::new("model").answers(|_| {
        let cause = Error::new(ErrorKind::Io, "disk.read").message("sector 7");
        Err(error(ErrorKind::Corrupt).cause(cause))
    });
    run(with(&documents)
        .source(Posts::new(posts(1)))
        .enrich(deep)
        .sink(Collect::new("out")))
    .await;
    let chain = letters(documents.as_ref()).await.remove(0).chain;
    assert_eq!(chain.len(), 2);
    assert!(chain[0].contains("target=post"), "{chain:?}");
    assert!(chain[1].contains("sector 7"), "{chain:?}");
}

#[tokio::test]
async fn what_heals_leaves_the_letters_and_what_fails_again_stays_with_the_new_error() {
    let documents = four_letters().await;
    let out = Collect::new("out");
    let today = model("2", &[("post 2", ErrorKind::Unsupported)]);
    let all = DeadLetterScan::all();
    let report = run(replay(&documents, all, Filter::All, today, &out)).await;
    assert_eq!(report.posts.read, 4);
    assert_eq!((report.posts.delivered, report.posts.dead_lettered), (3, 1));
    assert_eq!(collected(&out), ["post 1", "post 3", "post 5"]);
    assert!(out.records()[0].effective()["model"].contains("2"));
    let left = letters(documents.as_ref()).await;
    let [letter] = &left[..] else {
        panic!("{left:?}");
    };
    assert_eq!(
        (letter.post.clone(), letter.cause.as_str()),
        (id(2), "unsupported")
    );
    assert!(letter.chain[0].contains("model=2"), "{:?}", letter.chain);
    assert_eq!(state(documents.as_ref(), 1).await, State::Delivered);
    assert_eq!(state(documents.as_ref(), 2).await.name(), "dead");
}

#[tokio::test]
async fn what_fails_always_is_read_once_a_replay() {
    let documents = four_letters().await;
    let out = Collect::new("out");
    for _ in 0..2 {
        let today = model("1", BROKEN);
        let all = DeadLetterScan::all();
        let report = run(replay(&documents, all, Filter::All, today.clone(), &out)).await;
        assert_eq!(report.posts.dead_lettered, 3);
        assert_eq!(today.posts(), [id(1), id(2), id(3)].into());
    }
    assert_eq!(letters(documents.as_ref()).await.len(), 3);
}

#[tokio::test]
async fn a_replay_takes_the_letters_that_it_is_asked_for() {
    let mut by_cause = DeadLetterScan::all();
    by_cause.cause = Some("corrupt".to_owned());
    let mut by_stage = DeadLetterScan::all();
    by_stage.stage = Some("out".to_owned());
    let mut by_both = by_cause.clone();
    by_both.stage = Some("out".to_owned());
    let selections = [
        (by_cause.clone(), Filter::All, vec!["post 1", "post 3"]),
        (by_stage, Filter::All, vec!["post 5"]),
        (by_both, Filter::All, vec![]),
        (
            DeadLetterScan::all(),
            filter("text:2,5"),
            vec!["post 2", "post 5"],
        ),
        (by_cause, filter("text:3,5"), vec!["post 3"]),
    ];
    for (scan, filter, expected) in selections {
        let documents = four_letters().await;
        let out = Collect::new("out");
        run(replay(&documents, scan, filter, model("2", &[]), &out)).await;
        assert_eq!(collected(&out), expected);
        let left = letters(documents.as_ref()).await;
        assert_eq!(left.len(), 4 - expected.len());
    }
}

#[tokio::test]
async fn a_letter_whose_post_has_healed_otherwise_is_cleared_away() {
    let documents = four_letters().await;
    let out = Collect::new("out");
    let healed = model("2", &[]);
    let stale = with(&documents)
        .stale(Filter::All)
        .enrich(healed.clone())
        .sink(out.clone());
    run(stale).await;
    assert_eq!((healed.items(), out.records().len()), (6, 6));
    let all = DeadLetterScan::all();
    let report = run(replay(&documents, all, Filter::All, healed.clone(), &out)).await;
    assert_eq!((report.posts.read, report.posts.filtered), (4, 4));
    assert_eq!(healed.items(), 6);
    assert!(letters(documents.as_ref()).await.is_empty());
}

#[tokio::test]
async fn letters_of_another_pipeline_are_left_alone() {
    let documents = four_letters().await;
    let out = Collect::new("out");
    let others = DeadLetters::of(
        documents.clone(),
        "another",
        DeadLetterScan::all(),
        Filter::All,
    );
    let report = run(Pipeline::builder("another")
        .documents(documents.clone())
        .source(others)
        .sink(out))
    .await;
    assert_eq!(report.posts.read, 0);
    assert_eq!(letters(documents.as_ref()).await.len(), 4);
}
