//! Documents that count what is read of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

/// Documents that count the records that scans give.
pub struct Counted {
    inner: Arc<MemoryDocuments>,
    scanned: AtomicUsize,
}

impl Counted {
    pub fn new(inner: &Arc<MemoryDocuments>) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(inner),
            scanned: AtomicUsize::new(0),
        })
    }

    /// Records that scans have given so far.
    pub fn scanned(&self) -> usize {
        self.scanned.load(SeqCst)
    }
}

#[async_trait]
impl Documents for Counted {
    async fn load(&self, ids: &[PostId]) -> Result<Vec<Stored>> {
        self.inner.load(ids).await
    }

    async fn commit(&self, records: &[&Record]) -> Result<Vec<ItemResult<u64>>> {
        self.inner.commit(records).await
    }

    async fn scan(&self, scan: &Scan) -> Result<RecordPage> {
        let page = self.inner.scan(scan).await?;
        self.scanned.fetch_add(page.records.len(), SeqCst);
        Ok(page)
    }

    async fn count(&self, scan: &Scan) -> Result<u64> {
        self.inner.count(scan).await
    }

    async fn days(&self, scan: &Scan) -> Result<Vec<DayCount>> {
        self.inner.days(scan).await
    }

    async fn remove(&self, records: &[(PostId, u64)]) -> Result<Vec<ItemResult<()>>> {
        self.inner.remove(records).await
    }

    async fn refuse(&self, subjects: &[Subject]) -> Result<Vec<PostId>> {
        self.inner.refuse(subjects).await
    }

    async fn refused(&self, subjects: &[Subject]) -> Result<Vec<bool>> {
        self.inner.refused(subjects).await
    }

    async fn erase(&self, posts: &[PostId]) -> Result<Erased> {
        self.inner.erase(posts).await
    }

    async fn analyses(&self, use_case: &str) -> Result<Vec<AnalysisGroup>> {
        self.inner.analyses(use_case).await
    }

    async fn checkpoint(&self, key: &CheckpointKey) -> Result<Option<Checkpoint>> {
        self.inner.checkpoint(key).await
    }

    async fn save_checkpoint(&self, key: &CheckpointKey, checkpoint: &Checkpoint) -> Result<()> {
        self.inner.save_checkpoint(key, checkpoint).await
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        self.inner.save_run(run).await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        self.inner.runs(limit).await
    }

    async fn bury(&self, letters: &[DeadLetter]) -> Result<()> {
        self.inner.bury(letters).await
    }

    async fn dead_letters(&self, scan: &DeadLetterScan) -> Result<Vec<DeadLetter>> {
        self.inner.dead_letters(scan).await
    }

    async fn dead_letter_counts(&self, use_case: Option<&str>) -> Result<Vec<DeadLetterCount>> {
        self.inner.dead_letter_counts(use_case).await
    }

    async fn exhume(&self, keys: &[String]) -> Result<()> {
        self.inner.exhume(keys).await
    }

    async fn memo(&self, name: &str) -> Result<Option<String>> {
        self.inner.memo(name).await
    }

    async fn save_memo(&self, name: &str, value: &str) -> Result<()> {
        self.inner.save_memo(name, value).await
    }
}
