//! What tests of archives share.

use std::path::{Path, PathBuf};

use futures::StreamExt;
use heurpipe_core::testkit::suite::{self, SourceOptions};
use heurpipe_core::{Checkpoint, Incoming, Page, Platform, Post, Record, Source, Unreadable};
use heurpipe_sources::archive::Archive;
use heurpipe_sources::ndjson;

/// A fixture of the project.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/archives")
        .join(name)
}

/// A real payload from the folder beside the repository; none, with a printed reason, where it is missing.
pub fn sample(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("HEURPIPE_SHARED").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = shared.unwrap_or_else(beside).join("samples").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there", path.display());
    None
}

/// The formats that an archive was found to hold.
pub fn found(archive: &Archive) -> String {
    let description = &archive.spec().description;
    let (formats, _) = description.split_once(" in ").unwrap();
    formats.to_owned()
}

pub async fn pages(source: &impl Source, from: Checkpoint) -> Vec<Page> {
    let mut pages = Vec::new();
    for partition in source.partitions().await.unwrap() {
        let read: Vec<_> = source.read(partition, from.clone()).collect().await;
        pages.extend(read.into_iter().map(Result::unwrap));
    }
    pages
}

pub async fn items(archive: &Archive) -> Vec<Incoming> {
    let pages = pages(archive, Checkpoint::default()).await;
    pages.into_iter().flat_map(|page| page.items).collect()
}

/// Opens a fixture, checks that it was found to be of this format, and reads it: posts, and what cannot be read.
pub async fn read(path: impl AsRef<Path>, format: &str) -> (Vec<Post>, Vec<Unreadable>) {
    let archive = Archive::open(path).unwrap();
    assert_eq!(found(&archive), format);
    let mut posts = Vec::new();
    let mut unreadable = Vec::new();
    for item in items(&archive).await {
        match item {
            Incoming::Post(post) => posts.push(*post),
            Incoming::Unreadable(item) => unreadable.push(*item),
            Incoming::Gone(id) => panic!("{id} is gone"),
            other => panic!("no archive gives this: {other:?}"),
        }
    }
    (posts, unreadable)
}

/// The post with this native id.
pub fn post<'p>(posts: &'p [Post], native: &str) -> &'p Post {
    let ids: Vec<_> = posts.iter().map(|post| &post.id.native).collect();
    posts
        .iter()
        .find(|post| &*post.id.native == native)
        .unwrap_or_else(|| panic!("{native} is not among {ids:?}"))
}

/// Reading, writing our lines and reading again is equal.
pub fn assert_lossless(posts: &[Post]) {
    for post in posts {
        assert!(!post.raw.is_empty(), "{} keeps no payload", post.id);
        let record = Record::new(post.clone());
        let line = ndjson::to_line(&record).unwrap();
        match ndjson::from_line(&line).unwrap() {
            Incoming::Record(again) => assert_eq!(again.post.as_ref(), post),
            other => panic!("no record: {other:?}"),
        }
    }
}

/// The conformance suite of sources passes.
pub async fn assert_conforms(path: &Path, platform: Platform) {
    let make = || Archive::open(path).unwrap();
    let report = suite::source(make, SourceOptions::default().platform(platform)).await;
    assert!(report.passed(), "{report}");
}
