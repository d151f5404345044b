//! Writing records, one a line.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use heurpipe_core::{Error, ErrorKind, ItemResult, Record, Result, Retry, Sink, SinkSpec};

use super::line::{from_line, to_line};

/// How every line of ours begins.
const LINE_BEGINS: &[u8] = b"{\"post\":";

/// A file that records are appended to, one a line.
///
/// What was written is durable after a flush. A record that is written again, or in a newer revision, is one more line: **of the lines with one
/// post id, the one with the highest revision is meant**, and lines with the same revision are equal. A line that a crash has cut short is
/// taken off when the file is opened again. One process writes at a time; a second is refused.
#[derive(Debug)]
pub struct NdjsonSink {
    spec: SinkSpec,
    writer: Arc<Mutex<Writer>>,
}

#[derive(Debug)]
struct Writer {
    file: File,
    path: PathBuf,
    /// Bytes of whole lines.
    length: u64,
}

impl NdjsonSink {
    /// Opens a file, or makes it.
    ///
    /// # Errors
    /// `Io` when it cannot be opened, `Conflict` when another process writes to it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)
            .map_err(|error| failed("the file cannot be opened", path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(ErrorKind::Conflict, "ndjson.write")
                    .message("another process writes to the file")
                    .with("file", path.display())
                    .retryable(Retry::NeedsOperator));
            }
            Err(TryLockError::Error(error)) => {
                return Err(failed("the file cannot be locked", path, error));
            }
        }
        let mut writer = Writer {
            file,
            path: path.to_owned(),
            length: 0,
        };
        writer.mend_last_line()?;
        Ok(Self {
            spec: SinkSpec::new("ndjson").durable_at_flush(),
            writer: Arc::new(Mutex::new(writer)),
        })
    }

    /// Runs work on the file on a thread that may block.
    async fn blocking(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let writer = Arc::clone(&self.writer);
        tokio::task::spawn_blocking(move || {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut writer)
        })
        .await
        .map_err(|error| {
            Error::new(ErrorKind::Internal, "ndjson.write")
                .message("the write did not end")
                .cause(error)
        })?
    }
}

#[async_trait]
impl Sink for NdjsonSink {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        let mut text = String::new();
        let mut outcomes = Vec::with_capacity(records.len());
        for record in records {
            outcomes.push(to_line(record).map(|line| {
                text.push_str(&line);
                text.push('\n');
            }));
        }
        self.blocking(move |writer| writer.append(text.as_bytes()))
            .await?;
        Ok(outcomes)
    }

    async fn flush(&self) -> Result<()> {
        self.blocking(|writer| {
            writer
                .file
                .sync_data()
                .map_err(|error| failed("the file cannot be flushed", &writer.path, error))
        })
        .await
    }
}

impl Writer {
    /// Appends whole lines, or none of them.
    fn append(&mut self, lines: &[u8]) -> Result<()> {
        if let Err(error) = self.file.write_all(lines) {
            let error = failed("the file cannot be written to", &self.path, error);
            // What came through may end within a line.
            self.file
                .set_len(self.length)
                .map_err(|error| failed("the file cannot be shortened", &self.path, error))?;
            return Err(error);
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Sees to it that the file ends with the end of a line. What a crash has left of one of our lines is taken off; anything else is given its end.
    fn mend_last_line(&mut self) -> Result<()> {
        let path = self.path.clone();
        let refused = |error| failed("the file cannot be mended", &path, error);
        self.length = self.file.metadata().map_err(refused)?.len();
        let start = self.start_of_last_line().map_err(refused)?;
        if start == self.length {
            return Ok(());
        }
        let mut last = Vec::new();
        self.file.seek(SeekFrom::Start(start)).map_err(refused)?;
        self.file.read_to_end(&mut last).map_err(refused)?;
        let is_whole = std::str::from_utf8(&last).is_ok_and(|line| from_line(line).is_ok());
        if is_whole || !last.starts_with(LINE_BEGINS) {
            return self.append(b"\n");
        }
        self.file.set_len(start).map_err(refused)?;
        self.length = start;
        Ok(())
    }

    /// Where the line begins with which the file ends; the end of the file when that ends a line. Looked for from the end, block by
    /// block.
    fn start_of_last_line(&mut self) -> std::io::Result<u64> {
        let mut block = vec![0; 64 * 1024];
        let mut end = self.length;
        while end > 0 {
            let start = end.saturating_sub(block.len() as u64);
            let size = usize::try_from(end - start).unwrap_or(block.len());
            self.file.seek(SeekFrom::Start(start))?;
            self.file.read_exact(&mut block[..size])?;
            if let Some(at) = block[..size].iter().rposition(|byte| *byte == b'\n') {
                return Ok(start + at as u64 + 1);
            }
            end = start;
        }
        Ok(0)
    }
}

/// A full disk and a missing permission pass when a person has done something about them.
fn failed(why: &str, path: &Path, error: std::io::Error) -> Error {
    let retry = match error.kind() {
        std::io::ErrorKind::StorageFull
        | std::io::ErrorKind::QuotaExceeded
        | std::io::ErrorKind::ReadOnlyFilesystem
        | std::io::ErrorKind::PermissionDenied => Retry::NeedsOperator,
        _ => Retry::Permanent,
    };
    Error::new(ErrorKind::Io, "ndjson.write")
        .message(why)
        .with("file", path.display())
        .retryable(retry)
        .cause(error)
}
