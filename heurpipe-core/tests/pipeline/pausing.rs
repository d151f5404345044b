//! A store that is down pauses the run, which says so and goes on when the store is back: nothing is lost and nothing is done twice.

use std::sync::{Arc, Mutex};

use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

use super::support::*;

/// Down for so many calls of a method.
fn outage(method: &str, first: u64, count: u64) -> Faults {
    let calls = Trigger::Calls { first, count };
    let down = Fault::Fail(ErrorKind::Unavailable);
    Faults::none().rule(Rule::new(calls, down).on(method))
}

/// What a run said of itself while it went on.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<RunReport>>>);

impl Heard {
    fn listen(&self, options: &mut RunOptions) {
        let heard = self.0.clone();
        options.progress = Some(Arc::new(move |report: &RunReport| {
            heard.lock().unwrap().push(report.clone());
        }));
    }

    /// What it said that it waited for, while it was paused.
    fn waiting(&self) -> Vec<String> {
        let reports = self.0.lock().unwrap();
        let paused = reports.iter().filter(|r| r.status == RunStatus::Paused);
        paused.flat_map(|r| r.waiting.clone()).collect()
    }

    fn last(&self) -> RunReport {
        self.0.lock().unwrap().last().unwrap().clone()
    }
}

/// Batches of five posts, one of which is held, one refused and one poisonous.
struct World {
    documents: Arc<MemoryDocuments>,
    enricher: Probe,
    out: Collect,
    heard: Heard,
}

impl World {
    fn new() -> Self {
        let model = Probe::new("model").answers(|item| match item.post().text.as_str() {
            "post 7" => Err(error(ErrorKind::Corrupt)),
            text => Ok(vec![Finding::label("model", text)]),
        });
        Self {
            documents: memory(),
            enricher: model,
            out: Collect::new("out"),
            heard: Heard::default(),
        }
    }

    async fn run(&self, documents: Faults, review: Faults, sink: Faults) -> (RunReport, u64) {
        let documents = Arc::new(Faulty::new(self.documents.clone(), documents));
        let review = Arc::new(Faulty::new(self.documents.clone(), review));
        let sink = Faulty::new(self.out.clone(), sink);
        let hold = Gate::new("hold", |record| {
            Ok(match record.post.text.as_str() {
                "post 11" => Verdict::Hold {
                    reason: "unsure".to_owned(),
                    tasks: Vec::new(),
                    group: None,
                },
                _ => Verdict::Accept,
            })
        });
        let pipeline = Pipeline::builder(NAME)
            .documents(documents.clone())
            .review(review.clone())
            .source(Posts::new(posts(30)).page(5))
            .enrich(self.enricher.clone())
            .gate(hold)
            .sink(sink.clone());
        let mut options = one_by_one(5);
        self.heard.listen(&mut options);
        let report = run_with(pipeline, options).await;
        let faults = [
            documents.injected().fail,
            review.injected().fail,
            sink.injected().fail,
        ];
        (report, faults.iter().sum())
    }
}

async fn ends_as_if_nothing_had_been(what: &str, documents: Faults, review: Faults, sink: Faults) {
    let smooth = World::new();
    let none = Faults::none;
    smooth.run(none(), none(), none()).await;
    assert!(smooth.heard.waiting().is_empty());

    let world = World::new();
    let (report, failures) = world.run(documents, review, sink).await;
    assert_eq!((report.status, failures), (RunStatus::Done, 8), "{what}");
    assert!(report.waiting.is_empty(), "{what}");
    assert_eq!(world.heard.last(), report);
    let waiting = world.heard.waiting();
    assert!(!waiting.is_empty(), "{what}: it was never paused");
    for wait in &waiting {
        assert!(wait.starts_with(&format!("{what}: ")), "{wait}");
        assert!(wait.contains("unavailable"), "{wait}");
    }
    let ends = |r: &RunReport| (r.posts.delivered, r.posts.held, r.posts.dead_lettered);
    assert_eq!(ends(&report), (28, 1, 1), "{what}");
    let stored = everything(world.documents.as_ref()).await;
    assert_eq!(
        stored,
        everything(smooth.documents.as_ref()).await,
        "{what}"
    );
    assert_eq!(collected(&world.out), collected(&smooth.out), "{what}");
    assert_eq!(world.enricher.items(), smooth.enricher.items(), "{what}");
    assert_eq!(letters(world.documents.as_ref()).await.len(), 1, "{what}");
}

