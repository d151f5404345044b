//! A disk without room: it is said, what was acknowledged is there, and with room the store goes on.
//!
//! Each test mounts a small disk in memory, which needs root on Linux; elsewhere it says so and is skipped.
#![cfg(all(feature = "sqlite", feature = "tantivy", feature = "warehouse"))]
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use heurpipe_core::{
    Digest, Documents, Error, ErrorKind, Filter, Platform, Post, PostId, Record, Retry,
    SearchIndex, SearchRequest, Sink, Stored,
};
use heurpipe_stores::suite::corpus::Dice;
use heurpipe_stores::warehouse::Warehouse;
use heurpipe_stores::{Mode, blobs, documents, search, warehouse};
use jiff::Timestamp;

const DISK: &str = "16m";
/// What stands in the way, and is then taken away.
const BALLAST: usize = 8 << 20;
const TEXT: usize = 256 << 10;
/// More than fits.
const MOST: usize = 400;

/// A small disk, gone when dropped.
struct Disk {
    mounted: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    /// Nothing, with a printed reason, where none can be mounted.
    fn small() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = folder.path().join("disk");
        std::fs::create_dir(&mounted).unwrap();
        let options = format!("size={DISK}");
        let outcome = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&mounted)
            .output();
        match outcome {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                println!("skipped: no disk can be mounted here: {}", said.trim());
                return None;
            }
            Err(error) => {
                println!("skipped: no disk can be mounted here: {error}");
                return None;
            }
        }
        let disk = Self {
            mounted,
            _folder: folder,
        };
        std::fs::write(disk.ballast(), vec![1; BALLAST]).unwrap();
        Some(disk)
    }

    fn ballast(&self) -> PathBuf {
        self.mounted.join("ballast")
    }

    fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn url(&self, scheme: &str, name: &str) -> String {
        format!("{scheme}:{}", self.path(name).display())
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.mounted).join(name)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What is still open is let go of when it is closed.
        drop(Command::new("umount").arg("-l").arg(&self.mounted).status());
    }
}

fn id(number: usize) -> PostId {
    PostId::new(Platform::weibo(), format!("{number:04}"))
}

/// A record that cannot be made smaller.
fn record(number: usize) -> Record {
    let mut dice = Dice::new(number as u64);
    // Letters of six bits each, drawn ten at a time.
    let mut letters = String::with_capacity(TEXT);
    while letters.len() < TEXT {
        let drawn = dice.roll();
        letters.extend((0..10).map(|place| char::from(b'0' + (drawn >> (6 * place) & 63) as u8)));
    }
    // A backslash would be written as two.
    let letters = letters.replace('\\', "~");
    let mut post = Post::new(id(number), Timestamp::UNIX_EPOCH);
    // As few words as may be, so that what fills the disk is the record.
    post.raw.insert(
        "test".to_owned(),
        heurpipe_core::Raw::from_value(&serde_json::json!(letters)).unwrap(),
    );
    let mut record = Record::new(post);
    record.revision = 1;
    record
}

