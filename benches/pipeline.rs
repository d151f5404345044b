//! What the executor costs: posts a second through four enrichers and a sink that do nothing, beside bare channels that pass equal
//! batches through four stages.
//!
//! The channels are the ceiling, not a rival: they know no receipts, ledger, filters or failures. Both sides clone each post out
//! of one list, as a source would make it.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_benches::{Effort, Report, Row, Sample, in_turns};
use heurpipe_core::testkit::Posts;
use heurpipe_core::{
    Batch, Counts, Documents, Enriched, Enricher, EnricherSpec, ItemResult, Pipeline, Platform,
    Post, PostId, Record, Result, RunOptions, Sink, SinkSpec,
};
use heurpipe_stores::documents::MemoryDocuments;
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

const BATCH: usize = 256;
const STAGES: usize = 4;
/// Batches that wait between two stages of the reference; as many as in the executor.
const QUEUE: usize = 2;
/// Posts a second without documents, on two cores.
const GOAL: f64 = 1_000_000.0;

type AnyResult<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> AnyResult<()> {
    let effort = Effort::from_arguments();
    let posts = Arc::new(posts(effort.choose(50_000, 200_000)));
    let source = Posts::new(posts.to_vec()).page(BATCH);
    let repetitions = effort.choose(5, 9);
    let runtime = Runtime::new()?;

    let without = in_turns(
        repetitions,
        &mut || runtime.block_on(through_pipeline(&source, None)),
        &mut || runtime.block_on(through_channels(&posts)),
    )?;
    let with = in_turns(
        repetitions,
        &mut || {
            let documents = Arc::new(MemoryDocuments::new());
            runtime.block_on(through_pipeline(&source, Some(documents.clone())))?;
            AnyResult::Ok(documents)
        },
        &mut || runtime.block_on(through_channels(&posts)),
    )?;

    let mut report = Report::new("pipeline");
    let [rate, cost] = rows("4 no-op enrichers, no documents", posts.len(), without);
    report.rows.extend([rate.goal(GOAL), cost]);
    report.rows.extend(rows(
        "4 no-op enrichers, documents in memory",
        posts.len(),
        with,
    ));
    report.publish()?;
    Ok(())
}

fn rows(case: &str, count: usize, (ours, reference): (Sample, Sample)) -> [Row; 2] {
    let name = "bare tokio channels";
    let rates = [ours, reference].map(|sample| sample.per_second(count));
    let costs = [ours, reference].map(|sample| sample.cpu_us_each(count));
    [
        Row::rate(case, "posts/s", rates[0], name, rates[1]),
        Row::cost(case, "CPU-µs/post", costs[0], name, costs[1]),
    ]
}

/// Posts as they are gathered, of the usual length, without pictures.
fn posts(count: usize) -> Vec<Post> {
    let post = |number: usize| {
        let id = PostId::new(Platform::instagram(), format!("{number:012}"));
        let mut post = Post::new(id, Timestamp::UNIX_EPOCH);
        post.text = format!("Number {number} of a series: a red dress, a straw hat, sandals #ootd");
        post.hashtags = vec!["ootd".to_owned()];
        post.counts = Counts::new(Some(number as u64), Some(3), None);
        post.published_at = Some(Timestamp::UNIX_EPOCH);
        post
    };
    (0..count).map(post).collect()
}

async fn through_pipeline(source: &Posts, documents: Option<Arc<dyn Documents>>) -> AnyResult<()> {
    let mut builder = Pipeline::builder("bench")
        .source(source.clone())
        .sink(Nowhere(SinkSpec::new("nowhere")));
    if let Some(documents) = documents {
        builder = builder.documents(documents);
    }
    for stage in 0..STAGES {
        builder = builder.enrich(Idle::after(stage));
    }
    let mut options = RunOptions::default();
    options.batch = BATCH;
    let report = builder.build()?.run(options).await?;
    if report.posts.delivered != report.posts.read || report.posts.read == 0 {
        return Err(format!("not every post was delivered: {report:?}").into());
    }
    Ok(())
}

/// Finds nothing. Each needs what the one before it would give, so that they stand in a row.
struct Idle(EnricherSpec);

impl Idle {
    fn after(stage: usize) -> Self {
        let spec = EnricherSpec::new(&format!("idle{stage}"), "1").gives([format!("idle{stage}")]);
        let needs = stage.checked_sub(1).map(|before| format!("idle{before}"));
        Self(spec.needs(needs))
    }
}

#[async_trait]
impl Enricher for Idle {
    fn spec(&self) -> &EnricherSpec {
        &self.0
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let nothing = batch.items.iter().map(|_| Ok(Vec::new())).collect();
        Ok(Enriched::new(self.0.fingerprint.clone(), nothing))
    }
}

/// Takes every record and keeps none.
struct Nowhere(SinkSpec);

#[async_trait]
impl Sink for Nowhere {
    fn spec(&self) -> &SinkSpec {
        &self.0
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        Ok(records.iter().map(|_| Ok(())).collect())
    }
}

/// A task per stage that passes each batch on, a bounded channel between two of them.
async fn through_channels(posts: &Arc<Vec<Post>>) -> AnyResult<()> {
    let (first, mut last) = mpsc::channel::<Vec<Post>>(QUEUE);
    let source = Arc::clone(posts);
    tokio::spawn(async move {
        for batch in source.chunks(BATCH) {
            if first.send(batch.to_vec()).await.is_err() {
                return;
            }
        }
    });
    for _ in 0..STAGES {
        let (next, received) = mpsc::channel(QUEUE);
        let mut batches = std::mem::replace(&mut last, received);
        tokio::spawn(async move {
            while let Some(batch) = batches.recv().await {
                if next.send(batch).await.is_err() {
                    return;
                }
            }
        });
    }
    let sink = tokio::spawn(async move {
        let mut delivered = 0;
        while let Some(batch) = last.recv().await {
            delivered += batch.len();
        }
        delivered
    });
    let delivered = sink.await?;
    match delivered == posts.len() {
        true => Ok(()),
        false => Err(format!("{delivered} of {} posts came through", posts.len()).into()),
    }
}
