//! Text, by its lines or as a whole.

use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;

use heurpipe_core::{Error, ErrorKind, Result};
use serde_json::value::{RawValue, to_raw_value};

use super::super::container::io;
use super::{Cut, Item, Role, Take};

const BUFFER: usize = 256 * 1024;
/// Kept of a line that is too long.
const EXCERPT: usize = 8 * 1024;

/// Cuts JSON Lines. Empty lines are passed over; a line that is no JSON, and one that is too long, is unreadable by itself.
pub(super) fn cut(reader: &mut dyn Read, limit: u64, take: &mut Take<'_>) -> Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER, reader);
    let mut line = Vec::new();
    for number in 1_u64.. {
        let Some(end) = next(&mut reader, limit, &mut line)? else {
            break;
        };
        let is_too_long = end == End::TooLong;
        let text = String::from_utf8_lossy(&line);
        let text = match number {
            1 => text.trim_start_matches('\u{feff}').trim(),
            _ => text.trim(),
        };
        if text.is_empty() {
            continue;
        }
        let unreadable = |reason: String| Cut::Unreadable {
            place: number.to_string(),
            reason,
            payload: text,
        };
        let flow = if is_too_long {
            take(unreadable(format!(
                "the line is longer than allowed ({limit} bytes)"
            )))
        } else if std::str::from_utf8(&line).is_err() {
            take(unreadable("the line is no UTF-8".to_owned()))
        } else {
            match serde_json::from_str::<&RawValue>(text) {
                Ok(json) => take(Cut::Item(Item {
                    place: number.to_string(),
                    role: Role::Whole,
                    json,
                })),
                Err(error) => take(unreadable(format!("the line is no JSON: {error}"))),
            }
        };
        if flow == ControlFlow::Break(()) {
            break;
        }
    }
    Ok(())
}

/// Gives a text as one item, a JSON string.
pub(super) fn cut_text(reader: &mut dyn Read, limit: u64, take: &mut Take<'_>) -> Result<()> {
    let mut bytes = Vec::new();
    reader
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| io("archive.read", "the file cannot be read", error))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    let unreadable = |reason: &str| Cut::Unreadable {
        place: String::new(),
        reason: reason.to_owned(),
        payload: text,
    };
    let _ = if bytes.len() as u64 > limit {
        take(unreadable("the text is longer than allowed"))
    } else if std::str::from_utf8(&bytes).is_err() {
        take(unreadable("the text is no UTF-8"))
    } else {
        let json = to_raw_value(text)
            .map_err(|error| Error::new(ErrorKind::Internal, "archive.read").cause(error))?;
        take(Cut::Item(Item {
            place: String::new(),
            role: Role::Whole,
            json: &json,
        }))
    };
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Of the line, or of the file.
    Reached,
    /// Only the beginning is kept.
    TooLong,
}

/// Reads the next line into `line`, without more than `limit` bytes of it; none at the end of the file.
fn next(reader: &mut impl BufRead, limit: u64, line: &mut Vec<u8>) -> Result<Option<End>> {
    line.clear();
    let mut length = 0_u64;
    loop {
        let chunk = reader
            .fill_buf()
            .map_err(|error| io("archive.read", "the file cannot be read on", error))?;
        if chunk.is_empty() && length == 0 {
            return Ok(None);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let content = &chunk[..end.unwrap_or(chunk.len())];
        length += content.len() as u64;
        if length <= limit {
            line.extend_from_slice(content);
        } else {
            line.truncate(EXCERPT);
            line.shrink_to(EXCERPT);
        }
        let is_over = end.is_some() || chunk.is_empty();
        let used = end.map_or(chunk.len(), |end| end + 1);
        // An empty line has a length too.
        length = length.max(1);
        reader.consume(used);
        if is_over {
            let fits = length <= limit;
            return Ok(Some(if fits { End::Reached } else { End::TooLong }));
        }
    }
}
