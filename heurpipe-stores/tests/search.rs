//! The search suite on every backend, and what only a folder can get wrong.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use heurpipe_core::{ErrorKind, Platform, Post, PostId, Record, SearchIndex, SearchRequest, Sink};
use heurpipe_stores::search::{MemorySearch, TantivyIndex};
use heurpipe_stores::suite::Backend;
use heurpipe_stores::{Mode, search, suite};
use jiff::Timestamp;

fn record(native: &str, revision: u64) -> Arc<Record> {
    let id = PostId::new(Platform::instagram(), native);
    let mut record = Record::new(Post::new(id, Timestamp::UNIX_EPOCH));
    record.revision = revision;
    Arc::new(record)
}

async fn count(index: &TantivyIndex) -> u64 {
    let page = index.search(&SearchRequest::default()).await.unwrap();
    page.total.value
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_backends_conform() {
    let memory = suite::search::run(Backend::named("memory"), async || {
        Ok(Arc::new(MemorySearch::new()) as _)
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let tantivy = suite::search::run(Backend::named("tantivy"), async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let url = format!("tantivy:{}/{number}", folder.path().display());
        Ok(search::open(&url, Mode::ReadWrite).await?)
    })
    .await
    .unwrap();
    print!("{}", suite::table(&[memory, tantivy]));
}

#[tokio::test]
async fn what_was_flushed_survives_and_is_not_replaced_by_the_older() {
    let folder = tempfile::tempdir().unwrap();
    let index = TantivyIndex::open(folder.path()).await.unwrap();
    index.write(&[record("1", 5)]).await.unwrap();
    index.flush().await.unwrap();
    index.write(&[record("2", 1)]).await.unwrap();
    drop(index);

    let index = TantivyIndex::open(folder.path()).await.unwrap();
    assert_eq!(count(&index).await, 1, "what was not flushed is lost");
    index.write(&[record("1", 4)]).await.unwrap();
    index.flush().await.unwrap();
    let found = index.get(record("1", 0).id()).await.unwrap().unwrap();
    assert_eq!(found.revision, 5);
}

/// The index as a writer leaves it that is killed after its files are written and before the commit that names them.
#[tokio::test]
async fn what_a_killed_writer_left_is_not_in_the_way_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let commit = folder.path().join("index/meta.json");
    let flushed = async |records: &[Arc<Record>]| {
        let index = TantivyIndex::open(folder.path()).await.unwrap();
        index.write(records).await.unwrap();
        index.flush().await.unwrap();
        index
    };
    drop(flushed(&[record("1", 1), record("2", 1)]).await);
    let before = std::fs::read(&commit).unwrap();
    drop(flushed(&[record("1", 2)]).await);
    std::fs::write(&commit, before).unwrap();

    let index = flushed(&[record("1", 2)]).await;
    let found = index.get(record("1", 0).id()).await.unwrap().unwrap();
    assert_eq!((found.revision, count(&index).await), (2, 2));
}

#[tokio::test]
async fn a_second_writer_is_told_who_the_first_is() {
    let folder = tempfile::tempdir().unwrap();
    let first = TantivyIndex::open(folder.path()).await.unwrap();
    let second = TantivyIndex::open(folder.path()).await.unwrap();
    first.write(&[record("1", 1)]).await.unwrap();
    let error = second.write(&[record("2", 1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let pid = std::process::id().to_string();
    assert!(
        error
            .to_string()
            .contains(&format!("process {pid} is writing"))
    );
    drop(first);
    second.write(&[record("2", 1)]).await.unwrap();
}

#[tokio::test]
async fn readers_see_what_was_flushed_and_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let absent = TantivyIndex::open_read_only(folder.path().join("absent")).await;
    assert_eq!(absent.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!folder.path().join("absent").exists());

    let writer = TantivyIndex::open(folder.path()).await.unwrap();
    let reader = TantivyIndex::open_read_only(folder.path()).await.unwrap();
    let refused = reader.write(&[record("1", 1)]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    writer.write(&[record("1", 1)]).await.unwrap();
    writer.flush().await.unwrap();
    let seen = async {
        while count(&reader).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), seen)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_index_of_other_words_must_be_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    drop(TantivyIndex::open(folder.path()).await.unwrap());
    let made = folder.path().join("index.json");
    std::fs::write(&made, r#"{"format":3,"analyser":0}"#).unwrap();
    for opened in [
        TantivyIndex::open(folder.path()).await,
        TantivyIndex::open_read_only(folder.path()).await,
    ] {
        let error = opened.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("must be rebuilt"), "{error}");
    }
    std::fs::remove_file(&made).unwrap();
    let error = TantivyIndex::open(folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn long_words_and_odd_names_stop_no_other_record() {
    let folder = tempfile::tempdir().unwrap();
    let index = TantivyIndex::open(folder.path()).await.unwrap();
    let mut long = (*record("1", 1)).clone();
    long.post.text = "x".repeat(1 << 20);
    long.post.hashtags = vec!["y".repeat(1 << 17)];
    let mut odd = (*record("2", 1)).clone();
    let values = vec!["a".to_owned()];
    odd.post.given.insert("a\u{1f}b".to_owned(), values);
    let written = index
        .write(&[Arc::new(long.clone()), Arc::new(odd)])
        .await
        .unwrap();
    assert!(written[0].is_ok());
    let kind = written[1].as_ref().map_err(|e| e.kind());
    assert_eq!(kind, Err(ErrorKind::InvalidInput));
    index.flush().await.unwrap();
    assert_eq!(index.get(long.id()).await.unwrap(), Some(long));
    assert_eq!(count(&index).await, 1);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = TantivyIndex::open(file.join("index")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(
        error.to_string().contains(file.to_str().unwrap()),
        "{error}"
    );
}
