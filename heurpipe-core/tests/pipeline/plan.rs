//! A plan says what will be done; beside a run it says what was.

use std::time::Duration;

use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;

use super::support::pictures::{Fetcher, FirstPixel};
use super::support::*;

fn pipeline() -> Pipeline {
    let documents = memory();
    let spec = |name: &str| EnricherSpec::new(name, "3").gives([name]);
    let detector = spec("garment")
        .pixels(PixelRequest::new(64, 48, Fit::Crop))
        .cost(Cost::CpuMs(20.0));
    let dear = spec("style").needs(["garment"]).cost(Cost::CpuMs(300.0));
    let route = Route::new("kind").case("dress", filter("garment:dress"), |way| {
        way.enrich(Probe::new("cut"))
            .gate(Gate::open("strict"))
            .sink(Collect::new("dresses"))
    });
    with(&documents)
        .source(Posts::new(posts(3)))
        .stale(filter("likes:>10"))
        .fetch_media(Fetcher::new())
        .decode_with(FirstPixel::default())
        .enrich(Probe::of(dear).when(filter("-language:en")))
        .enrich(Probe::of(detector))
        .enrich(Probe::new("language").takes(|_| Duration::from_millis(1)))
        .route(route)
        .tee(Collect::new("side").only(filter("hat")))
        .sink(Collect::new("all"))
        .build()
        .unwrap()
}

#[test]
fn it_names_every_stage_in_the_order_in_which_they_run() {
    let pipeline = pipeline();
    let plan = pipeline.plan();
    let stages: Vec<(&str, &str, Option<usize>)> = plan
        .stages
        .iter()
        .map(|stage| (stage.kind, stage.name.as_str(), stage.wave))
        .collect();
    assert_eq!(
        stages,
        [
            ("source", "posts", None),
            ("source", "stored", None),
            ("media", "media", None),
            ("enrich", "language", Some(1)),
            ("enrich", "garment", Some(2)),
            // What costs about as little as the cheapest goes first, also when its way could be known sooner.
            ("enrich", "cut", Some(3)),
            ("enrich", "style", Some(4)),
            ("gate", "strict", None),
            ("sink", "dresses", None),
            ("tee", "side", None),
            ("sink", "all", None),
        ]
    );
}

#[test]
fn it_says_what_each_stage_needs_gives_costs_and_is_for() {
    let pipeline = pipeline();
    let plan = pipeline.plan();
    let stage = |name: &str| plan.stages.iter().find(|s| s.name == name).unwrap();
    let style = stage("style");
    assert_eq!(
        (&style.needs[..], &style.gives[..]),
        (&["garment".to_owned()][..], &["style".to_owned()][..])
    );
    assert_eq!(style.cpu_ms, Some(300.0));
    let condition = |name: &str| stage(name).condition.clone();
    assert_eq!(condition("style").unwrap(), "(-language:en)");
    for name in ["cut", "strict", "dresses"] {
        assert_eq!(condition(name).unwrap(), "(garment:dress)", "{name}");
    }
    for name in ["posts", "garment", "all", "side"] {
        assert_eq!(condition(name), None, "{name}");
    }
    assert!(stage("garment").detail.contains("64x48"));
    assert!(stage("side").detail.contains("only hat"));
    assert!(stage("stored").detail.contains("likes:>10"));
    assert_eq!(plan.bottleneck.as_deref(), Some("style"));

    let printed = plan.to_string();
    for words in [
        "pipeline tested",
        "needs garment",
        "only (-language:en)",
        "~300 cpu-ms",
        "dearest   style",
    ] {
        assert!(printed.contains(words), "{words}:\n{printed}");
    }
    let json = serde_json::to_value(plan).unwrap();
    assert_eq!(json["stages"][6]["needs"][0], "garment");
}

#[tokio::test]
async fn explained_by_a_run_it_has_every_stage_with_what_was_measured() {
    let documents = memory();
    let model = Probe::new("model")
        .answers(|item| match item.post().text.as_str() {
            "post 1" => Err(error(ErrorKind::Corrupt)),
            _ => Ok(vec![Finding::label("model", "yes")]),
        })
        .costs(Duration::from_millis(50));
    let pipeline = with(&documents)
        .source(Posts::new(posts(10)))
        .enrich(model)
        .enrich(Probe::new("rare").when(filter("2")))
        .gate(Gate::open("gate"))
        .tee(Collect::new("side"))
        .sink(Collect::new("out"))
        .build()
        .unwrap();
    let report = pipeline.run(RunOptions::default()).await.unwrap();
    let plan = pipeline.plan();
    for planned in &plan.stages {
        let name = &planned.name;
        assert!(report.stages.iter().any(|s| s.name == *name), "{name}");
    }
    let model = stage(&report, "model");
    let counts = |s: &StageReport| [s.entered, s.left, s.skipped, s.failed];
    assert_eq!(counts(model), [10, 9, 0, 1]);
    assert!((500.0..600.0).contains(&model.cpu_ms), "{}", model.cpu_ms);
    let rare = counts(stage(&report, "rare"));
    assert_eq!(rare[..3], [1, 1, 9]);
    assert_eq!(counts(stage(&report, "gate")), [9, 9, 0, 0]);
    assert_eq!(counts(stage(&report, "side")), [10, 10, 0, 0]);
    assert_eq!(counts(stage(&report, "out")), [9, 9, 0, 0]);
    assert_eq!(counts(stage(&report, "posts"))[1], 10);

    let printed = plan.explain(&report).to_string();
    for stage in &report.stages {
        let mut lines = printed.lines();
        assert!(
            lines.any(|line| line.contains(&stage.name)),
            "{}",
            stage.name
        );
    }
    let line = |name: &str| printed.lines().find(|l| l.contains(name)).unwrap();
    let words: Vec<&str> = line("model").split_whitespace().collect();
    assert_eq!(words[..7], ["enrich", "1", "model", "10", "9", "0", "1"]);
    assert!(words[7].starts_with("5"), "50 cpu-ms each: {words:?}");
    assert_eq!(printed.matches("<- busiest").count(), 1);
    assert!(printed.contains(&report.run));
}
