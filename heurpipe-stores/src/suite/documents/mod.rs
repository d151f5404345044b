//! What every document store must do.

mod analyses;
mod cache;
mod letters;
mod life;
mod near;

use std::sync::Arc;

use heurpipe_core::{
    Annotation, Checkpoint, CheckpointKey, Error, ErrorKind, Filter, Partition, Platform, Post,
    PostId, Record, Result, ReviewTask, RunRecord, RunReport, Scan, State, Stored, Target, Value,
};
use jiff::{Timestamp, ToSpan};

use super::{Check, Failure};
use crate::documents::DocumentStore;

/// Runs every check on a store of its own.
///
/// # Errors
/// Those of the store where it should not fail.
///
/// # Panics
/// Where the store is wrong.
pub async fn run(
    fresh: impl AsyncFn() -> std::result::Result<Arc<dyn DocumentStore>, Failure>,
) -> Check {
    a_record_comes_back_as_it_was(fresh().await?).await?;
    only_the_stored_revision_is_replaced(fresh().await?).await?;
    one_bad_record_stops_no_other(fresh().await?).await?;
    an_alias_finds_its_record(fresh().await?).await?;
    scans_go_by_id_page_by_page(fresh().await?).await?;
    scans_know_states(fresh().await?).await?;
    checkpoints_and_memos_are_replaced(fresh().await?).await?;
    runs_come_newest_first(fresh().await?).await?;
    letters::lie_until_exhumed(fresh().await?).await?;
    letters::come_in_pages(fresh().await?).await?;
    letters::are_counted(fresh().await?).await?;
    analyses::group_records(fresh().await?).await?;
    analyses::narrow_scans(fresh().await?).await?;
    cache::is_recalled_in_order(fresh().await?).await?;
    cache::keeps_what_it_knows(fresh().await?).await?;
    near::finds_the_nearest(fresh().await?).await?;
    near::knows_only_what_was_analysed(fresh().await?).await?;
    near::misses_nothing(fresh().await?).await?;
    life::removed_records_are_remembered(fresh().await?).await?;
    life::only_the_given_revision_is_removed(fresh().await?).await?;
    life::what_is_removed_comes_back_by_its_revision(fresh().await?).await?;
    life::settled_records_are_counted_by_day(fresh().await?).await?;
    life::refused_posts_stay_away(fresh().await?).await?;
    life::refused_authors_stay_away(fresh().await?).await?;
    life::erasing_takes_all_that_is_about_a_post(fresh().await?).await?;
    life::pictures_are_forgotten(fresh().await?).await?;
    a_task_is_asked_once(fresh().await?).await?;
    writers_at_a_time_lose_nothing(fresh().await?).await
}

/// Checks what erasing does; `tombstone` erases in the same store.
///
/// # Errors
/// Those of the store where it should not fail.
///
/// # Panics
/// Where the store is wrong.
pub async fn erasing(
    store: &dyn DocumentStore,
    tombstone: impl AsyncFn(&[PostId]) -> Result<()>,
) -> Check {
    let mut record = record("1");
    record.post.aliases = vec![id("graph:1")];
    record.states.insert("catalog".to_owned(), pending());
    commit(store, &mut record).await?;
    assert_eq!(store.analyses("catalog").await?.len(), 1);
    tombstone(&[id("graph:1"), id("never seen")]).await?;
    for name in ["1", "graph:1", "never seen"] {
        assert_eq!(store.load(&[id(name)]).await?, [Stored::Tombstoned]);
    }
    assert_eq!(store.count(&Scan::default()).await?, 0);
    assert_eq!(store.analyses("catalog").await?, []);

    let refused = refusal(store, &record).await?;
    assert_eq!(refused, Some(ErrorKind::PermissionDenied));
    let mut disguised = self::record("2");
    disguised.post.aliases = vec![id("1")];
    let refused = refusal(store, &disguised).await?;
    assert_eq!(refused, Some(ErrorKind::PermissionDenied), "by an alias");
    tombstone(&[id("1")]).await?;
    assert_eq!(
        refusal(store, &self::record("3")).await?,
        None,
        "others go on"
    );
    Ok(())
}

fn id(native: &str) -> PostId {
    PostId::new(Platform::instagram(), native)
}

fn pending() -> State {
    State::Pending { delivered: false }
}

fn record(native: &str) -> Record {
    Record::new(Post::new(id(native), Timestamp::UNIX_EPOCH))
}

async fn commit(store: &dyn DocumentStore, record: &mut Record) -> Check {
    for outcome in store.commit(&[record]).await? {
        record.revision = outcome?;
    }
    Ok(())
}

/// Why a store refuses a record, if it does.
async fn refusal(
    store: &dyn DocumentStore,
    record: &Record,
) -> std::result::Result<Option<ErrorKind>, Failure> {
    let outcome = store.commit(&[record]).await?.pop();
    Ok(outcome.and_then(|o| o.err()).map(|error| error.kind()))
}

