//! What was found in a picture is taken over by those that look nearly the same, where the use case allows it, and the ledger says from which.

use std::sync::Arc;

use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

use super::support::pictures::{Fetcher, FirstPixel, pictured};
use super::support::*;

// Pictures whose first 16 characters are their hash. Enrichers of pixels see the first three of them.
const FIRST: &str = "0000000000000000, a dress";
/// One bit away from the first.
const NEAR: &str = "1000000000000000, a dress";
/// Four bits away from the first.
const FOUR: &str = "f000000000000000, a dress";
/// Eight bits away from the first, and four from the one before.
const EIGHT: &str = "ff00000000000000, a dress";
const UNHASHED: &str = "flat";

/// Says what pictures look like.
fn hash(version: &str) -> Probe {
    let spec = EnricherSpec::new("hash", version).gives(["picture_hash"]);
    Probe::of(spec.bytes().cost(Cost::CpuMs(90.0))).answers(|item| {
        let text = String::from_utf8(item.bytes()?.to_vec()).unwrap();
        let hash = text.split_once(',').map(|(hash, _)| hash.to_owned());
        let finding = |hash| Finding::new("picture_hash", Value::Text(hash));
        Ok(hash.into_iter().map(finding).collect())
    })
}

fn pixels(spec: EnricherSpec) -> EnricherSpec {
    spec.pixels(PixelRequest::new(1, 1, Fit::Stretch))
}

/// Finds the first letters of a picture.
fn kind() -> Probe {
    let spec = EnricherSpec::new("kind", "1").gives(["kind"]);
    Probe::of(pixels(spec)).answers(seen)
}

fn seen(item: &Item) -> ItemResult<Vec<Finding>> {
    let label = String::from_utf8(item.pixels()?.bytes.to_vec()).unwrap();
    Ok(vec![Finding::label("kind", label)])
}

struct World {
    documents: Arc<MemoryDocuments>,
    cache: Arc<dyn AnalysisCache>,
    near: Option<NearDuplicates>,
    force: Force,
}

impl World {
    fn within(bits: u32) -> Self {
        Self {
            documents: memory(),
            cache: memory(),
            near: Some(NearDuplicates::within(bits)),
            force: Force::Nothing,
        }
    }

    /// Runs over posts with these pictures, one after the other; the next run goes on after as many.
    async fn run(&self, pictures: &[&str], enrichers: &[&Probe]) -> RunReport {
        let posts = pictures.iter().enumerate();
        let posts = posts.map(|(number, picture)| pictured(number, &[picture]));
        self.run_posts(posts.collect(), enrichers).await
    }

    async fn run_posts(&self, posts: Vec<Post>, enrichers: &[&Probe]) -> RunReport {
        let mut options = one_by_one(1);
        options.force = self.force.clone();
        let builder = self.pipeline(enrichers).source(Posts::new(posts));
        run_with(builder, options).await
    }

    /// A pipeline that has no source yet.
    fn pipeline(&self, enrichers: &[&Probe]) -> PipelineBuilder {
        let builder = with(&self.documents)
            .analyses(self.cache.clone())
            .fetch_media(Fetcher::new())
            .decode_with(FirstPixel::default())
            .sink(Collect::new("out"));
        let builder = match &self.near {
            Some(near) => builder.near_duplicates(near.clone()),
            None => builder,
        };
        let enrichers = enrichers.iter();
        enrichers.fold(builder, |builder, probe| builder.enrich((*probe).clone()))
    }

    async fn kind(&self, number: usize) -> Vec<String> {
        let record = record(self.documents.as_ref(), number).await;
        let effective = record.effective().remove("kind");
        effective.unwrap_or_default().into_iter().collect()
    }

    /// The line of an enricher on a post's first picture.
    async fn line(&self, number: usize, enricher: &str) -> LedgerEntry {
        let record = record(self.documents.as_ref(), number).await;
        let target = Target::Media("m0".to_owned());
        record.ledger_entry(enricher, &target).unwrap().clone()
    }
}

