//! How many posts a second pass four enrichers and a sink that do nothing.
//!
//! All sides take each post out of one list, as a source would make it, make a record of it and drop it in the end.

use std::sync::Arc;

use heurpipe_benches::{
    Effort, Nowhere, Row, Sample, in_turns, measured_in_turns, timed,
    workload::{self, BATCH},
};
use heurpipe_core::testkit::Posts;
use heurpipe_stores::documents::MemoryDocuments;
use tokio::runtime::Runtime;

use crate::{AnyResult, channels, no_op, swiftide};

/// Posts a second without documents, on two cores.
const RATE_GOAL: f64 = 1_000_000.0;
/// The share of the bare channels' rate.
const SHARE_GOAL: f64 = 0.30;

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let posts = Arc::new(workload::posts(effort.choose(50_000, 200_000)));
    let count = posts.len();
    let source = Posts::new(posts.to_vec()).page(BATCH);
    let repetitions = effort.choose(7, 15);
    let mut through_pipeline =
        || runtime.block_on(no_op::run(source.clone(), None, Nowhere::new()));
    let mut through_channels = || runtime.block_on(channels::run(&posts));
    let mut rows = Vec::new();

    let case = "4 no-op enrichers, no documents";
    let samples = in_turns(repetitions, &mut through_pipeline, &mut through_channels)?;
    let [rate, cost] = pair(case, count, samples, channels::NAME);
    let share = rate.ours / rate.reference;
    let share = Row::rate(case, "share of rate", share, channels::NAME, 1.0).goal(SHARE_GOAL);
    rows.extend([rate.goal(RATE_GOAL), share, cost]);

    if let Some(mut peer) = swiftide::start(effort, count)? {
        let samples = measured_in_turns(repetitions, &mut || timed(through_pipeline), &mut || {
            peer.turn("turn")
        })?;
        rows.extend(pair(case, count, samples, peer.name()));
    }

    let mut with_documents = || {
        let documents = Arc::new(MemoryDocuments::new());
        let run = no_op::run(source.clone(), Some(documents.clone()), Nowhere::new());
        runtime.block_on(run)?;
        AnyResult::Ok(documents)
    };
    let samples = in_turns(repetitions, &mut with_documents, &mut through_channels)?;
    let case = "4 no-op enrichers, documents in memory";
    rows.extend(pair(case, count, samples, channels::NAME));
    Ok(rows)
}

fn pair(case: &str, count: usize, (ours, peer): (Sample, Sample), name: &str) -> [Row; 2] {
    let rates = [ours, peer].map(|sample| sample.per_second(count));
    let costs = [ours, peer].map(|sample| sample.cpu_us_each(count));
    [
        Row::rate(case, "posts/s", rates[0], name, rates[1]),
        Row::cost(case, "CPU-µs/post", costs[0], name, costs[1]),
    ]
}
