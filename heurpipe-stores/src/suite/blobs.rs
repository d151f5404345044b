//! What every blob store must do.

use std::sync::Arc;

use bytes::Bytes;
use heurpipe_core::{Blobs, Digest, ErrorKind};

use super::report::{self, Of};
use super::{Backend, Check, Failure, Findings, checks};

checks!(
    dyn Blobs;
    what_is_put_is_found,
    absent_is_not_found,
    deleting_is_idempotent,
    many_may_put_at_a_time,
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