#[tokio::test]
async fn what_was_found_in_a_picture_is_taken_over_by_a_near_one_that_names_it() {
    let world = World::within(4);
    let (hash, kind) = (hash("1"), kind());
    let report = world.run(&[FIRST, NEAR], &[&hash, &kind]).await;
    assert_eq!(report.posts.delivered, 2);
    assert_eq!((hash.items(), kind.items()), (2, 1));
    let kinds = stage(&report, "kind");
    assert_eq!((kinds.entered, kinds.left, kinds.reused), (2, 2, 1));
    assert_eq!(stage(&report, "hash").reused, 0);
    assert_eq!(world.kind(1).await, ["000"], "as in the first");

    let (own, taken) = (world.line(0, "kind").await, world.line(1, "kind").await);
    assert_eq!(own.origin, None);
    assert_eq!(taken.origin, Some(Digest::of(FIRST.as_bytes())));
    assert_eq!((&taken.outcome, taken.cpu_ms), (&LedgerOutcome::Done, 0.0));
    assert_eq!(taken.fingerprint, own.fingerprint);
    assert_ne!(taken.input, own.input, "the input is its own picture's");

    // Written down, a line says so where there is something to say: lines of earlier versions say nothing.
    let written = serde_json::to_value(&taken).unwrap();
    assert_eq!(written["origin"], Digest::of(FIRST.as_bytes()).to_string());
    assert_eq!(
        serde_json::from_value::<LedgerEntry>(written).unwrap(),
        taken
    );
    assert!(!serde_json::to_string(&own).unwrap().contains("origin"));

    // It is done: nothing is stale there.
    let again = world.pipeline(&[&hash, &kind]).stale(Filter::All);
    assert_eq!(run(again).await.posts.read, 0);
}

#[tokio::test]
async fn the_same_picture_names_no_other() {
    let world = World::within(4);
    let (hash, kind) = (hash("1"), kind());
    world.run(&[FIRST, FIRST], &[&hash, &kind]).await;
    assert_eq!(kind.items(), 1);
    assert_eq!(world.line(1, "kind").await.origin, None);
}

#[tokio::test]
async fn without_leave_every_picture_is_looked_at() {
    let mut world = World::within(4);
    world.near = None;
    let kind = kind();
    world.run(&[FIRST, NEAR], &[&hash("1"), &kind]).await;
    assert_eq!(kind.items(), 2);
    assert_eq!(world.kind(1).await, ["100"]);
}

#[tokio::test]
async fn what_is_not_near_or_has_no_hash_is_looked_at() {
    for (bits, pictures, looked_at) in [
        (0, [FIRST, NEAR], 2),
        (3, [FIRST, FOUR], 2),
        (4, [FIRST, FOUR], 1),
        (4, [FIRST, EIGHT], 2),
        (8, [FIRST, EIGHT], 1),
        (8, [FIRST, UNHASHED], 2),
        (8, [UNHASHED, "flat too"], 2),
    ] {
        let (world, kind) = (World::within(bits), kind());
        world.run(&pictures, &[&hash("1"), &kind]).await;
        assert_eq!(kind.items(), looked_at, "{pictures:?} within {bits}");
    }
}

#[tokio::test]
async fn likeness_does_not_drift_from_copy_to_copy() {
    let (world, kind) = (World::within(4), kind());
    world
        .run(&[FIRST, FOUR, EIGHT, FOUR], &[&hash("1"), &kind])
        .await;
    assert_eq!(kind.posts(), [id(0), id(2)].into());
    // The last is as near to the third, and its copy is no origin: of two equally near, the one with the least digest.
    let least = Digest::of(FIRST.as_bytes()).min(Digest::of(EIGHT.as_bytes()));
    assert_eq!(world.line(3, "kind").await.origin, Some(least));
}

