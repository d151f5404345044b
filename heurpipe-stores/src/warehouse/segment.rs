//! Segments: written whole, and verified.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use futures::TryStreamExt;
use heurpipe_core::{Digest, Error, ErrorKind, Record, Result};
use object_store::path::Path;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::bucket::Bucket;
use super::ids::IdRanges;
use super::manifest::Segment;
use super::reading;
use super::rows::{records, rows, strings};
use super::schema::{SCHEMA_VERSION, posts_schema};
use crate::task;

/// Rows of a segment at most; a day with more has several.
pub(super) const MAX_ROWS: usize = 50_000;
/// Rows of a row group: the unit that statistics and bloom filters can pass over.
const GROUP_ROWS: usize = 8_192;
/// Rows turned into columns at a time.
const WRITE_ROWS: usize = 256;

/// Where segments lie, from the warehouse's root.
pub(super) const FOLDER: &str = "segments";

const UNKNOWN_DAY: &str = "unknown";

/// The records by segment to be: one or more a day, in order of publication and id.
pub(super) fn divide(records: Vec<Record>) -> Vec<(String, Vec<Record>)> {
    let mut days: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for record in records {
        days.entry(day_of(&record)).or_default().push(record);
    }
    let mut parts = Vec::new();
    for (day, mut records) in days {
        records.sort_by_cached_key(|r| (r.post.published_at, r.id().to_string()));
        while records.len() > MAX_ROWS {
            let rest = records.split_off(MAX_ROWS);
            parts.push((day.clone(), std::mem::replace(&mut records, rest)));
        }
        parts.push((day, records));
    }
    parts
}

fn day_of(record: &Record) -> String {
    let day = record.post.day();
    day.map_or_else(|| UNKNOWN_DAY.to_owned(), |day| day.to_string())
}

/// Writes a segment and reads it back. Its name is its content's digest, so writing it again after an interruption changes nothing.
pub(super) async fn write(bucket: &Bucket, day: String, records: Vec<Record>) -> Result<Segment> {
    let (segment, bytes) = task::blocking("warehouse.write", move || build(&day, &records)).await?;
    let path = Path::from(segment.path.as_str());
    bucket.create(&path, bytes).await?;
    verify(bucket, &segment).await?;
    Ok(segment)
}

/// The records of a segment that count, apart from those with these ids.
pub(super) async fn without(
    bucket: &Bucket,
    segment: &Segment,
    ids: &BTreeSet<String>,
) -> Result<Vec<Record>> {
    let mut batches = reading::read(bucket, segment, &["record"]).await?;
    let mut kept = Vec::new();
    while let Some(batch) = batches.try_next().await? {
        let mut found = records(&batch).map_err(|error| damaged(segment).cause(error))?;
        found.retain(|record| {
            let id = record.id().to_string();
            !segment.deleted.contains(&id) && !ids.contains(&id)
        });
        kept.append(&mut found);
    }
    Ok(kept)
}

/// The ids in a file that are among these. A file that no manifest lists may be what is left of anything: one that cannot be read holds nobody.
pub(super) async fn ids_in_file(bucket: &Bucket, path: &Path) -> Result<BTreeSet<String>> {
    let bytes = bucket.get(path).await?;
    task::blocking("warehouse.read", move || {
        let mut ids = BTreeSet::new();
        let Ok(file) = ParquetRecordBatchReaderBuilder::try_new(bytes) else {
            return Ok(ids);
        };
        let columns = ProjectionMask::columns(file.parquet_schema(), ["id"]);
        let Ok(batches) = file.with_projection(columns).build() else {
            return Ok(ids);
        };
        for batch in batches.map_while(std::result::Result::ok) {
            ids.extend(strings(&batch, "id")?.iter().flatten().map(str::to_owned));
        }
        Ok(ids)
    })
    .await
}

