//! Re-analysis reads the posts on which something is to be done, and no others.

use std::sync::Arc;

use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

use super::support::documents::Counted;
use super::support::pictures::{Fetcher, pictured};
use super::support::*;

fn spec(name: &str, version: &str) -> EnricherSpec {
    EnricherSpec::new(name, version).gives([name])
}

/// Documents and the pictures that were fetched.
struct World {
    documents: Arc<MemoryDocuments>,
    fetcher: Fetcher,
}

impl World {
    fn new() -> Self {
        Self {
            documents: memory(),
            fetcher: Fetcher::new(),
        }
    }

    /// These posts, gathered with these enrichers.
    async fn of(posts: Vec<Post>, enrichers: &[&Probe]) -> Self {
        let world = Self::new();
        world.gather("posts", posts, enrichers).await;
        world
    }

    fn over(&self, documents: Arc<dyn Documents>, enrichers: &[&Probe]) -> PipelineBuilder {
        let builder = Pipeline::builder(NAME)
            .documents(documents)
            .fetch_media(self.fetcher.clone())
            .sink(Collect::new("out"));
        enrichers
            .iter()
            .fold(builder, |b, e| b.enrich((*e).clone()))
    }

    fn pipeline(&self, enrichers: &[&Probe]) -> PipelineBuilder {
        self.over(self.documents.clone(), enrichers)
    }

    async fn gather(&self, source: &str, posts: Vec<Post>, enrichers: &[&Probe]) -> RunReport {
        let source = Watched::new(source, Posts::new(posts));
        run(self.pipeline(enrichers).source(source)).await
    }

    /// Runs on what is stale. Gives the report and how many stored posts were read for it.
    async fn again(&self, filter: Filter, enrichers: &[&Probe]) -> (RunReport, usize) {
        let counted = Counted::new(&self.documents);
        let pipeline = self.over(counted.clone(), enrichers).stale(filter);
        let report = run(pipeline).await;
        assert_eq!(report.posts.read, counted.scanned() as u64);
        (report, counted.scanned())
    }

    async fn reads(&self, enrichers: &[&Probe]) -> usize {
        self.again(Filter::All, enrichers).await.1
    }
}

#[tokio::test]
async fn where_all_is_done_nothing_is_read() {
    let probe = Probe::new("probe");
    let world = World::of(posts(30), &[&probe]).await;
    assert_eq!(world.reads(&[&probe]).await, 0);
    assert_eq!(probe.items(), 30);
}

#[tokio::test]
async fn a_new_enricher_reads_all_once() {
    let (old, new) = (Probe::new("old"), Probe::new("new"));
    let world = World::of(posts(30), &[&old]).await;
    assert_eq!(world.reads(&[&old, &new]).await, 30);
    assert_eq!((old.items(), new.items()), (30, 30));
    assert_eq!(world.reads(&[&old, &new]).await, 0);
}

#[tokio::test]
async fn a_changed_fingerprint_reads_what_was_made_by_the_old() {
    let (first, second) = (Probe::of(spec("probe", "1")), Probe::of(spec("probe", "2")));
    let mut given = posts(30);
    let later = given.split_off(20);
    let world = World::of(given, &[&first]).await;
    world.gather("later", later, &[&second]).await;
    assert_eq!(world.reads(&[&second]).await, 20);
    assert_eq!(second.items(), 30);
    assert_eq!(world.reads(&[&second]).await, 0);
}

#[tokio::test]
async fn a_changed_condition_reads_what_was_left_out() {
    let probe = Probe::new("probe");
    let under = |text: &str| {
        Probe::of({
            let mut spec = probe.spec().clone();
            spec.when = Some(filter(text));
            spec
        })
    };
    let given: Vec<Post> = (0..30)
        .map(|n| post(n, ["hat", "coat", "shoe"][n % 3]))
        .collect();
    let world = World::of(given, &[&under("hat")]).await;
    assert_eq!(world.reads(&[&under("hat")]).await, 0);
    // Coats and shoes were left out; of these, coats are now to be looked at.
    let wider = under("text:hat,coat");
    assert_eq!(world.reads(&[&wider]).await, 20);
    assert_eq!(wider.items(), 10);
    assert_eq!(world.reads(&[&wider]).await, 0);
}

