//! A survey counts what would run on stored posts and why, and runs nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

use super::support::*;

fn spec(name: &str, version: &str) -> EnricherSpec {
    EnricherSpec::new(name, version).gives([name])
}

/// A pipeline of an enricher `base`, one that builds upon it, and one by itself.
struct World {
    documents: Arc<MemoryDocuments>,
    base: Probe,
    above: Probe,
    aside: Probe,
}

impl World {
    fn new() -> Self {
        Self {
            documents: memory(),
            base: Probe::of(spec("base", "1")),
            above: Probe::of(spec("above", "1").needs(["base"])),
            aside: Probe::of(spec("aside", "1")),
        }
    }

    fn pipeline(&self) -> PipelineBuilder {
        with(&self.documents)
            .enrich(self.above.clone())
            .enrich(self.base.clone())
            .enrich(self.aside.clone())
            .sink(Collect::new("out"))
    }

    async fn run(&self, posts: Vec<Post>) {
        run(self.pipeline().source(Posts::new(posts))).await;
    }

    async fn survey_with(&self, filter: &Filter, force: &Force) -> Survey {
        let shown = || [&self.base, &self.above, &self.aside].map(Probe::items);
        let before = (shown(), everything(self.documents.as_ref()).await);
        let pipeline = self.pipeline().stale(Filter::All).build().unwrap();
        let survey = pipeline.survey(filter, force).await.unwrap();
        let after = (shown(), everything(self.documents.as_ref()).await);
        assert!(before == after, "a survey runs and changes nothing");
        survey
    }

    async fn survey(&self) -> Survey {
        self.survey_with(&Filter::All, &Force::Nothing).await
    }
}

fn of<'a>(survey: &'a Survey, name: &str) -> &'a EnricherSurvey {
    survey.enrichers.iter().find(|e| e.name == name).unwrap()
}

/// Of each enricher the posts on which it would run, by reason.
fn reasons(survey: &Survey) -> BTreeMap<&str, BTreeMap<Why, u64>> {
    let entries = survey.enrichers.iter();
    entries
        .map(|e| (e.name.as_str(), e.targets.clone()))
        .collect()
}

fn nothing() -> BTreeMap<Why, u64> {
    BTreeMap::new()
}

#[tokio::test]
async fn where_all_is_done_nothing_is_stale() {
    let world = World::new();
    world.run(posts(12)).await;
    let survey = world.survey().await;
    assert_eq!((survey.records, survey.stale), (12, 0));
    assert!(
        survey
            .enrichers
            .iter()
            .all(|e| e.done == 12 && e.records == 0)
    );
    assert_eq!((survey.estimated_cpu_ms, &survey.bottleneck), (0.0, &None));
    assert!(survey.to_string().contains("0 of 12"), "{survey}");
}

#[tokio::test]
async fn an_enricher_that_never_ran_is_new() {
    let mut world = World::new();
    world.run(posts(12)).await;
    world.aside = Probe::of(spec("other", "1"));
    let survey = world.survey().await;
    assert_eq!((survey.records, survey.stale), (12, 12));
    let new = BTreeMap::from([(Why::New, 12)]);
    let expected = [("above", nothing()), ("base", nothing()), ("other", new)];
    assert_eq!(reasons(&survey), expected.into());
    assert!(survey.to_string().contains("12 new"), "{survey}");
}

#[tokio::test]
async fn another_version_is_stale_and_changes_what_others_see() {
    let mut world = World::new();
    let before = world.base.spec().fingerprint.clone();
    world.run(posts(12)).await;
    world.base = Probe::of(spec("base", "2"));
    let survey = world.survey().await;
    let expected = [
        ("above", BTreeMap::from([(Why::InputChanged, 12)])),
        ("aside", nothing()),
        ("base", BTreeMap::from([(Why::Stale, 12)])),
    ];
    assert_eq!(reasons(&survey), expected.into());
    let change = Change {
        from: before.clone(),
        to: world.base.spec().fingerprint.clone(),
        targets: 12,
    };
    assert_eq!(of(&survey, "base").changes, [change]);
    assert!(of(&survey, "above").changes.is_empty());
    let printed = survey.to_string();
    assert!(printed.contains(before.as_str()), "{printed}");
    // It says what a run then does.
    let report = run(world.pipeline().stale(Filter::All)).await;
    assert_eq!(report.posts.delivered, 12);
    assert_eq!((world.base.items(), world.above.items()), (12, 24));
    assert_eq!(world.aside.items(), 12);
    assert_eq!(world.survey().await.stale, 0);
}

