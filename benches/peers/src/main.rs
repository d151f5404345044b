//! swiftide with four stages that do nothing, beside which the pipeline benchmark runs ours.
//!
//! `heurpipe-peers POSTS` prints its name and settings on a line; then, for each line it reads, it passes so many posts through and prints
//! on a line what that took, as JSON. It ends when there is nothing more to read.

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use heurpipe_benches::{
    Sample, timed,
    workload::{self, BATCH, STAGES},
};
use heurpipe_core::{Post, Record};
use swiftide_core::indexing::{IndexingStream, Metadata, Node};
use swiftide_core::{BatchableTransformer, Loader, Persist, WithBatchIndexingDefaults};
use swiftide_indexing::Pipeline;
use tokio::runtime::Runtime;

/// As in the manifest.
const NAME: &str = "swiftide 0.32.1";
/// Batches at a time in each stage; the one that does best is measured.
const CONCURRENCIES: [usize; 4] = [1, 2, 4, 8];

fn main() -> Result<()> {
    let count = std::env::args()
        .nth(1)
        .context("usage: heurpipe-peers POSTS")?;
    let posts = Arc::new(workload::posts(count.parse()?));
    let runtime = Runtime::new()?;
    let concurrency = best(&runtime, &posts)?;
    let mut answers = std::io::stdout().lock();
    writeln!(answers, "{NAME}, concurrency {concurrency}")?;
    for request in std::io::stdin().lines() {
        request?;
        let sample = turn(&runtime, &posts, concurrency)?;
        writeln!(answers, "{}", serde_json::to_string(&sample)?)?;
    }
    Ok(())
}

/// The concurrency with which one of three turns was shortest.
fn best(runtime: &Runtime, posts: &Arc<Vec<Post>>) -> Result<usize> {
    let mut best = (Duration::MAX, 0);
    for _ in 0..3 {
        for concurrency in CONCURRENCIES {
            let sample = turn(runtime, posts, concurrency)?;
            best = best.min((sample.wall, concurrency));
        }
    }
    Ok(best.1)
}

fn turn(runtime: &Runtime, posts: &Arc<Vec<Post>>, concurrency: usize) -> Result<Sample> {
    timed(|| runtime.block_on(run(posts, concurrency)))
}

async fn run(posts: &Arc<Vec<Post>>, concurrency: usize) -> Result<()> {
    let stored = Arc::new(AtomicUsize::new(0));
    let gathered = Gathered(Arc::clone(posts));
    let mut pipeline = Pipeline::from_loader(gathered).with_concurrency(concurrency);
    for _ in 0..STAGES {
        pipeline = pipeline.then_in_batch(Idle);
    }
    let nowhere = Nowhere(Arc::clone(&stored));
    // On a worker thread, where it runs twice as fast as on the thread that waits for it.
    tokio::spawn(pipeline.then_store_with(nowhere).run()).await??;
    let stored = stored.load(Ordering::Relaxed);
    ensure!(
        stored == posts.len(),
        "{stored} of {} posts came through",
        posts.len()
    );
    Ok(())
}

/// A record as swiftide's nodes carry it. In a box: swiftide moves nodes one by one from stage to stage, and is faster so.
#[derive(Clone)]
struct Chunk(Box<Record>);

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self.0.post.text.as_bytes()
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.id())
    }
}

/// Makes a record of each post.
#[derive(Clone)]
struct Gathered(Arc<Vec<Post>>);

impl Loader for Gathered {
    type Output = Chunk;

    fn into_stream(self) -> IndexingStream<Chunk> {
        let posts = self.0;
        IndexingStream::iter((0..posts.len()).map(move |number| Ok(node(posts[number].clone()))))
    }
}

fn node(post: Post) -> Node<Chunk> {
    Node {
        path: Default::default(),
        chunk: Chunk(Box::new(Record::new(post))),
        vectors: None,
        sparse_vectors: None,
        metadata: Metadata::default(),
        embed_mode: Default::default(),
        original_size: 0,
        offset: 0,
    }
}

/// Passes batches on.
#[derive(Clone)]
struct Idle;

impl WithBatchIndexingDefaults for Idle {}

#[async_trait]
impl BatchableTransformer for Idle {
    type Input = Chunk;
    type Output = Chunk;

    async fn batch_transform(&self, nodes: Vec<Node<Chunk>>) -> IndexingStream<Chunk> {
        IndexingStream::from_nodes(nodes)
    }

    fn batch_size(&self) -> Option<usize> {
        Some(BATCH)
    }
}

/// Counts what it is given and drops it.
#[derive(Debug, Clone)]
struct Nowhere(Arc<AtomicUsize>);

#[async_trait]
impl Persist for Nowhere {
    type Input = Chunk;
    type Output = Chunk;

    async fn setup(&self) -> Result<()> {
        Ok(())
    }

    async fn store(&self, node: Node<Chunk>) -> Result<Node<Chunk>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(node)
    }

    async fn batch_store(&self, nodes: Vec<Node<Chunk>>) -> IndexingStream<Chunk> {
        self.0.fetch_add(nodes.len(), Ordering::Relaxed);
        IndexingStream::empty()
    }

    fn batch_size(&self) -> Option<usize> {
        Some(BATCH)
    }
}
