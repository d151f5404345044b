//! Whether a slow sink makes memory grow: the peak of a long run beside its peak after the first twentieth.
//!
//! The run takes place in a process of its own, so that no other case counts.

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_benches::{
    Effort, Nowhere, Row, peak,
    workload::{self, BATCH},
};
use heurpipe_core::{
    Checkpoint, Incoming, ItemResult, Page, Partition, Record, Result, Sink, SinkSpec, Source,
    SourceSpec,
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use crate::AnyResult;
use crate::no_op;

/// The argument that makes this program the child; the number of posts follows.
const CHILD: &str = "--memory-child";
/// The sink takes so many times as long as all the rest.
const SLOWER: u32 = 2;
/// What the peak of the whole run may be of that of its first twentieth.
const FLAT: f64 = 1.10;

/// What the child found, in kB.
#[derive(Debug, Serialize, Deserialize)]
struct Peaks {
    early: u64,
    whole: u64,
}

pub fn rows(_runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    if !cfg!(target_os = "linux") {
        eprintln!("memory is skipped: the peak of a process is read from Linux's /proc");
        return Ok(Vec::new());
    }
    let posts = effort.choose(1_000_000, 10_000_000);
    let child = Command::new(std::env::current_exe()?)
        .args([CHILD, &posts.to_string()])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !child.status.success() {
        return Err(format!("the run in a process of its own failed: {}", child.status).into());
    }
    let peaks: Peaks = serde_json::from_slice(&child.stdout)?;
    let [early, whole] = [peaks.early, peaks.whole].map(|kilobytes| kilobytes as f64 / 1000.0);
    let case = format!("{} million posts, slow sink", posts / 1_000_000);
    let row = Row::cost(&case, "peak MB", whole, "peak in the first 5 %", early);
    Ok(vec![row.goal(early * FLAT)])
}

/// How many posts this process is to run as the child; none: it is not.
pub fn asked_of_child() -> Option<usize> {
    let mut arguments = std::env::args().skip_while(|argument| argument != CHILD);
    arguments.nth(1)?.parse().ok()
}

/// Runs so many posts into a slow sink and prints the peaks.
///
/// # Errors
/// When the run fails or the peak cannot be read.
pub async fn child(posts: usize) -> AnyResult<()> {
    let warm_up = posts / 20;
    let begun = Instant::now();
    no_op::run(Generated::new(warm_up), None, Nowhere::new()).await?;
    let delay = begun.elapsed() * SLOWER / u32::try_from(warm_up)?;

    let sink = Arc::new(Slow::new(delay, posts / 20));
    no_op::run(Generated::new(posts), None, Shared(Arc::clone(&sink))).await?;
    let early = sink
        .early()
        .ok_or("the sink never saw the first twentieth")??;
    let whole = peak()?;
    println!("{}", serde_json::to_string(&Peaks { early, whole })?);
    Ok(())
}

/// A source that makes its posts as they are read.
struct Generated {
    spec: SourceSpec,
    posts: usize,
}

impl Generated {
    fn new(posts: usize) -> Self {
        Self {
            spec: SourceSpec::new("generated", "posts made as they are read"),
            posts,
        }
    }
}

#[async_trait]
impl Source for Generated {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(vec![Partition("all".to_owned())])
    }

    fn read(&self, _partition: Partition, _from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let posts = self.posts;
        stream::iter((0..posts).step_by(BATCH))
            .map(move |first| {
                let end = (first + BATCH).min(posts);
                let item = |number| Incoming::Post(Box::new(workload::post(number)));
                Ok(Page {
                    items: (first..end).map(item).collect(),
                    checkpoint: Checkpoint::at(end.to_string()),
                })
            })
            .boxed()
    }
}

/// Keeps nothing, takes `delay` for each record, and notes the peak after the first so many.
struct Slow {
    spec: SinkSpec,
    delay: Duration,
    early_after: usize,
    state: Mutex<Progress>,
}

struct Progress {
    written: usize,
    /// When it has done what it was given so far.
    free_at: Instant,
    early: Option<std::io::Result<u64>>,
}

impl Slow {
    fn new(delay: Duration, early_after: usize) -> Self {
        Self {
            spec: SinkSpec::new("slow"),
            delay,
            early_after,
            state: Mutex::new(Progress {
                written: 0,
                free_at: Instant::now(),
                early: None,
            }),
        }
    }

    /// Notes so many records, and gives the time at which they would be written.
    fn note(&self, records: usize) -> Instant {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.written += records;
        if state.written >= self.early_after && state.early.is_none() {
            state.early = Some(peak());
        }
        let work = self.delay * u32::try_from(records).unwrap_or(u32::MAX);
        state.free_at = state.free_at.max(Instant::now()) + work;
        state.free_at
    }

    fn early(&self) -> Option<std::io::Result<u64>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.early.take()
    }
}

/// The sink as the pipeline owns it, while the child still asks it.
struct Shared(Arc<Slow>);

#[async_trait]
impl Sink for Shared {
    fn spec(&self) -> &SinkSpec {
        &self.0.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        let done = self.0.note(records.len());
        tokio::time::sleep_until(done.into()).await;
        Ok(records.iter().map(|_| Ok(())).collect())
    }
}
