//! Segments, read by column: of a file only the parts that are needed, wherever it lies.
//!
//! The decoder says which parts it wants next, these are fetched, and it goes on with them on a blocking thread.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::Result;
use object_store::path::Path;
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::RowSelection;
use parquet::arrow::push_decoder::{ParquetPushDecoder, ParquetPushDecoderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use super::bucket::Bucket;
use super::manifest::Segment;
use super::segment::damaged;
use crate::task;

const OPERATION: &str = "warehouse.read";

/// Rows read at a time.
const READ_ROWS: usize = 1_024;
/// The end of a file that is fetched first. It holds all that describes the columns of a full segment, so that this takes one call.
const END_BYTES: u64 = 128 * 1024;

/// The rows of a segment, some at a time, with these columns; all that are in the file, deleted or not.
pub(super) async fn read(
    bucket: &Bucket,
    segment: &Segment,
    columns: &'static [&'static str],
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let file = SegmentFile::of(bucket, segment);
    file.rows(PageIndexPolicy::Skip, columns, None).await
}

/// The records of some rows of a segment, by their places in the file.
pub(super) async fn pick(
    bucket: &Bucket,
    segment: &Segment,
    rows: BTreeSet<usize>,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let file = SegmentFile::of(bucket, segment);
    // By the index of pages only those are fetched that hold a row which is picked.
    let pages = PageIndexPolicy::Optional;
    file.rows(pages, &["record"], Some(rows)).await
}

fn decoder(
    description: ParquetMetaData,
    columns: &[&str],
    rows: Option<BTreeSet<usize>>,
) -> Result<ParquetPushDecoder, ParquetError> {
    let total = description.file_metadata().num_rows();
    let total = usize::try_from(total).unwrap_or_default();
    let mut builder = ParquetPushDecoderBuilder::try_new_decoder(Arc::new(description))?;
    if let Some(rows) = rows {
        let picked = rows.into_iter().map(|row| row..row + 1);
        let selection = RowSelection::from_consecutive_ranges(picked, total);
        builder = builder.with_row_selection(selection);
    }
    let columns = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    builder
        .with_projection(columns)
        .with_batch_size(READ_ROWS)
        .build()
}

/// Where a segment lies, and what is known of it.
struct SegmentFile {
    bucket: Bucket,
    segment: Segment,
    path: Path,
}

impl SegmentFile {
    fn of(bucket: &Bucket, segment: &Segment) -> Self {
        Self {
            bucket: bucket.clone(),
            path: Path::from(segment.path.as_str()),
            segment: segment.clone(),
        }
    }

    /// What the file says of its columns.
    async fn description(&self, pages: PageIndexPolicy) -> Result<ParquetMetaData> {
        let size = self.segment.bytes;
        let damaged = |error| damaged(&self.segment).cause(error);
        let mut reader = ParquetMetaDataReader::new().with_page_index_policy(pages);
        let mut end = END_BYTES;
        loop {
            let range = size.saturating_sub(end)..size;
            let parts = self.parts(std::slice::from_ref(&range)).await?;
            match reader.try_parse_sized(&parts[0], size) {
                Ok(()) => return reader.finish().map_err(damaged),
                Err(ParquetError::NeedMoreData(needed)) if needed as u64 > end => {
                    end = needed as u64;
                }
                Err(error) => return Err(damaged(error)),
            }
        }
    }

    /// These columns, of all rows or of some alone.
    async fn rows(
        self,
        pages: PageIndexPolicy,
        columns: &[&str],
        picked: Option<BTreeSet<usize>>,
    ) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let description = self.description(pages).await?;
        let decoder = decoder(description, columns, picked)
            .map_err(|error| damaged(&self.segment).cause(error))?;
        let rows = stream::try_unfold((self, decoder), |(file, decoder)| async move {
            let next = file.next(decoder).await?;
            Ok(next.map(|(batch, decoder)| (batch, (file, decoder))))
        });
        Ok(rows.boxed())
    }

    /// The next rows, and the decoder that goes on after them.
    async fn next(
        &self,
        mut decoder: ParquetPushDecoder,
    ) -> Result<Option<(RecordBatch, ParquetPushDecoder)>> {
        let damaged = |error| damaged(&self.segment).cause(error);
        loop {
            let decoded = task::blocking(OPERATION, move || {
                let decoded = decoder.try_decode();
                Ok((decoded, decoder))
            });
            let decoded = decoded.await?;
            decoder = decoded.1;
            match decoded.0.map_err(damaged)? {
                DecodeResult::Data(batch) => return Ok(Some((batch, decoder))),
                DecodeResult::NeedsData(ranges) => {
                    let parts = self.parts(&ranges).await?;
                    decoder.push_ranges(ranges, parts).map_err(damaged)?;
                }
                DecodeResult::Finished => return Ok(None),
            }
        }
    }

    /// Parts of the file, each as long as it should be.
    async fn parts(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let size = self.segment.bytes;
        if ranges.iter().any(|r| r.start > r.end || r.end > size) {
            return Err(damaged(&self.segment)
                .message("a segment is damaged: it speaks of parts that it does not have"));
        }
        let failure = match self.bucket.ranges(&self.path, ranges).await {
            Ok(parts) if are_whole(&parts, ranges) => return Ok(parts),
            Ok(_) => None,
            Err(failure) => Some(failure),
        };
        // No store says that a file is shorter than it should be.
        let found = self.bucket.size(&self.path).await;
        match (found, failure) {
            (Ok(found), Some(failure)) if found == size => Err(failure),
            (Ok(found), _) => Err(damaged(&self.segment)
                .with("bytes", found)
                .with("expected_bytes", size)),
            (Err(error), failure) => Err(failure.unwrap_or(error)),
        }
    }
}

fn are_whole(parts: &[Bytes], ranges: &[Range<u64>]) -> bool {
    let lengths = parts.iter().map(|part| part.len() as u64);
    lengths.eq(ranges.iter().map(|range| range.end - range.start))
}
