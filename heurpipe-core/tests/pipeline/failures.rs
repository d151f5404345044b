//! What spoils a batch fails alone: batches that fail as a whole are halved, and answers that nobody can use cost their post only.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;

use super::support::*;

/// How a part takes a batch that holds the poison.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    /// It fails.
    Fails,
    /// It leaves out an outcome.
    LeavesOut,
}

/// An enricher, a gate and a sink that the poison spoils, as a bad tensor does a model.
#[derive(Clone)]
struct Fragile {
    manner: Manner,
    spec: EnricherSpec,
    out: Collect,
    calls: Arc<AtomicUsize>,
}

impl Fragile {
    fn new(manner: Manner) -> Self {
        Self {
            manner,
            spec: EnricherSpec::new("fragile", "1").gives(["seen"]),
            out: Collect::new("fragile"),
            calls: Arc::default(),
        }
    }

    /// How many outcomes a batch gets.
    fn outcomes<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Result<usize> {
        self.calls.fetch_add(1, SeqCst);
        let texts: Vec<&str> = texts.collect();
        match (texts.contains(&"poison"), self.manner) {
            (false, _) => Ok(texts.len()),
            (true, Manner::LeavesOut) => Ok(texts.len() - 1),
            (true, Manner::Fails) => Err(error(ErrorKind::Corrupt)),
        }
    }
}

fn of_records(records: &[Arc<Record>]) -> impl Iterator<Item = &str> {
    records.iter().map(|r| r.post.text.as_str())
}

#[async_trait]
impl Enricher for Fragile {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let items = self.outcomes(batch.items.iter().map(|i| i.post().text.as_str()))?;
        let found = |_| Ok(vec![Finding::label("seen", "yes")]);
        let outcomes = (0..items).map(found).collect();
        Ok(Enriched::new(self.spec.fingerprint.clone(), outcomes))
    }
}

#[async_trait]
impl QualityGate for Fragile {
    fn name(&self) -> &str {
        "fragile"
    }

    fn describe(&self) -> String {
        String::new()
    }

    async fn judge(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<Verdict>>> {
        let items = self.outcomes(of_records(records))?;
        Ok((0..items).map(|_| Ok(Verdict::Accept)).collect())
    }
}

#[async_trait]
impl Sink for Fragile {
    fn spec(&self) -> &SinkSpec {
        self.out.spec()
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        let items = self.outcomes(of_records(records))?;
        let mut outcomes = self.out.write(records).await?;
        outcomes.truncate(items);
        Ok(outcomes)
    }
}

/// 64 posts in one batch, of which one is poison.
fn poisoned() -> Posts {
    let mut posts = posts(64);
    posts[37].text = "poison".to_owned();
    Posts::new(posts)
}

async fn costs_one_post(manner: Manner, add: impl Fn(PipelineBuilder, Fragile) -> PipelineBuilder) {
    let documents = memory();
    let fragile = Fragile::new(manner);
    let pipeline = add(with(&documents).source(poisoned()), fragile.clone());
    let report = run_with(pipeline, one_by_one(64)).await;
    assert_eq!(
        (report.posts.delivered, report.posts.dead_lettered),
        (63, 1)
    );
    let letters = letters(documents.as_ref()).await;
    let [letter] = &letters[..] else {
        panic!("{letters:?}");
    };
    assert_eq!(
        (letter.post.clone(), letter.stage.as_str()),
        (id(37), "fragile")
    );
    let cause = match manner {
        Manner::Fails => "corrupt",
        Manner::LeavesOut => "internal",
    };
    assert_eq!(letter.cause, cause);
    assert_eq!(stage(&report, "fragile").failed, 1);
    // One call, and two for each time the part with the poison is halved: 64, 32, 16, 8, 4, 2.
    assert_eq!(fragile.calls.load(SeqCst), 1 + 2 * 6, "{manner:?}");
}

#[tokio::test]
async fn an_enricher_that_fails_whole_batches_loses_the_poison_only() {
    for manner in [Manner::Fails, Manner::LeavesOut] {
        costs_one_post(manner, |builder, fragile| {
            builder.enrich(fragile).sink(Collect::new("out"))
        })
        .await;
    }
}

#[tokio::test]
async fn a_gate_that_fails_whole_batches_loses_the_poison_only() {
    for manner in [Manner::Fails, Manner::LeavesOut] {
        costs_one_post(manner, |builder, fragile| {
            builder.gate(fragile).sink(Collect::new("out"))
        })
        .await;
    }
}

#[tokio::test]
async fn a_sink_that_fails_whole_batches_loses_the_poison_only() {
    for manner in [Manner::Fails, Manner::LeavesOut] {
        costs_one_post(manner, |builder, fragile| builder.sink(fragile)).await;
    }
}

/// Findings of one post out of five that cannot be stored or explained.
async fn unusable(finding: impl Fn() -> Finding + Send + Sync + 'static) {
    let documents = memory();
    let spec = EnricherSpec::new("model", "1").gives(["value"]);
    let model = Probe::of(spec).answers(move |item| match item.post().text.as_str() {
        "post 2" => Ok(vec![Finding::label("value", "fine"), finding()]),
        _ => Ok(vec![Finding::new("value", Value::Number(1.0))]),
    });
    let report = run(with(&documents)
        .source(Posts::new(posts(5)))
        .enrich(model)
        .sink(Collect::new("out")))
    .await;
    assert_eq!((report.posts.delivered, report.posts.dead_lettered), (4, 1));
    let letter = letters(documents.as_ref()).await.remove(0);
    assert_eq!((letter.post, letter.cause.as_str()), (id(2), "internal"));
    // Nothing of its answer was taken.
    assert!(record(documents.as_ref(), 2).await.annotations.is_empty());
    let said = line(documents.as_ref(), 2, "model").await;
    assert!(matches!(said, LedgerOutcome::Failed(_)), "{said:?}");
}

#[tokio::test]
async fn a_number_that_is_none_fails_its_post_only() {
    for none in [f64::NAN, f64::INFINITY] {
        unusable(move || Finding::new("value", Value::Number(none))).await;
        let none = none as f32;
        unusable(move || Finding::new("value", Value::Vector(vec![0.0, none]))).await;
        unusable(move || Finding::label("value", "x").confidence(none)).await;
        unusable(move || {
            let region = Region {
                x: none,
                y: 0.0,
                width: 1.0,
                height: 1.0,
            };
            Finding::label("value", "x").region(region)
        })
        .await;
        unusable(move || {
            let share = ColourShare {
                name: "red".to_owned(),
                rgb: [255, 0, 0],
                share: none,
            };
            Finding::new("value", Value::Colours(vec![share]))
        })
        .await;
    }
}

#[tokio::test]
async fn an_attribute_that_the_spec_does_not_give_fails_its_post_only() {
    unusable(|| Finding::label("other", "x")).await;
}

#[tokio::test]
async fn a_failure_leaves_what_others_found() {
    let documents = memory();
    let broken = Probe::new("broken").answers(|_| Err(error(ErrorKind::Corrupt)));
    let after = Probe::of(
        EnricherSpec::new("after", "1")
            .needs(["broken"])
            .gives(["after"]),
    );
    run(with(&documents)
        .source(Posts::new(posts(1)))
        .enrich(Probe::new("fine"))
        .enrich(broken)
        .enrich(after.clone())
        .sink(Collect::new("out")))
    .await;
    let record = record(documents.as_ref(), 0).await;
    assert!(record.effective()["fine"].contains("yes"));
    assert_eq!(after.items(), 0, "what builds upon it is not run");
    assert!(record.ledger_entry("after", &Target::Post).is_none());
}
