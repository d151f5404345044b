//! A pipeline that cannot work is refused before it runs, and the refusal names what is wrong.

use heurpipe_core::gate::{ReviewGate, uncertain};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;

use super::support::*;

fn base() -> PipelineBuilder {
    Pipeline::builder(NAME)
        .source(Posts::texts(["x"]))
        .sink(Collect::new("out"))
}

fn spec(name: &str) -> EnricherSpec {
    EnricherSpec::new(name, "1").gives([name])
}

fn refused(builder: PipelineBuilder, words: &[&str]) {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{text} says nothing of {word}");
    }
}

#[test]
fn it_needs_a_name_a_source_and_a_sink() {
    let nameless = |name: &str| {
        Pipeline::builder(name)
            .source(Posts::texts(["x"]))
            .sink(Collect::new("out"))
    };
    refused(nameless(""), &["not empty"]);
    refused(nameless("a/b"), &["name=a/b"]);
    let sink = Collect::new("out");
    refused(Pipeline::builder(NAME).sink(sink), &["no source", NAME]);
    let source = || Pipeline::builder(NAME).source(Posts::texts(["x"]));
    refused(source(), &["no sink"]);
    refused(source().tee(Collect::new("side")), &["no sink"]);
    assert!(base().build().is_ok());
}

#[test]
fn two_parts_of_one_kind_have_two_names() {
    let out = || Collect::new("out");
    refused(base().sink(out()), &["kind=sink", "name=out"]);
    refused(base().tee(out()), &["kind=sink", "name=out"]);
    let source = Posts::texts(["y"]);
    refused(base().source(source), &["kind=source", "name=posts"]);
    let gates = base().gate(Gate::open("g")).gate(Gate::open("g"));
    refused(gates, &["kind=gate", "name=g"]);
    let enrichers = base().enrich(Probe::new("a")).enrich(Probe::new("a"));
    refused(enrichers, &["one name", "enricher=a"]);
    let routes = base().route(Route::new("r")).route(Route::new("r"));
    refused(routes, &["kind=route", "name=r"]);
    let cases = Route::new("r")
        .case("c", filter("x"), |way| way)
        .otherwise("c", |way| way);
    refused(base().route(cases), &["kind=case", "name=c", "route=r"]);
    // Also deep inside, and whatever way they stand on.
    let hidden = Route::new("r").case("c", filter("x"), |way| {
        way.route(Route::new("inner").otherwise("d", |way| way.sink(out())))
    });
    refused(base().route(hidden), &["kind=sink", "name=out"]);
}

#[test]
fn what_is_needed_must_be_given_and_not_in_a_circle() {
    let needs = |name: &str, needed: &str| Probe::of(spec(name).needs([needed]));
    refused(
        base().enrich(needs("a", "nobody")),
        &["enricher=a", "missing=nobody"],
    );
    refused(
        base().enrich(needs("a", "b")).enrich(needs("b", "a")),
        &["circle", "a", "b"],
    );
    let field = Probe::new("likes");
    refused(base().enrich(field), &["attribute=likes"]);
    let gate = ReviewGate::policy(["nobody"], uncertain(0.1));
    let documents = memory();
    let gated = base()
        .documents(documents.clone())
        .review(documents)
        .gate(gate);
    refused(gated, &["missing=nobody"]);
}

#[test]
fn pictures_need_media_and_pixels_a_decoder() {
    let pixels = || Probe::of(spec("a").pixels(PixelRequest::new(8, 8, Fit::Crop)));
    refused(base().enrich(pixels()), &["enricher=a", "fetch_media"]);
    let fetched = base().fetch_media(pictures::Fetcher::new());
    refused(
        fetched.enrich(pixels()),
        &["enricher=a", "missing=decode_with"],
    );
    refused(
        base().enrich(Probe::of(spec("a").bytes())),
        &["fetch_media"],
    );
}

#[test]
fn gates_and_stored_posts_need_documents() {
    let gated = || base().gate(Gate::open("g"));
    refused(gated(), &["gate=g", "missing=documents"]);
    refused(gated().documents(memory()), &["gate=g", "missing=review"]);
    refused(base().stale(Filter::All), &["missing=documents"]);
}

#[test]
fn more_sinks_than_can_be_told_apart_are_refused() {
    let many = |sinks: usize| {
        let source = Pipeline::builder(NAME).source(Posts::texts(["x"]));
        (0..sinks).fold(source, |builder, n| {
            builder.sink(Collect::new(&format!("sink {n}")))
        })
    };
    assert!(many(64).build().is_ok());
    refused(many(65), &["sinks=65", "most=64"]);
}

#[tokio::test]
async fn every_sink_of_as_many_as_there_may_be_is_written_to() {
    let sinks: Vec<Collect> = (0..64).map(|n| Collect::new(&format!("s{n}"))).collect();
    let source = Pipeline::builder(NAME).source(Posts::texts(["x"]));
    let report = run(sinks.iter().cloned().fold(source, PipelineBuilder::sink)).await;
    assert_eq!(report.posts.delivered, 1);
    assert!(sinks.iter().all(|sink| sink.records().len() == 1));
}

#[test]
fn an_enricher_with_what_it_needs_and_what_needs_it_can_be_taken_alone() {
    let pipeline = base()
        .enrich(Probe::of(spec("base")))
        .enrich(Probe::of(spec("middle").needs(["base"])))
        .enrich(Probe::of(spec("top").needs(["middle"])))
        .enrich(Probe::of(spec("aside").cost(Cost::CpuMs(9.0))))
        .build()
        .unwrap();
    assert_eq!(pipeline.plan().bottleneck.as_deref(), Some("aside"));
    let alone = pipeline.clone().only_enricher("middle").unwrap();
    let names: Vec<&str> = alone
        .plan()
        .stages
        .iter()
        .filter(|stage| stage.kind == "enrich")
        .map(|stage| stage.name.as_str())
        .collect();
    assert_eq!(names, ["base", "middle", "top"]);
    let dearest = alone.plan().bottleneck.as_deref().unwrap();
    assert!(names.contains(&dearest), "{dearest} does not run");
    let unknown = pipeline.only_enricher("nobody").unwrap_err().to_string();
    assert!(unknown.contains("aside"), "{unknown}");
}
