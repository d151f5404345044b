//! The blob suite on every backend, and what only a folder can get wrong.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use heurpipe_core::{Blobs, ErrorKind};
use heurpipe_stores::blobs::{LocalBlobs, MemoryBlobs};
use heurpipe_stores::suite::{self, Backend};
use heurpipe_stores::{Mode, blobs};

#[tokio::test(flavor = "multi_thread")]
async fn embedded_backends_conform() {
    let memory = suite::blobs::run(Backend::named("memory"), async || {
        Ok(Arc::new(MemoryBlobs::new()) as _)
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let local = suite::blobs::run(Backend::named("folder"), async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let url = format!("file:{}/{number}", folder.path().display());
        Ok(blobs::open(&url, Mode::ReadWrite).await?)
    })
    .await
    .unwrap();
    print!("{}", suite::table(&[memory, local]));
}

#[tokio::test]
async fn files_lie_under_their_digest_and_nothing_else_remains() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalBlobs::open(folder.path()).await.unwrap();
    let digest = store.put(Bytes::from_static(b"abc")).await.unwrap();
    let name = digest.to_string();
    let path = folder.path().join("ba").join("78").join(&name);
    assert!(name.starts_with("ba7816bf"), "the SHA-256 of abc");
    assert_eq!(std::fs::read(&path).unwrap(), b"abc");
    let drafts = std::fs::read_dir(folder.path().join("drafts")).unwrap();
    assert_eq!(drafts.count(), 0);

    std::fs::write(&path, b"abd").unwrap();
    let error = store.get(&digest).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&name));
    std::fs::write(&path, b"ab").unwrap();
    store.put(Bytes::from_static(b"abc")).await.unwrap();
    assert_eq!(
        &*store.get(&digest).await.unwrap(),
        b"abc",
        "put again mends"
    );
}

#[tokio::test]
async fn readers_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let writer = LocalBlobs::open(folder.path()).await.unwrap();
    let digest = writer.put(Bytes::from_static(b"a")).await.unwrap();
    let reader = LocalBlobs::open_read_only(folder.path()).await.unwrap();
    assert_eq!(&*reader.get(&digest).await.unwrap(), b"a");
    let refused = reader.put(Bytes::from_static(b"b")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    let refused = reader.delete(&digest).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    let absent = LocalBlobs::open_read_only(folder.path().join("absent")).await;
    assert_eq!(absent.unwrap_err().kind(), ErrorKind::NotFound);
}