#[tokio::test]
async fn what_is_forced_is_looked_at() {
    let mut world = World::within(4);
    world.force = Force::Enrichers(["kind".to_owned()].into());
    let (hash, kind) = (hash("1"), kind());
    world.run(&[FIRST, NEAR], &[&hash, &kind]).await;
    assert_eq!(kind.items(), 2);
    assert_eq!(world.line(1, "kind").await.origin, None);
    // And is an origin.
    world.force = Force::Nothing;
    let third = "3000000000000000,";
    world.run(&[FIRST, NEAR, third], &[&hash, &kind]).await;
    assert_eq!(kind.items(), 2);
    assert_eq!(
        world.line(2, "kind").await.origin,
        Some(Digest::of(NEAR.as_bytes()))
    );
}

#[tokio::test]
async fn what_an_enricher_sees_beside_the_picture_must_be_the_same() {
    let world = World::within(4);
    let text = Probe::new("text").labels(|post| post.text.clone());
    let spec = EnricherSpec::new("kind", "1").gives(["kind"]);
    let pair = Probe::of(pixels(spec).needs(["text"])).answers(seen);
    let mut posts: Vec<Post> = (0..3).map(|n| pictured(n, &[NEAR])).collect();
    posts[0] = pictured(0, &[FIRST]);
    posts[2].text = posts[0].text.clone();
    // In each post pictures have names of their own.
    posts[2].media[0].id = "other".to_owned();
    let report = world.run_posts(posts, &[&hash("1"), &text, &pair]).await;
    assert_eq!(pair.posts(), [id(0), id(1)].into());
    assert_eq!(stage(&report, "kind").reused, 1);
    assert_eq!(world.kind(2).await, ["000"]);
}

#[tokio::test]
async fn another_version_of_either_enricher_looks_itself() {
    let (world, kind) = (World::within(4), kind());
    world.run(&[FIRST], &[&hash("1"), &kind]).await;
    let spec = EnricherSpec::new("kind", "2").gives(["kind"]);
    let newer = Probe::of(pixels(spec)).answers(seen);
    world.run(&[FIRST, NEAR], &[&hash("1"), &newer]).await;
    assert_eq!(newer.items(), 1);
    let four = [FIRST, NEAR, NEAR, FOUR];
    world.run(&four, &[&hash("2"), &kind]).await;
    assert_eq!(
        kind.posts(),
        [id(0), id(2)].into(),
        "and the last takes over"
    );
}

#[tokio::test]
async fn files_shadows_and_those_excepted_are_looked_at() {
    let mut world = World::within(4);
    world.near = world.near.map(|near| near.except(["palette"]));
    let file = Probe::of(EnricherSpec::new("file", "1").gives(["file"]).bytes());
    let palette = Probe::of(pixels(EnricherSpec::new("palette", "1").gives(["palette"])));
    let shadow = Probe::of({
        let mut spec = pixels(EnricherSpec::new("kind.shadow", "2").gives(["kind"]));
        spec.shadow = true;
        spec
    });
    let kind = kind();
    let all = [&hash("1"), &kind, &file, &palette, &shadow];
    world.run(&[FIRST, NEAR], &all).await;
    assert_eq!(kind.items(), 1);
    assert_eq!([&file, &palette, &shadow].map(Probe::items), [2, 2, 2]);
}

#[tokio::test]
async fn parts_of_pictures_are_looked_at() {
    let world = World::within(4);
    let half = Region {
        x: 0.0,
        y: 0.0,
        width: 0.5,
        height: 1.0,
    };
    let spec = pixels(EnricherSpec::new("boxes", "1").gives(["box"]));
    let boxes = Probe::of(spec).answers(move |_| Ok(vec![Finding::label("box", "x").region(half)]));
    let spec = pixels(EnricherSpec::new("kind", "1").gives(["kind"])).regions_of("box");
    let kind = Probe::of(spec).answers(seen);
    world
        .run(&[FIRST, NEAR], &[&hash("1"), &boxes, &kind])
        .await;
    assert_eq!((boxes.items(), kind.items()), (1, 2));
    assert_eq!(world.kind(1).await, ["100"]);
}

