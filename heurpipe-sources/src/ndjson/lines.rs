//! Lines of a file, with a limit on their length.

use heurpipe_core::{Error, ErrorKind, Result};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Kept of a line that is too long.
const EXCERPT: usize = 8 * 1024;

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its bytes; of a line that is too long only the beginning.
    pub bytes: Vec<u8>,
    pub is_too_long: bool,
    /// Whether the file goes on after it; the last line may still be in the making.
    pub is_ended: bool,
    /// Its length in the file, end included.
    pub length: u64,
}

/// Reads line after line in constant memory.
pub(super) struct Lines {
    reader: BufReader<File>,
    limit: usize,
}

impl Lines {
    pub(super) fn new(file: File, limit: usize) -> Self {
        Self {
            reader: BufReader::with_capacity(256 * 1024, file),
            limit,
        }
    }

    /// The next line; none at the end of the file.
    pub(super) async fn next(&mut self) -> Result<Option<Line>> {
        let mut line = Line {
            bytes: Vec::new(),
            is_too_long: false,
            is_ended: false,
            length: 0,
        };
        while !line.is_ended {
            let chunk = self.reader.fill_buf().await.map_err(|error| {
                Error::new(ErrorKind::Io, "ndjson.read")
                    .message("the file cannot be read on")
                    .cause(error)
            })?;
            if chunk.is_empty() {
                return Ok((line.length > 0).then_some(line));
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let (content, used) = match end {
                Some(end) => (&chunk[..end], end + 1),
                None => (chunk, chunk.len()),
            };
            line.add(content, self.limit);
            line.is_ended = end.is_some();
            line.length += used as u64;
            self.reader.consume(used);
        }
        Ok(Some(line))
    }
}

impl Line {
    fn add(&mut self, content: &[u8], limit: usize) {
        if !self.is_too_long && self.bytes.len() + content.len() > limit {
            self.is_too_long = true;
            let room = EXCERPT.saturating_sub(self.bytes.len()).min(content.len());
            self.bytes.extend_from_slice(&content[..room]);
            self.bytes.truncate(EXCERPT);
            self.bytes.shrink_to_fit();
        } else if !self.is_too_long {
            self.bytes.extend_from_slice(content);
        }
    }
}
