//! Rows as Parquet files that load jobs understand.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use heurpipe_core::{Error, ErrorKind, Record, Result};
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::warehouse::schema::posts_schema;
use crate::warehouse::segment;

/// These records as one file.
///
/// # Errors
/// `InvalidInput` for a post whose times are before the year 1: the service has none of those.
pub(super) fn encode(records: &[Record]) -> Result<Bytes> {
    records.iter().try_for_each(check)?;
    segment::encode_as(records, loaded_schema(), reshaped)
}

fn check(record: &Record) -> Result<()> {
    let times = [record.post.published_at, Some(record.post.collected_at)];
    match times
        .into_iter()
        .flatten()
        .find(|time| *time < first_time())
    {
        None => Ok(()),
        Some(time) => Err(Error::new(ErrorKind::InvalidInput, "warehouse.rows")
            .message("bigquery keeps no time before the year 1")
            .with("post", record.id())
            .with("time", time)),
    }
}

/// The first moment that the service can keep.
pub(super) fn first_time() -> Timestamp {
    date(1, 1, 1)
        .to_zoned(TimeZone::UTC)
        .map_or(Timestamp::MIN, |day| day.timestamp())
}

/// The rows' schema with maps as lists of pairs. A load job would turn a map into a record of a name that differs by its version.
fn loaded_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let schema = posts_schema();
        let fields = schema.fields().iter().map(|field| match field.data_type() {
            DataType::Map(entries, _) => {
                let pairs = pairs_type(entries.data_type());
                Field::new(field.name(), pairs, field.is_nullable())
            }
            _ => field.as_ref().clone(),
        });
        let fields: Vec<Field> = fields.collect();
        Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
    });
    Arc::clone(&SCHEMA)
}

fn pairs_type(pair: &DataType) -> DataType {
    DataType::List(Arc::new(Field::new("element", pair.clone(), false)))
}

fn reshaped(rows: RecordBatch) -> Result<RecordBatch> {
    let fail = |error| Error::new(ErrorKind::Internal, "warehouse.rows").cause(error);
    let columns: Result<Vec<ArrayRef>> = rows
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::Map(..) => pairs(column).map_err(fail),
            _ => Ok(Arc::clone(column)),
        })
        .collect();
    RecordBatch::try_new(loaded_schema(), columns?).map_err(fail)
}

fn pairs(maps: &ArrayRef) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
    let maps = maps.as_map();
    let entries = maps.entries();
    let field = Field::new("element", entries.data_type().clone(), false);
    let lists = ListArray::try_new(
        Arc::new(field),
        maps.offsets().clone(),
        Arc::new(entries.clone()),
        maps.nulls().cloned(),
    )?;
    Ok(Arc::new(lists))
}
