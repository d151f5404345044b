#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn record() -> Record {
    Record::new(Post::new("instagram:1".parse().unwrap(), at(0)))
}

fn said(name: &str, label: &str, confidence: f32, time: i64) -> Annotation {
    let producer = Producer {
        name: name.into(),
        version: "1".into(),
        fingerprint: Fingerprint::of([name]),
        threshold: Some(0.5),
        shadow: false,
    };
    let finding = Finding::label("garment", label).confidence(confidence);
    Annotation::produced(Target::Media("a".into()), finding, producer, at(time))
}

fn decided(label: &str, person: &str, time: i64) -> Annotation {
    let value = Value::Label(label.into());
    Annotation::decided(
        Target::Media("a".into()),
        "garment",
        value,
        person,
        at(time),
    )
}

fn effective(annotations: Vec<Annotation>) -> BTreeSet<String> {
    let mut record = record();
    record.annotations = annotations;
    record.effective().remove("garment").unwrap_or_default()
}

fn set(labels: &[&str]) -> BTreeSet<String> {
    labels.iter().map(|l| (*l).to_owned()).collect()
}

#[test]
fn a_person_beats_a_model_however_sure_and_new() {
    let labels = effective(vec![said("m", "skirt", 1.0, 9), decided("dress", "ann", 1)]);
    assert_eq!(labels, set(&["dress"]));
}

#[test]
fn the_latest_decision_counts() {
    let labels = effective(vec![decided("dress", "ann", 1), decided("skirt", "bob", 2)]);
    assert_eq!(labels, set(&["skirt"]));
}

#[test]
fn a_model_below_its_threshold_does_not_count() {
    assert_eq!(effective(vec![said("m", "dress", 0.49, 1)]), set(&[]));
    assert_eq!(effective(vec![said("m", "dress", 0.5, 1)]), set(&["dress"]));
    let unsure_and_newer = vec![said("m", "dress", 0.9, 1), said("n", "skirt", 0.1, 2)];
    assert_eq!(effective(unsure_and_newer), set(&["dress"]));
}

#[test]
fn the_newest_producer_counts_with_all_it_said() {
    let labels = effective(vec![
        said("old", "hat", 0.9, 1),
        said("new", "dress", 0.9, 2),
        said("new", "skirt", 0.9, 2),
    ]);
    assert_eq!(labels, set(&["dress", "skirt"]));
}

#[test]
fn a_shadow_does_not_count() {
    let mut shadow = said("candidate", "skirt", 1.0, 9);
    let By::Producer(producer) = &mut shadow.by else {
        unreachable!("made by a model")
    };
    producer.shadow = true;
    assert_eq!(
        effective(vec![shadow, said("m", "dress", 0.9, 1)]),
        set(&["dress"])
    );
}

#[test]
fn pictures_add_up() {
    let mut other = said("m", "hat", 0.9, 1);
    other.target = Target::Media("b".into());
    assert_eq!(
        effective(vec![said("m", "dress", 0.9, 2), other]),
        set(&["dress", "hat"])
    );
}

#[test]
fn labels_of_the_source_count_where_nobody_has_spoken() {
    let mut record = record();
    record
        .post
        .given
        .insert("garment".into(), vec!["hat".into()]);
    assert_eq!(record.effective()["garment"], set(&["hat"]));
    let none = Value::Labels(Vec::new());
    let nothing = Annotation::decided(Target::Post, "garment", none, "ann", at(1));
    record.annotations = vec![nothing];
    assert!(
        !record.effective().contains_key("garment"),
        "ann says there is none"
    );
    record.annotations = vec![said("m", "dress", 0.9, 1)];
    assert_eq!(record.effective()["garment"], set(&["dress"]));
}

fn seen(name: &str, target: Target, vector: &[f32], time: i64) -> Annotation {
    let mut annotation = said(name, "", 0.9, time);
    annotation.attribute = "look".into();
    annotation.target = target;
    annotation.value = Value::Vector(vector.to_vec());
    annotation
}

#[test]
fn vectors_of_all_targets_count_where_they_are_the_last_word() {
    let of = |media: &str| Target::Media(media.into());
    let part = |x| Target::Region {
        media: "b".into(),
        region: Region {
            x,
            y: 0.0,
            width: 0.1,
            height: 0.1,
        },
    };
    let mut shadow = seen("new", of("a"), &[9.0], 9);
    let By::Producer(producer) = &mut shadow.by else {
        unreachable!()
    };
    producer.shadow = true;
    let mut unsure = seen("m", of("d"), &[8.0], 1);
    unsure.confidence = Some(0.1);
    let none = Value::Labels(Vec::new());
    let mut record = record();
    record.annotations = vec![
        shadow,
        unsure,
        seen("old", of("a"), &[1.0, 2.0], 1),
        seen("m", of("a"), &[3.0, 4.0], 2),
        seen("m", part(0.1), &[5.0], 1),
        seen("m", part(0.2), &[6.0], 1),
        seen("m", of("c"), &[7.0], 1),
        Annotation::decided(of("c"), "look", none, "ann", at(1)),
        seen("m", of("e"), &[0.0, -0.0], 1),
        seen("m", of("f"), &[], 1),
        said("m", "dress", 0.9, 1),
    ];
    let vectors = record.effective_vectors();
    assert_eq!(vectors.keys().collect::<Vec<_>>(), [&"look"]);
    assert_eq!(vectors["look"], [&[3.0, 4.0][..], &[5.0], &[6.0]]);
    record.annotations.clear();
    assert!(record.effective_vectors().is_empty());
}

