//! Reading records, one a line.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::{
    Checkpoint, Digest, Error, ErrorKind, Incoming, Page, Partition, Result, Source, SourceSpec,
    Unreadable,
};
use serde::{Deserialize, Serialize};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::line::from_line;
use super::lines::{Line, Lines};

const EXTENSIONS: [&str; 2] = ["ndjson", "jsonl"];
const LINE_LIMIT: usize = 16 * 1024 * 1024;
/// A page ends at so many lines or so many bytes, whichever comes first.
const PAGE_LINES: usize = 256;
const PAGE_BYTES: u64 = 8 * 1024 * 1024;
/// The beginning of a file, by which it is told from another of the same name.
const HEAD: usize = 4096;

/// A file of records or posts, one a line, or a folder of such files, as a source.
///
/// A file is read in constant memory. Its checkpoint is a place in the file, so a later run goes on with what was appended since; when
/// the file was replaced by another (its beginning differs, or it is shorter), it is read from its beginning. Empty lines, lines that are no
/// record, and lines beyond the limit are given as unreadable, each by file and line. A final empty line is none of these.
#[derive(Debug, Clone)]
pub struct NdjsonSource {
    spec: SourceSpec,
    files: Vec<PathBuf>,
    line_limit: usize,
}

/// Whether a path is a file whose first line is a record or a post of ours, or a folder with such a file among those named `.ndjson` or
/// `.jsonl`.
pub fn looks_like(path: &Path) -> bool {
    if path.is_dir() {
        return files_in(path).is_ok_and(|files| files.iter().any(|file| looks_like(file)));
    }
    first_line(path).is_some_and(|line| from_line(&line).is_ok())
}

impl NdjsonSource {
    /// A file, or all files named `.ndjson` or `.jsonl` of a folder.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Io` when it cannot be looked at.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let wrong = |kind| {
            Error::new(kind, "ndjson.open")
                .message("there is no such file")
                .with("path", path.display())
        };
        let place = path.canonicalize().map_err(|error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::Io,
            };
            wrong(kind).cause(error)
        })?;
        let files = if place.is_dir() {
            files_in(&place)?
        } else {
            vec![place.clone()]
        };
        if files.is_empty() {
            return Err(wrong(ErrorKind::NotFound));
        }
        let description = format!("records in {}", place.display());
        Ok(Self {
            spec: SourceSpec::new("ndjson", description),
            files,
            line_limit: LINE_LIMIT,
        })
    }

    /// Another name within a pipeline than `ndjson`.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.spec.name = name.into();
        self
    }

    /// Another limit on the bytes of a line than 16 MiB.
    pub fn line_limit(mut self, bytes: usize) -> Self {
        self.line_limit = bytes;
        self
    }
}

#[async_trait]
impl Source for NdjsonSource {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        let name = |file: &PathBuf| Partition(file.display().to_string());
        Ok(self.files.iter().map(name).collect())
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let file = self
            .files
            .iter()
            .find(|file| file.display().to_string() == partition.0)
            .cloned();
        let limit = self.line_limit;
        stream::once(async move {
            let path = file.ok_or_else(|| {
                Error::new(ErrorKind::InvalidInput, "ndjson.read")
                    .message("no partition of this source")
                    .with("partition", &partition.0)
            })?;
            Reader::open(path, &from, limit).await
        })
        .flat_map(|opened| match opened {
            Ok(reader) => stream::try_unfold(reader, Reader::next_page).boxed(),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        })
        .boxed()
    }
}

/// A place in a file, and what the file looked like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    offset: u64,
    line: u64,
    head_length: usize,
    head: String,
}

struct Reader {
    path: PathBuf,
    lines: Lines,
    /// Up to here everything has been given; what comes after is read again by who resumes here.
    settled: Place,
    /// An empty line that may turn out to be the last: its number and length.
    empty: Option<(u64, u64)>,
    /// Lines read so far.
    line: u64,
    is_over: bool,
}

