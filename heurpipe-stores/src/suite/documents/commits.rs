//! Records: stored by compare-and-set, found by their ids.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use heurpipe_core::{
    Annotation, DeadLetterScan, Erased, Error, ErrorKind, Filter, Finding, Fingerprint, PostId,
    Producer, Raw, Record, Scan, State, Stored, Target, Value,
};
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::{Check, checks, commit, id, natives, pending, record, refusal};
use crate::documents::DocumentStore;
use crate::suite::Failure;
use crate::suite::corpus::{self, Dice};

checks!(
    dyn DocumentStore;
    a_record_comes_back_as_it_was,
    only_the_stored_revision_is_replaced,
    one_bad_record_stops_no_other,
    an_alias_finds_its_record,
    writers_at_a_time_lose_nothing,
    big_records_come_back,
    ids_and_texts_may_have_any_character,
    no_revision_is_too_great_to_be_compared,
    one_post_may_come_several_times_in_a_batch,
    each_of_a_great_batch_has_its_outcome,
    writers_on_many_records_lose_nothing,
    calls_that_are_not_polled_keep_nobody_waiting,
    an_alias_goes_to_the_first_that_has_it,
    what_is_not_finite_is_refused,
    numbers_come_back_as_they_were,
    nothing_changes_nothing,
    what_was_replaced_finds_nothing,
    erased_posts_do_not_come_back,
);

async fn a_record_comes_back_as_it_was(store: Arc<dyn DocumentStore>) -> Check {
    let mut dice = Dice::new(3);
    for number in 0..30 {
        let mut written = corpus::record(&mut dice, number);
        written.ledger.clear();
        commit(&*store, &mut written).await?;
        assert_eq!(written.revision, 1);
        let found = store.load(&[written.id().clone(), id("absent")]).await?;
        assert_eq!(found, [Stored::Known(Box::new(written)), Stored::Unknown]);
    }
    Ok(())
}

async fn only_the_stored_revision_is_replaced(store: Arc<dyn DocumentStore>) -> Check {
    let mut first = record("1");
    assert_eq!(
        refusal(&*store, &{
            let mut early = first.clone();
            early.revision = 4;
            early
        })
        .await?,
        Some(ErrorKind::Conflict),
        "there is nothing to replace"
    );
    commit(&*store, &mut first).await?;
    assert_eq!(
        refusal(&*store, &record("1")).await?,
        Some(ErrorKind::Conflict)
    );

    let stale = first.clone();
    first.post.text = "newer".to_owned();
    commit(&*store, &mut first).await?;
    assert_eq!(first.revision, 2);
    assert_eq!(refusal(&*store, &stale).await?, Some(ErrorKind::Conflict));
    let found = store.load(&[id("1")]).await?;
    assert_eq!(found, [Stored::Known(Box::new(first))]);
    Ok(())
}

async fn one_bad_record_stops_no_other(store: Arc<dyn DocumentStore>) -> Check {
    let mut unstorable = record("1");
    unstorable.annotations.push(Annotation::decided(
        Target::Post,
        "score",
        Value::Number(f64::NAN),
        "somebody",
        Timestamp::UNIX_EPOCH,
    ));
    let (good, twice) = (record("2"), record("2"));
    let outcomes = store.commit(&[&unstorable, &good, &twice]).await?;
    let kinds: Vec<_> = outcomes
        .into_iter()
        .map(|o| o.map_err(|e: Error| e.kind()))
        .collect();
    assert_eq!(
        kinds,
        [
            Err(ErrorKind::InvalidInput),
            Ok(1),
            Err(ErrorKind::Conflict)
        ]
    );
    assert_eq!(store.count(&Scan::default()).await?, 1);
    Ok(())
}

async fn an_alias_finds_its_record(store: Arc<dyn DocumentStore>) -> Check {
    let mut named = record("1");
    named.post.aliases = vec![id("graph:1"), id("graph:2")];
    commit(&*store, &mut named).await?;
    let known = Stored::Known(Box::new(named.clone()));
    assert_eq!(store.load(&[id("graph:2")]).await?, [known]);

    named.post.aliases = vec![id("graph:1")];
    commit(&*store, &mut named).await?;
    assert_eq!(store.load(&[id("graph:2")]).await?, [Stored::Unknown]);
    let mut own = record("graph:1");
    commit(&*store, &mut own).await?;
    let own = Stored::Known(Box::new(own));
    assert_eq!(
        store.load(&[id("graph:1")]).await?,
        [own],
        "its own id first"
    );
    Ok(())
}