#[test]
fn names_are_written_and_read() {
    let id: PostId = "weibo:graph:17".parse().unwrap();
    assert_eq!((id.platform.as_str(), &*id.native), ("weibo", "graph:17"));
    assert_eq!(id.to_string(), "weibo:graph:17");
    assert_eq!(
        "WEIBO:Ab".parse::<PostId>().unwrap().to_string(),
        "weibo:Ab"
    );
    for wrong in ["", "weibo", ":1", "weibo:"] {
        let error = wrong.parse::<PostId>().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::InvalidInput, "{wrong}");
    }

    let digest = Digest::of(b"abc");
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(digest.to_string(), hex);
    assert_eq!(hex.parse::<Digest>().unwrap(), digest);
    assert!("ba78".parse::<Digest>().is_err());
    assert!(hex.replace('b', "x").parse::<Digest>().is_err());
    assert!((0.0..1.0).contains(&digest.unit_interval()));

    assert_ne!(Fingerprint::of(["ab", "c"]), Fingerprint::of(["a", "bc"]));
    assert_eq!(Fingerprint::of(["a"]).as_str().len(), 16);
}

#[test]
fn a_record_survives_json_with_its_raw_payload_untouched() {
    let mut record = record();
    // Order, spacing and precision are what reading and writing a value would lose.
    let payload = r#"{ "b":1.10,  "a":12345678901234567890123, "é":"\u00e9" }"#;
    let raw: Raw = serde_json::from_str(payload).unwrap();
    record.post.raw.insert("graph.media".into(), raw);
    record.post.media = vec![Media::image("a", "https://example.com/a")];
    record.post.media[0].fetched = Fetched::Stored {
        digest: Digest::of(b"x"),
        bytes: 1,
        content_type: "image/jpeg".into(),
    };
    let colours = Value::Colours(vec![ColourShare {
        name: "red".into(),
        rgb: [200, 10, 20],
        share: 0.123_456_7,
    }]);
    let region = Region {
        x: 0.1,
        y: 0.2,
        width: 0.3,
        height: 0.4,
    };
    let mut found = said("m", "dress", 0.7, 1);
    found.value = colours;
    found.target = Target::Region {
        media: "a".into(),
        region,
    };
    record.annotations = vec![decided("dress", "ann", 1), found];
    record.ledger = vec![LedgerEntry::new(
        "m",
        Fingerprint::of(["m"]),
        Target::Media("a".into()),
        InputDigest::of(b"x"),
        LedgerOutcome::Skipped(SkipReason::Budget),
        at(1),
    )];
    record.mark_gone(at(5));
    record.states.insert(
        "catalog".into(),
        State::Held {
            reason: "unsure".into(),
        },
    );
    record.revision = 3;

    let json = serde_json::to_string(&record).unwrap();
    let read: Record = serde_json::from_str(&json).unwrap();
    assert_eq!(read, record);
    assert_eq!(read.post.raw["graph.media"].as_str(), payload);
    assert!(!json.contains("null"), "what is unknown is left out");
}

#[test]
fn input_digests_of_earlier_ledgers_are_read_and_equal_no_other() {
    let earlier: InputDigest = serde_json::from_value(Digest::of(b"x").to_string().into()).unwrap();
    assert_ne!(earlier, InputDigest::of(b"x"));
    let text = serde_json::to_value(earlier).unwrap();
    assert_eq!(
        serde_json::from_value::<InputDigest>(text).unwrap(),
        earlier
    );
    for wrong in ["", "ab", "é".repeat(32).as_str(), "0".repeat(63).as_str()] {
        assert!(
            serde_json::from_value::<InputDigest>(wrong.into()).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn a_post_gone_is_marked_once() {
    let mut record = record();
    assert!(record.mark_gone(at(5)));
    assert!(!record.mark_gone(at(6)));
    assert!(
        record.absorb(Post::new(record.id().clone(), at(7))),
        "it is back"
    );
    assert!(!record.observations[2].gone);
}

#[test]
fn a_payload_of_many_lines_is_kept_on_one() {
    let text = "{\n  \"a\": \"two\\nlines\",\r\n  \"b\": 1\n}";
    let raw = Raw::new(serde_json::value::RawValue::from_string(text.to_owned()).unwrap());
    assert_eq!(raw.as_str(), r#"{   "a": "two\nlines",    "b": 1 }"#);
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(read(raw.as_str()), read(text));
}
