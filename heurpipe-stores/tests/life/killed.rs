//! The process is killed by the system, at any moment, over files.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::{Filter, Record, Scan, Subject};
use heurpipe_stores::warehouse::ParquetWarehouse;
use heurpipe_stores::{Mode, blobs, copy, documents, search};
use object_store::local::LocalFileSystem;

use super::faults::rounds;
use super::world::{Dice, World, marked};

/// In which folder a child works, and what it does.
const FOLDER: &str = "HEURPIPE_TEST_LIFE_FOLDER";
const TASK: &str = "HEURPIPE_TEST_LIFE_TASK";

async fn in_folder(folder: &Path) -> World {
    let at = |scheme: &str, name: &str| format!("{scheme}:{}", folder.join(name).display());
    let warehouse = folder.join("warehouse");
    World {
        documents: documents::open(&at("sqlite", "documents.db"), Mode::ReadWrite)
            .await
            .unwrap(),
        search: search::open(&at("tantivy", "search"), Mode::ReadWrite)
            .await
            .unwrap(),
        blobs: blobs::open(&at("file", "blobs"), Mode::ReadWrite)
            .await
            .unwrap(),
        warehouse: Arc::new(
            ParquetWarehouse::open(&warehouse, Mode::ReadWrite)
                .await
                .unwrap(),
        ),
        objects: Arc::new(LocalFileSystem::new_with_prefix(&warehouse).unwrap()),
    }
}

/// From one file into another, few entries at a time.
async fn copy(folder: &Path) {
    let at = |name: &str| format!("sqlite:{}", folder.join(name).display());
    let source = documents::open_undisturbed(&at("documents.db")).await;
    let target = documents::open(&at("copied.db"), Mode::ReadWrite).await;
    let copy = copy::Documents::between(source.unwrap(), target.unwrap()).at_a_time(2);
    copy.run(&|_| ()).await.unwrap();
}

fn author() -> Subject {
    Subject::Author("instagram:100".parse().unwrap())
}

/// Not a test: what a child does that is to be killed.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    if std::env::var(TASK).unwrap() == "copy" {
        return copy(Path::new(&folder)).await;
    }
    let world = in_folder(Path::new(&folder)).await;
    match std::env::var(TASK).unwrap().as_str() {
        "archive" => drop(world.archive().run().await.unwrap()),
        _ => drop(world.forget().run(&author(), false).await.unwrap()),
    }
}

fn begin(folder: &Path, task: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--nocapture"])
        .env(FOLDER, folder)
        .env(TASK, task)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Begins a task again and again, each time killed a little later, until it ends by itself. How often it was killed.
fn killed_until_done(folder: &Path, task: &str, dice: &mut Dice) -> u32 {
    let mut killed = 0;
    for attempt in 1.. {
        let mut child = begin(folder, task);
        // Twice as long after every six attempts: a busy machine gets there too.
        let at_most = 40 << (attempt / 6);
        std::thread::sleep(Duration::from_millis(dice.below(at_most)));
        // A child that has ended cannot be killed any more.
        drop(child.kill());
        let ended = child.wait_with_output().unwrap();
        match ended.status.code() {
            Some(0) => break,
            Some(_) => panic!("{task}: {}", String::from_utf8_lossy(&ended.stderr)),
            None => killed += 1,
        }
        assert!(killed < 100, "{task} does not end");
    }
    killed
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_processes_lose_and_double_nothing() {
    let mut killed = 0;
    for seed in 1..=rounds() {
        let folder = tempfile::tempdir().unwrap();
        let mut dice = Dice(seed | 1);
        let world = in_folder(folder.path()).await;
        let posts = world.fill(seed).await;
        drop(world);
        killed += killed_until_done(folder.path(), "archive", &mut dice);
        let world = in_folder(folder.path()).await;
        world.check_archived(&posts).await;
        drop(world);
        killed += killed_until_done(folder.path(), "forget", &mut dice);
        let world = in_folder(folder.path()).await;
        world.check_forgotten(&marked(&posts), &posts).await;
    }
    println!(
        "{killed} processes killed in {} rounds: 0 lost, 0 doubled",
        rounds()
    );
    assert!(u64::from(killed) >= rounds());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_copy_goes_on_where_it_stopped() {
    let mut killed = 0;
    for seed in 1..=rounds() {
        let folder = tempfile::tempdir().unwrap();
        let mut dice = Dice(seed | 1);
        let world = in_folder(folder.path()).await;
        let posts = world.fill(seed).await;
        drop(world);
        killed += killed_until_done(folder.path(), "copy", &mut dice);
        let url = format!("sqlite:{}", folder.path().join("copied.db").display());
        let copied = documents::open(&url, Mode::ReadOnly).await.unwrap();
        let scan = Scan::matching(Filter::All).limit(usize::MAX);
        let found = copied.scan(&scan).await.unwrap().records;
        let expected: Vec<Record> = posts.into_values().collect();
        assert_eq!(found, expected);
    }
    println!("{killed} processes killed in {} rounds", rounds());
    assert!(u64::from(killed) >= rounds());
}
