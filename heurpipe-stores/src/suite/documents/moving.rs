//! Taking all that is kept from one store to another.

use std::collections::BTreeSet;
use std::sync::Arc;

use heurpipe_core::{
    Analysed, Author, Checkpoint, CheckpointKey, Collection, DeadLetter, DeadLetterScan, Digest,
    Documents, Entry, Error, ErrorKind, Filter, Finding, Likeness, Partition, PictureHash,
    Portable, PostId, Record, ReviewTask, RunRecord, RunReport, Scan, State, Stored, Subject,
};
use jiff::{Timestamp, ToSpan};

use super::{Check, checks, commit, id, pending, record, refusal};
use crate::documents::{DocumentStore, MemoryDocuments};
use crate::suite::Failure;

checks!(
    dyn DocumentStore;
    all_that_is_kept_is_given_out_once,
    what_another_store_gave_out_is_taken_in,
    what_was_taken_in_is_as_it_was,
    what_is_given_out_is_taken_in_by_another,
    what_was_taken_in_goes_on,
    what_is_there_is_left_as_it_is,
    nothing_of_the_erased_is_taken_in,
    who_was_erased_is_known_under_the_same_key,
);

fn handle(name: &str) -> Author {
    let mut author = Author::unknown();
    author.handle = Some(name.to_owned());
    author
}

fn key(part: &str) -> CheckpointKey {
    CheckpointKey {
        pipeline: "catalog".to_owned(),
        source: "graph".to_owned(),
        partition: Partition(part.to_owned()),
    }
}

fn analysed(number: u8) -> Analysed {
    Analysed {
        key: Digest::of(&[number]),
        picture: Digest::of(&[number, 1]),
        likeness: Likeness {
            group: Digest::of(b"group"),
            hash: PictureHash(u64::from(number) << 32),
        },
    }
}

/// Some of everything.
async fn fill(store: &dyn DocumentStore) -> Check {
    for number in 0..9_u64 {
        let mut kept = record(&number.to_string());
        kept.post.aliases = vec![id(&format!("graph:{number}"))];
        kept.post.text = format!("外套 {number} \u{1f9e5}");
        kept.post.counts.likes = Some(number);
        kept.states.insert("catalog".to_owned(), pending());
        for _ in 0..=number % 3 {
            commit(store, &mut kept).await?;
        }
        if number % 4 == 1 {
            store.remove(&[(kept.id().clone(), kept.revision)]).await?;
        }
    }
    let subjects = [
        Subject::Post(id("graph:5")),
        Subject::Post(id("never seen")),
        Subject::Author("instagram:@zoe".parse()?),
    ];
    let found = store.refuse(&subjects).await?;
    store.erase(&found).await?;
    for number in 0..5_i64 {
        let error = Error::new(ErrorKind::Corrupt, "test");
        let failed = record(&number.to_string());
        let mut letter = DeadLetter::of_record("trends", "colour", failed, &error);
        letter.at = Timestamp::UNIX_EPOCH + number.seconds();
        store.bury(&[letter]).await?;
        let asked = record(&number.to_string());
        let task = ReviewTask::new("catalog", "gate", &asked, "unsure".to_owned(), vec![], None);
        store.ask(&[task]).await?;
        let part = number.to_string();
        store
            .save_checkpoint(&key(&part), &Checkpoint::at("page"))
            .await?;
        store
            .save_run(&RunRecord {
                started_at: Timestamp::UNIX_EPOCH + number.minutes(),
                ended_at: None,
                report: RunReport::begun(&part, "catalog"),
            })
            .await?;
        store.save_memo(&format!("memo {number}"), "{}").await?;
    }
    store
        .save_checkpoint(&key("优衣库/\"quoted\""), &Checkpoint::at(""))
        .await?;
    for number in 0..6_u8 {
        let found = Finding::label("colour", "pink");
        let analyses = [(analysed(number).key, vec![found; usize::from(number)])];
        store.remember(&analyses).await?;
    }
    store.remember_near(&[analysed(2), analysed(4)]).await?;
    Ok(())
}

/// All that a store gives out of a collection, so many at a time.
async fn given_out(
    store: &dyn DocumentStore,
    collection: Collection,
    limit: usize,
) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    let mut after = None;
    for _ in 0..1000 {
        let page = store.export(collection, after.as_deref(), limit).await?;
        assert!(page.entries.len() <= limit, "{collection}");
        entries.extend(page.entries);
        after = page.next;
        if after.is_none() {
            return Ok(entries);
        }
    }
    panic!("{collection} does not end");
}

async fn everything(store: &dyn DocumentStore) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for collection in Collection::ALL {
        entries.extend(given_out(store, collection, 4).await?);
    }
    Ok(entries)
}

