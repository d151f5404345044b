//! What a re-analysis costs when one stored record in a hundred is stale, beside one in which all are.
//!
//! Before each turn with few stale records, one record in a hundred is analysed once more by an older version. That is not timed, and the
//! store is otherwise the same in every turn.

use std::sync::Arc;
use std::time::Duration;

use cpu_time::ThreadTime;
use heurpipe_benches::{
    Effort, Nowhere, Row, measured_in_turns, timed,
    workload::{self, BATCH},
};
use heurpipe_core::testkit::Posts;
use heurpipe_core::{
    Documents, EnricherFn, EnricherSpec, Filter, Finding, Pipeline, PipelineBuilder, Post,
    RunOptions,
};
use heurpipe_stores::documents::{MemoryDocuments, SqliteDocuments};
use tokio::runtime::Runtime;

use crate::AnyResult;

const USE_CASE: &str = "bench";
/// One record in so many is stale.
const STALE: usize = 100;
/// The hashtag of those records.
const MARK: &str = "stale";
/// What a re-analysis with few stale records may cost of a full pass.
const GOAL: f64 = 0.015;
/// About what the text enrichers brand and language take for a post. Without it, what is measured is stores alone.
const CHEAP: Duration = Duration::from_micros(200);

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let count = effort.choose(20_000, 200_000);
    let repetitions = effort.choose(1, 2);
    let folder = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for (number, enricher) in [Duration::ZERO, CHEAP].into_iter().enumerate() {
        let path = folder.path().join(format!("documents-{number}.db"));
        let in_file = runtime.block_on(SqliteDocuments::open(path))?;
        let stores: [(&str, Arc<dyn Documents>); 2] = [
            ("SQLite", Arc::new(in_file)),
            ("memory", Arc::new(MemoryDocuments::new())),
        ];
        for (name, documents) in stores {
            let case = format!(
                "re-analysis of {} thousand records in {name}, 1 % stale, enricher of {} ms",
                count / 1000,
                enricher.as_secs_f64() * 1000.0
            );
            let store = Store {
                documents,
                enricher,
            };
            rows.extend(rows_of_store(runtime, &store, &case, count, repetitions)?);
        }
    }
    Ok(rows)
}

fn rows_of_store(
    runtime: &Runtime,
    store: &Store,
    case: &str,
    count: usize,
    repetitions: usize,
) -> AnyResult<[Row; 2]> {
    runtime.block_on(store.fill(count))?;
    let version = std::cell::Cell::new(1);
    let (few, all) = measured_in_turns(
        repetitions,
        &mut || {
            let marked: Filter = format!("hashtag:{MARK}").parse()?;
            runtime.block_on(store.reanalyse("older", marked, count / STALE))?;
            let current = version.get().to_string();
            timed(|| runtime.block_on(store.reanalyse(&current, Filter::All, count / STALE)))
        },
        &mut || {
            version.set(version.get() + 1);
            let next = version.get().to_string();
            timed(|| runtime.block_on(store.reanalyse(&next, Filter::All, count)))
        },
    )?;
    let row = |unit: &str, few: Duration, all: Duration| {
        let [few, all] = [few, all].map(|time| time.as_secs_f64());
        Row::cost(case, unit, few, "full pass", all).goal(all * GOAL)
    };
    Ok([row("CPU-s", few.cpu, all.cpu), row("s", few.wall, all.wall)])
}

/// The store whose records are analysed.
struct Store {
    documents: Arc<dyn Documents>,
    /// CPU time that the enricher takes for a post.
    enricher: Duration,
}

impl Store {
    /// Gathers so many posts and has them analysed by version 1.
    async fn fill(&self, count: usize) -> AnyResult<()> {
        let posts: Vec<Post> = (0..count)
            .map(|number| {
                let mut post = workload::post(number);
                if number % STALE == 0 {
                    post.hashtags.push(MARK.to_owned());
                }
                post
            })
            .collect();
        let gathered = Posts::new(posts).page(BATCH);
        self.run(self.pipeline("1").source(gathered), count).await
    }

    /// Analyses by this version what of the records that match is stale, which are to be `expected` many.
    async fn reanalyse(&self, version: &str, filter: Filter, expected: usize) -> AnyResult<()> {
        self.run(self.pipeline(version).stale(filter), expected)
            .await
    }

    fn pipeline(&self, version: &str) -> PipelineBuilder {
        let spec = EnricherSpec::new("length", version).gives(["length"]);
        let takes = self.enricher;
        let length = EnricherFn::new(spec, move |item| {
            spend(takes);
            let length = item.post().text.len();
            Ok(vec![Finding::label("length", length.to_string())])
        });
        Pipeline::builder(USE_CASE)
            .documents(Arc::clone(&self.documents))
            .enrich(length)
            .sink(Nowhere::new())
    }

    async fn run(&self, pipeline: PipelineBuilder, expected: usize) -> AnyResult<()> {
        let mut options = RunOptions::default();
        options.batch = BATCH;
        let report = pipeline.build()?.run(options).await?;
        match report.posts.delivered == expected as u64 {
            true => Ok(()),
            false => Err(format!("{expected} records were to be analysed: {report:?}").into()),
        }
    }
}

/// Keeps the thread at work for so long, by its own CPU time.
fn spend(time: Duration) {
    let begun = ThreadTime::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}
