//! Whether a heavy post costs more than a light one: it should be moved through the pipeline, not copied.
//!
//! Pages are built before the clock starts and moved out of the source; the sink keeps the records until it has stopped, since to free 10 KB
//! takes an allocator longer than to free 100 bytes, whoever moved them. What hangs on a post is made after all posts of the run, so that the
//! posts themselves lie equally close together in memory.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_benches::{
    Effort, Row, Sample, measured_in_turns, timed,
    workload::{self, BATCH},
};
use heurpipe_core::{
    Checkpoint, Incoming, ItemResult, Page, Partition, Post, Raw, Record, Result, Sink, SinkSpec,
    Source, SourceSpec,
};
use tokio::runtime::Runtime;

use crate::AnyResult;
use crate::no_op;

/// Bytes that hang on a heavy post.
const HEAVY: usize = 10_000;
/// Bytes that hang on a light one.
const LIGHT: usize = 100;

/// Hangs so many bytes on a post.
type Load = fn(&mut Post, usize) -> Result<()>;

const CASES: [(&str, Load); 2] = [
    ("10 KB of raw payload a post", |post, bytes| {
        let payload = Raw::from_value(&"x".repeat(bytes))?;
        post.raw.insert("bench".to_owned(), payload);
        Ok(())
    }),
    ("10 KB of text a post", |post, bytes| {
        post.text = "a red dress ".repeat(bytes / 12);
        Ok(())
    }),
];

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let count = effort.choose(20_000, 50_000);
    let repetitions = effort.choose(9, 21);
    let mut rows = Vec::new();
    for (case, load) in CASES {
        let turns = |repetitions| {
            measured_in_turns(
                repetitions,
                &mut || measure(runtime, count, |post| load(post, HEAVY)),
                &mut || measure(runtime, count, |post| load(post, LIGHT)),
            )
        };
        // The first turn warms up and does not count.
        turns(1)?;
        let (heavy, light) = turns(repetitions)?;
        let [heavy, light] = [heavy, light].map(|sample| sample.cpu_us_each(count));
        let row = Row::cost(case, "CPU-µs/post", heavy, "100 bytes of it", light);
        rows.push(row.goal(light));
    }
    Ok(rows)
}

fn measure(
    runtime: &Runtime,
    count: usize,
    load: impl Fn(&mut Post) -> Result<()>,
) -> AnyResult<Sample> {
    let source = Prebuilt::new(count, load)?;
    let sink = Kept::default();
    timed(|| {
        runtime.block_on(no_op::run(source, None, sink.clone()))?;
        AnyResult::Ok(sink)
    })
}

/// A source that hands its pages over once; read again, it has nothing left.
struct Prebuilt {
    spec: SourceSpec,
    pages: Mutex<Vec<Page>>,
}

impl Prebuilt {
    /// So many posts, all made before the first is loaded.
    fn new(count: usize, load: impl Fn(&mut Post) -> Result<()>) -> Result<Self> {
        let page = |first: usize| {
            let end = (first + BATCH).min(count);
            let item = |number| Incoming::Post(Box::new(workload::post(number)));
            Page {
                items: (first..end).map(item).collect(),
                checkpoint: Checkpoint::at(end.to_string()),
            }
        };
        let mut pages: Vec<Page> = (0..count).step_by(BATCH).map(page).collect();
        for item in pages.iter_mut().flat_map(|page| &mut page.items) {
            if let Incoming::Post(post) = item {
                load(post)?;
            }
        }
        Ok(Self {
            spec: SourceSpec::new("prebuilt", "pages built before the run"),
            pages: Mutex::new(pages),
        })
    }
}

#[async_trait]
impl Source for Prebuilt {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(vec![Partition("all".to_owned())])
    }

    fn read(&self, _partition: Partition, _from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        stream::iter(std::mem::take(&mut *pages).into_iter().map(Ok)).boxed()
    }
}

/// Keeps what it is given, as long as any clone of it lives.
#[derive(Clone)]
struct Kept {
    spec: SinkSpec,
    records: Arc<Mutex<Vec<Arc<Record>>>>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            spec: SinkSpec::new("kept"),
            records: Arc::default(),
        }
    }
}

#[async_trait]
impl Sink for Kept {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        let mut kept = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(records);
        Ok(records.iter().map(|_| Ok(())).collect())
    }
}