/// What entries say, whatever their order.
fn said(entries: &[Entry]) -> Result<BTreeSet<String>, Failure> {
    let said: Vec<String> = entries
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    let set: BTreeSet<String> = said.iter().cloned().collect();
    assert_eq!(set.len(), said.len(), "each once");
    Ok(set)
}

async fn move_all(from: &dyn DocumentStore, to: &dyn DocumentStore) -> Check {
    to.adopt_erasure_key(&from.erasure_key().await?).await?;
    for entries in everything(from).await?.chunks(3) {
        to.import(entries).await?;
    }
    Ok(())
}

async fn all_that_is_kept_is_given_out_once(store: Arc<dyn DocumentStore>) -> Check {
    for collection in Collection::ALL {
        assert_eq!(given_out(&*store, collection, 10).await?, []);
    }
    fill(&*store).await?;
    for (collection, count) in [
        // Post 5 by both its ids, the other, the author.
        (Collection::Erased, 4),
        (Collection::Records, 7),
        (Collection::Archived, 1),
        (Collection::DeadLetters, 5),
        (Collection::Tasks, 5),
        (Collection::Findings, 6),
        (Collection::Checkpoints, 6),
        (Collection::Runs, 5),
        (Collection::Memos, 5),
    ] {
        let all = given_out(&*store, collection, 1000).await?;
        assert_eq!(all.len(), count, "{collection}");
        for limit in [1, 2, count, count + 1] {
            let paged = given_out(&*store, collection, limit).await?;
            assert_eq!(paged, all, "{collection} by {limit}");
        }
        said(&all)?;
    }
    let oldest = given_out(&*store, Collection::Findings, 2).await?;
    let keys: Vec<Digest> = oldest
        .iter()
        .filter_map(|entry| match entry {
            Entry::Findings { key, .. } => Some(*key),
            _ => None,
        })
        .collect();
    let expected: Vec<Digest> = (0..6_u8).map(|number| analysed(number).key).collect();
    assert_eq!(keys, expected, "the oldest first");
    Ok(())
}

async fn what_another_store_gave_out_is_taken_in(store: Arc<dyn DocumentStore>) -> Check {
    let other = MemoryDocuments::new();
    fill(&other).await?;
    let expected = everything(&other).await?;
    for time in ["once", "again"] {
        move_all(&other, &*store).await?;
        let found = everything(&*store).await?;
        assert_eq!(said(&found)?, said(&expected)?, "{time}");
    }
    Ok(())
}

/// What stores answer, and not only what they give out.
async fn what_was_taken_in_is_as_it_was(store: Arc<dyn DocumentStore>) -> Check {
    let other = MemoryDocuments::new();
    fill(&other).await?;
    move_all(&other, &*store).await?;
    let mut ids: Vec<PostId> = (0..9).map(|n| id(&n.to_string())).collect();
    ids.extend((0..9).map(|n| id(&format!("graph:{n}"))));
    ids.extend([id("never seen"), id("unknown")]);
    let loaded = store.load(&ids).await?;
    assert_eq!(loaded, other.load(&ids).await?);
    let tombstoned = loaded.iter().filter(|s| **s == Stored::Tombstoned);
    assert_eq!(tombstoned.count(), 3);
    let scan = Scan::matching("likes:>=2".parse()?).in_state("catalog", "pending");
    assert_eq!(
        store.scan(&scan).await?.records,
        other.scan(&scan).await?.records
    );
    let groups = store.analyses("catalog").await?;
    assert_eq!(groups, other.analyses("catalog").await?);
    let letters = store.dead_letters(&DeadLetterScan::all()).await?;
    assert_eq!(letters, other.dead_letters(&DeadLetterScan::all()).await?);
    let open = store.open(Some("catalog"), 10).await?;
    assert_eq!(open.len(), 5);
    assert_eq!(store.runs(3).await?, other.runs(3).await?);
    assert_eq!(
        store.checkpoint(&key("3")).await?,
        Some(Checkpoint::at("page"))
    );
    let keys = [analysed(3).key];
    let recalled = store.recall(&keys).await?;
    assert_eq!(recalled[0].as_ref().map(Vec::len), Some(3));
    let near = store.recall_near(&[analysed(4).likeness], 2).await?;
    assert_eq!(
        near[0].as_ref().map(|near| near.picture),
        Some(analysed(4).picture)
    );
    Ok(())
}

async fn what_is_given_out_is_taken_in_by_another(store: Arc<dyn DocumentStore>) -> Check {
    fill(&*store).await?;
    let other = MemoryDocuments::new();
    move_all(&*store, &other).await?;
    let found = everything(&other).await?;
    assert_eq!(said(&found)?, said(&everything(&*store).await?)?);
    Ok(())
}

