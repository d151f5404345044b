//! From one store to another, whole and interrupted.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::TryStreamExt;
use heurpipe_core::*;
use heurpipe_stores::copy::{self, Doing, Part, Progress};
use heurpipe_stores::documents::DocumentStore;
use heurpipe_stores::warehouse::{ParquetWarehouse, Warehouse};
use heurpipe_stores::{Mode, blobs, documents};
use jiff::Timestamp;
use object_store::ObjectStore;
use object_store::memory::InMemory;

use super::faults::rounds;
use super::fuse::{fused_blobs, fused_documents, fused_warehouse};
use super::world::{World, id, marked};

const MOST_STEPS: u64 = 1_000;

/// A world with something of everything that documents keep: archived and erased posts, dead letters, questions, findings, progress.
async fn lived_in(seed: u64) -> World {
    let (world, posts) = World::random(seed).await;
    world.archive().run().await.unwrap();
    let author = Subject::Author("instagram:100".parse().unwrap());
    world.forget().run(&author, false).await.unwrap();
    let documents = &world.documents;
    let gone = marked(&posts);
    for (number, record) in posts
        .values()
        .filter(|r| !gone.contains(r.id()))
        .enumerate()
    {
        let error = Error::new(ErrorKind::Corrupt, "test");
        let letter = DeadLetter::of_record("trends", "colour", record.clone(), &error);
        documents.bury(&[letter]).await.unwrap();
        let reason = "unsure".to_owned();
        let task = ReviewTask::new("catalog", "gate", record, reason, vec![], None);
        documents.ask(&[task]).await.unwrap();
        let found = (
            Digest::of(&[number as u8]),
            vec![Finding::label("colour", "pink")],
        );
        documents.remember(&[found]).await.unwrap();
    }
    let key = CheckpointKey {
        pipeline: "catalog".to_owned(),
        source: "graph".to_owned(),
        partition: Partition("#coat".to_owned()),
    };
    documents
        .save_checkpoint(&key, &Checkpoint::at("page 7"))
        .await
        .unwrap();
    documents.save_memo("budget", "{}").await.unwrap();
    let run = RunRecord {
        started_at: Timestamp::UNIX_EPOCH,
        ended_at: None,
        report: RunReport::begun("run", "catalog"),
    };
    documents.save_run(&run).await.unwrap();
    world
}

fn between(source: &Arc<dyn DocumentStore>, target: &Arc<dyn DocumentStore>) -> copy::Documents {
    copy::Documents::between(source.clone(), target.clone()).at_a_time(5)
}

async fn memory() -> Arc<dyn DocumentStore> {
    documents::open("memory:", Mode::ReadWrite).await.unwrap()
}

async fn sqlite(folder: &Path) -> Arc<dyn DocumentStore> {
    let url = format!("sqlite:{}", folder.join("copied.db").display());
    documents::open(&url, Mode::ReadWrite).await.unwrap()
}

fn entries(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.sum.entries).sum()
}

/// The copy stands in for the original: the same posts in both tiers, and who was erased stays away.
async fn check_stands_in(world: &World, target: &Arc<dyn DocumentStore>) {
    let mut copied = world.clone();
    copied.documents = target.clone();
    let mut posts = world.cold().await;
    posts.extend(world.hot().await);
    copied.check_archived(&posts).await;
    check_refuses(target).await;
}

