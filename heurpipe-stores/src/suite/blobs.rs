//! What every blob store must do.

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use heurpipe_core::{Blobs, Digest, ErrorKind, StoredBlob};
use jiff::{SignedDuration, Timestamp};

use super::report::{self, Of};
use super::{Backend, Check, Failure, Findings, checks};

checks!(
    dyn Blobs;
    what_is_put_is_found,
    absent_is_not_found,
    deleting_is_idempotent,
    many_may_put_at_a_time,
    all_is_listed_once,
    what_is_put_again_is_young,
);

/// Runs every check on a store of its own, and prints which hold.
///
/// # Errors
/// Those of the store where it should not fail.
///
/// # Panics
/// Where the store is wrong, and where a check is said not to be applicable that there is not.
pub async fn run(
    backend: Backend,
    fresh: impl AsyncFn() -> Result<Arc<dyn Blobs>, Failure>,
) -> Result<Findings, Failure> {
    let checks = CHECKS
        .iter()
        .map(|(name, check)| -> (&'static str, Of<dyn Blobs>) { (*name, Box::new(check)) })
        .collect();
    report::hold("blobs", backend, checks, fresh).await
}

async fn what_is_put_is_found(blobs: Arc<dyn Blobs>) -> Check {
    for bytes in [
        Bytes::new(),
        Bytes::from_static(b"a"),
        Bytes::from(vec![7; 3 << 20]),
    ] {
        let digest = blobs.put(bytes.clone()).await?;
        assert_eq!(digest, Digest::of(&bytes), "bytes lie under their SHA-256");
        assert!(blobs.contains(&digest).await?);
        assert_eq!(blobs.get(&digest).await?, bytes);
        let again = blobs.put(bytes).await?;
        assert_eq!(again, digest, "putting again changes nothing");
    }
    Ok(())
}

async fn absent_is_not_found(blobs: Arc<dyn Blobs>) -> Check {
    let absent = Digest::of(b"absent");
    assert!(!blobs.contains(&absent).await?);
    let kind = blobs.get(&absent).await.map_err(|e| e.kind());
    assert_eq!(kind, Err(ErrorKind::NotFound));
    Ok(())
}

async fn deleting_is_idempotent(blobs: Arc<dyn Blobs>) -> Check {
    let digest = blobs.put(Bytes::from_static(b"gone")).await?;
    blobs.delete(&digest).await?;
    blobs.delete(&digest).await?;
    assert!(!blobs.contains(&digest).await?);
    blobs.put(Bytes::from_static(b"gone")).await?;
    assert!(blobs.contains(&digest).await?, "it may come back");
    Ok(())
}

async fn many_may_put_at_a_time(blobs: Arc<dyn Blobs>) -> Check {
    let puts = (0..64_u8).map(|n| blobs.put(Bytes::from(vec![n / 2; 1000])));
    let digests = futures::future::try_join_all(puts).await?;
    for (n, digest) in (0..64_u8).zip(digests) {
        assert_eq!(blobs.get(&digest).await?, vec![n / 2; 1000]);
    }
    Ok(())
}

async fn listed(blobs: &dyn Blobs) -> Result<Vec<StoredBlob>, Failure> {
    let mut listed: Vec<StoredBlob> = blobs.list().try_collect().await?;
    listed.sort_by_key(|blob| blob.digest);
    Ok(listed)
}

async fn all_is_listed_once(blobs: Arc<dyn Blobs>) -> Check {
    assert_eq!(listed(&*blobs).await?, []);
    let mut expected = Vec::new();
    for length in 0..40_usize {
        let digest = blobs.put(Bytes::from(vec![9; length])).await?;
        expected.push((digest, length as u64));
    }
    let (gone, _) = expected.remove(7);
    blobs.delete(&gone).await?;
    expected.sort();
    let found = listed(&*blobs).await?;
    let found: Vec<_> = found.iter().map(|blob| (blob.digest, blob.bytes)).collect();
    assert_eq!(found, expected);
    Ok(())
}

/// A store tells the time by its own clock, which may differ from ours.
async fn what_is_put_again_is_young(blobs: Arc<dyn Blobs>) -> Check {
    for _ in 0..2 {
        blobs.put(Bytes::from_static(b"young")).await?;
        for blob in listed(&*blobs).await? {
            let age = blob.put_at.duration_until(Timestamp::now());
            assert!(age.abs() < SignedDuration::from_hours(24), "{age}");
        }
    }
    Ok(())
}
