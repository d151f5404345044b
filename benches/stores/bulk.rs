//! Writing to a search index.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use heurpipe_benches::{AnyResult, Effort, Row, Sample, measured_in_turns, timed, workload::BATCH};
use heurpipe_core::{Record, SearchIndex};
use heurpipe_stores::{Mode, search};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{posts, servers};

/// Lines of one request, as our own bulks have them.
const ITEMS: usize = 500;

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let count = effort.choose(5_000, 50_000);
    let records: Vec<Arc<Record>> = posts::records(count).into_iter().map(Arc::new).collect();
    let Some((server, name)) = servers::elasticsearch() else {
        return Ok(Vec::new());
    };
    let folder = tempfile::tempdir()?;
    let mut number = 0;
    let mut next = || {
        number += 1;
        number
    };

    let first = format!("{server}/{name}-0");
    runtime.block_on(index(&first, &records))?;
    let files = runtime.block_on(lines_of(
        &server,
        &format!("{name}-0"),
        &records,
        folder.path(),
    ))?;
    let mut by_curl = || send(&server, &files);
    let mut on_server = || {
        let url = format!("{server}/{name}-{}", next());
        runtime.block_on(index(&url, &records))
    };
    let repetitions = effort.choose(2, 3);
    let (ours, curl) = measured_in_turns(repetitions, &mut on_server, &mut by_curl)?;
    let rate = |sample: Sample| sample.per_second(count);
    let mut rows = vec![Row::rate(
        "records to Elasticsearch, flushed",
        "records/s",
        rate(ours),
        "the same lines by curl --data-binary, refreshed",
        rate(curl),
    )];

    let mut embedded = || {
        let place = tempfile::tempdir_in(folder.path())?;
        let url = format!("tantivy:{}", place.path().join("index").display());
        runtime.block_on(index(&url, &records))
    };
    let (ours, theirs) = measured_in_turns(repetitions, &mut embedded, &mut on_server)?;
    rows.push(Row::rate(
        "records to tantivy, flushed",
        "records/s",
        rate(ours),
        "Elasticsearch",
        rate(theirs),
    ));
    Ok(rows)
}

/// Writes records to an index that is not there yet; opening it is not timed.
pub async fn index(url: &str, records: &[Arc<Record>]) -> AnyResult<Sample> {
    let index = search::open(url, Mode::ReadWrite).await?;
    let cpu = cpu_time::ProcessTime::now();
    let wall = std::time::Instant::now();
    write(&*index, records).await?;
    index.flush().await?;
    Ok(Sample {
        wall: wall.elapsed(),
        cpu: cpu.elapsed(),
    })
}

/// Writes records as a pipeline does.
pub async fn write(index: &dyn SearchIndex, records: &[Arc<Record>]) -> AnyResult<()> {
    for batch in records.chunks(BATCH) {
        for outcome in index.write(batch).await? {
            outcome?;
        }
    }
    Ok(())
}

/// The documents that we have sent, as files of lines for indices of another name and the same mapping.
async fn lines_of(
    server: &str,
    name: &str,
    records: &[Arc<Record>],
    folder: &Path,
) -> AnyResult<Vec<std::path::PathBuf>> {
    let target = format!("{name}-curl");
    drop(search::open(&format!("{server}/{target}"), Mode::ReadWrite).await?);
    let http = reqwest::Client::new();
    let mut files = Vec::new();
    for (number, some) in records.chunks(ITEMS).enumerate() {
        let ids: Vec<String> = some.iter().map(|record| record.id().to_string()).collect();
        let body = json!({"size": ITEMS, "query": {"terms": {"id": ids}}});
        let found: Value = http
            .post(format!("{server}/{name}/_search"))
            .json(&body)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let hits = found["hits"]["hits"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if hits.len() != some.len() {
            return Err(
                format!("{} of {} documents are found again", hits.len(), some.len()).into(),
            );
        }
        let path = folder.join(format!("{number}.ndjson"));
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
        for hit in hits {
            let index = hit["_index"]
                .as_str()
                .unwrap_or_default()
                .replacen(name, &target, 1);
            let action = json!({"index": {"_index": index, "_id": hit["_id"]}});
            writeln!(file, "{action}\n{}", hit["_source"])?;
        }
        file.flush()?;
        files.push(path);
    }
    Ok(files)
}

/// Sends files of lines one after the other, and lets them be seen.
fn send(server: &str, files: &[std::path::PathBuf]) -> AnyResult<Sample> {
    timed(|| {
        for file in files {
            let done = Command::new("curl")
                .args([
                    "-sf",
                    "-o",
                    "/dev/null",
                    "-H",
                    "content-type: application/x-ndjson",
                    "--data-binary",
                ])
                .arg(format!("@{}", file.display()))
                .arg(format!("{server}/_bulk"))
                .status()?;
            if !done.success() {
                return Err("curl could not send the lines".into());
            }
        }
        let done = Command::new("curl")
            .args(["-sf", "-o", "/dev/null", "-X", "POST"])
            .arg(format!("{server}/_refresh"))
            .status()?;
        match done.success() {
            true => Ok(()),
            false => Err("curl could not refresh".into()),
        }
    })
}
