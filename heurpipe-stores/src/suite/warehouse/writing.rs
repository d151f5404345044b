//! What is appended is there, once, in its newest form.

use std::sync::Arc;

use heurpipe_core::{
    Annotation, ErrorKind, Filter, Finding, Fingerprint, InputDigest, LedgerEntry, LedgerOutcome,
    Platform, PostId, Producer, Raw, Record, State, Target, Value,
};
use jiff::Timestamp;
use serde_json::json;

use super::super::Check;
use super::{Place, all_records, checks, dated, id, number, record, scanned, some_days, writer};

checks!(
    dyn Place;
    an_empty_warehouse_answers,
    nothing_may_be_appended,
    what_is_appended_is_there,
    appending_again_writes_nothing,
    a_newer_revision_supersedes,
    an_older_revision_changes_nothing,
    of_several_revisions_at_once_the_newest_stays,
    new_and_known_may_come_together,
    a_post_moves_between_days_and_stays_one,
    records_are_found_in_the_order_of_the_ids,
    ids_are_told_apart,
    many_records_are_kept,
    a_big_record_is_kept,
    what_was_found_about_a_post_is_kept,
    a_record_that_json_cannot_hold_stores_nothing,
    a_state_has_a_number,
    coverage_says_what_there_is,
);

async fn an_empty_warehouse_answers(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    assert_eq!(all_records(&*warehouse).await?, []);
    assert_eq!(warehouse.get(&[id("1")]).await?, [None]);
    assert_eq!(warehouse.get(&[]).await?, []);
    assert_eq!(warehouse.remove(&[id("1")]).await?, 0);
    let purged = warehouse.erase(&[id("1")]).await?;
    assert_eq!((purged.posts, purged.rows, purged.rewritten), (0, 0, 0));
    let compacted = warehouse.compact(jiff::SignedDuration::ZERO).await?;
    assert_eq!((compacted.merged, compacted.written), (0, 0));
    let coverage = warehouse.coverage().await?;
    assert_eq!((coverage.posts, coverage.undated), (0, 0));
    assert_eq!((coverage.from, coverage.to), (None, None));
    Ok(())
}

async fn nothing_may_be_appended(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(vec![record("1", 1, "")]).await?;
    let before = warehouse.coverage().await?;
    let appended = warehouse.append(Vec::new()).await?;
    assert_eq!((appended.written, appended.unchanged), (0, 0));
    assert_eq!(warehouse.coverage().await?, before);
    Ok(())
}

async fn what_is_appended_is_there(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = some_days()?;
    let appended = warehouse.append(given.clone()).await?;
    assert_eq!(appended.written, given.len() as u64);
    assert_eq!((appended.superseded, appended.unchanged), (0, 0));
    assert_eq!(all_records(&*warehouse).await?, given);
    Ok(())
}

async fn appending_again_writes_nothing(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = some_days()?;
    warehouse.append(given.clone()).await?;
    let before = warehouse.coverage().await?;
    let again = warehouse.append(given.clone()).await?;
    assert_eq!((again.written, again.superseded), (0, 0));
    assert_eq!(again.unchanged, given.len() as u64);
    assert_eq!(warehouse.coverage().await?, before);
    // The same revision with another text is the same revision.
    let appended = warehouse.append(vec![record("00", 1, "other")]).await?;
    assert_eq!((appended.written, appended.unchanged), (0, 1));
    assert_eq!(all_records(&*warehouse).await?, given);
    Ok(())
}

async fn a_newer_revision_supersedes(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = some_days()?;
    warehouse.append(given.clone()).await?;
    for revision in [2, 5] {
        given[3].revision = revision;
        given[3].post.text = format!("revision {revision}");
        let appended = warehouse.append(vec![given[3].clone()]).await?;
        assert_eq!((appended.written, appended.superseded), (1, 1));
        assert_eq!(all_records(&*warehouse).await?, given);
    }
    let found = warehouse.get(&[id("03")]).await?;
    assert_eq!(found, [Some(given[3].clone())]);
    Ok(())
}

async fn an_older_revision_changes_nothing(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let newer = dated("1", 7, "2026-03-01T00:00:00Z")?;
    warehouse.append(vec![newer.clone()]).await?;
    for (revision, time) in [
        (6, "2026-03-01T00:00:00Z"),
        (1, "2026-02-01T00:00:00Z"),
        (0, ""),
    ] {
        let appended = warehouse.append(vec![dated("1", revision, time)?]).await?;
        assert_eq!((appended.written, appended.superseded), (0, 0));
        assert_eq!(appended.unchanged, 1, "revision {revision}");
        assert_eq!(
            all_records(&*warehouse).await?,
            std::slice::from_ref(&newer)
        );
    }
    Ok(())
}

