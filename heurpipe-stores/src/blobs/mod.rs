//! Blobs: bytes by their digest.

pub mod local;
pub mod memory;

use std::sync::Arc;

use heurpipe_core::{Blobs, Digest, Error, ErrorKind, Result};

use crate::Mode;
use crate::address;

pub use local::LocalBlobs;
pub use memory::MemoryBlobs;

const SUPPORTED: &[&str] = &["file:PATH", "memory:"];

/// Opens the blob store of a URL: `file:PATH` for a folder, or `memory:` for one that begins empty and ends with the process.
///
/// # Errors
/// `Config` for a URL that no backend understands; `NotFound` when the folder is to be read and is not there; `PermissionDenied` or `Io`
/// when it refuses.
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
        _ => Err(address::unknown(url, OPERATION, SUPPORTED)),
    }
}

fn not_found(digest: &Digest) -> Error {
    Error::new(ErrorKind::NotFound, "blobs.get")
        .message("no bytes are stored under this digest")
        .with("digest", digest)
}
