//! The ceiling: bare channels that pass batches of the same records on. They know no receipts, ledger, filters or failures.

use std::sync::Arc;

use heurpipe_benches::workload::{BATCH, STAGES};
use heurpipe_core::{Post, Record};
use tokio::sync::mpsc::{self, Receiver};

use crate::AnyResult;

/// What rows call this peer.
pub const NAME: &str = "bare tokio channels";

/// Batches that wait between two stages; as many as in the executor.
const QUEUE: usize = 2;

/// A task makes a record of each post, a task per stage passes each batch on, the last drops it.
///
/// # Errors
/// When not every record comes through.
pub async fn run(posts: &Arc<Vec<Post>>) -> AnyResult<()> {
    let mut batches = source(Arc::clone(posts));
    for _ in 0..STAGES {
        batches = stage(batches);
    }
    let sink = tokio::spawn(async move {
        let mut delivered = 0;
        while let Some(batch) = batches.recv().await {
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

fn source(posts: Arc<Vec<Post>>) -> Receiver<Vec<Record>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        for posts in posts.chunks(BATCH) {
            let records = posts.iter().cloned().map(Record::new).collect();
            if sender.send(records).await.is_err() {
                return;
            }
        }
    });
    receiver
}

fn stage(mut batches: Receiver<Vec<Record>>) -> Receiver<Vec<Record>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        while let Some(batch) = batches.recv().await {
            if sender.send(batch).await.is_err() {
                return;
            }
        }
    });
    receiver
}
