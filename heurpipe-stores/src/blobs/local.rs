//! Blobs as files in a folder: `ab/cd/DIGEST`.
//!
//! A file appears under its name only when all of it is on the disk, so that a process may be killed at any moment. Any number of processes may
//! write at a time: those that put the same bytes put the same file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use heurpipe_core::{Blobs, Digest, Result, StoredBlob};
use jiff::Timestamp;

use super::{changed, not_found};
use crate::os::io_error;
use crate::{Mode, task};

/// A blob store in a folder.
#[derive(Debug, Clone)]
pub struct LocalBlobs {
    folder: Arc<Path>,
    mode: Mode,
}

impl LocalBlobs {
    /// Opens a folder for writing; makes it when there is none.
    ///
    /// # Errors
    /// `PermissionDenied` or `Io` when the folder refuses.
    pub async fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        task::blocking("blobs.open", move || {
            let drafts = drafts(&folder);
            std::fs::create_dir_all(&drafts).map_err(|e| io_error("blobs.open", &drafts, e))?;
            probe(&folder).map_err(|e| io_error("blobs.open", &drafts, e))?;
            Ok(Self::new(folder, Mode::ReadWrite))
        })
        .await
    }

    /// Opens a folder for reading.
    ///
    /// # Errors
    /// `NotFound` when it is not there.
    pub async fn open_read_only(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        task::blocking("blobs.open", move || {
            std::fs::read_dir(&folder).map_err(|e| io_error("blobs.open", &folder, e))?;
            Ok(Self::new(folder, Mode::ReadOnly))
        })
        .await
    }

    fn new(folder: PathBuf, mode: Mode) -> Self {
        Self {
            folder: folder.into(),
            mode,
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder.join(&name[..2]).join(&name[2..4]).join(&name)
    }
}

/// Where files lie while they are written.
fn drafts(folder: &Path) -> PathBuf {
    folder.join("drafts")
}

/// A name that no other writer uses.
fn draft(folder: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    drafts(folder).join(format!("{}-{number}", std::process::id()))
}

/// Finds out at once whether files can be made, rather than at the first picture.
fn probe(folder: &Path) -> std::io::Result<()> {
    let path = draft(folder);
    File::create(&path)?;
    std::fs::remove_file(&path)
}

/// Stores bytes under a path, durably and all at once.
fn store(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let draft = draft(folder);
    let written = write_draft(&draft, bytes).and_then(|()| publish(folder, &draft, path));
    if written.is_err() {
        // The error that matters is the first one.
        let _ = std::fs::remove_file(&draft);
    }
    written
}

fn write_draft(draft: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives a draft its name, and sees to it that the name, too, is on the disk.
fn publish(folder: &Path, draft: &Path, path: &Path) -> std::io::Result<()> {
    let parents: Vec<&Path> = path
        .ancestors()
        .skip(1)
        .take_while(|p| p.starts_with(folder))
        .collect();
    let new_folders = parents.iter().take_while(|p| !p.exists()).count();
    if let Some(parent) = parents.first() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::rename(draft, path)?;
    // The folder of the file, and those in which a new folder appeared.
    for parent in parents.iter().take(new_folders + 1) {
        sync_folder(parent)?;
    }
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}

fn is_stored(path: &Path, length: usize) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.len() == length as u64)
}

/// Says that a file was put now.
fn touch(path: &Path) -> std::io::Result<()> {
    let file = File::options().append(true).open(path)?;
    file.set_modified(std::time::SystemTime::now())
}

/// What lies in a folder: blobs, and folders that may hold others.
fn read_folder(folder: &Path) -> std::io::Result<(Vec<StoredBlob>, Vec<PathBuf>)> {
    let (mut blobs, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let found = match entry.metadata() {
            // It was deleted in this moment.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            found => found?,
        };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if found.is_dir() && name.len() == 2 {
            folders.push(entry.path());
        } else if let Ok(digest) = name.parse() {
            blobs.push(StoredBlob {
                digest,
                bytes: found.len(),
                put_at: Timestamp::try_from(found.modified()?).unwrap_or(Timestamp::MAX),
            });
        }
    }
    Ok((blobs, folders))
}

#[async_trait]
impl Blobs for LocalBlobs {
    async fn put(&self, bytes: Bytes) -> Result<Digest> {
        self.mode.check_writable("blobs.put")?;
        let blobs = self.clone();
        task::blocking("blobs.put", move || {
            let digest = Digest::of(&bytes);
            let path = blobs.path(&digest);
            // What is there counts as put anew; where the file does not take the time it is written once more.
            if !is_stored(&path, bytes.len()) || touch(&path).is_err() {
                store(&blobs.folder, &path, &bytes).map_err(|e| io_error("blobs.put", &path, e))?;
            }
            Ok(digest)
        })
        .await
    }

    async fn get(&self, digest: &Digest) -> Result<Bytes> {
        let (path, digest) = (self.path(digest), *digest);
        task::blocking("blobs.get", move || {
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(not_found(&digest));
                }
                Err(error) => return Err(io_error("blobs.get", &path, error)),
            };
            if Digest::of(&bytes) != digest {
                return Err(changed().with("path", path.display()));
            }
            Ok(Bytes::from(bytes))
        })
        .await
    }

    async fn contains(&self, digest: &Digest) -> Result<bool> {
        let path = self.path(digest);
        task::blocking("blobs.contains", move || {
            path.try_exists()
                .map_err(|e| io_error("blobs.contains", &path, e))
        })
        .await
    }

    async fn delete(&self, digest: &Digest) -> Result<()> {
        self.mode.check_writable("blobs.delete")?;
        let path = self.path(digest);
        task::blocking("blobs.delete", move || match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io_error("blobs.delete", &path, error))
            }
            _ => Ok(()),
        })
        .await
    }

    fn list(&self) -> BoxStream<'static, Result<StoredBlob>> {
        let folders = vec![self.folder.to_path_buf()];
        stream::try_unfold(folders, |mut folders| async {
            let Some(folder) = folders.pop() else {
                return Ok(None);
            };
            let (blobs, further) = task::blocking("blobs.list", move || {
                read_folder(&folder).map_err(|e| io_error("blobs.list", &folder, e))
            })
            .await?;
            folders.extend(further);
            Ok(Some((stream::iter(blobs).map(Ok), folders)))
        })
        .try_flatten()
        .boxed()
    }
}