async fn of_several_revisions_at_once_the_newest_stays(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let revisions = |native: &str, order: [u64; 4]| {
        order.map(|revision| record(native, revision, &revision.to_string()))
    };
    let mut given = Vec::from(revisions("1", [1, 2, 3, 4]));
    given.extend(revisions("2", [4, 3, 2, 1]));
    given.extend(revisions("3", [2, 4, 4, 1]));
    let appended = warehouse.append(given).await?;
    assert_eq!((appended.written, appended.unchanged), (3, 9));
    let newest = ["1", "2", "3"].map(|native| record(native, 4, "4"));
    assert_eq!(all_records(&*warehouse).await?, newest);
    // And beside what is there.
    let given = Vec::from(revisions("1", [3, 9, 4, 5]));
    let appended = warehouse.append(given).await?;
    assert_eq!((appended.written, appended.superseded), (1, 1));
    let found = warehouse.get(&[id("1")]).await?;
    assert_eq!(found, [Some(record("1", 9, "9"))]);
    Ok(())
}

async fn new_and_known_may_come_together(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse
        .append(vec![record("1", 1, ""), record("2", 3, "")])
        .await?;
    let given = vec![
        record("1", 2, "newer"),
        record("2", 2, "older"),
        record("3", 1, "new"),
    ];
    let appended = warehouse.append(given).await?;
    let did = (appended.written, appended.superseded, appended.unchanged);
    assert_eq!(did, (2, 1, 1));
    let expected = [
        record("1", 2, "newer"),
        record("2", 3, ""),
        record("3", 1, "new"),
    ];
    assert_eq!(all_records(&*warehouse).await?, expected);
    Ok(())
}

async fn a_post_moves_between_days_and_stays_one(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let times = [
        "2026-01-31T23:59:59Z",
        "2026-02-01T00:00:00Z",
        "",
        "1969-01-01T00:00:00Z",
        "2026-01-31T23:59:59Z",
    ];
    for (revision, time) in (1..).zip(times) {
        let record = dated("1", revision, time)?;
        warehouse.append(vec![record.clone()]).await?;
        assert_eq!(all_records(&*warehouse).await?, [record], "{time}");
    }
    for (filter, found) in [("published:2026-01", 1), ("published:2026-02", 0)] {
        let records = scanned(&*warehouse, &filter.parse()?).await?;
        assert_eq!(records.len(), found, "{filter}");
    }
    Ok(())
}

async fn records_are_found_in_the_order_of_the_ids(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = some_days()?;
    warehouse.append(given.clone()).await?;
    let wanted = ["11", "absent", "00", "12", "11", "05"].map(id);
    let expected: Vec<Option<Record>> = wanted
        .iter()
        .map(|id| given.iter().find(|r| r.id() == id).cloned())
        .collect();
    assert_eq!(warehouse.get(&wanted).await?, expected);
    Ok(())
}

async fn ids_are_told_apart(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let natives = [
        "a",
        "A",
        "a b",
        "a/b?c=d#e%20",
        "a:b",
        "*",
        "a%",
        "a_",
        "ä",
        "é",
        "e\u{301}",
        "10",
        "2",
        "it's",
        "\"",
        "\\",
        "连衣裙",
    ];
    let mut records: Vec<Record> = natives.iter().map(|native| record(native, 1, "")).collect();
    let mut elsewhere = record("a", 1, "");
    elsewhere.post.id = PostId::new(Platform::weibo(), "a");
    records.push(elsewhere);
    records.sort_by(|a, b| a.id().cmp(b.id()));
    warehouse.append(records.clone()).await?;
    assert_eq!(all_records(&*warehouse).await?, records);
    for record in &records {
        let found = warehouse.get(&[record.id().clone()]).await?;
        assert_eq!(found, [Some(record.clone())]);
    }
    for gone in ["a", "it's", "a%"] {
        assert_eq!(warehouse.remove(&[id(gone)]).await?, 1, "{gone}");
    }
    records.retain(|r| !["a", "it's", "a%"].map(id).contains(r.id()));
    assert_eq!(all_records(&*warehouse).await?, records);
    Ok(())
}

async fn many_records_are_kept(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = Vec::new();
    for number in 0..2_500 {
        let time = format!("2026-03-{:02}T{:02}:00:00Z", 1 + number % 3, number % 24);
        given.push(dated(&format!("{number:04}"), 1, &time)?);
    }
    warehouse.append(given.clone()).await?;
    // Some of them once more, scattered over all.
    let mut renewed: Vec<Record> = given.iter().step_by(10).cloned().collect();
    renewed.iter_mut().for_each(|r| r.revision = 2);
    let appended = warehouse.append(renewed.clone()).await?;
    assert_eq!((appended.written, appended.superseded), (250, 250));
    for new in renewed {
        if let Some(old) = given.iter_mut().find(|r| r.id() == new.id()) {
            *old = new;
        }
    }
    assert!(all_records(&*warehouse).await? == given, "2,500 records");
    let ids: Vec<PostId> = given.iter().map(|r| r.id().clone()).collect();
    let found = warehouse.get(&ids).await?;
    assert!(found.into_iter().flatten().eq(given), "by their ids");
    Ok(())
}

