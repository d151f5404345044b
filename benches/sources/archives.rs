//! How many posts a second are read from JSON Lines, beside serde_json that parses the same lines and makes nothing of them.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use heurpipe_benches::{Effort, Row, in_turns};
use heurpipe_core::Source;
use heurpipe_sources::detect;
use tokio::runtime::Runtime;

use crate::{AnyResult, lines};

/// Posts a second, on two cores.
const GOAL: f64 = 50_000.0;

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let bytes = effort.choose(30, 150) * 1_000_000;
    let crawled = folder.path().join("tweets.jsonl");
    let records = folder.path().join("records.ndjson");
    let cases = [
        (
            "JSON Lines of a crawler",
            &crawled,
            lines::write(&crawled, bytes, |number| Ok(lines::crawled(number)))?,
        ),
        (
            "JSON Lines of our records",
            &records,
            lines::write(&records, bytes, lines::record)?,
        ),
    ];
    let mut rows = Vec::new();
    for (case, path, posts) in cases {
        let source = detect::open(path)?;
        let (ours, alone) = in_turns(
            effort.choose(3, 9),
            &mut || read(runtime, source.as_ref(), posts),
            &mut || parse(path),
        )?;
        let rate = Row::rate(
            case,
            "posts/s",
            ours.per_second(posts),
            "serde_json::Value",
            alone.per_second(posts),
        );
        let cost = Row::cost(
            case,
            "CPU-µs/post",
            ours.cpu_us_each(posts),
            "serde_json::Value",
            alone.cpu_us_each(posts),
        );
        rows.extend([rate.goal(GOAL), cost]);
    }
    Ok(rows)
}

fn read(runtime: &Runtime, source: &dyn Source, posts: usize) -> AnyResult<()> {
    match runtime.block_on(lines::count(source))? {
        read if read == posts => Ok(()),
        read => Err(format!("{read} of {posts} posts were read").into()),
    }
}

/// Parses each line and drops it.
fn parse(path: &Path) -> AnyResult<()> {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line)? > 0 {
        let value: serde_json::Value = serde_json::from_slice(&line)?;
        std::hint::black_box(&value);
        line.clear();
    }
    Ok(())
}
