//! Each rule of an enricher broken by a double, which the suite catches.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use bytes::Bytes;
use heurpipe_core::testkit::suite::{self, EnricherOptions, SuiteReport};
use heurpipe_core::*;

use crate::parts::{assert_caught, assert_made, items, post};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    None,
    AnotherVersionEachTime,
    GivesNothing,
    ThresholdOfTwo,
    RefusesEmptyBatches,
    LosesTheLast,
    DependsOnTheCall,
    DependsOnTheInstance,
    AnswersInItsOwnOrder,
    DependsOnTheBatch,
    OneBatchAtATime,
    RanWithAnother,
    FindsWhatItDoesNotGive,
    TooConfident,
    RegionOutside,
    EmptyLabel,
    NotANumber,
    StuckWhenDropped,
    PoisonSpoilsAll,
    TakesPoison,
    PanicsOnPoison,
    LooksAtNothing,
}

static INSTANCES: AtomicUsize = AtomicUsize::new(0);

struct Broken {
    flaw: Flaw,
    spec: EnricherSpec,
    instance: usize,
    calls: AtomicUsize,
    busy: AtomicBool,
}

impl Broken {
    fn make(flaw: Flaw) -> Self {
        let instance = INSTANCES.fetch_add(1, SeqCst);
        let version = match flaw {
            Flaw::AnotherVersionEachTime => instance.to_string(),
            _ => "1".to_owned(),
        };
        let mut spec = EnricherSpec::new("length", &version)
            .gives(["length"])
            .bytes();
        match flaw {
            Flaw::GivesNothing => spec.gives.clear(),
            Flaw::ThresholdOfTwo => spec = spec.threshold(2.0),
            _ => {}
        }
        Self {
            flaw,
            spec,
            instance,
            calls: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
        }
    }

    fn read(&self, item: &Item, call: usize, items: usize) -> ItemResult<Vec<Finding>> {
        if item.bytes.is_none() && self.flaw != Flaw::LooksAtNothing {
            item.bytes()?;
        }
        if is_poison(item) {
            match self.flaw {
                Flaw::TakesPoison => {}
                Flaw::PanicsOnPoison => panic!("it is poison"),
                _ => return Err(Error::new(ErrorKind::Corrupt, "broken.read")),
            }
        }
        let text = &item.post().text;
        let length = match self.flaw {
            Flaw::DependsOnTheCall | Flaw::OneBatchAtATime => text.len() + call,
            Flaw::DependsOnTheInstance => text.len() + self.instance,
            Flaw::DependsOnTheBatch => text.len() + items,
            _ => text.len(),
        };
        let value = match self.flaw {
            Flaw::EmptyLabel => Value::Label(String::new()),
            Flaw::NotANumber => Value::Vector(vec![f32::NAN]),
            _ => Value::Number(length as f64),
        };
        let attribute = match self.flaw {
            Flaw::FindsWhatItDoesNotGive => "width",
            _ => "length",
        };
        let confidence = match self.flaw {
            Flaw::TooConfident => 1.5,
            _ => 0.5,
        };
        let region = Region {
            x: 0.5,
            y: 0.5,
            width: if self.flaw == Flaw::RegionOutside {
                0.7
            } else {
                0.5
            },
            height: 0.5,
        };
        let finding = Finding::new(attribute, value);
        Ok(vec![finding.confidence(confidence).region(region)])
    }
}

fn is_poison(item: &Item) -> bool {
    item.post().text == "poison"
}