fn says_that_the_disk_is_full(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Io, "{error:?}");
    assert_eq!(error.retry(), Retry::NeedsOperator, "{error:?}");
    assert!(error.to_string().contains("the disk is full"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_in_sqlite() {
    let Some(disk) = Disk::small() else { return };
    let url = disk.url("sqlite", "documents.db");
    let store = documents::open(&url, Mode::ReadWrite).await.unwrap();
    let commit = async |number: usize| -> Result<u64, Error> {
        let mut new = record(number);
        new.revision = 0;
        store.commit(&[&new]).await?.remove(0)
    };
    let mut kept = 0;
    let refused = loop {
        match commit(kept).await {
            Ok(revision) => assert_eq!(revision, 1),
            Err(error) => break error,
        }
        kept += 1;
        assert!(kept < MOST, "the disk takes everything");
    };
    println!("sqlite took {kept} records, then: {refused}");
    says_that_the_disk_is_full(&refused);
    // It stays so, and what is there can be read.
    says_that_the_disk_is_full(&commit(kept).await.unwrap_err());
    let ids: Vec<PostId> = (0..=kept).map(id).collect();
    let all_are_there = async |store: &dyn Documents, count: usize| {
        for (number, stored) in store.load(&ids).await.unwrap().iter().enumerate() {
            match stored {
                Stored::Known(found) => assert_eq!(**found, record(number)),
                other => assert!(number >= count, "{number}: {other:?}"),
            }
        }
    };
    all_are_there(&*store, kept).await;
    disk.make_room();
    assert_eq!(commit(kept).await.unwrap(), 1);
    all_are_there(&*store, kept + 1).await;
    drop(store);
    let again = documents::open(&url, Mode::ReadWrite).await.unwrap();
    all_are_there(&*again, kept + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_in_tantivy() {
    let Some(disk) = Disk::small() else { return };
    let url = disk.url("tantivy", "search");
    let index = search::open(&url, Mode::ReadWrite).await.unwrap();
    let write = async |index: &dyn SearchIndex, number: usize| -> Result<(), Error> {
        index.write(&[Arc::new(record(number))]).await?.remove(0)?;
        index.flush().await
    };
    let mut kept = 0;
    let refused = loop {
        match write(&*index, kept).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < MOST, "the disk takes everything");
    };
    println!("tantivy took {kept} records, then: {refused}");
    says_that_the_disk_is_full(&refused);
    let all_are_there = async |index: &dyn SearchIndex, count: usize| {
        for number in 0..count {
            let found = index.get(&id(number)).await.unwrap();
            assert!(found == Some(record(number)), "{number}");
        }
        let page = index.search(&SearchRequest::default().limit(1)).await;
        assert_eq!(page.unwrap().total.value, count as u64);
    };
    all_are_there(&*index, kept).await;
    disk.make_room();
    // What was not flushed is lost: this handle must not say otherwise, however often it is asked.
    for _ in 0..2 {
        let error = index.flush().await.unwrap_err();
        assert!(error.to_string().contains("is lost"), "{error}");
        assert!(write(&*index, kept).await.is_err());
    }
    all_are_there(&*index, kept).await;
    let again = search::open(&url, Mode::ReadWrite).await.unwrap();
    all_are_there(&*again, kept).await;
    write(&*again, kept).await.unwrap();
    all_are_there(&*again, kept + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_warehouse_in_a_folder() {
    let Some(disk) = Disk::small() else { return };
    let url = disk.url("file", "warehouse");
    let store = warehouse::open(&url, Mode::ReadWrite).await.unwrap();
    let mut kept = 0;
    let refused = loop {
        match store.append(vec![record(kept)]).await {
            Ok(appended) => assert_eq!(appended.written, 1),
            Err(error) => break error,
        }
        kept += 1;
        assert!(kept < MOST, "the disk takes everything");
    };
    println!("the warehouse took {kept} records, then: {refused}");
    says_that_the_disk_is_full(&refused);
    let all_are_there = async |store: &dyn Warehouse, count: usize| {
        let pages: Vec<Vec<Record>> = store
            .scan(&Filter::All)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let mut found = pages.concat();
        found.sort_by(|a, b| a.id().cmp(b.id()));
        assert!(found.into_iter().eq((0..count).map(record)), "{count}");
    };
    all_are_there(&*store, kept).await;
    disk.make_room();
    store.append(vec![record(kept)]).await.unwrap();
    all_are_there(&*store, kept + 1).await;
    let again = warehouse::open(&url, Mode::ReadWrite).await.unwrap();
    all_are_there(&*again, kept + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_in_a_folder() {
    let Some(disk) = Disk::small() else { return };
    let url = disk.url("file", "blobs");
    let store = blobs::open(&url, Mode::ReadWrite).await.unwrap();
    let picture = |number: usize| Bytes::from(vec![number as u8; TEXT]);
    let mut kept: Vec<Digest> = Vec::new();
    let refused = loop {
        match store.put(picture(kept.len())).await {
            Ok(digest) => kept.push(digest),
            Err(error) => break error,
        }
        assert!(kept.len() < 255, "the disk takes everything");
    };
    println!("blobs took {} pictures, then: {refused}", kept.len());
    says_that_the_disk_is_full(&refused);
    let missing = Digest::of(&picture(kept.len()));
    assert!(!store.contains(&missing).await.unwrap(), "all or nothing");
    disk.make_room();
    kept.push(store.put(picture(kept.len())).await.unwrap());
    let again = blobs::open(&url, Mode::ReadOnly).await.unwrap();
    for (number, digest) in kept.iter().enumerate() {
        assert_eq!(again.get(digest).await.unwrap(), picture(number));
    }
    let drafts = std::fs::read_dir(disk.path("blobs/drafts")).unwrap();
    assert_eq!(drafts.count(), 0, "nothing is left of what did not fit");
}
