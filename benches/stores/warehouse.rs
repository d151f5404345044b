//! Records as Parquet, and moving them there.

use std::sync::Arc;

use heurpipe_benches::{AnyResult, Effort, Row, Sample, measured_in_turns, timed, workload::BATCH};
use heurpipe_core::Record;
use heurpipe_stores::life::Archive;
use heurpipe_stores::warehouse::{ParquetWarehouse, Warehouse, posts_schema, rows as columns};
use heurpipe_stores::{Mode, documents};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tokio::runtime::Runtime;

use crate::posts;

/// Posts of a day that is appended to history.
const DAY: usize = 2_000;

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let count = effort.choose(4_000, 40_000);
    let records = posts::records(count);
    let megabytes = posts::bytes(&records)? as f64 / 1e6;
    let folder = tempfile::tempdir()?;
    let place = || tempfile::tempdir_in(folder.path());
    let repetitions = effort.choose(2, 3);

    let mut appended = || {
        let place = place()?;
        let records = records.clone();
        timed(|| runtime.block_on(append(place.path(), records)))
    };
    let mut by_hand = || timed(|| write(&records, tempfile::tempfile_in(folder.path())?));
    let (ours, theirs) = measured_in_turns(repetitions, &mut appended, &mut by_hand)?;
    let rate = |sample: Sample| megabytes / sample.wall.as_secs_f64();
    let name = "one file by an Arrow writer, not read back";
    let mut rows = vec![Row::rate(
        "append to Parquet, verified",
        "MB of JSON/s",
        rate(ours),
        name,
        rate(theirs),
    )];

    let old = place()?;
    runtime.block_on(append(old.path(), records.clone()))?;
    let mut later = 0;
    let mut to_history = || {
        later += 1;
        let day = posts::day(later, DAY);
        timed(|| runtime.block_on(append(old.path(), day)))
    };
    let mut to_nothing = || {
        let place = place()?;
        let day = posts::day(1, DAY);
        timed(|| runtime.block_on(append(place.path(), day)))
    };
    let (ours, theirs) = measured_in_turns(repetitions, &mut to_history, &mut to_nothing)?;
    rows.push(Row::rate(
        "append 2,000 posts of a day to 180 other days",
        "records/s",
        ours.per_second(DAY),
        "to an empty warehouse",
        theirs.per_second(DAY),
    ));

    let mut archived = || {
        let place = place()?;
        runtime.block_on(archive(place.path(), &records))
    };
    let (ours, theirs) = measured_in_turns(repetitions, &mut archived, &mut appended)?;
    rows.push(Row::rate(
        "archive from SQLite",
        "records/s",
        ours.per_second(count),
        "append alone",
        theirs.per_second(count),
    ));
    Ok(rows)
}

async fn append(place: &std::path::Path, records: Vec<Record>) -> AnyResult<()> {
    let warehouse = ParquetWarehouse::open(place, Mode::ReadWrite).await?;
    warehouse.append(records).await?;
    Ok(())
}

/// As ours are compressed, but for all else that the writer does by itself.
fn write(records: &[Record], file: std::fs::File) -> AnyResult<()> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .build();
    let mut writer = ArrowWriter::try_new(file, posts_schema(), Some(properties))?;
    for some in records.chunks(BATCH) {
        writer.write(&columns(some)?)?;
    }
    writer.close()?;
    Ok(())
}

/// Moves all records out of SQLite; storing them there is not timed.
async fn archive(place: &std::path::Path, records: &[Record]) -> AnyResult<Sample> {
    let url = format!("sqlite:{}", place.join("documents").display());
    let documents = documents::open(&url, Mode::ReadWrite).await?;
    let mut fresh = records.to_vec();
    fresh.iter_mut().for_each(|record| record.revision = 0);
    for batch in fresh.chunks(BATCH) {
        let batch: Vec<&Record> = batch.iter().collect();
        for outcome in documents.commit(&batch).await? {
            outcome?;
        }
    }
    let warehouse = ParquetWarehouse::open(&place.join("warehouse"), Mode::ReadWrite).await?;
    let before = posts::TODAY
        .parse::<jiff::Timestamp>()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let archiving = Archive::before(documents, Arc::new(warehouse), before);
    let cpu = cpu_time::ProcessTime::now();
    let wall = std::time::Instant::now();
    let report = archiving.run().await?;
    let sample = Sample {
        wall: wall.elapsed(),
        cpu: cpu.elapsed(),
    };
    match report.archived as usize == records.len() {
        true => Ok(sample),
        false => Err(format!(
            "{} of {} records were archived",
            report.archived,
            records.len()
        )
        .into()),
    }
}
