//! Where an archive's files lie: a folder, a ZIP, or a file by itself.

mod folder;
mod guard;
mod unpack;
mod zip;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use heurpipe_core::{Error, ErrorKind, Result};
use jiff::Timestamp;

use folder::Folder;
pub(super) use guard::{Guard, TOO_LONG};
use zip::Zip;

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Its path within the archive, with `/` between the parts.
    pub name: String,
    /// Its size as stored, in bytes.
    pub length: u64,
    /// When it was last written.
    pub modified: Option<Timestamp>,
}

impl Entry {
    /// The part after the last `/`.
    pub(super) fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// The part before the last `/`, with it; empty at the top.
    pub(super) fn folder(&self) -> &str {
        let end = self.name.rfind('/').map_or(0, |at| at + 1);
        &self.name[..end]
    }

    /// The extension in lower case, that of a packing (`.gz`, `.xz`) left out.
    pub(super) fn extension(&self) -> String {
        let name = self.file_name().to_lowercase();
        let name = unpack::PACKED
            .iter()
            .find_map(|packed| name.strip_suffix(packed))
            .unwrap_or(&name);
        match name.rsplit_once('.') {
            Some((_, extension)) => extension.to_owned(),
            None => String::new(),
        }
    }
}

/// The files of an archive.
#[derive(Debug)]
pub(super) struct Container {
    path: PathBuf,
    place: Place,
    entries: Vec<Entry>,
}

#[derive(Debug)]
enum Place {
    Folder(Folder),
    Zip(Zip),
    /// One file that was never written anywhere.
    Memory(Arc<[u8]>),
}