fn build(day: &str, records: &[Record]) -> Result<(Segment, Bytes)> {
    let bytes = encode(records)?;
    let digest = Digest::of(&bytes);
    let name = &digest.to_string()[..24];
    let ids: BTreeSet<String> = records.iter().map(|r| r.id().to_string()).collect();
    let published = || records.iter().filter_map(|r| r.post.published_at);
    let segment = Segment {
        path: format!("{FOLDER}/day={day}/{name}.parquet"),
        day: day.to_owned(),
        rows: records.len() as u64,
        bytes: bytes.len() as u64,
        digest,
        published: published().min().zip(published().max()),
        ids: (
            ids.first().cloned().unwrap_or_default(),
            ids.last().cloned().unwrap_or_default(),
        ),
        id_ranges: IdRanges::of(&ids),
        schema_version: SCHEMA_VERSION,
        deleted: BTreeSet::new(),
    };
    Ok((segment, bytes))
}

/// Records as a Parquet file.
pub(super) fn encode(records: &[Record]) -> Result<Bytes> {
    let properties = properties().map_err(unwritten)?.build();
    written(records, posts_schema(), properties, Ok)
}

/// Records as a Parquet file for others: of another shape, that of `schema`, and with the names within lists that the format prescribes.
#[cfg(feature = "bigquery")]
pub(super) fn encode_as(
    records: &[Record],
    schema: SchemaRef,
    reshape: impl Fn(RecordBatch) -> Result<RecordBatch>,
) -> Result<Bytes> {
    let properties = properties().map_err(unwritten)?;
    let properties = properties.set_coerce_types(true).build();
    written(records, schema, properties, reshape)
}

fn written(
    records: &[Record],
    schema: SchemaRef,
    properties: WriterProperties,
    reshape: impl Fn(RecordBatch) -> Result<RecordBatch>,
) -> Result<Bytes> {
    let mut file = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut file, schema, Some(properties)).map_err(unwritten)?;
    for some in records.chunks(WRITE_ROWS) {
        writer.write(&reshape(rows(some)?)?).map_err(unwritten)?;
    }
    writer.close().map_err(unwritten)?;
    Ok(file.into())
}

fn unwritten(error: ParquetError) -> Error {
    Error::new(ErrorKind::Internal, "warehouse.write").cause(error)
}

fn properties() -> Result<WriterPropertiesBuilder, ParquetError> {
    let column = ColumnPath::from;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page)
        // Nobody looks for the least of all records or texts.
        .set_column_statistics_enabled(column("record"), EnabledStatistics::None)
        .set_column_dictionary_enabled(column("record"), false)
        .set_column_statistics_enabled(column("text"), EnabledStatistics::None);
    for looked_up in ["id", "author_id", "author_handle"] {
        properties = properties
            .set_column_bloom_filter_enabled(column(looked_up), true)
            .set_column_bloom_filter_max_ndv(column(looked_up), GROUP_ROWS as u64);
    }
    Ok(properties)
}

/// Reads a segment back: size, digest and count of rows are what the manifest says.
///
/// # Errors
/// `Corrupt`, naming the file, when not.
pub(super) async fn verify(bucket: &Bucket, segment: &Segment) -> Result<()> {
    let bytes = bucket.get(&Path::from(segment.path.as_str())).await?;
    let segment = segment.clone();
    task::blocking("warehouse.verify", move || {
        if bytes.len() as u64 != segment.bytes || Digest::of(&bytes) != segment.digest {
            return Err(damaged(&segment)
                .with("bytes", bytes.len())
                .with("expected_bytes", segment.bytes));
        }
        let found = ParquetRecordBatchReaderBuilder::try_new(bytes)
            .map_err(|error| damaged(&segment).cause(error))?
            .metadata()
            .file_metadata()
            .num_rows();
        if u64::try_from(found) != Ok(segment.rows) {
            return Err(damaged(&segment).with("rows", found));
        }
        Ok(())
    })
    .await
}

/// The error for a segment that is not what it was.
pub(super) fn damaged(segment: &Segment) -> Error {
    Error::new(ErrorKind::Corrupt, "warehouse.segment")
        .message("a segment is damaged")
        .with("file", &segment.path)
}
