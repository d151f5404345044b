//! A picture is analysed once by each enricher, in whatever post it comes, as long as the cache remembers it.

use std::sync::Arc;

use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

use super::support::pictures::{Fetcher, FirstPixel, pictured};
use super::support::*;

fn size() -> PixelRequest {
    PixelRequest::new(1, 1, Fit::Stretch)
}

/// Finds the first letter of a picture.
fn seen(item: &Item) -> String {
    let pixel = item.pixels.as_ref().map(|p| p.bytes.clone());
    let bytes = pixel.or_else(|| item.bytes.clone()).unwrap();
    char::from(bytes[0]).to_string()
}

fn colour(version: &str) -> Probe {
    let spec = EnricherSpec::new("colour", version).gives(["colour"]);
    Probe::of(spec.pixels(size())).answers(|i| Ok(vec![Finding::label("colour", seen(i))]))
}

fn kind() -> Probe {
    let spec = EnricherSpec::new("kind", "1").gives(["kind"]);
    Probe::of(spec.bytes()).answers(|i| Ok(vec![Finding::label("kind", seen(i))]))
}

struct World {
    documents: Arc<MemoryDocuments>,
    cache: Arc<dyn AnalysisCache>,
    fetcher: Fetcher,
    decoder: FirstPixel,
}

impl World {
    fn new() -> Self {
        Self::with_cache(memory())
    }

    fn with_cache(cache: Arc<dyn AnalysisCache>) -> Self {
        Self {
            documents: memory(),
            cache,
            fetcher: Fetcher::new(),
            decoder: FirstPixel::default(),
        }
    }

    /// Runs over these posts, one after the other.
    async fn run(&self, posts: Vec<Post>, enrichers: &[&Probe], force: Force) -> RunReport {
        let builder = with(&self.documents)
            .analyses(self.cache.clone())
            .source(Posts::new(posts))
            .fetch_media(self.fetcher.clone())
            .decode_with(self.decoder.clone())
            .sink(Collect::new("out"));
        let builder = enrichers
            .iter()
            .fold(builder, |b, e| b.enrich((*e).clone()));
        let mut options = one_by_one(1);
        options.force = force;
        run_with(builder, options).await
    }

    async fn found(&self, number: usize, attribute: &str) -> Vec<String> {
        let record = record(self.documents.as_ref(), number).await;
        let effective = record.effective().remove(attribute);
        effective.unwrap_or_default().into_iter().collect()
    }
}

#[tokio::test]
async fn a_picture_that_comes_again_in_another_post_costs_nothing() {
    let world = World::new();
    let (colour, kind) = (colour("1"), kind());
    let given = vec![
        pictured(0, &["red one"]),
        pictured(1, &["blue one", "red one"]),
        pictured(2, &["red one"]),
    ];
    let report = world.run(given, &[&colour, &kind], Force::Nothing).await;
    assert_eq!(report.posts.delivered, 3);
    for probe in [&colour, &kind] {
        assert_eq!(probe.items(), 2, "red and blue");
    }
    for name in ["colour", "kind"] {
        let stage = stage(&report, name);
        assert_eq!((stage.entered, stage.left, stage.reused), (4, 4, 2));
        for (number, expected) in [(0, vec!["r"]), (1, vec!["b", "r"]), (2, vec!["r"])] {
            assert_eq!(world.found(number, name).await, expected);
        }
    }
    // What is known is not even decoded.
    assert_eq!(world.decoder.decoded(), 2);
    // The ledger says that it was done, for nothing.
    let record = record(world.documents.as_ref(), 2).await;
    let target = Target::Media("m0".to_owned());
    let line = record.ledger_entry("colour", &target).unwrap();
    assert_eq!((&line.outcome, line.cpu_ms), (&LedgerOutcome::Done, 0.0));
}

#[tokio::test]
async fn a_picture_that_comes_twice_in_a_batch_is_shown_once() {
    let given: Vec<Post> = (0..8).map(|n| pictured(n, &["red one"])).collect();
    let (colour, kind) = (colour("1"), kind());
    let decoder = FirstPixel::default();
    let out = Collect::new("out");
    let pipeline = Pipeline::builder(NAME)
        .source(Posts::new(given))
        .fetch_media(Fetcher::new())
        .decode_with(decoder.clone())
        .enrich(colour.clone())
        .enrich(kind.clone())
        .sink(out.clone());
    let report = run_with(pipeline, one_by_one(8)).await;
    assert_eq!((colour.items(), kind.items(), decoder.decoded()), (1, 1, 1));
    assert_eq!(report.posts.delivered, 8);
    for record in out.records() {
        assert!(record.effective()["colour"].contains("r"));
        assert!(record.effective()["kind"].contains("r"));
    }
}

