//! Runs over partitions that end, in an error or by being killed, and are taken up again.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use heurpipe_core::{Checkpoint, Error, Incoming, Partition, Retry, Source};
use heurpipe_sources::simulator::WorldOptions;

use super::simulated::Bench;

/// Runs that end in an error, one after the other, after which the next one will not do better either.
const HOPELESS: usize = 50;

impl Bench {
    /// Simulates this world from so long before its end on.
    pub async fn new(world: WorldOptions, before_the_end: Duration) -> Self {
        Self::with(world, before_the_end, |_| ()).await
    }

    /// Runs over a partition until `pages` have been read or it ends. A run that fails for a while is followed by one with a new source, from what
    /// the last stored, after as long as the error says.
    pub async fn run<S: Source>(
        &self,
        make: impl Fn() -> S,
        partition: &Partition,
        from: Checkpoint,
        pages: usize,
    ) -> Run {
        let mut run = Run {
            posts: BTreeSet::new(),
            pages: 0,
            checkpoint: from,
        };
        for _ in 0..HOPELESS {
            match run.go_on(&make(), partition, pages).await {
                Ok(()) => return run,
                Err(error) => {
                    assert_eq!(error.retry(), Retry::Temporary, "{error:?}");
                    self.hand.advance(error.retry_after().unwrap_or_default());
                }
            }
        }
        panic!("{} comes to no end", partition.0);
    }
}

/// What runs over a partition have brought.
#[derive(Debug)]
pub struct Run {
    /// Ids of posts.
    pub posts: BTreeSet<String>,
    /// Pages read.
    pub pages: usize,
    /// As it is stored in between, as JSON.
    pub checkpoint: Checkpoint,
}

impl Run {
    async fn go_on(
        &mut self,
        source: &impl Source,
        partition: &Partition,
        pages: usize,
    ) -> Result<(), Error> {
        let mut stream = source.read(partition.clone(), self.checkpoint.clone());
        while self.pages < pages {
            let Some(page) = stream.next().await.transpose()? else {
                return Ok(());
            };
            self.pages += 1;
            let stored = serde_json::to_string(&page.checkpoint).unwrap();
            self.checkpoint = serde_json::from_str(&stored).unwrap();
            for item in page.items {
                match item {
                    Incoming::Post(post) => self.posts.insert(post.id.native.to_string()),
                    other => panic!("no post: {other:?}"),
                };
            }
        }
        Ok(())
    }
}