/// Each of several writers raises a count in one record, loading again after each conflict.
async fn writers_at_a_time_lose_nothing(store: Arc<dyn DocumentStore>) -> Check {
    commit(&*store, &mut record("1")).await?;
    let writers = (0..4).map(|_| {
        let store = Arc::clone(&store);
        async move {
            let mut raised = 0;
            while raised < 5 {
                let Some(Stored::Known(mut record)) = store.load(&[id("1")]).await?.pop() else {
                    return Err(Failure::from("the record is gone"));
                };
                record.post.counts.likes = Some(record.post.counts.likes.unwrap_or(0) + 1);
                match store.commit(&[&record]).await?.remove(0) {
                    Ok(_) => raised += 1,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
                }
            }
            Ok(())
        }
    });
    futures::future::try_join_all(writers).await?;
    let Some(Stored::Known(record)) = store.load(&[id("1")]).await?.pop() else {
        return Err("the record is gone".into());
    };
    assert_eq!((record.post.counts.likes, record.revision), (Some(20), 21));
    Ok(())
}

/// A record as large as the largest that sources give.
async fn big_records_come_back(store: Arc<dyn DocumentStore>) -> Check {
    let mut big = record("1");
    big.post.text = "连衣裙 ".repeat(100_000);
    big.post.hashtags = (0..2_000).map(|n| format!("tag {n}")).collect();
    let mut small = record("2");
    commit(&*store, &mut big).await?;
    commit(&*store, &mut small).await?;
    big.post.text.push_str("end");
    commit(&*store, &mut big).await?;
    let found = store.load(&[id("2"), id("1")]).await?;
    let expected = [small, big].map(|record| Stored::Known(Box::new(record)));
    assert_eq!(found, expected);
    let of_end = Scan::matching("\"连衣裙 end\" hashtag:\"tag 1999\"".parse()?);
    assert_eq!(natives(&*store, &of_end).await?, ["1"]);
    Ok(())
}

async fn ids_and_texts_may_have_any_character(store: Arc<dyn DocumentStore>) -> Check {
    for native in [
        "with space",
        "a:b",
        "a/b",
        "$set",
        "a.b",
        "é",
        "e\u{301}",
        "优衣库",
        "🧥",
        "\"'\\",
        "%_*",
        "tab\tand\nline",
    ] {
        let mut written = record(native);
        written.post.text = format!("text of {native}");
        written.post.aliases = vec![id(&format!("alias {native}"))];
        let reason = native.to_owned();
        let state = State::Rejected { reason };
        written.states.insert(native.to_owned(), state);
        commit(&*store, &mut written).await?;
        let known = Stored::Known(Box::new(written));
        let found = store
            .load(&[id(native), id(&format!("alias {native}"))])
            .await?;
        assert_eq!(found, [known.clone(), known], "{native:?}");
        let of_use_case = Scan::matching(Filter::All).in_state(native, "rejected");
        assert_eq!(natives(&*store, &of_use_case).await?, [native]);
    }
    Ok(())
}

async fn no_revision_is_too_great_to_be_compared(store: Arc<dyn DocumentStore>) -> Check {
    let mut stored = record("1");
    commit(&*store, &mut stored).await?;
    for revision in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1, 1 << 53] {
        for native in ["1", "absent"] {
            let mut far = record(native);
            far.revision = revision;
            let refused = refusal(&*store, &far).await?;
            assert_eq!(refused, Some(ErrorKind::Conflict), "{native} {revision}");
        }
    }
    let found = store.load(&[id("1"), id("absent")]).await?;
    assert_eq!(found, [Stored::Known(Box::new(stored)), Stored::Unknown]);
    Ok(())
}

async fn one_post_may_come_several_times_in_a_batch(store: Arc<dyn DocumentStore>) -> Check {
    let texts = ["first", "again", "second", "third"];
    let batch: Vec<Record> = [0, 0, 1, 2]
        .into_iter()
        .zip(texts)
        .map(|(revision, text)| {
            let mut record = record("1");
            record.revision = revision;
            record.post.text = text.to_owned();
            record
        })
        .collect();
    let between = record("2");
    let outcomes = store
        .commit(&[&batch[0], &batch[1], &between, &batch[2], &batch[3]])
        .await?;
    let kinds: Vec<_> = outcomes
        .into_iter()
        .map(|o| o.map_err(|e: Error| e.kind()))
        .collect();
    assert_eq!(
        kinds,
        [Ok(1), Err(ErrorKind::Conflict), Ok(1), Ok(2), Ok(3)]
    );
    let [Stored::Known(found)] = &*store.load(&[id("1")]).await? else {
        return Err("the record is gone".into());
    };
    assert_eq!((&*found.post.text, found.revision), ("third", 3));
    Ok(())
}