async fn what_was_taken_in_goes_on(store: Arc<dyn DocumentStore>) -> Check {
    let other = MemoryDocuments::new();
    fill(&other).await?;
    move_all(&other, &*store).await?;
    let mut kept = match store.load(&[id("2")]).await?.remove(0) {
        Stored::Known(record) => *record,
        other => panic!("{other:?}"),
    };
    assert_eq!(kept.revision, 3);
    for revision in [0, 2] {
        let mut stale = kept.clone();
        stale.revision = revision;
        assert_eq!(refusal(&*store, &stale).await?, Some(ErrorKind::Conflict));
    }
    kept.states.insert("catalog".to_owned(), State::Delivered);
    commit(&*store, &mut kept).await?;
    assert_eq!(kept.revision, 4);
    let delivered = Scan::matching(Filter::All).in_state("catalog", "delivered");
    assert_eq!(store.scan(&delivered).await?.records, [kept]);

    // One that was archived comes back by the revision that it had.
    let mut again = record("1");
    again.revision = 2;
    commit(&*store, &mut again).await?;
    assert_eq!(given_out(&*store, Collection::Archived, 9).await?, []);
    Ok(())
}

async fn what_is_there_is_left_as_it_is(store: Arc<dyn DocumentStore>) -> Check {
    let mut kept = record("1");
    kept.post.text = "here".to_owned();
    commit(&*store, &mut kept).await?;
    store.save_memo("memo 1", "here").await?;
    store
        .save_checkpoint(&key("1"), &Checkpoint::at("here"))
        .await?;
    let before = everything(&*store).await?;
    let mut other = record("1");
    other.revision = 7;
    let archived = Entry::Archived {
        post: id("1"),
        aliases: vec![],
        revision: 7,
    };
    let memo = Entry::Memo {
        name: "memo 1".to_owned(),
        value: "there".to_owned(),
    };
    let checkpoint = Entry::Checkpoint(key("1"), Checkpoint::at("there"));
    let entries = [Entry::Record(Box::new(other)), archived, memo, checkpoint];
    store.import(&entries).await?;
    assert_eq!(said(&everything(&*store).await?)?, said(&before)?);
    Ok(())
}

async fn nothing_of_the_erased_is_taken_in(store: Arc<dyn DocumentStore>) -> Check {
    let subjects = [
        Subject::Post(id("1")),
        Subject::Author("instagram:@zoe".parse()?),
    ];
    store.refuse(&subjects).await?;
    let by_alias = {
        let mut record = record("2");
        record.post.aliases = vec![id("1")];
        record
    };
    let by_author = {
        let mut record = record("3");
        record.post.author = Some(handle("Zoé"));
        record
    };
    let taken = |mut record: Record| {
        record.revision = 4;
        Entry::Record(Box::new(record))
    };
    let error = Error::new(ErrorKind::Corrupt, "test");
    let letter = |record: Record| {
        let letter = DeadLetter::of_record("trends", "colour", record, &error);
        Entry::DeadLetter(Box::new(letter))
    };
    let reason = "unsure".to_owned();
    let task = ReviewTask::new("catalog", "gate", &record("1"), reason, vec![], None);
    let archived = Entry::Archived {
        post: id("4"),
        aliases: vec![id("1")],
        revision: 2,
    };
    store
        .import(&[
            taken(record("1")),
            taken(by_alias),
            taken(by_author.clone()),
            letter(record("1")),
            letter(by_author),
            Entry::Task(task),
            archived,
            taken(record("5")),
        ])
        .await?;
    let found = everything(&*store).await?;
    let others = found.iter().filter(|e| !matches!(e, Entry::Erased(_)));
    assert_eq!(others.collect::<Vec<_>>(), [&taken(record("5"))]);
    Ok(())
}

async fn who_was_erased_is_known_under_the_same_key(store: Arc<dyn DocumentStore>) -> Check {
    let other = MemoryDocuments::new();
    let theirs = other.erasure_key().await?;
    assert_ne!(store.erasure_key().await?, theirs, "each has its own");
    assert!(theirs.as_bytes().len() >= 16);
    other.refuse(&[Subject::Post(id("1"))]).await?;

    for _ in 0..2 {
        store.adopt_erasure_key(&theirs).await?;
        assert_eq!(store.erasure_key().await?, theirs);
    }
    let erased = given_out(&other, Collection::Erased, 10).await?;
    store.import(&erased).await?;
    assert_eq!(store.load(&[id("1")]).await?, [Stored::Tombstoned]);
    assert_eq!(
        refusal(&*store, &record("1")).await?,
        Some(ErrorKind::PermissionDenied)
    );

    // What was erased under one key is not known under another.
    let third = MemoryDocuments::new().erasure_key().await?;
    let refused = store.adopt_erasure_key(&third).await;
    assert_eq!(refused.map_err(|e| e.kind()), Err(ErrorKind::Conflict));
    assert_eq!(store.erasure_key().await?, theirs);
    Ok(())
}