async fn a_record_comes_back_as_it_was(store: Arc<dyn DocumentStore>) -> Check {
    let mut dice = super::corpus::Dice::new(3);
    for number in 0..30 {
        let mut written = super::corpus::record(&mut dice, number);
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

async fn scans_go_by_id_page_by_page(store: Arc<dyn DocumentStore>) -> Check {
    // As texts these would stand in another order than as ids.
    let ids: Vec<PostId> = ["we-ibo:2", "weibo:10", "we:3", "weibo:9", "we-ibo:1"]
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_>>()?;
    for id in &ids {
        let mut record = Record::new(Post::new(id.clone(), Timestamp::UNIX_EPOCH));
        commit(&*store, &mut record).await?;
    }
    let mut sorted = ids;
    sorted.sort();
    let mut found = Vec::new();
    let mut scan = Scan::matching(Filter::All).limit(2);
    loop {
        let page = store.scan(&scan).await?;
        assert!(page.records.len() <= 2);
        found.extend(page.records.iter().map(|r| r.id().clone()));
        if page.next.is_none() {
            break;
        }
        scan = scan.after(page.next);
    }
    assert_eq!(found, sorted);
    let page = store.scan(&Scan::matching(Filter::All).limit(5)).await?;
    assert_eq!(page.next, None, "a full last page is the last");
    let rest = Scan::default().after(Some(sorted[1].clone()));
    assert_eq!(store.count(&rest).await?, 3, "whatever the limit");
    Ok(())
}

async fn scans_know_states(store: Arc<dyn DocumentStore>) -> Check {
    let held = || State::Held {
        reason: "unsure".to_owned(),
    };
    for (native, states) in [
        ("1", vec![("catalog", pending())]),
        ("2", vec![("catalog", held()), ("trends", pending())]),
        ("3", vec![]),
    ] {
        let mut record = record(native);
        for (use_case, state) in states {
            record.states.insert(use_case.to_owned(), state);
        }
        commit(&*store, &mut record).await?;
    }
    let all = || Scan::matching(Filter::All);
    for (scan, expected) in [
        (all().in_state("catalog", "pending"), vec!["1"]),
        (all().in_state("catalog", "held"), vec!["2"]),
        (all().in_state("catalog", "dead"), vec![]),
        (all().of_use_case("catalog"), vec!["1", "2"]),
        (
            all().of_use_case("trends").in_state("catalog", "held"),
            vec!["2"],
        ),
        (all(), vec!["1", "2", "3"]),
    ] {
        let page = store.scan(&scan).await?;
        let found: Vec<&str> = page.records.iter().map(|r| &*r.id().native).collect();
        assert_eq!(found, expected, "{scan:?}");
        assert_eq!(store.count(&scan).await?, expected.len() as u64);
    }
    let mut settled = record("1");
    settled.revision = 1;
    settled
        .states
        .insert("catalog".to_owned(), State::Delivered);
    commit(&*store, &mut settled).await?;
    let owed = all().in_state("catalog", "pending");
    assert_eq!(store.count(&owed).await?, 0, "the earlier state is gone");
    Ok(())
}

async fn checkpoints_and_memos_are_replaced(store: Arc<dyn DocumentStore>) -> Check {
    let key = |part: &str| CheckpointKey {
        pipeline: "catalog".to_owned(),
        source: "graph".to_owned(),
        partition: Partition(part.to_owned()),
    };
    assert_eq!(store.checkpoint(&key("a")).await?, None);
    let first = Checkpoint::at("page 1");
    let watermark = Some((Timestamp::UNIX_EPOCH, "12".to_owned()));
    let second = Checkpoint::at("page 2").with_watermark(watermark);
    store.save_checkpoint(&key("a"), &first).await?;
    store.save_checkpoint(&key("b"), &first).await?;
    store.save_checkpoint(&key("a"), &second).await?;
    assert_eq!(store.checkpoint(&key("a")).await?, Some(second));
    assert_eq!(store.checkpoint(&key("b")).await?, Some(first));

    assert_eq!(store.memo("budget").await?, None);
    store.save_memo("budget", "1").await?;
    store.save_memo("budget", "2").await?;
    assert_eq!(store.memo("budget").await?.as_deref(), Some("2"));
    Ok(())
}

async fn runs_come_newest_first(store: Arc<dyn DocumentStore>) -> Check {
    let run = |name: &str, minute: i64| RunRecord {
        started_at: Timestamp::UNIX_EPOCH + minute.minutes(),
        ended_at: None,
        report: RunReport::begun(name, "catalog"),
    };
    let (old, new) = (run("old", 1), run("new", 2));
    store.save_run(&new).await?;
    store.save_run(&old).await?;
    let mut ended = old.clone();
    ended.ended_at = Some(new.started_at);
    store.save_run(&ended).await?;
    assert_eq!(store.runs(10).await?, [new.clone(), ended]);
    assert_eq!(store.runs(1).await?, [new]);
    Ok(())
}

async fn a_task_is_asked_once(store: Arc<dyn DocumentStore>) -> Check {
    let task = |use_case: &str, native: &str, minute: i64| {
        let reason = "unsure".to_owned();
        let mut task = ReviewTask::new(use_case, "gate", &record(native), reason, vec![], None);
        task.asked_at = Timestamp::UNIX_EPOCH + minute.minutes();
        task
    };
    let (first, second, other) = (
        task("catalog", "1", 2),
        task("catalog", "2", 1),
        task("trends", "1", 3),
    );
    store.ask(&[first.clone(), second.clone()]).await?;
    let again = task("catalog", "1", 9);
    store.ask(&[again, other.clone()]).await?;
    let open = store.open(None, 10).await?;
    assert_eq!(open, [second.clone(), first.clone(), other], "oldest first");
    assert_eq!(store.open(Some("catalog"), 1).await?, [second]);
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
