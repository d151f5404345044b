//! The numbered files in which manifests lie; the highest number wins.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use heurpipe_core::{Error, ErrorKind, Result};
use jiff::Timestamp;
use object_store::path::Path;

use super::bucket::{Bucket, Object};
use super::manifest::{FORMAT, Manifest};

const FOLDER: &str = "manifests";
const OPERATION: &str = "warehouse.manifest";

/// How often the newest manifest is looked for again since it was retired in between.
const MAX_RETIRED: usize = 5;

/// The manifests of a warehouse.
///
/// There is a file for each commit that ever was, and a manifest grows with the warehouse. So the newest is remembered: looking for it again lists only
/// what came after it, and reads it only where something did.
#[derive(Debug, Clone)]
pub(super) struct Manifests {
    bucket: Bucket,
    seen: Arc<Mutex<Option<Seen>>>,
}

/// The newest manifest when it was last looked for.
#[derive(Debug, Clone)]
struct Seen {
    /// Its file as it was listed: where another lies in its place, the warehouse is another.
    file: Object,
    manifest: Arc<Manifest>,
}

impl Manifests {
    pub(super) fn of(bucket: Bucket) -> Self {
        Self {
            bucket,
            seen: Arc::default(),
        }
    }

    /// The newest manifest.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read; `Unsupported` when a newer version of this program wrote it.
    pub(super) async fn newest(&self) -> Result<Arc<Manifest>> {
        for _ in 0..MAX_RETIRED {
            let Some((number, file)) = self.newest_file().await? else {
                return Ok(Arc::new(Manifest::empty()));
            };
            if let Some(seen) = self.seen().filter(|seen| seen.file == file) {
                return Ok(seen.manifest);
            }
            let manifest = Arc::new(self.read(number, &file.path).await?);
            // It was retired after it was listed: there is a newer one.
            if manifest.retired {
                continue;
            }
            self.remember(Seen {
                file,
                manifest: Arc::clone(&manifest),
            });
            return Ok(manifest);
        }
        Err(Error::new(ErrorKind::Corrupt, OPERATION)
            .message("the newest manifest has given up what it held"))
    }

    /// Makes this the newest manifest; false when its number is taken.
    pub(super) async fn commit(&self, manifest: &Manifest) -> Result<bool> {
        let path = path_of(manifest.number);
        self.bucket.create(&path, encode(manifest)?).await
    }

    /// Makes manifests before this one give up what they held, and gives how many did. Their numbers stay taken: a writer that is late by several
    /// manifests must not find one of them free.
    ///
    /// `older_than`: only those written before this time.
    pub(super) async fn retire_before(
        &self,
        number: u64,
        older_than: Option<Timestamp>,
    ) -> Result<u64> {
        let mut retired = 0;
        for (earlier, file) in numbered(self.bucket.objects(&Path::from(FOLDER)).await?) {
            if earlier >= number {
                continue;
            }
            let stub = encode(&Manifest::stub(earlier))?;
            let is_stub = file.bytes <= stub.len() as u64;
            if is_stub || older_than.is_some_and(|limit| file.written >= limit) {
                continue;
            }
            self.bucket.replace(&file.path, stub).await?;
            retired += 1;
        }
        Ok(retired)
    }

    /// The file of the newest manifest, looked for from the one that was seen last. Where nothing is left of that, from the beginning.
    async fn newest_file(&self) -> Result<Option<(u64, Object)>> {
        let folder = Path::from(FOLDER);
        if let Some(seen) = self.seen() {
            let before = path_of(seen.manifest.number.saturating_sub(1));
            let since = self.bucket.objects_after(&folder, &before).await?;
            if let Some(newest) = newest_of(since) {
                return Ok(Some(newest));
            }
        }
        Ok(newest_of(self.bucket.objects(&folder).await?))
    }

    async fn read(&self, number: u64, path: &Path) -> Result<Manifest> {
        let damaged = |message: &str| {
            Error::new(ErrorKind::Corrupt, OPERATION)
                .message(message)
                .with("file", path)
        };
        let bytes = self.bucket.get(path).await?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| damaged("a manifest cannot be read").cause(error))?;
        if manifest.format > FORMAT {
            return Err(Error::new(ErrorKind::Unsupported, OPERATION)
                .message("the warehouse was written by a newer version of this program")
                .with("file", path)
                .with("format", manifest.format));
        }
        if manifest.number != number {
            return Err(damaged("a manifest has another number than its name says"));
        }
        Ok(manifest)
    }

    fn seen(&self) -> Option<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }

    fn remember(&self, newest: Seen) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(newest);
    }
}

fn encode(manifest: &Manifest) -> Result<Bytes> {
    serde_json::to_vec_pretty(manifest)
        .map(Bytes::from)
        .map_err(|error| Error::new(ErrorKind::Internal, OPERATION).cause(error))
}

fn path_of(number: u64) -> Path {
    Path::from(format!("{FOLDER}/{number:08}.json"))
}

fn number_of(path: &Path) -> Option<u64> {
    path.filename()?.strip_suffix(".json")?.parse().ok()
}

/// Those of these files that are manifests, with their numbers.
fn numbered(files: Vec<Object>) -> impl Iterator<Item = (u64, Object)> {
    let numbered = files.into_iter();
    numbered.filter_map(|file| Some((number_of(&file.path)?, file)))
}

fn newest_of(files: Vec<Object>) -> Option<(u64, Object)> {
    numbered(files).max_by_key(|(number, _)| *number)
}