async fn a_big_record_is_kept(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let big = record("big", 1, &"连衣裙 word ".repeat(300_000));
    assert!(big.post.text.len() > 4 << 20);
    let given = [big, record("small", 1, "")];
    warehouse.append(given.to_vec()).await?;
    assert!(all_records(&*warehouse).await? == given, "a text of 4 MiB");
    let length = "SELECT length(text) FROM posts WHERE native_id = 'big'";
    let characters = given[0].post.text.chars().count();
    assert_eq!(number(&*warehouse, length, &[]).await?, characters as i64);
    Ok(())
}

async fn what_was_found_about_a_post_is_kept(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = record("1", 3, "a look");
    let fingerprint = Fingerprint::of(["colour", "1"]);
    let producer = Producer {
        name: "colour".to_owned(),
        version: "1".to_owned(),
        fingerprint: fingerprint.clone(),
        threshold: Some(0.5),
        shadow: false,
    };
    let when: Timestamp = "2026-04-01T11:00:00.123456789Z".parse()?;
    let finding = Finding::label("colour", "Red").confidence(0.7);
    let found = Annotation::produced(Target::Post, finding, producer, when);
    let entry = LedgerEntry::new(
        "colour",
        fingerprint,
        Target::Post,
        InputDigest::of(b"input"),
        LedgerOutcome::Done,
        when,
    );
    given.enter(entry.cost(1.25), vec![found]);
    let word = Value::Label("pink".to_owned());
    let decided = Annotation::decided(Target::Post, "colour", word, "ann", when);
    given.annotations.push(decided);
    given.states.insert("catalog".to_owned(), State::Delivered);
    let payload =
        json!({"big": 12345678901234567890_u64, "small": 0.1, "list": [null, {"a": "b"}]});
    let raw = Raw::from_value(&payload)?;
    given.post.raw.insert("test".to_owned(), raw);
    warehouse.append(vec![given.clone()]).await?;
    let found = warehouse.get(&[id("1")]).await?;
    assert_eq!(found, [Some(given.clone())]);
    let kept = found
        .iter()
        .flatten()
        .next()
        .and_then(|r| r.post.raw.get("test"));
    let untouched = given.post.raw.get("test").map(Raw::as_str);
    assert_eq!(kept.map(Raw::as_str), untouched, "the payload as it came");
    Ok(())
}

async fn a_record_that_json_cannot_hold_stores_nothing(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut odd = record("2", 1, "");
    let score = Value::Number(f64::NAN);
    let when = Timestamp::UNIX_EPOCH;
    let decided = Annotation::decided(Target::Post, "score", score, "ann", when);
    odd.annotations.push(decided);
    let given = vec![record("1", 1, ""), odd, record("3", 1, "")];
    let refused = warehouse.append(given).await.map_err(|e| e.kind());
    assert_eq!(refused, Err(ErrorKind::InvalidInput));
    assert_eq!(all_records(&*warehouse).await?, [], "all or nothing");
    Ok(())
}

async fn a_state_has_a_number(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    assert_eq!(
        warehouse.coverage().await?.manifest,
        0,
        "nothing was stored"
    );
    let mut last = 0;
    for revision in 1..=3 {
        let appended = warehouse.append(vec![record("1", revision, "")]).await?;
        assert!(appended.manifest > last, "{appended:?} after {last}");
        last = appended.manifest;
        assert_eq!(warehouse.coverage().await?.manifest, last);
        let again = warehouse.append(vec![record("1", revision, "")]).await?;
        assert_eq!(again.manifest, last, "nothing was to be written");
    }
    Ok(())
}

async fn coverage_says_what_there_is(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = some_days()?;
    warehouse.append(given.clone()).await?;
    let coverage = warehouse.coverage().await?;
    assert_eq!((coverage.posts, coverage.undated), (13, 1));
    let (Some(from), Some(to)) = (coverage.from, coverage.to) else {
        panic!("no range: {coverage:?}");
    };
    for published in given.iter().filter_map(|r| r.post.published_at) {
        assert!(from <= published && published <= to, "{coverage:?}");
    }
    assert!(coverage.bytes > 0, "{coverage:?}");
    warehouse.remove(&[id("12"), id("00")]).await?;
    let coverage = warehouse.coverage().await?;
    assert_eq!((coverage.posts, coverage.undated), (11, 0));
    let there = scanned(&*warehouse, &Filter::All).await?;
    assert_eq!(there.len(), 11);
    Ok(())
}