#[tokio::test(start_paused = true)]
async fn documents_that_are_down_pause_the_run_at_every_place() {
    // What the run is doing when the documents go down, and which of its calls that is.
    let places = [
        ("load", "load", 2),
        ("pending", "commit", 1),
        ("checkpoint", "save_checkpoint", 2),
        ("checkpoint", "checkpoint", 1),
        ("dead letters", "bury", 1),
        ("run", "save_run", 2),
    ];
    for (what, method, first) in places {
        let down = outage(method, first, 8);
        let none = Faults::none;
        if what == "run" {
            // When a run begins and ends nobody is told how far it has come.
            let world = World::new();
            let (report, failures) = world.run(down, none(), none()).await;
            assert_eq!((report.status, failures), (RunStatus::Done, 8));
        } else {
            ends_as_if_nothing_had_been(what, down, none(), none()).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_commit_of_outcomes_waits_for_the_documents() {
    let world = World::new();
    // All is gathered in one batch: the second commit is that of its outcomes.
    let mut gathered = one_by_one(30);
    world.heard.listen(&mut gathered);
    let documents = Arc::new(Faulty::new(world.documents.clone(), outage("commit", 2, 8)));
    let pipeline = Pipeline::builder(NAME)
        .documents(documents.clone())
        .source(Posts::new(posts(30)))
        .sink(world.out.clone());
    let report = run_with(pipeline, gathered).await;
    assert_eq!((report.posts.delivered, documents.injected().fail), (30, 8));
    let waiting = world.heard.waiting();
    assert!(waiting.iter().all(|wait| wait.starts_with("commit: ")));
    assert!(!waiting.is_empty());
    for record in world.out.records() {
        assert_eq!(record.states[NAME], State::Delivered);
        assert_eq!(record.revision, 2, "pending, then delivered");
    }
}

#[tokio::test(start_paused = true)]
async fn a_review_queue_that_is_down_pauses_the_run() {
    let none = Faults::none;
    ends_as_if_nothing_had_been("review", none(), outage("ask", 1, 8), none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_is_down_pauses_the_run() {
    let none = Faults::none;
    ends_as_if_nothing_had_been("out", none(), none(), Faults::outage(2, 8)).await;
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_takes_no_post_at_all_is_down_too() {
    let world = World::new();
    let refuses = Fault::FailItem(ErrorKind::Unavailable);
    let script = Faults::none().rule(Rule::new(Trigger::first(8), refuses));
    let none = Faults::none;
    let (report, _) = world.run(none(), none(), script).await;
    let ends = |r: &RunReport| (r.posts.delivered, r.posts.held, r.posts.dead_lettered);
    assert_eq!(ends(&report), (28, 1, 1));
    let waiting = world.heard.waiting();
    assert!(waiting.iter().any(|wait| wait.starts_with("out: ")));
}

#[tokio::test(start_paused = true)]
async fn what_a_store_refuses_for_good_ends_the_run_and_the_next_goes_on() {
    for kind in [ErrorKind::Corrupt, ErrorKind::PermissionDenied] {
        let world = World::new();
        let broken = Trigger::Calls {
            first: 4,
            count: 1000,
        };
        let script = Faults::none().rule(Rule::new(broken, Fault::Fail(kind)).on("commit"));
        let documents = Arc::new(Faulty::new(world.documents.clone(), script));
        let pipeline = |documents: Arc<dyn Documents>| {
            Pipeline::builder(NAME)
                .documents(documents)
                .source(Posts::new(posts(30)).page(5))
                .sink(world.out.clone())
        };
        let failed = pipeline(documents).build().unwrap();
        let error = failed.run(one_by_one(5)).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        let ended = world.documents.runs(1).await.unwrap().remove(0);
        assert_eq!(ended.report.status, RunStatus::Failed);
        assert!(ended.ended_at.is_some());
        run(pipeline(world.documents.clone())).await;
        assert_eq!(world.out.records().len(), 30);
        for record in world.out.records() {
            assert_eq!(record.states[NAME], State::Delivered);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_answer_is_read_again_from_where_it_was() {
    let source = Watched::new("posts", Posts::new(posts(30)).page(5));
    let lost = Faults::outage(2, 3).rule(Rule::new(Trigger::nth(8), Fault::Drop));
    let faulty = Faulty::new(source.clone(), lost);
    let out = Collect::new("out");
    let report = run(with(&memory()).source(faulty.clone()).sink(out.clone())).await;
    assert_eq!(report.status, RunStatus::Done);
    assert_eq!((faulty.injected().fail, faulty.injected().drop), (3, 1));
    assert_eq!((report.posts.delivered, out.records().len()), (30, 30));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_stays_away_is_given_up_and_the_others_are_read() {
    let away = Faults::none().rule(Rule::new(
        Trigger::Always,
        Fault::Fail(ErrorKind::Unavailable),
    ));
    let first = Watched::new("away", Posts::new(posts(5)));
    let second = Watched::new("there", Posts::new(posts(10)));
    let faulty = Faulty::new(first, away);
    let report = run(with(&memory())
        .source(faulty.clone())
        .source(second)
        .sink(Collect::new("out")))
    .await;
    assert_eq!(
        (report.status, report.posts.delivered),
        (RunStatus::Partial, 10)
    );
    assert_eq!(report.errors.len(), 1);
    assert!(report.errors[0].contains("away"), "{:?}", report.errors);
    assert_eq!(faulty.injected().fail, 6);
}
