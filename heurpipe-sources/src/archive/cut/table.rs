//! Comma-separated values, row by row, each an object of texts by column.

use std::io::Read;
use std::ops::ControlFlow;

use csv::ByteRecord;
use heurpipe_core::{Error, ErrorKind, Result};
use serde_json::value::RawValue;

use super::super::container::{Guard, TOO_LONG, io};
use super::{Cut, Item, Role, Take};

/// Cuts a table. Rows may be shorter or longer than the header: a missing cell has no key, one too many has its number for a key. Empty rows,
/// and the header where it comes again, are passed over.
pub(super) fn cut(reader: &mut dyn Read, limit: u64, take: &mut Take<'_>) -> Result<()> {
    let guard = Guard::new(limit);
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(guard.reader(reader));
    let mut row = ByteRecord::new();
    let mut header: Option<Vec<String>> = None;
    loop {
        guard.begin();
        let place = (rows.position().line()).to_string();
        match rows.read_byte_record(&mut row) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return broken(error, place, take),
        }
        if row.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        let Some(header) = &header else {
            header = Some(names(&row));
            continue;
        };
        let payload = String::from_utf8_lossy(row.as_slice()).into_owned();
        let flow = match json(header, &row) {
            Some(_) if names(&row) == *header => ControlFlow::Continue(()),
            Some(json) => take(Cut::Item(Item {
                place,
                role: Role::Whole,
                json: &json?,
            })),
            None => take(Cut::Unreadable {
                place,
                reason: "the row is no UTF-8".to_owned(),
                payload: &payload,
            }),
        };
        if flow == ControlFlow::Break(()) {
            return Ok(());
        }
    }
}

/// A row that is too long ends the table: where the next one begins cannot be told.
fn broken(error: csv::Error, place: String, take: &mut Take<'_>) -> Result<()> {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.to_string() == TOO_LONG => {
            let _ = take(Cut::Unreadable {
                place,
                reason: "the row is longer than allowed; what follows cannot be read".to_owned(),
                payload: "",
            });
            Ok(())
        }
        csv::ErrorKind::Io(error) => Err(io("archive.read", "the file cannot be read on", error)),
        other => Err(Error::new(ErrorKind::InvalidInput, "archive.read")
            .message(format!("the table cannot be read on: {other:?}"))
            .with("line", place)),
    }
}

fn names(row: &ByteRecord) -> Vec<String> {
    let name = |cell: &[u8]| {
        let text = String::from_utf8_lossy(cell);
        text.trim_start_matches('\u{feff}').trim().to_owned()
    };
    row.iter().map(name).collect()
}

/// The row as an object; none when it is no UTF-8.
fn json(header: &[String], row: &ByteRecord) -> Option<Result<Box<RawValue>>> {
    let cells: Vec<&str> = row
        .iter()
        .map(std::str::from_utf8)
        .collect::<Result<_, _>>()
        .ok()?;
    let mut object = serde_json::Map::new();
    for (number, cell) in cells.into_iter().enumerate() {
        let key = header.get(number).cloned();
        let key = key.unwrap_or_else(|| number.to_string());
        object.insert(key, cell.into());
    }
    let json = serde_json::value::to_raw_value(&object);
    Some(json.map_err(|error| Error::new(ErrorKind::Internal, "archive.read").cause(error)))
}