/// More than fit into one request of a server.
async fn each_of_a_great_batch_has_its_outcome(store: Arc<dyn DocumentStore>) -> Check {
    let mut records: Vec<Record> = (0..2_500).map(|n| record(&n.to_string())).collect();
    for outcome in store.commit(&borrowed(&records)).await? {
        assert_eq!(outcome?, 1);
    }
    // Every third is replaced, every third is outdated, every third would be stored anew.
    for (number, record) in records.iter_mut().enumerate() {
        record.revision = [1, 0, 7][number % 3];
    }
    let outcomes = store.commit(&borrowed(&records)).await?;
    assert_eq!(outcomes.len(), records.len());
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let outcome = outcome.map_err(|error| error.kind());
        match number % 3 {
            0 => assert_eq!(outcome, Ok(2), "{number}"),
            _ => assert_eq!(outcome, Err(ErrorKind::Conflict), "{number}"),
        }
    }
    let ids: Vec<PostId> = records.iter().map(|record| record.id().clone()).collect();
    for (number, found) in store.load(&ids).await?.into_iter().enumerate() {
        let Stored::Known(record) = found else {
            return Err(format!("{number} is gone").into());
        };
        assert_eq!(record.id(), &ids[number], "in the order of the ids");
        assert_eq!(record.revision, if number % 3 == 0 { 2 } else { 1 });
    }
    assert_eq!(store.count(&Scan::matching(Filter::All)).await?, 2_500);
    Ok(())
}

fn borrowed(records: &[Record]) -> Vec<&Record> {
    records.iter().collect()
}

/// Writers that meet on some of many records: each adds one to every record, and again where another was faster.
async fn writers_on_many_records_lose_nothing(store: Arc<dyn DocumentStore>) -> Check {
    const RECORDS: usize = 60;
    const WRITERS: usize = 4;
    let ids: Vec<PostId> = (0..RECORDS).map(|n| id(&n.to_string())).collect();
    let writers = (0..WRITERS).map(|writer| {
        let (store, ids) = (Arc::clone(&store), ids.clone());
        tokio::spawn(async move {
            let mut open = ids;
            open.rotate_left(writer * 7);
            let mut acknowledged = Vec::new();
            while !open.is_empty() {
                let mut records = Vec::new();
                for (post, stored) in open.iter().zip(store.load(&open).await?) {
                    let mut record = match stored {
                        Stored::Known(record) => *record,
                        _ => record(&post.native),
                    };
                    record.post.counts.likes = Some(record.post.counts.likes.unwrap_or(0) + 1);
                    records.push(record);
                }
                let mut left = Vec::new();
                let outcomes = store.commit(&borrowed(&records)).await?;
                for (record, outcome) in records.iter().zip(outcomes) {
                    match outcome {
                        Ok(revision) => acknowledged.push((record.id().clone(), revision)),
                        Err(error) if error.kind() == ErrorKind::Conflict => {
                            left.push(record.id().clone());
                        }
                        Err(error) => return Err(Failure::from(error)),
                    }
                }
                open = left;
            }
            Ok(acknowledged)
        })
    });
    let mut acknowledged = BTreeSet::new();
    for writer in futures::future::join_all(writers).await {
        for pair in writer?? {
            assert!(acknowledged.insert(pair), "a revision was given twice");
        }
    }
    for found in store.load(&ids).await? {
        let Stored::Known(record) = found else {
            return Err("a record is gone".into());
        };
        let likes = record.post.counts.likes;
        assert_eq!(
            (likes, record.revision),
            (Some(WRITERS as u64), WRITERS as u64)
        );
    }
    Ok(())
}

