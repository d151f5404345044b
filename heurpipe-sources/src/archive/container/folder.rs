//! Files beneath a folder.

use std::fs::File;
use std::path::{Path, PathBuf};

use heurpipe_core::{Error, ErrorKind, Result};
use jiff::Timestamp;

use super::{Entry, io};

/// Deeper folders are not looked into: no known archive has them, and loops of mounts do.
const DEPTH: usize = 32;

#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder that a file lies in, and the file.
    pub(super) fn around(path: &Path) -> Result<(Self, Entry)> {
        let nameless = || {
            Error::new(ErrorKind::InvalidInput, "archive.open")
                .message("the file has no name that is text")
                .with("path", path.display())
        };
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(nameless)?;
        let folder = Self::new(path.parent().unwrap_or(Path::new("/")).to_owned());
        let entry = folder.entry(name).ok_or_else(nameless)?;
        Ok((folder, entry))
    }

    /// All files at any depth. Hidden ones are left out, and links are not followed: they may lead anywhere.
    pub(super) fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.collect("", 0, &mut entries)?;
        Ok(entries)
    }

    fn collect(&self, within: &str, depth: usize, entries: &mut Vec<Entry>) -> Result<()> {
        let folder = self.root.join(within);
        let refused = |error| {
            io("archive.open", "the folder cannot be looked into", error)
                .with("path", folder.display())
        };
        for child in std::fs::read_dir(&folder).map_err(refused)? {
            let child = child.map_err(refused)?;
            let Ok(file_name) = child.file_name().into_string() else {
                tracing::warn!(path = %child.path().display(), "left out: its name is no text");
                continue;
            };
            let kind = child.file_type().map_err(refused)?;
            let name = format!("{within}{file_name}");
            if file_name.starts_with('.') {
                continue;
            } else if kind.is_dir() && depth < DEPTH {
                self.collect(&format!("{name}/"), depth + 1, entries)?;
            } else if kind.is_file() {
                let about = child.metadata().map_err(refused)?;
                entries.push(described(name, &about));
            } else {
                tracing::warn!(path = %child.path().display(), "left out: neither a file nor a folder that is looked into");
            }
        }
        Ok(())
    }

    /// The ordinary file of this name, if there is one within the folder.
    pub(super) fn entry(&self, name: &str) -> Option<Entry> {
        let is_within = Path::new(name)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if !is_within {
            return None;
        }
        let about = std::fs::symlink_metadata(self.root.join(name)).ok()?;
        about.is_file().then(|| described(name.to_owned(), &about))
    }

    pub(super) fn open(&self, entry: &Entry) -> Result<File> {
        File::open(self.path_of(entry))
            .map_err(|error| io("archive.read", "the file cannot be opened", error))
    }

    pub(super) fn path_of(&self, entry: &Entry) -> PathBuf {
        self.root.join(&entry.name)
    }
}

fn described(name: String, about: &std::fs::Metadata) -> Entry {
    let modified = about.modified().ok();
    Entry {
        name,
        length: about.len(),
        modified: modified.and_then(|time| Timestamp::try_from(time).ok()),
    }
}
