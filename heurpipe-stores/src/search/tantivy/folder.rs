//! The folder of an index: what made it, the lock of its writer, and a folder of tantivy's own files.
//!
//! `index.json` says which folder that is. An index that is built in place of another lies in a folder beside it, and takes its place when `index.json` is replaced.

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

/// The version of the fields: 2 has vectors, 3 has them in a form that is not compressed.
const FORMAT: u32 = 3;

/// What made the index; an index that another version made has other terms and must be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    format: u32,
    analyser: u32,
    /// The folder of tantivy's files.
    #[serde(default = "first_folder")]
    folder: String,
}

/// What all folders of tantivy's files are called, but for a number.
const FOLDER: &str = "index";

fn first_folder() -> String {
    FOLDER.to_owned()
}

impl Made {
    fn now(folder: String) -> Self {
        Self {
            format: FORMAT,
            analyser: ANALYSER_VERSION,
            folder,
        }
    }
}

/// Opens the index in use; makes one when there is none. Blocks.
pub(super) fn open_or_create(path: &Path) -> Result<(Made, Index)> {
    std::fs::create_dir_all(path).map_err(|e| io_error(OPERATION, path, e))?;
    let made = match in_use(path)? {
        Some(made) => made,
        None => make(path)?,
    };
    check(&made, path)?;
    let index = create(path, &made)?;
    Ok((made, index))
}

/// Opens the index in use. Blocks.
///
/// # Errors
/// `NotFound` when there is none.
pub(super) fn open(path: &Path) -> Result<(Made, Index)> {
    let made = in_use(path)?.ok_or_else(|| missing(path))?;
    check(&made, path)?;
    let files = path.join(&made.folder);
    if !files.join("meta.json").exists() {
        return Err(missing(path));
    }
    let index = Index::open_in_dir(&files).map_err(|error| failure(OPERATION, path, error))?;
    Ok((made, index))
}

/// Makes an index beside the one in use, whichever version made that; what an earlier call left goes. Only for whoever holds the lock. Blocks.
pub(super) fn stage(path: &Path) -> Result<(Made, Index)> {
    let used = match in_use(path)? {
        Some(made) => made.folder,
        None => make(path)?.folder,
    };
    for folder in folders(path)?.iter().filter(|folder| **folder != used) {
        let folder = path.join(folder);
        std::fs::remove_dir_all(&folder).map_err(|e| io_error(OPERATION, &folder, e))?;
    }
    let number = number_of(&used).unwrap_or_default() + 1;
    let made = Made::now(format!("{FOLDER}-{number}"));
    let index = create(path, &made)?;
    Ok((made, index))
}

/// Makes a staged index the one in use. Blocks.
///
/// The files of the one that was go; who reads them meanwhile has them open.
pub(super) fn publish(path: &Path, staged: &Made) -> Result<()> {
    let used = in_use(path)?;
    write_made(path, staged)?;
    let Some(used) = used.filter(|used| used.folder != staged.folder) else {
        return Ok(());
    };
    let files = path.join(used.folder);
    match std::fs::remove_dir_all(&files) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(io_error("tantivy.publish", &files, error))
        }
        _ => Ok(()),
    }
}

/// What `index.json` says of the index in use; none where there is no index. Blocks.
pub(super) fn in_use(path: &Path) -> Result<Option<Made>> {
    let file = made_path(path);
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(OPERATION, &file, error)),
    };
    let made: Made = serde_json::from_slice(&bytes).map_err(|error| foreign(path).cause(error))?;
    match number_of(&made.folder) {
        Some(_) => Ok(Some(made)),
        // No version has named another folder, and what is named there is deleted one day.
        None => Err(foreign(path)),
    }
}

/// The error for an index that is not there.
pub(super) fn missing(path: &Path) -> Error {
    Error::new(ErrorKind::NotFound, OPERATION)
        .message("there is no index here")
        .with("path", path.display())
}

fn make(path: &Path) -> Result<Made> {
    for folder in folders(path)? {
        if !is_empty(&path.join(folder))? {
            return Err(foreign(path));
        }
    }
    let made = Made::now(first_folder());
    write_made(path, &made)?;
    Ok(made)
}

fn create(path: &Path, made: &Made) -> Result<Index> {
    let files = path.join(&made.folder);
    std::fs::create_dir_all(&files).map_err(|e| io_error(OPERATION, &files, e))?;
    let (schema, _) = Fields::schema();
    let failed = |error| failure(OPERATION, path, error);
    let directory = MmapDirectory::open(&files).map_err(|e| failed(e.into()))?;
    Index::open_or_create(directory, schema).map_err(failed)
}

/// The folders of tantivy's files.
fn folders(path: &Path) -> Result<Vec<String>> {
    let failed = |e| io_error(OPERATION, path, e);
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if number_of(&name).is_some() && entry.file_type().map_err(failed)?.is_dir() {
            folders.push(name);
        }
    }
    Ok(folders)
}

/// Which of the folders of tantivy's files it is; none for any other.
fn number_of(folder: &str) -> Option<u32> {
    match folder.strip_prefix(FOLDER)? {
        "" => Some(0),
        rest => rest.strip_prefix('-')?.parse().ok(),
    }
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

fn write_made(path: &Path, made: &Made) -> Result<()> {
    let (file, draft) = (made_path(path), path.join("index.json.new"));
    let text = serde_json::to_vec(made)
        .map_err(|error| Error::new(ErrorKind::Internal, OPERATION).cause(error))?;
    let write = || {
        let mut out = std::fs::File::create(&draft)?;
        out.write_all(&text)?;
        out.sync_all()?;
        std::fs::rename(&draft, &file)?;
        // So that the name is as durable as what it names.
        std::fs::File::open(path)?.sync_all()
    };
    write().map_err(|error| io_error(OPERATION, &file, error))
}

fn check(made: &Made, path: &Path) -> Result<()> {
    if (made.format, made.analyser) == (FORMAT, ANALYSER_VERSION) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, OPERATION)
        .message(
            "another version of this program made the index; it must be rebuilt: heurpipe reindex",
        )
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