impl Reader {
    async fn open(path: PathBuf, from: &Checkpoint, limit: usize) -> Result<Self> {
        let refused = |error: std::io::Error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::Io,
            };
            Error::new(kind, "ndjson.read")
                .message("the file cannot be opened")
                .with("file", path.display())
                .cause(error)
        };
        let mut file = File::open(&path).await.map_err(refused)?;
        let length = file.metadata().await.map_err(refused)?.len();
        let mut head = Vec::with_capacity(HEAD);
        (&mut file)
            .take(HEAD as u64)
            .read_to_end(&mut head)
            .await
            .map_err(refused)?;
        let settled = resumed(from, &head, length).unwrap_or_else(|| Place {
            offset: 0,
            line: 0,
            head_length: head.len(),
            head: digest(&head),
        });
        file.seek(SeekFrom::Start(settled.offset))
            .await
            .map_err(refused)?;
        Ok(Self {
            path,
            lines: Lines::new(file, limit),
            empty: None,
            line: settled.line,
            settled,
            is_over: false,
        })
    }

    async fn next_page(mut self) -> Result<Option<(Page, Self)>> {
        if self.is_over {
            return Ok(None);
        }
        let mut items = Vec::new();
        let mut bytes = 0;
        while items.len() < PAGE_LINES && bytes < PAGE_BYTES {
            let Some(line) = self.lines.next().await? else {
                self.is_over = true;
                break;
            };
            bytes += line.length;
            self.take(&line, &mut items);
        }
        let checkpoint = match serde_json::to_string(&self.settled) {
            Ok(place) => Checkpoint::at(place),
            Err(_) => Checkpoint::default(),
        };
        Ok(Some((Page { items, checkpoint }, self)))
    }

    /// Turns a line into an item. Only a line that has an end is settled: the last one may still be in the making.
    fn take(&mut self, line: &Line, items: &mut Vec<Incoming>) {
        self.line += 1;
        if let Some((number, length)) = self.empty.take() {
            items.push(self.unreadable(number, "the line is empty", ""));
            self.settle(length);
        }
        if line.bytes.trim_ascii().is_empty() && !line.is_too_long {
            self.empty = Some((self.line, line.length));
            return;
        }
        items.push(self.item(line));
        if line.is_ended {
            self.settle(line.length);
        }
    }

    fn settle(&mut self, length: u64) {
        self.settled.offset += length;
        self.settled.line += 1;
    }

    fn item(&self, line: &Line) -> Incoming {
        let text = String::from_utf8_lossy(&line.bytes);
        if line.is_too_long {
            let why = format!("the line is longer than allowed ({} bytes)", line.length);
            return self.unreadable(self.line, &why, &text);
        }
        match std::str::from_utf8(&line.bytes) {
            Ok(text) => from_line(text).unwrap_or_else(|error| {
                self.unreadable(self.line, &error.chain().join(": "), text)
            }),
            Err(_) => self.unreadable(self.line, "the line is no UTF-8", &text),
        }
    }

    fn unreadable(&self, line: u64, why: &str, text: &str) -> Incoming {
        let place = format!("{}:{line}", self.path.display());
        Incoming::Unreadable(Box::new(Unreadable::new(place, why, text)))
    }
}

/// The place of a checkpoint, if it is one in this file.
fn resumed(from: &Checkpoint, head: &[u8], length: u64) -> Option<Place> {
    let mut place: Place = serde_json::from_str(&from.resume.as_ref()?.0).ok()?;
    let known = head.get(..place.head_length)?;
    if place.offset > length || digest(known) != place.head {
        return None;
    }
    place.head_length = head.len();
    place.head = digest(head);
    Some(place)
}

fn digest(head: &[u8]) -> String {
    Digest::of(head).to_string()[..16].to_owned()
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let refused = |error: std::io::Error| {
        Error::new(ErrorKind::Io, "ndjson.open")
            .message("the folder cannot be looked into")
            .with("path", folder.display())
            .cause(error)
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let is_ours = path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| EXTENSIONS.contains(&extension));
        if is_ours && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The first line that is not empty, of a file that has one within the limit.
fn first_line(path: &Path) -> Option<String> {
    use std::io::{BufRead, BufReader, Read};
    let file = std::fs::File::open(path).ok()?;
    let mut reader = BufReader::new(file.take(LINE_LIMIT as u64));
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 0 {
        if !line.trim().is_empty() {
            return Some(line);
        }
        line.clear();
    }
    None
}