impl Container {
    /// The files that lie at a path, in the order of their names: those of a folder or a ZIP, or the one file.
    ///
    /// # Errors
    /// `NotFound` when there is nothing; `InvalidInput` when a ZIP is broken, holds a name that leads out of it, or too many files; `Io`.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let path = path.canonicalize().map_err(|error| {
            io("archive.open", "there is no such file or folder", error)
                .with("path", path.display())
        })?;
        let (place, mut entries) = if path.is_dir() {
            let folder = Folder::new(path.clone());
            let entries = folder.entries()?;
            (Place::Folder(folder), entries)
        } else if zip::looks_like(&path) {
            let (zip, entries) = Zip::open(&path)?;
            (Place::Zip(zip), entries)
        } else {
            let (folder, entry) = Folder::around(&path)?;
            (Place::Folder(folder), vec![entry])
        };
        entries.sort();
        Ok(Self {
            path,
            place,
            entries,
        })
    }

    /// A file, or a ZIP, that lies in memory; its name tells how it is packed.
    ///
    /// # Errors
    /// Those of a ZIP.
    pub(super) fn in_memory(name: &str, bytes: Arc<[u8]>) -> Result<Self> {
        let path = PathBuf::from(name);
        if zip::begins_as_one(&bytes) {
            let (zip, mut entries) = Zip::in_memory(bytes)?;
            entries.sort();
            return Ok(Self {
                path,
                place: Place::Zip(zip),
                entries,
            });
        }
        let entry = Entry {
            name: name.to_owned(),
            length: bytes.len() as u64,
            modified: None,
        };
        Ok(Self {
            path,
            place: Place::Memory(bytes),
            entries: vec![entry],
        })
    }

    /// The path that was opened.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The files to read, in the order of their names.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The file of this name, also one beside a file that was opened by itself.
    pub(super) fn find(&self, name: &str) -> Option<Entry> {
        match self
            .entries
            .binary_search_by(|entry| entry.name.as_str().cmp(name))
        {
            Ok(at) => Some(self.entries[at].clone()),
            Err(_) => match &self.place {
                Place::Folder(folder) => folder.entry(name),
                Place::Zip(_) | Place::Memory(_) => None,
            },
        }
    }

    /// Reads a file, unpacked where it is packed. What unpacks to much more than it can honestly hold is refused while it is read.
    pub(super) fn read<R>(
        &self,
        entry: &Entry,
        reading: impl FnOnce(&mut dyn Read) -> Result<R>,
    ) -> Result<R> {
        let named = |error: Error| error.with("file", self.shown(entry));
        match &self.place {
            Place::Folder(folder) => {
                let file = folder.open(entry).map_err(named)?;
                unpack::unpacked(entry, file, |plain| reading(plain))
            }
            Place::Zip(zip) => zip.read(entry, |file| {
                unpack::unpacked(entry, file, |plain| reading(plain))
            }),
            Place::Memory(bytes) => unpack::unpacked(entry, bytes.as_ref(), |plain| reading(plain)),
        }
        .map_err(named)
    }

    /// The whole of a small file.
    ///
    /// # Errors
    /// `TooLarge` beyond `limit` bytes, and those of reading.
    pub(super) fn small(&self, entry: &Entry, limit: usize) -> Result<Vec<u8>> {
        self.read(entry, |file| {
            let mut bytes = Vec::new();
            file.take(limit as u64 + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| io("archive.read", "the file cannot be read", error))?;
            if bytes.len() > limit {
                return Err(Error::new(ErrorKind::TooLarge, "archive.read")
                    .message("the file is longer than allowed")
                    .with("limit_bytes", limit));
            }
            Ok(bytes)
        })
    }

    /// The beginning of a file.
    pub(super) fn head(&self, entry: &Entry, length: usize) -> Result<Vec<u8>> {
        self.read(entry, |file| {
            let mut bytes = Vec::new();
            file.take(length as u64)
                .read_to_end(&mut bytes)
                .map_err(|error| io("archive.read", "the file cannot be read", error))?;
            Ok(bytes)
        })
    }

    /// Where a file can be opened by others; none within a ZIP.
    pub(super) fn path_of(&self, entry: &Entry) -> Option<PathBuf> {
        match &self.place {
            Place::Folder(folder) => Some(folder.path_of(entry)),
            Place::Zip(_) | Place::Memory(_) => None,
        }
    }

    /// The URL under which the media fetcher finds a file: `file:///…`, within a ZIP with the file's name as its query [`IN_ZIP`].
    pub(super) fn url_of(&self, entry: &Entry) -> Option<String> {
        match &self.place {
            Place::Folder(folder) => {
                let url = url::Url::from_file_path(folder.path_of(entry)).ok()?;
                Some(url.into())
            }
            Place::Zip(_) => {
                let mut url = url::Url::from_file_path(&self.path).ok()?;
                url.query_pairs_mut().append_pair(IN_ZIP, &entry.name);
                Some(url.into())
            }
            Place::Memory(_) => None,
        }
    }

    /// How a file is named to a person and in what stands for an item: by path, within a ZIP with `#` before its name.
    pub(super) fn shown(&self, entry: &Entry) -> String {
        match &self.place {
            Place::Folder(folder) => folder.path_of(entry).display().to_string(),
            Place::Zip(_) => format!("{}#{}", self.path.display(), entry.name),
            Place::Memory(_) => entry.name.clone(),
        }
    }
}

pub(super) fn io(operation: &'static str, message: &str, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        // What was given is broken or not what its name says.
        std::io::ErrorKind::InvalidData
        | std::io::ErrorKind::InvalidInput
        | std::io::ErrorKind::UnexpectedEof => ErrorKind::InvalidInput,
        _ => ErrorKind::Io,
    };
    Error::new(kind, operation)
        .message(message.to_owned())
        .cause(error)
}

/// The parameter of a `file:` URL that names a file within a ZIP.
pub(crate) const IN_ZIP: &str = "in";

/// The files of a ZIP, for whoever fetches single ones.
#[cfg(feature = "media")]
#[derive(Debug)]
pub(crate) struct ZipFiles(Container);

#[cfg(feature = "media")]
impl ZipFiles {
    /// Lists the files of a ZIP; none when it is no ZIP.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>> {
        if !zip::looks_like(path) {
            return Ok(None);
        }
        Container::open(path).map(|container| Some(Self(container)))
    }

    /// The content of a file; none when there is none of this name.
    ///
    /// # Errors
    /// `TooLarge` beyond `limit` bytes, and those of reading.
    pub(crate) fn file(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>> {
        let entry = self.0.find(name);
        entry.map(|entry| self.0.small(&entry, limit)).transpose()
    }
}
