//! What a crash costs: the enrichers' work on what was on its way, and no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Instant;

use async_trait::async_trait;
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

use super::fuse::Fuse;
use super::run::say;

const POSTS: u64 = 100_000;

/// Counts the items that it is given. When it has been given so many, the process is killed.
struct Counting {
    spec: EnricherSpec,
    given: Arc<AtomicU64>,
    kill_at: u64,
    fuse: Arc<Fuse>,
}

#[async_trait]
impl Enricher for Counting {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let given = self.given.fetch_add(batch.len() as u64, SeqCst) + batch.len() as u64;
        if given >= self.kill_at {
            self.fuse.blow();
            std::future::pending::<()>().await;
        }
        let found = |_: &Item| Ok(vec![Finding::label("seen", "yes")]);
        let outcomes = batch.items.iter().map(found).collect();
        Ok(Enriched::new(self.spec.fingerprint.clone(), outcomes))
    }
}

/// Runs until the end, or until the enricher was given so many items.
fn pass(posts: &Posts, documents: &Arc<MemoryDocuments>, out: &Collect, kill_at: u64) -> u64 {
    let given = Arc::new(AtomicU64::new(0));
    let fuse = Arc::new(Fuse::new(None));
    let counting = Counting {
        spec: EnricherSpec::new("counting", "1").gives(["seen"]),
        given: Arc::clone(&given),
        kill_at,
        fuse: Arc::clone(&fuse),
    };
    let pipeline = Pipeline::builder("half way")
        .documents(documents.clone())
        .source(posts.clone())
        .enrich(counting)
        .sink(out.clone())
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let mut options = RunOptions::default();
    // What is on its way grows with the workers.
    options.workers = 2;
    runtime.block_on(async {
        tokio::select! {
            () = fuse.blown() => {}
            ended = pipeline.run(options) => drop(ended.unwrap()),
        }
    });
    drop(runtime);
    given.load(SeqCst)
}

#[test]
fn a_crash_half_way_and_the_rest_do_little_more_than_one_pass_of_enricher_work() {
    let begun = Instant::now();
    let posts = Posts::texts((0..POSTS).map(|number| format!("post {number}")));
    let documents = Arc::new(MemoryDocuments::new());
    let out = Collect::new("out");
    let before = pass(&posts, &documents, &out, POSTS / 2);
    let after = pass(&posts, &documents, &out, u64::MAX);
    let passes = (before + after) as f64 / POSTS as f64;
    let took = begun.elapsed();
    say(&format!(
        "{POSTS} posts, killed after {before}: {after} more, {passes:.4} passes, in {took:.1?}"
    ));
    assert_eq!(out.records().len() as u64, POSTS);
    assert!(before >= POSTS / 2, "it was killed half way");
    assert!(passes <= 1.02, "{passes} passes of enricher work");
}
