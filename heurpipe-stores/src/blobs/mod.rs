//! Blobs: bytes by their digest.

#[cfg(any(feature = "gcs", feature = "s3"))]
pub mod bucket;
pub mod local;
pub mod memory;

use std::sync::Arc;

use heurpipe_core::{Blobs, Digest, Error, ErrorKind, Result};

use crate::Mode;
use crate::address;

#[cfg(any(feature = "gcs", feature = "s3"))]
pub use bucket::BucketBlobs;
pub use local::LocalBlobs;
pub use memory::MemoryBlobs;

const SUPPORTED: &[&str] = &[
    "file:PATH",
    #[cfg(feature = "gcs")]
    "gs://BUCKET[/FOLDER]",
    #[cfg(feature = "s3")]
    "s3://BUCKET[/FOLDER]",
    "memory:",
];

/// Opens the blob store of a URL: `file:PATH` for a folder, `gs://BUCKET[/FOLDER]` or `s3://BUCKET[/FOLDER]` for a bucket with the parameters that docs/stores.md lists, or
/// `memory:` for one that begins empty and ends with the process.
///
/// # Errors
/// `Config` for a URL that no backend understands; `NotFound` when there is no such bucket, or when the folder is to be read and is not there;
/// `PermissionDenied`, `Unauthenticated` or `Io` when it refuses.
pub async fn open(url: &str, mode: Mode) -> Result<Arc<dyn Blobs>> {
    const OPERATION: &str = "blobs.open";
    let (scheme, rest) = address::split(url, OPERATION, SUPPORTED)?;
    match scheme {
        "memory" => Ok(Arc::new(MemoryBlobs::new())),
        "file" => {
            let path = address::path(rest, url, OPERATION)?;
            Ok(Arc::new(match mode {
                Mode::ReadWrite => LocalBlobs::open(path).await?,
                Mode::ReadOnly => LocalBlobs::open_read_only(path).await?,
            }))
        }
        #[cfg(feature = "gcs")]
        "gs" => Ok(Arc::new(BucketBlobs::open(url, mode).await?)),
        #[cfg(feature = "s3")]
        "s3" => Ok(Arc::new(BucketBlobs::open(url, mode).await?)),
        _ => Err(address::unknown(url, OPERATION, SUPPORTED)),
    }
}

fn not_found(digest: &Digest) -> Error {
    Error::new(ErrorKind::NotFound, "blobs.get")
        .message("no bytes are stored under this digest")
        .with("digest", digest)
}

/// The error for bytes that are not those of their digest.
fn changed() -> Error {
    Error::new(ErrorKind::Corrupt, "blobs.get")
        .message("the stored bytes are not those that were put")
}
