//! Committing records.

use std::io::Write;
use std::path::Path;

use heurpipe_benches::{AnyResult, Effort, Row, Sample, measured_in_turns, timed, workload::BATCH};
use heurpipe_core::Record;
use heurpipe_stores::{Mode, documents};
use tokio::runtime::Runtime;

use crate::{posts, servers};

const FILE: &str = "their JSON in a file, synced as often";

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let count = effort.choose(4_000, 20_000);
    let mut fresh = posts::records(count);
    fresh.iter_mut().for_each(|record| record.revision = 0);
    let folder = tempfile::tempdir()?;
    let mut number = 0;
    let mut place = || {
        number += 1;
        folder.path().join(number.to_string())
    };
    let repetitions = effort.choose(2, 3);

    let mut sqlite = {
        let place = &mut place;
        let fresh = &fresh;
        move || {
            let url = format!("sqlite:{}", place().display());
            runtime.block_on(commit(&url, fresh))
        }
    };
    let file = folder.path().join("lines");
    let mut by_hand = || append(&file, &fresh);
    let (ours, bare) = measured_in_turns(repetitions, &mut sqlite, &mut by_hand)?;
    let mut rows = pair("new records to SQLite", count, ours, bare, FILE);

    if let Some(url) = servers::mongodb() {
        let mut number = 0;
        let mut mongodb = || {
            number += 1;
            let url = url.replacen('?', &format!("-{number}?"), 1);
            runtime.block_on(commit(&url, &fresh))
        };
        let (ours, theirs) = measured_in_turns(repetitions, &mut sqlite, &mut mongodb)?;
        let name = "MongoDB (mongo-java-server, in memory)";
        rows.push(Row::rate(
            "new records to SQLite",
            "records/s",
            ours.per_second(count),
            name,
            theirs.per_second(count),
        ));
    }
    Ok(rows)
}

fn pair(case: &str, count: usize, ours: Sample, theirs: Sample, name: &str) -> Vec<Row> {
    vec![
        Row::rate(
            case,
            "records/s",
            ours.per_second(count),
            name,
            theirs.per_second(count),
        ),
        Row::cost(
            case,
            "CPU-µs/record",
            ours.cpu_us_each(count),
            name,
            theirs.cpu_us_each(count),
        ),
    ]
}

/// Opens a store that is not there yet and commits records to it; only the latter is timed.
async fn commit(url: &str, records: &[Record]) -> AnyResult<Sample> {
    let documents = documents::open(url, Mode::ReadWrite).await?;
    let batches: Vec<Vec<&Record>> = records
        .chunks(BATCH)
        .map(|batch| batch.iter().collect())
        .collect();
    let cpu = cpu_time::ProcessTime::now();
    let wall = std::time::Instant::now();
    for batch in &batches {
        for outcome in documents.commit(batch).await? {
            outcome?;
        }
    }
    Ok(Sample {
        wall: wall.elapsed(),
        cpu: cpu.elapsed(),
    })
}

fn append(path: &Path, records: &[Record]) -> AnyResult<Sample> {
    timed(|| {
        let mut file = std::fs::File::create(path)?;
        for batch in records.chunks(BATCH) {
            let mut lines = Vec::new();
            for record in batch {
                serde_json::to_writer(&mut lines, record)?;
                lines.push(b'\n');
            }
            file.write_all(&lines)?;
            file.sync_data()?;
        }
        Ok(file)
    })
}
