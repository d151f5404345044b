//! Objects by path, with this project's errors and with what a local disk needs to keep them.

use std::fs::File;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use heurpipe_core::{Error, ErrorKind, Result};
use jiff::Timestamp;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use crate::objects::failure;
use crate::os::io_error;
use crate::{Mode, task};

/// A place for objects that are written once.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// The folder, where it is one: what is written there is synced.
    folder: Option<PathBuf>,
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    /// Its path.
    pub(super) path: Path,
    /// Its size.
    pub(super) bytes: u64,
    /// When it was written, to the second.
    pub(super) written: Timestamp,
    /// Its store's word for the content, another for another; where there is one.
    pub(super) tag: Option<String>,
}

impl Bucket {
    pub(super) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            folder: None,
        }
    }

    pub(super) fn in_memory() -> Self {
        Self::new(Arc::new(InMemory::new()))
    }

    pub(super) async fn folder(path: &FilePath, mode: Mode) -> Result<Self> {
        const OPERATION: &str = "warehouse.open";
        let path = path.to_owned();
        task::blocking(OPERATION, move || {
            match mode {
                Mode::ReadWrite => {
                    std::fs::create_dir_all(&path)
                        .and_then(|()| probe(&path))
                        .map_err(|error| io_error(OPERATION, &path, error))?;
                }
                Mode::ReadOnly => {
                    std::fs::read_dir(&path).map_err(|error| io_error(OPERATION, &path, error))?;
                }
            }
            let store = LocalFileSystem::new_with_prefix(&path).map_err(|error| {
                Error::new(ErrorKind::Io, OPERATION)
                    .with("path", path.display())
                    .cause(error)
            })?;
            Ok(Self {
                store: Arc::new(store),
                folder: Some(path),
            })
        })
        .await
    }

    pub(super) fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// Writes an object that must not be there yet; false when it is. Durable when it returns.
    pub(super) async fn create(&self, path: &Path, bytes: Bytes) -> Result<bool> {
        let options = PutOptions::from(PutMode::Create);
        match self
            .store
            .put_opts(path, PutPayload::from_bytes(bytes), options)
            .await
        {
            Ok(_) => {
                self.sync(path).await?;
                Ok(true)
            }
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(failure("warehouse.write", path, error)),
        }
    }

    pub(super) async fn get(&self, path: &Path) -> Result<Bytes> {
        let fail = |error| failure("warehouse.read", path, error);
        self.store
            .get(path)
            .await
            .map_err(fail)?
            .bytes()
            .await
            .map_err(fail)
    }

    /// Parts of an object, in the order of the ranges; parts that lie near one another are fetched in one call.
    pub(super) async fn ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let parts = self.store.get_ranges(path, ranges).await;
        parts.map_err(|error| failure("warehouse.read", path, error))
    }

    /// The size of an object.
    pub(super) async fn size(&self, path: &Path) -> Result<u64> {
        match self.store.head(path).await {
            Ok(object) => Ok(object.size),
            Err(error) => Err(failure("warehouse.read", path, error)),
        }
    }

    /// Writes an object in the place of another. Durable when it returns.
    pub(super) async fn replace(&self, path: &Path, bytes: Bytes) -> Result<()> {
        self.store
            .put(path, PutPayload::from_bytes(bytes))
            .await
            .map_err(|error| failure("warehouse.write", path, error))?;
        self.sync(path).await
    }

    /// Removes an object; whether it was there. Durable when it returns.
    pub(super) async fn delete(&self, path: &Path) -> Result<bool> {
        match self.store.delete(path).await {
            Ok(()) => {
                self.sync_folder_of(path).await?;
                Ok(true)
            }
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failure("warehouse.delete", path, error)),
        }
    }

    /// The objects under a prefix.
    pub(super) async fn objects(&self, prefix: &Path) -> Result<Vec<Object>> {
        listed(prefix, self.store.list(Some(prefix))).await
    }

    /// The objects under a prefix whose paths sort after this one. A server may give more.
    pub(super) async fn objects_after(&self, prefix: &Path, path: &Path) -> Result<Vec<Object>> {
        listed(prefix, self.store.list_with_offset(Some(prefix), path)).await
    }

    /// Removes what writers that were killed have left of objects that they had not finished, and gives how many there were. A store elsewhere
    /// keeps nothing of them.
    pub(super) async fn delete_drafts(&self) -> Result<u64> {
        let Some(root) = self.folder.clone() else {
            return Ok(0);
        };
        task::blocking("warehouse.delete", move || {
            let mut deleted = 0;
            let mut folders = vec![root];
            while let Some(folder) = folders.pop() {
                let fail = |error| io_error("warehouse.delete", &folder, error);
                for entry in std::fs::read_dir(&folder).map_err(fail)? {
                    let entry = entry.map_err(fail)?;
                    if entry.file_type().map_err(fail)?.is_dir() {
                        folders.push(entry.path());
                    } else if is_draft(&entry.file_name().to_string_lossy()) {
                        std::fs::remove_file(entry.path()).map_err(fail)?;
                        deleted += 1;
                    }
                }
            }
            Ok(deleted)
        })
        .await
    }

    async fn sync_folder_of(&self, path: &Path) -> Result<()> {
        let Some(root) = self.folder.clone() else {
            return Ok(());
        };
        let file = root.join(path.as_ref());
        task::blocking("warehouse.delete", move || {
            let folder = file.parent().unwrap_or(&root);
            File::open(folder)
                .and_then(|opened| opened.sync_all())
                .map_err(|error| io_error("warehouse.delete", folder, error))
        })
        .await
    }

    /// Brings an object and the folders that name it to the disk.
    async fn sync(&self, path: &Path) -> Result<()> {
        let Some(root) = self.folder.clone() else {
            return Ok(());
        };
        let file = root.join(path.as_ref());
        task::blocking("warehouse.write", move || {
            let mut entry = Some(file.as_path());
            while let Some(path) = entry.filter(|path| path.starts_with(&root)) {
                File::open(path)
                    .and_then(|opened| opened.sync_all())
                    .map_err(|error| io_error("warehouse.write", path, error))?;
                entry = path.parent();
            }
            Ok(())
        })
        .await
    }
}

async fn listed(
    prefix: &Path,
    objects: BoxStream<'static, object_store::Result<ObjectMeta>>,
) -> Result<Vec<Object>> {
    let objects = objects.map_ok(|meta| Object {
        path: meta.location,
        bytes: meta.size,
        written: instant(meta.last_modified.timestamp()),
        tag: meta.e_tag,
    });
    let listed = objects.try_collect().await;
    listed.map_err(|error| failure("warehouse.list", prefix, error))
}

/// Files are written under another name first: their own, `#` and a number.
fn is_draft(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// A time beyond what can be reckoned with is the last one: nothing so young is deleted.
fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

/// Tells a folder that cannot be written at once, not at the end of the first run. Any number may open it at a time: the file has no name of ours.
fn probe(path: &FilePath) -> std::io::Result<()> {
    tempfile::tempfile_in(path).map(drop)
}
