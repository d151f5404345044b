//! Records as rows, and back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Array, ListBuilder, MapBuilder, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondArray,
};
use heurpipe_core::{Author, Effective, Error, ErrorKind, Flat, KEYWORD_FIELDS, Record, Result};
use jiff::Timestamp;

use super::schema::{ATTRIBUTE_COLUMNS, posts_schema};
use crate::codec;

/// What a batch's texts may come to: Arrow counts their bytes with 31 bits.
const MAX_TEXT_BYTES: usize = i32::MAX as usize;

/// The rows of these records, by [`posts_schema`].
///
/// # Errors
/// `InvalidInput` for a record that JSON cannot hold; `TooLarge` when the records come to more than 2 GiB: give fewer at a time.
pub fn rows(records: &[Record]) -> Result<RecordBatch> {
    let json = records
        .iter()
        .map(to_json)
        .collect::<Result<Vec<String>>>()?;
    // Every other text column is part of the record's JSON, so this bounds them all.
    if json.iter().map(String::len).sum::<usize>() > MAX_TEXT_BYTES {
        return Err(Error::new(ErrorKind::TooLarge, "warehouse.rows")
            .message("the records of one batch come to more than 2 GiB")
            .with("records", records.len()));
    }
    let flats: Vec<Flat> = records.iter().map(Flat::of).collect();
    let effective: Vec<Effective> = flats.iter().map(attributes).collect();
    let author = |get: fn(&Author) -> Option<&str>| {
        text(records.iter().map(|r| r.post.author.as_ref().and_then(get)))
    };
    let mut columns: Vec<ArrayRef> = vec![
        text(flats.iter().map(|f| Some(f.id.as_str()))),
        text(records.iter().map(|r| Some(r.id().platform.as_str()))),
        text(records.iter().map(|r| Some(&*r.id().native))),
        author(|a| a.id.as_deref()),
        author(|a| a.handle.as_deref()),
        author(|a| a.name.as_deref()),
        number(records.iter().map(|r| r.post.author.as_ref()?.followers)),
        Arc::new(BooleanArray::from_iter(
            records.iter().map(|r| r.post.author.as_ref()?.verified),
        )),
        text(records.iter().map(|r| Some(r.post.text.as_str()))),
        text(records.iter().zip(&effective).map(language)),
        time(records.iter().map(|r| r.post.published_at)),
        time(records.iter().map(|r| Some(r.post.collected_at))),
        number(records.iter().map(|r| r.post.counts.likes)),
        number(records.iter().map(|r| r.post.counts.comments)),
        number(records.iter().map(|r| r.post.counts.reposts)),
        number(records.iter().map(|r| r.post.counts.views)),
        text(records.iter().map(|r| r.post.places.country())),
        keywords(&flats, "hashtag"),
        keywords(&flats, "mention"),
        keywords(&flats, "relevant_to"),
    ];
    columns.extend(ATTRIBUTE_COLUMNS.iter().map(|a| keywords(&flats, a)));
    columns.extend([
        attribute_map(&effective)?,
        number(records.iter().map(|r| Some(r.revision))),
        text(json.iter().map(|json| Some(json.as_str()))),
    ]);
    RecordBatch::try_new(posts_schema(), columns)
        .map_err(|error| Error::new(ErrorKind::Internal, "warehouse.rows").cause(error))
}

/// The records of rows that have the column `record`.
///
/// # Errors
/// `InvalidInput` when they lack it; `Corrupt` when it does not hold records.
pub fn records(rows: &RecordBatch) -> Result<Vec<Record>> {
    strings(rows, "record")?
        .iter()
        .map(|json| {
            serde_json::from_str(json.unwrap_or_default()).map_err(|error| {
                Error::new(ErrorKind::Corrupt, "warehouse.records")
                    .message("a stored record cannot be read")
                    .cause(error)
            })
        })
        .collect()
}

/// A column of texts.
pub(super) fn strings<'a>(rows: &'a RecordBatch, column: &str) -> Result<&'a StringArray> {
    rows.column_by_name(column)
        .and_then(|array| array.as_any().downcast_ref())
        .ok_or_else(|| missing(column))
}

/// A column of whole numbers.
pub(super) fn numbers<'a>(rows: &'a RecordBatch, column: &str) -> Result<&'a Int64Array> {
    rows.column_by_name(column)
        .and_then(|array| array.as_any().downcast_ref())
        .ok_or_else(|| missing(column))
}

fn missing(column: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, "warehouse.records")
        .message("the rows lack a column that is needed, or have it in another type")
        .with("column", column)
}

fn to_json(record: &Record) -> Result<String> {
    codec::check(record)?;
    serde_json::to_string(record).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, "warehouse.rows")
            .with("post", record.id())
            .cause(error)
    })
}

/// The keyword fields that are attributes.
fn attributes(flat: &Flat) -> Effective {
    flat.keywords
        .iter()
        .filter(|(field, _)| !KEYWORD_FIELDS.contains(&field.as_str()))
        .map(|(field, values)| (field.clone(), values.clone()))
        .collect()
}

/// The language that was found, else what the network says.
fn language<'a>((record, effective): (&'a Record, &'a Effective)) -> Option<&'a str> {
    let found = effective.get("language").and_then(|labels| labels.first());
    found.or(record.post.language_hint.as_ref()).map(|l| &**l)
}

fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values))
}

/// Counts beyond what 63 bits hold become the greatest that fits; the record keeps them.
fn number(values: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(Int64Array::from_iter(values.map(|value| {
        value.map(|v| i64::try_from(v).unwrap_or(i64::MAX))
    })))
}

fn time(values: impl Iterator<Item = Option<Timestamp>>) -> ArrayRef {
    let values = values.map(|value| value.map(Timestamp::as_microsecond));
    Arc::new(TimestampMicrosecondArray::from_iter(values).with_timezone("UTC"))
}

fn keywords(flats: &[Flat], field: &str) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for flat in flats {
        for value in flat.values(field) {
            lists.values().append_value(value);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

fn attribute_map(effective: &[Effective]) -> Result<ArrayRef> {
    let values = ListBuilder::new(StringBuilder::new());
    let mut maps = MapBuilder::new(None, StringBuilder::new(), values);
    for attributes in effective {
        for (attribute, labels) in attributes {
            maps.keys().append_value(attribute);
            for label in labels {
                maps.values().values().append_value(label);
            }
            maps.values().append(true);
        }
        maps.append(true)
            .map_err(|error| Error::new(ErrorKind::Internal, "warehouse.rows").cause(error))?;
    }
    Ok(Arc::new(maps.finish()))
}