/// Who was erased stays away.
async fn check_refuses(target: &Arc<dyn DocumentStore>) {
    let author = Subject::Author("instagram:100".parse().unwrap());
    assert_eq!(target.refused(&[author]).await.unwrap(), [true]);
    let mut back = Post::new(id(7_777), Timestamp::UNIX_EPOCH);
    let mut author = Author::unknown();
    author.id = Some("100".to_owned());
    back.author = Some(author);
    let outcome = target
        .commit(&[&Record::new(back)])
        .await
        .unwrap()
        .remove(0);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_copied_whole_between_backends() {
    let world = lived_in(3).await;
    let folder = tempfile::tempdir().unwrap();
    let middle = sqlite(folder.path()).await;
    let watched = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&watched);
    let watch = move |progress: &Progress| {
        let said = (progress.part, progress.doing == Doing::Copying);
        seen.lock().unwrap().insert(said);
    };
    let surveyed = between(&world.documents, &middle)
        .survey(&|_| ())
        .await
        .unwrap();
    let report = between(&world.documents, &middle)
        .run(&watch)
        .await
        .unwrap();
    assert_eq!(report.parts, surveyed);
    assert_eq!(report.copied, entries(&report.parts));
    assert_eq!(watched.lock().unwrap().len(), 2 * Collection::ALL.len());
    let empty = report.parts.iter().filter(|part| part.sum.entries == 0);
    assert_eq!(
        empty.collect::<Vec<_>>(),
        [&report.parts[0]; 0],
        "something of everything"
    );
    check_stands_in(&world, &middle).await;

    // And from there into a third.
    let last = memory().await;
    let again = between(&middle, &last).run(&|_| ()).await.unwrap();
    assert_eq!(again.parts, report.parts);
    check_stands_in(&world, &last).await;

    let done = between(&middle, &last).run(&|_| ()).await.unwrap();
    assert_eq!(
        (done.copied, done.parts),
        (0, report.parts),
        "it is compared only"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_ends_at_any_step_is_completed_by_the_next() {
    let mut ended = 0;
    for seed in 1..=rounds().min(3) {
        let world = lived_in(seed).await;
        let expected = {
            let target = memory().await;
            between(&world.documents, &target)
                .run(&|_| ())
                .await
                .unwrap()
                .parts
        };
        for (of_source, done) in [(true, false), (false, false), (false, true)] {
            for step in (1..MOST_STEPS).filter(|step| step % 3 == seed % 3) {
                let target = memory().await;
                let run = match of_source {
                    true => {
                        let source = fused_documents(&world.documents, step, done);
                        between(&source, &target).run(&|_| ()).await
                    }
                    false => {
                        let target = fused_documents(&target, step, done);
                        between(&world.documents, &target).run(&|_| ()).await
                    }
                };
                if run.is_ok() {
                    break;
                }
                ended += 1;
                let report = between(&world.documents, &target)
                    .run(&|_| ())
                    .await
                    .unwrap();
                assert_eq!(report.parts, expected);
                check_refuses(&target).await;
            }
        }
    }
    println!("{ended} copies ended early: all completed, 0 lost, 0 doubled");
    assert!(ended > 50);
}

#[tokio::test]
async fn a_target_that_holds_something_else_is_refused() {
    let world = lived_in(1).await;
    let refused = async |source: &Arc<dyn DocumentStore>, target: &Arc<dyn DocumentStore>| {
        let error = between(source, target).run(&|_| ()).await.unwrap_err();
        let surveyed = between(source, target).survey(&|_| ()).await.unwrap_err();
        assert_eq!(error.to_string(), surveyed.to_string());
        assert_eq!(error.kind(), ErrorKind::Conflict);
        error.to_string()
    };
    let target = memory().await;
    target.save_memo("of", "somebody").await.unwrap();
    let told = refused(&world.documents, &target).await;
    assert!(told.contains("the target is not empty"), "{told}");
    assert_eq!(target.count(&Scan::matching(Filter::All)).await.unwrap(), 0);

    let target = memory().await;
    between(&world.documents, &target)
        .run(&|_| ())
        .await
        .unwrap();
    let told = refused(&lived_in(2).await.documents, &target).await;
    assert!(told.contains("a copy of another store"), "{told}");
}

#[tokio::test]
async fn sides_that_are_not_the_same_are_found_out() {
    let world = lived_in(1).await;
    let target = memory().await;
    between(&world.documents, &target)
        .run(&|_| ())
        .await
        .unwrap();
    let mut late = Record::new(Post::new(id(500), Timestamp::UNIX_EPOCH));
    world.documents.commit(&[&late]).await.unwrap();
    let error = between(&world.documents, &target)
        .run(&|_| ())
        .await
        .unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("one of them was written to") && told.contains("records"),
        "{told}"
    );
    // As many, and not the same.
    late.post.text = "another".to_owned();
    target.commit(&[&late]).await.unwrap();
    let error = between(&world.documents, &target)
        .run(&|_| ())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

/// What is refused and not yet gone stays behind, and does not make the sides differ.
#[tokio::test]
async fn an_erasure_that_is_under_way_is_not_undone() {
    let world = lived_in(2).await;
    let some = world.hot().await.into_keys().next().unwrap();
    world
        .documents
        .refuse(&[Subject::Post(some.clone())])
        .await
        .unwrap();
    let target = memory().await;
    between(&world.documents, &target)
        .run(&|_| ())
        .await
        .unwrap();
    assert_eq!(
        target.load(std::slice::from_ref(&some)).await.unwrap(),
        [Stored::Tombstoned]
    );
    let scan = Scan::matching(Filter::All).limit(usize::MAX);
    let found = target.scan(&scan).await.unwrap().records;
    assert!(found.iter().all(|record| *record.id() != some));
}

#[tokio::test]
async fn a_file_is_copied_while_nobody_writes_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("copied.db").display());
    let writer = sqlite(folder.path()).await;
    let error = documents::open_undisturbed(&url).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.to_string().contains("is writing to this store"),
        "{error}"
    );
    drop(writer);
    let held = documents::open_undisturbed(&url).await.unwrap();
    let refused = held.save_memo("a", "b").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    let error = documents::open(&url, Mode::ReadWrite).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    drop(held);
    documents::open(&url, Mode::ReadWrite).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_copied_whatever_step_is_the_last() {
    let world = lived_in(4).await;
    // A row that is superseded, and one that is gone.
    let mut cold = world.cold().await.into_values();
    let (mut newer, gone) = (cold.next().unwrap(), cold.next().unwrap());
    newer.revision += 1;
    world.warehouse.append(vec![newer]).await.unwrap();
    world.warehouse.remove(&[gone.id().clone()]).await.unwrap();
    let mut ended = 0;
    for done in [false, true] {
        for step in 1..MOST_STEPS {
            let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
            let fused = Arc::new(fused_warehouse(&objects, step, done));
            let first = copy::Warehouse::between(world.warehouse.clone(), fused);
            let first = first.run(&|_| ()).await;
            let mut copied = world.clone();
            copied.warehouse = Arc::new(ParquetWarehouse::on(objects, Mode::ReadWrite));
            let copy = copy::Warehouse::between(world.warehouse.clone(), copied.warehouse.clone());
            copy.run(&|_| ()).await.unwrap();
            assert_eq!(copied.cold().await, world.cold().await);
            if first.is_ok() {
                break;
            }
            ended += 1;
        }
    }
    assert!(ended > 4, "{ended}");
}