/// Whoever waits for something else leaves his own calls alone for a while. Others get through meanwhile, and his calls end when he comes back to them.
/// He has few of them: on a server each keeps connections, of which a client has so many.
async fn calls_that_are_not_polled_keep_nobody_waiting(store: Arc<dyn DocumentStore>) -> Check {
    // What a call waits for depends on how far it has come.
    for polls in 1..5 {
        let records: Vec<Record> = (0..4).map(|n| record(&format!("{polls}.{n}"))).collect();
        let commits = records
            .iter()
            .map(|record| async { store.commit(&[record]).await.map(drop) }.boxed());
        let commits = begun(commits.collect(), polls).await;
        let mut other = record(&format!("{polls}.other"));
        get_through(commit(&*store, &mut other)).await?;
        for call in commits {
            call.await?;
        }
        let ids = [other.id().clone(), id("absent")];
        let loads = (0..3).map(|_| async { store.load(&ids).await.map(drop) }.boxed());
        let loads = begun(loads.collect(), polls).await;
        get_through(async { Ok(store.load(&ids).await?) }).await?;
        for call in loads {
            call.await?;
        }
    }
    Ok(())
}

type Call<'a> = BoxFuture<'a, heurpipe_core::Result<()>>;

/// Calls that were polled so often, after what they waited for had a moment to be done.
async fn begun(mut calls: Vec<Call<'_>>, polls: usize) -> Vec<Call<'_>> {
    for _ in 0..polls {
        for call in &mut calls {
            if let Poll::Ready(outcome) = futures::poll!(&mut *call) {
                *call = std::future::ready(outcome).boxed();
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    calls
}

/// # Panics
/// When the call does not end.
async fn get_through<T>(call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match tokio::time::timeout(Duration::from_secs(60), call).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("a call waits for those that nobody polls"),
    }
}

async fn an_alias_goes_to_the_first_that_has_it(store: Arc<dyn DocumentStore>) -> Check {
    let (mut second, mut first) = (record("2"), record("1"));
    second.post.aliases = vec![id("graph:9"), id("1")];
    commit(&*store, &mut second).await?;
    let means = async |name: &str, record: &Record| -> Check {
        let expected = Stored::Known(Box::new(record.clone()));
        assert_eq!(store.load(&[id(name)]).await?, [expected], "{name}");
        Ok(())
    };
    means("graph:9", &second).await?;
    means("1", &second).await?;

    first.post.aliases = vec![id("graph:9")];
    commit(&*store, &mut first).await?;
    means("graph:9", &first).await?;
    means("1", &first).await?;
    let found = store.load(&[id("graph:9"), id("2"), id("graph:9")]).await?;
    let expected = [&first, &second, &first].map(|r| Stored::Known(Box::new(r.clone())));
    assert_eq!(found, expected, "asked for twice, and beside others");

    first.post.aliases.clear();
    commit(&*store, &mut first).await?;
    means("graph:9", &second).await
}

async fn what_is_not_finite_is_refused(store: Arc<dyn DocumentStore>) -> Check {
    let annotated = |value: f64, confidence: f32| {
        let mut record = record("1");
        let finding = Finding::new("score", Value::Number(value)).confidence(confidence);
        let producer = Producer {
            name: "test".to_owned(),
            version: "1".to_owned(),
            fingerprint: Fingerprint::of(["test"]),
            threshold: None,
            shadow: false,
        };
        let at = Timestamp::UNIX_EPOCH;
        let annotation = Annotation::produced(Target::Post, finding, producer, at);
        record.annotations.push(annotation);
        record
    };
    for (value, confidence) in [
        (f64::NAN, 0.5),
        (f64::INFINITY, 0.5),
        (f64::NEG_INFINITY, 0.5),
        (0.5, f32::NAN),
        (0.5, f32::INFINITY),
    ] {
        let refused = refusal(&*store, &annotated(value, confidence)).await?;
        assert_eq!(
            refused,
            Some(ErrorKind::InvalidInput),
            "{value} {confidence}"
        );
    }
    assert_eq!(store.load(&[id("1")]).await?, [Stored::Unknown]);
    let mut finite = annotated(f64::MAX, 0.5);
    commit(&*store, &mut finite).await?;
    let found = store.load(&[id("1")]).await?;
    assert_eq!(found, [Stored::Known(Box::new(finite))]);
    Ok(())
}

async fn numbers_come_back_as_they_were(store: Arc<dyn DocumentStore>) -> Check {
    let mut written = record("1");
    written.post.counts.likes = Some(u64::MAX);
    written.post.counts.comments = Some((1 << 53) + 1);
    let raw = RawValue::from_string(
        r#"{"great":18446744073709551615,"third":0.3333333333333333333,"1.0":1.0,"$key":{"a.b":null},"":[[],{}]}"#
            .to_owned(),
    )?;
    written.post.raw.insert("api".to_owned(), Raw::new(raw));
    commit(&*store, &mut written).await?;
    let found = store.load(&[id("1")]).await?;
    assert_eq!(found, [Stored::Known(Box::new(written))]);
    Ok(())
}

/// Each method, with nothing to do.
async fn nothing_changes_nothing(store: Arc<dyn DocumentStore>) -> Check {
    let mut kept = record("1");
    kept.states.insert("catalog".to_owned(), pending());
    commit(&*store, &mut kept).await?;
    assert_eq!(store.load(&[]).await?, []);
    assert_eq!(store.commit(&[]).await?.len(), 0);
    assert_eq!(store.remove(&[]).await?.len(), 0);
    assert_eq!(store.refuse(&[]).await?, []);
    assert_eq!(store.erase(&[]).await?, Erased::default());
    store.bury(&[]).await?;
    store.exhume(&[]).await?;
    store.ask(&[]).await?;
    store.remember(&[]).await?;
    store.remember_near(&[]).await?;
    assert_eq!(store.recall(&[]).await?, []);
    assert_eq!(store.recall_near(&[], 4).await?, []);
    assert_eq!(store.forget(&[]).await?, 0);
    assert_eq!(store.runs(0).await?, []);
    assert_eq!(store.open(None, 0).await?, []);
    assert_eq!(
        store.dead_letters(&DeadLetterScan::all().limit(0)).await?,
        []
    );
    assert_eq!(
        store.load(&[id("1")]).await?,
        [Stored::Known(Box::new(kept))]
    );
    assert_eq!(store.count(&Scan::default()).await?, 1);
    Ok(())
}

/// What a record no longer says does not find it any more.
async fn what_was_replaced_finds_nothing(store: Arc<dyn DocumentStore>) -> Check {
    let mut changed = record("1");
    changed.post.text = "summer look".to_owned();
    changed.post.hashtags = vec!["red".to_owned(), "blue".to_owned()];
    changed.post.counts.likes = Some(3);
    changed.post.published_at = Some("2026-01-01T00:00:00Z".parse()?);
    commit(&*store, &mut changed).await?;
    let earlier = [
        "summer",
        "\"summer look\"",
        "hashtag:red",
        "likes:3",
        "likes:*",
        "published:2026-01",
    ];
    for filter in earlier {
        let scan = Scan::matching(filter.parse()?);
        assert_eq!(natives(&*store, &scan).await?, ["1"], "{filter}");
    }
    changed.post.text = "winter".to_owned();
    changed.post.hashtags = vec!["blue".to_owned()];
    changed.post.counts.likes = None;
    changed.post.published_at = None;
    commit(&*store, &mut changed).await?;
    for filter in earlier {
        let scan = Scan::matching(filter.parse()?);
        assert_eq!(natives(&*store, &scan).await?, [""; 0], "{filter}");
    }
    for filter in ["winter", "hashtag:blue", "-likes:*", "-published:[* TO *]"] {
        let scan = Scan::matching(filter.parse()?);
        assert_eq!(natives(&*store, &scan).await?, ["1"], "{filter}");
    }
    Ok(())
}

async fn erased_posts_do_not_come_back(store: Arc<dyn DocumentStore>) -> Check {
    let store = &*store;
    let mut erased = record("1");
    erased.post.aliases = vec![id("graph:1")];
    erased.states.insert("catalog".to_owned(), pending());
    commit(store, &mut erased).await?;
    assert_eq!(store.analyses("catalog").await?.len(), 1);
    store.erase(&[id("graph:1"), id("never seen")]).await?;
    for name in ["1", "graph:1", "never seen"] {
        assert_eq!(store.load(&[id(name)]).await?, [Stored::Tombstoned]);
    }
    assert_eq!(store.count(&Scan::default()).await?, 0);
    assert_eq!(store.analyses("catalog").await?, []);

    let refused = refusal(store, &erased).await?;
    assert_eq!(refused, Some(ErrorKind::PermissionDenied));
    let mut disguised = record("2");
    disguised.post.aliases = vec![id("1")];
    let refused = refusal(store, &disguised).await?;
    assert_eq!(refused, Some(ErrorKind::PermissionDenied), "by an alias");
    store.erase(&[id("1")]).await?;
    assert_eq!(refusal(store, &record("3")).await?, None, "others go on");
    Ok(())
}