#[tokio::test]
async fn what_a_person_decided_stays_with_the_picture() {
    let world = World::within(4);
    let (hash, kind) = (hash("1"), kind());
    world.run(&[FIRST], &[&hash, &kind]).await;
    let mut first = record(world.documents.as_ref(), 0).await;
    first.annotations.push(Annotation::decided(
        Target::Media("m0".to_owned()),
        "kind",
        Value::Label("hat".to_owned()),
        "eva",
        jiff::Timestamp::UNIX_EPOCH,
    ));
    let committed = world.documents.commit(&[&first]).await.unwrap();
    assert!(committed[0].is_ok());
    world.run(&[FIRST, NEAR], &[&hash, &kind]).await;
    assert_eq!(world.kind(0).await, ["hat"]);
    assert_eq!(
        (world.kind(1).await, kind.items()),
        (vec!["000".to_owned()], 1)
    );
}

#[tokio::test]
async fn a_cache_that_fails_is_done_without() {
    for method in ["recall_near", "remember_near"] {
        let down = Rule::new(Trigger::Always, Fault::Fail(ErrorKind::Unavailable)).on(method);
        let cache = Arc::new(Faulty::new(memory(), Faults::none().rule(down)));
        let mut world = World::within(4);
        world.cache = cache.clone();
        let kind = kind();
        let report = world.run(&[FIRST, NEAR], &[&hash("1"), &kind]).await;
        assert_eq!((report.posts.delivered, kind.items()), (2, 2), "{method}");
        assert_eq!(cache.injected().fail, 2, "{method}");
    }
}

/// A pipeline that allows what is near, before it is built.
fn pipeline(near: NearDuplicates) -> PipelineBuilder {
    Pipeline::builder(NAME)
        .source(Posts::texts(["x"]))
        .fetch_media(Fetcher::new())
        .decode_with(FirstPixel::default())
        .sink(Collect::new("out"))
        .near_duplicates(near)
}

#[test]
fn the_hash_comes_before_those_that_profit_however_dear_it_is() {
    let pipeline = pipeline(NearDuplicates::within(4))
        .analyses(memory())
        .enrich(kind())
        .enrich(hash("1"))
        .build()
        .unwrap();
    let planned = |pipeline: &Pipeline| -> Vec<(Option<usize>, String)> {
        let stages = pipeline.plan().stages.iter();
        let enrichers = stages.filter(|stage| stage.kind == "enrich");
        enrichers.map(|s| (s.wave, s.name.clone())).collect()
    };
    let both = [(Some(1), "hash".to_owned()), (Some(2), "kind".to_owned())];
    assert_eq!(planned(&pipeline), both);
    let printed = pipeline.plan().to_string();
    assert!(printed.contains("picture_hash within 4 bits"), "{printed}");
    // Who is taken alone takes the hash along; the hash takes nobody.
    assert_eq!(
        planned(&pipeline.clone().only_enricher("kind").unwrap()),
        both
    );
    assert_eq!(planned(&pipeline.only_enricher("hash").unwrap()), both[..1]);
}

#[test]
fn what_would_find_nothing_is_refused() {
    let refused = |builder: PipelineBuilder, parts: &[&str]| {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    };
    let within = NearDuplicates::within;
    let hashed = |near| pipeline(near).enrich(hash("1")).enrich(kind());
    refused(hashed(within(4)), &["near-duplicates", "missing=analyses"]);
    let unhashed = pipeline(within(4)).analyses(memory()).enrich(kind());
    refused(unhashed, &["near-duplicates", "missing=picture_hash"]);
    let otherwise = hashed(within(4).by("look")).analyses(memory());
    refused(otherwise, &["missing=look"]);
    let of_posts = pipeline(within(4).by("text")).analyses(memory());
    refused(of_posts.enrich(Probe::new("text")), &["missing=text"]);
    let far = hashed(within(12)).analyses(memory());
    refused(far, &["distance=12", "most=11"]);
    let nobody = hashed(within(4).except(["nobody"])).analyses(memory());
    refused(nobody, &["missing=nobody"]);
    assert!(hashed(within(11)).analyses(memory()).build().is_ok());
}
