//! A process that writes to SQLite is killed in the middle of its batches: what it was told is stored is there, and nothing is there twice or in part.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use heurpipe_core::{Documents, Filter, Platform, Post, PostId, Record, Scan};
use heurpipe_stores::suite::corpus::Dice;
use heurpipe_stores::{Mode, documents};
use jiff::Timestamp;

/// In which folder a child writes.
const FOLDER: &str = "HEURPIPE_TEST_KILLED_FOLDER";
/// How often a child is killed.
const ROUNDS: u64 = 12;
const BATCH: u64 = 200;

fn url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("documents.db").display())
}

/// The record of a number at a revision, as the `times`th batch that wrote it left it.
fn written(number: u64, revision: u64, times: u64) -> Record {
    let id = PostId::new(Platform::weibo(), format!("{number:06}"));
    let mut record = Record::new(Post::new(id, Timestamp::UNIX_EPOCH));
    record.post.text = format!("{number} in batch {times} ").repeat(20);
    record.revision = revision;
    record
}

/// Not a test: what a child does until it is killed. It begins where the one before it ended, and says which batches are stored.
#[tokio::test]
async fn child() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let store = documents::open(&url(Path::new(&folder)), Mode::ReadWrite)
        .await
        .unwrap();
    let stored = store.count(&Scan::matching(Filter::All)).await.unwrap();
    let first = stored.div_ceil(BATCH);
    for batch in first.. {
        let new: Vec<Record> = (batch * BATCH..(batch + 1) * BATCH)
            .map(|number| written(number, 0, 0))
            .collect();
        // Some of the batch before it are changed in the same call.
        let changed = (batch.saturating_sub(1) * BATCH..batch * BATCH).step_by(10);
        let changed: Vec<Record> = changed.map(|number| written(number, 1, 2)).collect();
        let given: Vec<&Record> = new.iter().chain(&changed).collect();
        for outcome in store.commit(&given).await.unwrap() {
            outcome.unwrap();
        }
        println!("stored {batch}");
    }
}

/// The last batch that a child said is stored, before it was killed some time later.
fn killed(folder: &Path, dice: &mut Dice) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let batch = |line: std::io::Result<String>| -> Option<u64> {
        let line = line.ok()?;
        line.strip_prefix("stored ")?.parse().ok()
    };
    let mut last = None;
    // At some moment between two batches, most of the time in the middle of the next.
    for _ in 0..1 + dice.below(4) {
        last = lines.by_ref().find_map(batch).or(last);
    }
    std::thread::sleep(std::time::Duration::from_micros(dice.below(20_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it was killed counts too.
    lines.filter_map(batch).last().or(last)
}

#[tokio::test]
async fn a_killed_writer_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(5);
    let mut acknowledged = 0;
    for round in 1..=ROUNDS {
        let last = killed(folder.path(), &mut dice);
        let last = last.unwrap_or_else(|| panic!("round {round}: nothing was stored"));
        acknowledged = (last + 1) * BATCH;
        let store = documents::open(&url(folder.path()), Mode::ReadWrite)
            .await
            .unwrap();
        let everything = Scan::matching(Filter::All).limit(1_000_000);
        let found = store.scan(&everything).await.unwrap().records;
        let count = found.len() as u64;
        assert!(count >= acknowledged, "{count} of {acknowledged}");
        assert_eq!(count % BATCH, 0, "a batch is stored as a whole");
        for (number, found) in (0..).zip(&found) {
            let changed = number % 10 == 0 && number < count - BATCH;
            let expected = match changed {
                true => written(number, 2, 2),
                false => written(number, 1, 0),
            };
            assert_eq!(*found, expected);
        }
    }
    println!(
        "{ROUNDS} writers killed, {acknowledged} records acknowledged: 0 lost, 0 doubled, 0 in part"
    );
}
