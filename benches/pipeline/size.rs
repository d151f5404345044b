//! Whether a heavy post costs more than a light one: it should be moved through the pipeline, not copied.
//!
//! Pages are built before the clock starts and moved out of the source. What hangs on a heavy post is made after all posts of the run, so
//! that the posts themselves lie as close together in memory as light ones do.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_benches::{
    Effort, Row, Sample, measured_in_turns, timed,
    workload::{self, BATCH},
};
use heurpipe_core::{Checkpoint, Incoming, Page, Partition, Post, Raw, Result, Source, SourceSpec};
use tokio::runtime::Runtime;

use crate::AnyResult;
use crate::no_op::{self, Nowhere};

const HEAVY: usize = 10_000;

/// Gives a post its weight.
type Load = fn(&mut Post) -> Result<()>;

pub fn rows(runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    let count = effort.choose(20_000, 50_000);
    let repetitions = effort.choose(7, 15);
    let cases: [(&str, Load); 2] = [
        ("posts with 10 KB of raw payload", |post| {
            let payload = Raw::from_value(&"x".repeat(HEAVY))?;
            post.raw.insert("bench".to_owned(), payload);
            Ok(())
        }),
        ("posts with 10 KB of text", |post| {
            post.text = "a red dress ".repeat(HEAVY / 12);
            Ok(())
        }),
    ];
    let mut rows = Vec::new();
    for (case, load) in cases {
        // The first turn warms up and does not count.
        let turns = |repetitions| {
            measured_in_turns(
                repetitions,
                &mut || measure(runtime, count, load),
                &mut || measure(runtime, count, |_| Ok(())),
            )
        };
        turns(1)?;
        let (heavy, light) = turns(repetitions)?;
        let [heavy, light] = [heavy, light].map(|sample| sample.cpu_us_each(count));
        let row = Row::cost(case, "CPU-µs/post", heavy, "posts of 100 bytes", light);
        rows.push(row.goal(light));
    }
    Ok(rows)
}

fn measure(runtime: &Runtime, count: usize, load: Load) -> AnyResult<Sample> {
    let source = Prebuilt::new(count, load)?;
    timed(|| runtime.block_on(no_op::run(source, None, Nowhere::new())))
}

/// A source that hands its pages over once; read again, it has nothing left.
struct Prebuilt {
    spec: SourceSpec,
    pages: Mutex<Vec<Page>>,
}

impl Prebuilt {
    /// So many posts, all made before the first is loaded.
    fn new(count: usize, load: Load) -> Result<Self> {
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
