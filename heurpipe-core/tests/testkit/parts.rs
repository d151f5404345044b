//! Ready parts and what to feed them with.

use std::sync::Arc;

use heurpipe_core::gate::{ReviewGate, audit, uncertain};
use heurpipe_core::testkit::suite::{EnricherOptions, GateOptions, SinkOptions, SuiteReport};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use jiff::Timestamp;

pub fn post(number: usize, text: &str) -> Post {
    let id = PostId::new(Platform::new("test"), number.to_string());
    let mut post = Post::new(id, Timestamp::UNIX_EPOCH);
    post.text = text.to_owned();
    post
}

pub fn records(count: usize) -> Vec<Arc<Record>> {
    let record = |n| Arc::new(Record::new(post(n, &format!("post {n}"))));
    (0..count).map(record).collect()
}

/// Seven posts, three pages.
pub fn source() -> Posts {
    Posts::texts(["a", "b", "c", "d", "e", "f", "g"]).page(3)
}

/// Finds the words of a text, the longer the surer; cannot read what is marked as poison.
pub fn words() -> impl Enricher + 'static {
    let spec = EnricherSpec::new("words", "1")
        .gives(["word"])
        .threshold(0.5);
    EnricherFn::new(spec, |item: &Item| {
        let text = &item.post().text;
        if text.contains("poison") {
            return Err(Error::new(ErrorKind::Corrupt, "words.read").message("cannot be read"));
        }
        let finding = |word: &str| {
            Finding::label("word", word).confidence(1.0 - 1.0 / (1 + word.len()) as f32)
        };
        Ok(text.split_whitespace().map(finding).collect())
    })
}

pub fn items() -> Vec<Item> {
    ["a red dress", "blue", "", "two coats"]
        .into_iter()
        .enumerate()
        .map(|(number, text)| Item::from(post(number, text)))
        .collect()
}

pub fn enricher_options() -> EnricherOptions {
    EnricherOptions::new(items()).poison(Item::from(post(99, "poison")))
}

/// A record with what models said of it, in this order.
pub fn judged(number: usize, said: &[(&str, f32)]) -> Record {
    let mut record = Record::new(post(number, ""));
    let spec = EnricherSpec::new("garment", "1");
    for (label, confidence) in said {
        let producer: Producer = serde_json::from_value(serde_json::json!({
            "name": spec.name, "version": spec.version, "fingerprint": spec.fingerprint, "threshold": 0.5,
        }))
        .unwrap();
        let finding = Finding::label("garment", *label).confidence(*confidence);
        record.annotations.push(Annotation::produced(
            Target::Post,
            finding,
            producer,
            Timestamp::UNIX_EPOCH,
        ));
    }
    record
}

pub fn gate() -> ReviewGate {
    ReviewGate::policy(["garment"], uncertain(0.2).or(audit(0.3)))
}

pub fn gate_options() -> GateOptions {
    GateOptions::new([
        judged(0, &[("dress", 0.99)]),
        judged(1, &[("coat", 0.45)]),
        judged(2, &[]),
        judged(3, &[("coat", 0.4), ("dress", 0.6)]),
        judged(4, &[("hat", 0.95)]),
    ])
}

/// A collection, and how a suite reads it.
pub fn collect() -> (Collect, SinkOptions) {
    let collect = Collect::new("collect");
    let store = collect.clone();
    let options = SinkOptions::default().reader(move || {
        let records = store.records();
        async move {
            records
                .iter()
                .map(|r| (r.id().clone(), r.revision))
                .collect()
        }
    });
    (collect, options)
}

/// The part is caught by this check, and by nothing that passes a sound one.
#[track_caller]
pub fn assert_caught(report: &SuiteReport, check: &str) {
    let caught = report.failures().any(|(name, _)| name == check);
    assert!(caught, "{check:?} should have failed:\n{report}");
}

/// Checks that were made on a sound part, to see that a broken one is measured by all of them.
#[track_caller]
pub fn assert_made(report: &SuiteReport, checks: usize) {
    assert!(report.passed(), "{report}");
    assert_eq!(report.upheld().count(), checks, "{report}");
}