#[async_trait]
impl Enricher for Broken {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        if self.flaw == Flaw::RefusesEmptyBatches && batch.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "broken.enrich"));
        }
        let call = self.calls.fetch_add(1, SeqCst);
        let meanwhile = self.busy.swap(true, SeqCst);
        if meanwhile && self.flaw == Flaw::StuckWhenDropped {
            return Err(Error::new(ErrorKind::Internal, "broken.enrich"));
        }
        tokio::task::yield_now().await;
        self.busy.store(false, SeqCst);
        let call = match self.flaw {
            Flaw::OneBatchAtATime => usize::from(meanwhile),
            _ => call,
        };
        let mut items: Vec<&Item> = batch.items.iter().collect();
        if self.flaw == Flaw::AnswersInItsOwnOrder {
            items.sort_by_key(|item| item.record.id().clone());
        }
        let spoilt = self.flaw == Flaw::PoisonSpoilsAll && items.iter().any(|i| is_poison(i));
        let read = |item: &Item| match spoilt {
            true => Err(Error::new(ErrorKind::Corrupt, "broken.read")),
            false => self.read(item, call, batch.len()),
        };
        let mut outcomes: Vec<_> = items.into_iter().map(read).collect();
        if self.flaw == Flaw::LosesTheLast && outcomes.len() > 2 {
            outcomes.pop();
        }
        let fingerprint = match self.flaw {
            Flaw::RanWithAnother => Fingerprint::of(["another"]),
            _ => self.spec.fingerprint.clone(),
        };
        Ok(Enriched::new(fingerprint, outcomes))
    }
}

fn with_bytes(mut item: Item) -> Item {
    item.bytes = Some(Bytes::from_static(b"picture"));
    item
}

async fn suite_of(flaw: Flaw) -> SuiteReport {
    let poison = with_bytes(Item::from(post(99, "poison")));
    let options = EnricherOptions::new(items().into_iter().map(with_bytes)).poison(poison);
    suite::enricher(|| Broken::make(flaw), options).await
}

#[tokio::test]
async fn a_sound_one_is_measured_by_every_check() {
    let report = suite_of(Flaw::None).await;
    assert_made(&report, report.checks.len());
}

#[tokio::test]
async fn each_flaw_is_caught() {
    let flaws = [
        (Flaw::AnotherVersionEachTime, "the spec is stable"),
        (Flaw::GivesNothing, "the spec is stable"),
        (Flaw::ThresholdOfTwo, "the spec is stable"),
        (Flaw::RefusesEmptyBatches, "an empty batch is a batch"),
        (Flaw::LosesTheLast, "one outcome per item"),
        (Flaw::DependsOnTheCall, "the same findings twice"),
        (Flaw::DependsOnTheInstance, "the same findings twice"),
        (
            Flaw::AnswersInItsOwnOrder,
            "outcomes are in the order of the batch",
        ),
        (Flaw::DependsOnTheBatch, "alone as in the batch"),
        (Flaw::OneBatchAtATime, "batches may be read at once"),
        (Flaw::RanWithAnother, "one fingerprint for all calls"),
        (
            Flaw::FindsWhatItDoesNotGive,
            "findings are of attributes it gives",
        ),
        (Flaw::TooConfident, "findings are well-formed"),
        (Flaw::RegionOutside, "findings are well-formed"),
        (Flaw::EmptyLabel, "findings are well-formed"),
        (Flaw::NotANumber, "findings are well-formed"),
        (Flaw::StuckWhenDropped, "dropping a call harms nothing"),
        (Flaw::PoisonSpoilsAll, "a poison item spoils no other"),
        (Flaw::TakesPoison, "a poison item spoils no other"),
        (Flaw::PanicsOnPoison, "a poison item spoils no other"),
        (Flaw::LooksAtNothing, "an item without its input fails"),
    ];
    for (flaw, check) in flaws {
        println!("{flaw:?}");
        assert_caught(&suite_of(flaw).await, check);
    }
}

#[tokio::test]
async fn numbers_may_differ_by_the_tolerance() {
    let trembling = |by: f64| {
        let calls = AtomicUsize::new(0);
        EnricherFn::new(
            EnricherSpec::new("score", "1").gives(["score"]),
            move |_: &Item| {
                let value = 1.0 + by * (calls.fetch_add(1, SeqCst) % 2) as f64;
                Ok(vec![Finding::new("score", Value::Number(value))])
            },
        )
    };
    let options = EnricherOptions::new(items()[..3].to_vec());
    let exact = suite::enricher(|| trembling(1e-5), options.clone()).await;
    assert_caught(&exact, "the same findings twice");
    let options = options.tolerance(1e-4);
    suite::enricher(|| trembling(1e-5), options.clone())
        .await
        .assert_passed();
    let loose = suite::enricher(|| trembling(1e-3), options).await;
    assert_caught(&loose, "the same findings twice");
}
