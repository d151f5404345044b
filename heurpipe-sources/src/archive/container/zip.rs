//! Files within a ZIP.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use heurpipe_core::{Error, ErrorKind, Result};
use zip::ZipArchive;

use super::unpack::Bounded;
use super::{Entry, io as io_error};

/// An export of a decade has some ten thousand files.
const MOST_FILES: usize = 2_000_000;
const MAGIC: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// Whether a file begins as a ZIP does.
pub(super) fn looks_like(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && begins_as_one(&magic)
}

/// Whether bytes begin as those of a ZIP do.
pub(super) fn begins_as_one(bytes: &[u8]) -> bool {
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

#[derive(Debug)]
pub(super) struct Zip {
    /// Read once; each reading works on a copy, which shares the list of files.
    archive: ZipArchive<At>,
}

impl Zip {
    /// Opens a ZIP and lists its files.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Entry>)> {
        let named = |error: Error| error.with("path", path.display());
        let file = File::open(path)
            .and_then(At::file)
            .map_err(|error| named(io_error("archive.open", "the file cannot be opened", error)))?;
        Self::listed(file).map_err(named)
    }

    /// Lists the files of a ZIP that lies in memory.
    pub(super) fn in_memory(bytes: Arc<[u8]>) -> Result<(Self, Vec<Entry>)> {
        Self::listed(At::memory(bytes))
    }

    fn listed(file: At) -> Result<(Self, Vec<Entry>)> {
        let archive = ZipArchive::new(file).map_err(broken)?;
        if archive.len() > MOST_FILES {
            return Err(Error::new(ErrorKind::TooLarge, "archive.open")
                .message("the archive holds more files than allowed")
                .with("files", archive.len()));
        }
        let mut zip = Self { archive };
        let entries = zip.entries()?;
        Ok((zip, entries))
    }

    fn entries(&mut self) -> Result<Vec<Entry>> {
        let mut entries = Vec::with_capacity(self.archive.len());
        for number in 0..self.archive.len() {
            let file = self.archive.by_index_raw(number).map_err(broken)?;
            let name = file.name().map_err(broken)?.into_owned();
            // A name that leads out of the archive is nobody's mistake: nothing of such an archive is read.
            if file.enclosed_name().is_none() || name.starts_with('/') || name.contains('\\') {
                return Err(Error::new(ErrorKind::InvalidInput, "archive.open")
                    .message("a file's name leads out of the archive")
                    .with("file", name.escape_debug()));
            }
            if file.is_file() && !is_hidden(&name) {
                entries.push(Entry {
                    name,
                    length: file.size(),
                    // A ZIP writes local time without its zone.
                    modified: None,
                });
            }
        }
        Ok(entries)
    }

    /// Reads a file.
    pub(super) fn read<R>(
        &self,
        entry: &Entry,
        reading: impl FnOnce(&mut dyn Read) -> Result<R>,
    ) -> Result<R> {
        let mut archive = self.archive.clone();
        let file = archive.by_name(&entry.name).map_err(broken)?;
        let packed = file.compressed_size();
        reading(&mut Bounded::new(file, packed))
    }
}

/// Hidden files, and the folder of a Mac's own notes.
fn is_hidden(name: &str) -> bool {
    name.split('/')
        .any(|part| part.starts_with('.') || part == "__MACOSX")
}

fn broken(error: zip::result::ZipError) -> Error {
    Error::new(ErrorKind::InvalidInput, "archive.read")
        .message("the ZIP is broken or packed in a way that is not known")
        .cause(error)
}

/// A place in bytes that others read too.
#[derive(Debug, Clone)]
struct At {
    bytes: Bytes,
    length: u64,
    at: u64,
}

#[derive(Debug, Clone)]
enum Bytes {
    File(Arc<Mutex<File>>),
    Memory(Arc<[u8]>),
}

impl At {
    fn file(file: File) -> io::Result<Self> {
        Ok(Self {
            length: file.metadata()?.len(),
            bytes: Bytes::File(Arc::new(Mutex::new(file))),
            at: 0,
        })
    }

    fn memory(bytes: Arc<[u8]>) -> Self {
        Self {
            length: bytes.len() as u64,
            bytes: Bytes::Memory(bytes),
            at: 0,
        }
    }
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &self.bytes {
            Bytes::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(self.at))?;
                file.read(buffer)?
            }
            Bytes::Memory(bytes) => {
                let from = usize::try_from(self.at).unwrap_or(usize::MAX);
                let mut rest = bytes.get(from..).unwrap_or_default();
                rest.read(buffer)?
            }
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for At {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
