#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use heurpipe_core::{
    Checkpoint, ErrorKind, Incoming, Page, Post, PostId, Record, Result, Sink, Source,
};

use super::*;

fn record(number: u32, revision: u64) -> Record {
    let id: PostId = format!("weibo:{number}").parse().unwrap();
    let mut record = Record::new(Post::new(id, "2026-05-02T00:00:00Z".parse().unwrap()));
    record.revision = revision;
    record
}

fn line(number: u32) -> String {
    to_line(&record(number, 1)).unwrap()
}

async fn pages(source: &NdjsonSource, from: Checkpoint) -> Vec<Page> {
    let partition = source.partitions().await.unwrap().remove(0);
    let pages: Vec<_> = source.read(partition, from).collect().await;
    pages.into_iter().map(Result::unwrap).collect()
}

/// Post ids, and line number and reason of what is unreadable.
fn told(pages: &[Page]) -> Vec<String> {
    pages
        .iter()
        .flat_map(|page| &page.items)
        .map(|item| match item {
            Incoming::Record(record) => record.id().to_string(),
            Incoming::Post(post) => post.id.to_string(),
            Incoming::Unreadable(bad) => {
                let line = bad.place.rsplit(':').next().unwrap();
                format!("{line}: {}", bad.reason)
            }
            other => panic!("unexpected: {other:?}"),
        })
        .collect()
}

async fn told_of(path: &Path, text: &[u8]) -> Vec<String> {
    std::fs::write(path, text).unwrap();
    let source = NdjsonSource::open(path).unwrap().line_limit(1000);
    told(&pages(&source, Checkpoint::default()).await)
}

#[tokio::test]
async fn bad_lines_are_named_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let mut text = format!("{}\n\n{{nonsense\n", line(1)).into_bytes();
    text.extend_from_slice(b"\xff\xfe\n");
    text.extend_from_slice(format!("\"{}\"\n{}\n", "x".repeat(5000), line(2)).as_bytes());
    let told = told_of(&path, &text).await;
    assert_eq!(told[0], "weibo:1");
    assert_eq!(told[1], "2: the line is empty");
    assert!(told[2].starts_with("3: "), "{}", told[2]);
    assert_eq!(told[3], "4: the line is no UTF-8");
    assert_eq!(told[4], "5: the line is longer than allowed (5003 bytes)");
    assert_eq!(told[5], "weibo:2");
    assert_eq!(told.len(), 6);
}

#[tokio::test]
async fn a_final_empty_line_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    for ending in ["", "\n", "\n\n", "\r\n"] {
        let text = format!("{}{ending}", line(1));
        assert_eq!(
            told_of(&path, text.as_bytes()).await,
            ["weibo:1"],
            "{ending:?}"
        );
    }
    assert!(told_of(&path, b"").await.is_empty());
    let text = format!("{}\n\n\n", line(1));
    assert_eq!(
        told_of(&path, text.as_bytes()).await,
        ["weibo:1", "2: the line is empty"]
    );
}

#[tokio::test]
async fn resuming_at_any_page_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let text: String = (0..700).map(|n| line(n) + "\n").collect();
    std::fs::write(&path, text).unwrap();
    let source = NdjsonSource::open(&path).unwrap();
    let all = pages(&source, Checkpoint::default()).await;
    assert_eq!(told(&all).len(), 700);
    for (index, page) in all.iter().enumerate() {
        let rest = pages(&source, page.checkpoint.clone()).await;
        assert_eq!(told(&rest), told(&all[index + 1..]));
    }
}

#[tokio::test]
async fn what_is_appended_is_read_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    std::fs::write(&path, format!("{}\n{{\"post\":{{\"id\"", line(1))).unwrap();
    let source = NdjsonSource::open(&path).unwrap();
    let first = pages(&source, Checkpoint::default()).await;
    assert_eq!(told(&first).len(), 2, "the cut line is told");
    let rest = &line(2)[r#"{"post":{"id""#.len()..];
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    writeln!(file, "{rest}").unwrap();
    let second = pages(&source, first[0].checkpoint.clone()).await;
    assert_eq!(told(&second), ["weibo:2"], "and read once it is whole");
}

#[tokio::test]
async fn another_file_of_the_same_name_is_read_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    std::fs::write(&path, format!("{}\n", line(1))).unwrap();
    let source = NdjsonSource::open(&path).unwrap();
    let first = pages(&source, Checkpoint::default()).await;
    std::fs::write(&path, format!("{}\n{}\n", line(8), line(9))).unwrap();
    let second = pages(&source, first[0].checkpoint.clone()).await;
    assert_eq!(told(&second), ["weibo:8", "weibo:9"]);
}

#[tokio::test]
async fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let sink = NdjsonSink::open(&path).unwrap();
    let outcomes = sink
        .write(&[Arc::new(record(1, 1)), Arc::new(record(2, 1))])
        .await
        .unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    sink.write(&[Arc::new(record(1, 2))]).await.unwrap();
    sink.flush().await.unwrap();
    let source = NdjsonSource::open(&path).unwrap();
    let told = told(&pages(&source, Checkpoint::default()).await);
    assert_eq!(told, ["weibo:1", "weibo:2", "weibo:1"]);
}

#[test]
fn a_line_cut_by_a_crash_is_taken_off_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    for (before, after) in [
        ("{}\n{\"post\":{", "{}\n"),
        ("{\"post\":{\"id\"", ""),
        ("{}\n", "{}\n"),
        ("not ours", "not ours\n"),
        ("", ""),
    ] {
        std::fs::write(&path, before).unwrap();
        drop(NdjsonSink::open(&path).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
    }
    std::fs::write(&path, line(1)).unwrap();
    drop(NdjsonSink::open(&path).unwrap());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), line(1) + "\n");
}

#[test]
fn one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let first = NdjsonSink::open(&path).unwrap();
    let error = NdjsonSink::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    drop(first);
    assert!(NdjsonSink::open(&path).is_ok());
}
