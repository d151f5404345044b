//! The folder of an index: what made it, the lock of its writer, and tantivy's own files.

use std::io::Write;
use std::path::{Path, PathBuf};

use heurpipe_core::text::ANALYSER_VERSION;
use heurpipe_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use tantivy::Index;
use tantivy::directory::MmapDirectory;

use super::failure::failure;
use super::fields::Fields;
use crate::os::io_error;

const OPERATION: &str = "tantivy.open";

/// The version of the fields.
const FORMAT: u32 = 1;

/// What made the index; an index that another version made has other terms and must be rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    format: u32,
    analyser: u32,
}

const NOW: Made = Made {
    format: FORMAT,
    analyser: ANALYSER_VERSION,
};

/// Opens the index in a folder; makes it when there is none. Blocks.
pub(super) fn open_or_create(path: &Path) -> Result<Index> {
    let index_path = path.join("index");
    std::fs::create_dir_all(&index_path).map_err(|e| io_error(OPERATION, path, e))?;
    match read_made(path)? {
        Some(made) => check(made, path)?,
        None if is_empty(&index_path)? => write_made(path)?,
        None => return Err(foreign(path)),
    }
    let (schema, _) = Fields::schema();
    let failed = |error| failure(OPERATION, path, error);
    let directory = MmapDirectory::open(&index_path).map_err(|e| failed(e.into()))?;
    Index::open_or_create(directory, schema).map_err(failed)
}

/// Opens the index in a folder. Blocks.
pub(super) fn open(path: &Path) -> Result<Index> {
    let missing = || {
        Error::new(ErrorKind::NotFound, OPERATION)
            .message("there is no index here")
            .with("path", path.display())
    };
    check(read_made(path)?.ok_or_else(missing)?, path)?;
    let index_path = path.join("index");
    if !index_path.join("meta.json").exists() {
        return Err(missing());
    }
    Index::open_in_dir(&index_path).map_err(|error| failure(OPERATION, path, error))
}

/// Where the writer's lock lies.
pub(super) fn lock_path(path: &Path) -> PathBuf {
    path.join("writer.lock")
}

fn made_path(path: &Path) -> PathBuf {
    path.join("index.json")
}

fn is_empty(folder: &Path) -> Result<bool> {
    let mut entries = std::fs::read_dir(folder).map_err(|e| io_error(OPERATION, folder, e))?;
    Ok(entries.next().is_none())
}

fn read_made(path: &Path) -> Result<Option<Made>> {
    let file = made_path(path);
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(OPERATION, &file, error)),
    };
    let made = serde_json::from_slice(&bytes).map_err(|error| foreign(path).cause(error))?;
    Ok(Some(made))
}

fn write_made(path: &Path) -> Result<()> {
    let (file, draft) = (made_path(path), path.join("index.json.new"));
    let text = serde_json::to_vec(&NOW)
        .map_err(|error| Error::new(ErrorKind::Internal, OPERATION).cause(error))?;
    let write = || {
        let mut out = std::fs::File::create(&draft)?;
        out.write_all(&text)?;
        out.sync_all()?;
        std::fs::rename(&draft, &file)
    };
    write().map_err(|error| io_error(OPERATION, &file, error))
}

fn check(made: Made, path: &Path) -> Result<()> {
    if made == NOW {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, OPERATION)
        .message("another version of this program made the index; it must be rebuilt")
        .with("format", format!("{} (known: {FORMAT})", made.format))
        .with(
            "analyser",
            format!("{} (known: {ANALYSER_VERSION})", made.analyser),
        )
        .with("path", path.display()))
}

fn foreign(path: &Path) -> Error {
    Error::new(ErrorKind::Corrupt, OPERATION)
        .message("the folder holds something that is not an index of this program")
        .with("path", path.display())
}