#[tokio::test]
async fn a_run_whose_ledger_was_lost_costs_nothing_either() {
    let mut world = World::new();
    let colour = colour("1");
    let given = || vec![pictured(0, &["red one"]), pictured(1, &["blue one"])];
    world.run(given(), &[&colour], Force::Nothing).await;
    world.documents = memory();
    let report = world.run(given(), &[&colour], Force::Nothing).await;
    assert_eq!((report.posts.delivered, colour.items()), (2, 2));
    assert_eq!(stage(&report, "colour").reused, 2);
    assert_eq!(world.found(1, "colour").await, ["b"]);
}

#[tokio::test]
async fn another_fingerprint_has_findings_of_its_own() {
    let world = World::new();
    let (first, second) = (colour("1"), colour("2"));
    let given = |n: usize| vec![pictured(n, &["red one"])];
    world.run(given(0), &[&first], Force::Nothing).await;
    let both = [given(0), given(1)].concat();
    let report = world.run(both, &[&second], Force::Nothing).await;
    assert_eq!(stage(&report, "colour").reused, 0);
    assert_eq!((first.items(), second.items()), (1, 1));
    // Each fingerprint has its own.
    let mut later = given(0);
    later.extend([pictured(1, &["red one"]), pictured(2, &["red one"])]);
    world.run(later, &[&first], Force::Nothing).await;
    assert_eq!(first.items(), 1);
}

#[tokio::test]
async fn what_is_forced_is_analysed_whatever_is_remembered() {
    let world = World::new();
    let colour = colour("1");
    let given = vec![pictured(0, &["red one"]), pictured(1, &["red one"])];
    let report = world.run(given, &[&colour], Force::Everything).await;
    assert_eq!(colour.items(), 2);
    assert_eq!(stage(&report, "colour").reused, 0);
}

#[tokio::test]
async fn what_an_enricher_reads_beside_the_picture_is_part_of_the_key() {
    let world = World::new();
    let text = Probe::new("text").labels(|post| post.text.clone());
    let spec = EnricherSpec::new("pair", "1")
        .needs(["text"])
        .gives(["pair"]);
    let pair = Probe::of(spec.bytes());
    let mut given = vec![
        pictured(0, &["red one"]),
        pictured(1, &["red one"]),
        pictured(2, &["red one"]),
    ];
    given[2].text = given[0].text.clone();
    let report = world.run(given, &[&text, &pair], Force::Nothing).await;
    assert_eq!(pair.posts(), [id(0), id(1)].into());
    assert_eq!(stage(&report, "pair").reused, 1);
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let world = World::new();
    let broken = colour("1").answers(|_| Err(error(ErrorKind::Corrupt)));
    let report = world
        .run(vec![pictured(0, &["red one"])], &[&broken], Force::Nothing)
        .await;
    assert_eq!(report.posts.dead_lettered, 1);
    let healed = colour("1");
    world
        .run(
            vec![pictured(0, &["red one"]), pictured(1, &["red one"])],
            &[&healed],
            Force::Nothing,
        )
        .await;
    assert_eq!(healed.items(), 1);
    assert_eq!(world.found(1, "colour").await, ["r"]);
}

#[tokio::test]
async fn a_cache_that_fails_is_done_without() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Corrupt] {
        for method in ["recall", "remember"] {
            let down = Rule::new(Trigger::Always, Fault::Fail(kind)).on(method);
            let cache = Arc::new(Faulty::new(memory(), Faults::none().rule(down)));
            let world = World::with_cache(cache.clone());
            let colour = colour("1");
            let given = (0..3).map(|n| pictured(n, &["red one"])).collect();
            let report = world.run(given, &[&colour], Force::Nothing).await;
            assert_eq!(
                (report.status, report.posts.delivered),
                (RunStatus::Done, 3)
            );
            assert_eq!((colour.items(), cache.injected().fail), (3, 3));
        }
    }
}