#[tokio::test]
async fn what_failed_is_read_until_it_is_done() {
    let failing = |text: &'static str| {
        Probe::of(spec("probe", "1")).answers(move |item| match item.post().text == text {
            true => Err(error(ErrorKind::Corrupt)),
            false => Ok(Vec::new()),
        })
    };
    let world = World::of(posts(30), &[&failing("post 7")]).await;
    assert_eq!(world.reads(&[&failing("post 7")]).await, 1);
    let healed = failing("none");
    assert_eq!(world.reads(&[&healed]).await, 1);
    assert_eq!(healed.posts(), [id(7)].into());
    assert_eq!(state(world.documents.as_ref(), 7).await, State::Delivered);
    assert_eq!(world.reads(&[&healed]).await, 0);
}

#[tokio::test]
async fn what_the_budget_left_out_is_read() {
    let dear = |cpu_ms| Probe::of(spec("dear", "1").cost(Cost::CpuMs(cpu_ms)));
    let world = World::new();
    let costly = dear(50.0).costs(std::time::Duration::from_millis(50));
    // Enough for a few posts of the thirty.
    let pipeline = world
        .pipeline(&[&costly])
        .source(Posts::new(posts(30)))
        .budget(Budget::cpu_ms_per_thousand(10_000.0));
    let report = run_with(pipeline, one_by_one(5)).await;
    let skipped = stage(&report, "dear").skipped;
    assert!((20..30).contains(&skipped), "{skipped}");
    let later = dear(50.0);
    assert_eq!(world.reads(&[&later]).await as u64, skipped);
    assert_eq!(later.items() as u64, skipped);
    assert_eq!(world.reads(&[&later]).await, 0);
}

#[tokio::test]
async fn a_picture_that_was_added_later_is_read_and_posts_without_pictures_are_not() {
    let colour = |version: &str| Probe::of(spec("colour", version).bytes());
    let first = colour("1");
    let mut given = vec![pictured(0, &["red"]), pictured(1, &["blue"])];
    given.extend((2..30).map(|n| post(n, "no picture")));
    let world = World::of(given, &[&first]).await;
    assert_eq!(first.items(), 2);
    assert_eq!(world.reads(&[&first]).await, 0);

    // One post has a second picture now, gathered by a run without the enricher.
    let report = world
        .gather("later", vec![pictured(1, &["blue", "green"])], &[])
        .await;
    assert_eq!(report.posts.delivered, 1);
    assert_eq!(world.reads(&[&first]).await, 1);
    assert_eq!(first.items(), 3);
    assert_eq!(world.reads(&[&first]).await, 0);

    // Another version has something to do where there are pictures, not elsewhere.
    let second = colour("2");
    assert_eq!(world.reads(&[&second]).await, 2);
    assert_eq!(second.items(), 3);
    // Nor has a new enricher of pictures.
    let other = Probe::of(spec("other", "1").bytes());
    assert_eq!(world.reads(&[&second, &other]).await, 2);
}

#[tokio::test]
async fn a_filter_says_which_of_them() {
    let (first, second) = (Probe::of(spec("probe", "1")), Probe::of(spec("probe", "2")));
    let world = World::of(posts(30), &[&first]).await;
    let some = filter("text:3,5,7");
    let (report, read) = world.again(some, &[&second]).await;
    assert_eq!((report.posts.delivered, read), (3, 3));
    assert_eq!(second.posts(), [id(3), id(5), id(7)].into());
    assert_eq!(world.reads(&[&second]).await, 27);
}

#[tokio::test]
async fn a_survey_reads_no_more_than_that_and_a_few_for_what_things_cost() {
    let (first, second) = (Probe::of(spec("probe", "1")), Probe::of(spec("probe", "2")));
    let mut given = posts(500);
    let later = given.split_off(10);
    let world = World::of(given, &[&first]).await;
    world.gather("later", later, &[&second]).await;
    let counted = Counted::new(&world.documents);
    let builder = world.over(counted.clone(), &[&second]).stale(Filter::All);
    let pipeline = builder.build().unwrap();
    let survey = pipeline
        .survey(&Filter::All, &Force::Nothing)
        .await
        .unwrap();
    assert_eq!((survey.records, survey.stale), (500, 10));
    assert_eq!(counted.scanned(), 10 + 64);
}

#[tokio::test]
async fn re_analysis_and_new_posts_come_through_one_pipeline() {
    let (first, second) = (Probe::of(spec("probe", "1")), Probe::of(spec("probe", "2")));
    let world = World::of(posts(10), &[&first]).await;
    let new = Watched::new(
        "new",
        Posts::new((10..15).map(|n| post(n, "new")).collect()),
    );
    let report = run(world.pipeline(&[&second]).stale(Filter::All).source(new)).await;
    assert_eq!(report.posts.delivered, 15);
    assert_eq!(second.items(), 15);
}