#[tokio::test]
async fn several_old_versions_are_told_apart() {
    let mut world = World::new();
    let mut given = posts(12);
    let later = given.split_off(4);
    world.run(given).await;
    world.aside = Probe::of(spec("aside", "2"));
    run(world
        .pipeline()
        .source(Watched::new("later", Posts::new(later))))
    .await;
    world.aside = Probe::of(spec("aside", "3"));
    let survey = world.survey().await;
    let mut targets: Vec<u64> = of(&survey, "aside")
        .changes
        .iter()
        .map(|c| c.targets)
        .collect();
    targets.sort_unstable();
    assert_eq!(targets, [4, 8]);
    assert_eq!(of(&survey, "base").done, 12);
}

#[tokio::test]
async fn what_failed_or_was_left_out_is_unfinished() {
    let mut world = World::new();
    world.aside = Probe::of(spec("aside", "1")).answers(|item| match item.post().text.as_str() {
        "post 3" => Err(error(ErrorKind::Corrupt)),
        _ => Ok(Vec::new()),
    });
    world.run(posts(12)).await;
    let survey = world.survey().await;
    assert_eq!((survey.records, survey.stale), (12, 1));
    let unfinished = BTreeMap::from([(Why::Unfinished, 1)]);
    assert_eq!(of(&survey, "aside").targets, unfinished);
    // It failed in the first wave, so that what builds upon others never came to it.
    assert_eq!(of(&survey, "above").targets[&Why::New], 1);
    assert_eq!(of(&survey, "base").done, 12);

    let mut world = World::new();
    let dear = spec("aside", "1").cost(Cost::CpuMs(50.0));
    world.aside = Probe::of(dear);
    let nothing_allowed = Budget::cpu_ms_per_thousand(0.0);
    run(world
        .pipeline()
        .source(Posts::new(posts(12)))
        .budget(nothing_allowed))
    .await;
    let survey = world.survey().await;
    let left_out = BTreeMap::from([(Why::Unfinished, 12)]);
    assert_eq!(of(&survey, "aside").targets, left_out);
}

#[tokio::test]
async fn what_is_forced_runs_whatever_the_ledger_says() {
    let world = World::new();
    world.run(posts(12)).await;
    let forced = Force::Enrichers(["base".to_owned()].into());
    let survey = world.survey_with(&Filter::All, &forced).await;
    let expected = [
        ("above", BTreeMap::from([(Why::InputChanged, 12)])),
        ("aside", nothing()),
        ("base", BTreeMap::from([(Why::Forced, 12)])),
    ];
    assert_eq!(reasons(&survey), expected.into());
    let everything = world.survey_with(&Filter::All, &Force::Everything).await;
    let all = BTreeMap::from([(Why::Forced, 12)]);
    assert!(everything.enrichers.iter().all(|e| e.targets == all));
}

#[tokio::test]
async fn a_filter_says_which_posts_are_looked_at() {
    let mut world = World::new();
    world.run(posts(12)).await;
    world.aside = Probe::of(spec("aside", "2"));
    let some = filter("text:3,5,7");
    let survey = world.survey_with(&some, &Force::Nothing).await;
    assert_eq!((survey.records, survey.stale), (3, 3));
    assert_eq!(of(&survey, "base").done, 3);
}

#[tokio::test]
async fn costs_are_those_measured_and_else_those_of_the_spec() {
    let mut world = World::new();
    let measured = |version: &str| spec("base", version).cost(Cost::CpuMs(7000.0));
    world.base = Probe::of(measured("1")).costs(Duration::from_millis(2000));
    world.run(posts(12)).await;
    world.base = Probe::of(measured("2"));
    world.aside = Probe::of(spec("other", "1").cost(Cost::CpuMs(500.0)));
    let survey = world.survey().await;
    let base = of(&survey, "base");
    assert!(base.measured);
    assert!((2000.0..2020.0).contains(&base.cpu_ms), "{}", base.cpu_ms);
    let other = of(&survey, "other");
    assert_eq!((other.measured, other.cpu_ms), (false, 500.0));
    let least = 12.0 * (2000.0 + 500.0);
    let all = survey.estimated_cpu_ms;
    assert!((least..least * 1.02).contains(&all), "{all}");
    assert_eq!(survey.bottleneck.as_deref(), Some("base"));
    let printed = survey.to_string();
    assert!(printed.contains("expected bottleneck: base"), "{printed}");
    // Also where the group that knows the cost is up to date.
    world.base = Probe::of(measured("1"));
    let survey = world.survey().await;
    assert!(of(&survey, "base").measured);
    assert_eq!(survey.bottleneck.as_deref(), Some("other"));
}

#[tokio::test]
async fn without_documents_there_is_nothing_to_look_at() {
    let pipeline = Pipeline::builder(NAME)
        .source(Posts::new(posts(1)))
        .sink(Collect::new("out"))
        .build()
        .unwrap();
    let error = pipeline.survey(&Filter::All, &Force::Nothing).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Config);
}