#[tokio::test]
async fn a_warehouse_with_other_rows_is_refused() {
    let (world, other) = (lived_in(4).await, lived_in(6).await);
    let target: Arc<dyn Warehouse> = other.warehouse.clone();
    let before = other.cold().await;
    let copy = copy::Warehouse::between(world.warehouse.clone(), target);
    let error = copy.run(&|_| ()).await.unwrap_err();
    assert!(
        error.to_string().contains("not of this warehouse"),
        "{error}"
    );
    assert_eq!(other.cold().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_copied_whatever_step_is_the_last() {
    let world = World::empty().await;
    let mut digests = BTreeSet::new();
    for number in 0..20_u8 {
        let bytes = Bytes::from(vec![number; 100]);
        digests.insert(world.blobs.put(bytes).await.unwrap());
    }
    for done in [false, true] {
        for step in 1..=21 {
            let target = blobs::open("memory:", Mode::ReadWrite).await.unwrap();
            let theirs = target.put(Bytes::from_static(b"theirs")).await.unwrap();
            let fused = fused_blobs(&target, step, done);
            let first = copy::Blobs::between(world.blobs.clone(), fused);
            assert_eq!(first.run(&|_| ()).await.is_ok(), step == 21);
            let copy = copy::Blobs::between(world.blobs.clone(), target.clone());
            let report = copy.run(&|_| ()).await.unwrap();
            assert_eq!(entries(&report.parts), 20);
            let found: Vec<StoredBlob> = target.list().try_collect().await.unwrap();
            let found: BTreeSet<Digest> = found.iter().map(|blob| blob.digest).collect();
            assert!(found.is_superset(&digests) && found.contains(&theirs));
            assert_eq!(found.len(), 21, "nothing is doubled");
        }
    }
}

#[tokio::test]
async fn a_damaged_picture_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}", folder.path().display());
    let source = blobs::open(&url, Mode::ReadWrite).await.unwrap();
    let target = blobs::open("memory:", Mode::ReadWrite).await.unwrap();
    let digest = source.put(Bytes::from_static(b"picture")).await.unwrap();
    let name = digest.to_string();
    let path = folder.path().join(&name[..2]).join(&name[2..4]).join(&name);
    std::fs::write(path, b"damaged").unwrap();
    let copy = copy::Blobs::between(source, target);
    let error = copy.run(&|_| ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
