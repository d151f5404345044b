//! Documents and a review queue that a process can be killed in, and that watch over checkpoints.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use heurpipe_core::*;

use super::fuse::Fuse;
use super::parts::{incoming, number, offset};
use super::world::World;

/// The documents of one life.
pub struct Watched {
    world: Arc<World>,
    fuse: Arc<Fuse>,
    /// The items that the last checkpoint of each partition speaks for.
    committed: Mutex<BTreeMap<(usize, usize), usize>>,
}

impl Watched {
    pub fn new(world: &Arc<World>, fuse: &Arc<Fuse>) -> Self {
        Self {
            world: Arc::clone(world),
            fuse: Arc::clone(fuse),
            committed: Mutex::default(),
        }
    }

    /// No checkpoint speaks for an item that a later run would not find.
    async fn check(&self, key: &CheckpointKey, checkpoint: &Checkpoint) {
        let place = (number(&key.source), number(&key.partition.0));
        let upto = offset(checkpoint);
        let before = self.committed.lock().unwrap().insert(place, upto);
        let queue = self.world.case.sources[place.0].queue;
        if !queue && before.is_some_and(|before| before > upto) {
            self.world.violated(format!(
                "the checkpoint of {key} went from {before:?} to {upto}"
            ));
        }
        let partition = &self.world.case.sources[place.0].partitions[place.1];
        for item in &partition.items[..upto] {
            if !self.world.is_kept(&incoming(item)).await {
                self.world.violated(format!(
                    "the checkpoint of {key} is {upto}, and {item:?} is neither settled nor pending"
                ));
            }
        }
    }
}

#[async_trait]
impl Documents for Watched {
    async fn load(&self, ids: &[PostId]) -> Result<Vec<Stored>> {
        self.fuse
            .call(self.world.documents.load(ids), ready(()))
            .await
    }

    async fn commit(&self, records: &[&Record]) -> Result<Vec<ItemResult<u64>>> {
        let commit = async |records: &[&Record]| {
            self.world.writes_notes(records).await;
            self.world.documents.commit(records).await
        };
        let half = async { drop(commit(&records[..records.len() / 2]).await) };
        self.fuse.call(commit(records), half).await
    }

    async fn scan(&self, scan: &Scan) -> Result<RecordPage> {
        self.fuse
            .call(self.world.documents.scan(scan), ready(()))
            .await
    }

    async fn count(&self, scan: &Scan) -> Result<u64> {
        self.fuse
            .call(self.world.documents.count(scan), ready(()))
            .await
    }

    async fn days(&self, scan: &Scan) -> Result<Vec<DayCount>> {
        self.fuse
            .call(self.world.documents.days(scan), ready(()))
            .await
    }

    async fn remove(&self, records: &[(PostId, u64)]) -> Result<Vec<ItemResult<()>>> {
        self.fuse
            .call(self.world.documents.remove(records), ready(()))
            .await
    }

    async fn refuse(&self, subjects: &[Subject]) -> Result<Vec<PostId>> {
        self.fuse
            .call(self.world.documents.refuse(subjects), ready(()))
            .await
    }

    async fn refused(&self, subjects: &[Subject]) -> Result<Vec<bool>> {
        self.fuse
            .call(self.world.documents.refused(subjects), ready(()))
            .await
    }

    async fn erase(&self, posts: &[PostId]) -> Result<Erased> {
        self.fuse
            .call(self.world.documents.erase(posts), ready(()))
            .await
    }

    async fn analyses(&self, use_case: &str) -> Result<Vec<AnalysisGroup>> {
        self.fuse
            .call(self.world.documents.analyses(use_case), ready(()))
            .await
    }

    async fn checkpoint(&self, key: &CheckpointKey) -> Result<Option<Checkpoint>> {
        self.fuse
            .call(self.world.documents.checkpoint(key), ready(()))
            .await
    }

    async fn save_checkpoint(&self, key: &CheckpointKey, checkpoint: &Checkpoint) -> Result<()> {
        let whole = async {
            self.check(key, checkpoint).await;
            self.world.documents.save_checkpoint(key, checkpoint).await
        };
        self.fuse.call(whole, ready(())).await
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        self.fuse
            .call(self.world.documents.save_run(run), ready(()))
            .await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        self.fuse
            .call(self.world.documents.runs(limit), ready(()))
            .await
    }

    async fn bury(&self, letters: &[DeadLetter]) -> Result<()> {
        let documents = &self.world.documents;
        let half = async { drop(documents.bury(&letters[..letters.len() / 2]).await) };
        self.fuse.call(documents.bury(letters), half).await
    }

    async fn dead_letters(&self, scan: &DeadLetterScan) -> Result<Vec<DeadLetter>> {
        self.fuse
            .call(self.world.documents.dead_letters(scan), ready(()))
            .await
    }

    async fn dead_letter_counts(&self, use_case: Option<&str>) -> Result<Vec<DeadLetterCount>> {
        let counts = self.world.documents.dead_letter_counts(use_case);
        self.fuse.call(counts, ready(())).await
    }

    async fn exhume(&self, keys: &[String]) -> Result<()> {
        self.fuse
            .call(self.world.documents.exhume(keys), ready(()))
            .await
    }

    async fn memo(&self, name: &str) -> Result<Option<String>> {
        self.fuse
            .call(self.world.documents.memo(name), ready(()))
            .await
    }

    async fn save_memo(&self, name: &str, value: &str) -> Result<()> {
        self.fuse
            .call(self.world.documents.save_memo(name, value), ready(()))
            .await
    }
}

#[async_trait]
impl ReviewQueue for Watched {
    async fn ask(&self, tasks: &[ReviewTask]) -> Result<()> {
        let documents = &self.world.documents;
        let half = async { drop(documents.ask(&tasks[..tasks.len() / 2]).await) };
        self.fuse.call(documents.ask(tasks), half).await
    }

    async fn open(&self, use_case: Option<&str>, limit: usize) -> Result<Vec<ReviewTask>> {
        self.fuse
            .call(self.world.documents.open(use_case, limit), ready(()))
            .await
    }
}
