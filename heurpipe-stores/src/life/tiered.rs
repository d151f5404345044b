//! Documents that know what the warehouse keeps.

use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{
    Analysed, AnalysisCache, AnalysisGroup, Checkpoint, CheckpointKey, Collection, DayCount,
    DeadLetter, DeadLetterCount, DeadLetterScan, Digest, Documents, Entry, EntryPage, Erased,
    ErasureKey, Error, ErrorKind, Finding, ItemResult, Likeness, NearFindings, Portable, PostId,
    Record, RecordPage, Result, ReviewQueue, ReviewTask, RunRecord, Scan, Stored, Subject,
};

use crate::documents::DocumentStore;
use crate::warehouse::Warehouse;

/// Documents which load an archived post from the warehouse.
///
/// A pipeline over them recognises a post that comes again, with its ledger, so that nothing about it is analysed twice. Where nothing
/// about it has changed it stays where it is; where something has, the commit brings it back into documents, one revision later. The
/// next archive run then supersedes the row in the warehouse. Scans and counts are of documents alone.
pub struct Tiered {
    documents: Arc<dyn DocumentStore>,
    warehouse: Arc<dyn Warehouse>,
}

impl Tiered {
    /// These documents with this warehouse behind them.
    pub fn new(documents: Arc<dyn DocumentStore>, warehouse: Arc<dyn Warehouse>) -> Self {
        Self {
            documents,
            warehouse,
        }
    }
}

#[async_trait]
impl Documents for Tiered {
    async fn load(&self, ids: &[PostId]) -> Result<Vec<Stored>> {
        let mut stored = self.documents.load(ids).await?;
        let archived = stored.iter().filter_map(|stored| match stored {
            Stored::Archived { post, .. } => Some(post.clone()),
            _ => None,
        });
        let archived: Vec<PostId> = archived.collect();
        if archived.is_empty() {
            return Ok(stored);
        }
        let mut kept = self.warehouse.get(&archived).await?.into_iter();
        for one in &mut stored {
            if let Stored::Archived { post, revision } = one {
                let mut record = kept.next().flatten().ok_or_else(|| lost(post))?;
                // What documents take back is the revision that they let go of.
                record.revision = *revision;
                *one = Stored::Known(Box::new(record));
            }
        }
        Ok(stored)
    }

    async fn commit(&self, records: &[&Record]) -> Result<Vec<ItemResult<u64>>> {
        self.documents.commit(records).await
    }

    async fn scan(&self, scan: &Scan) -> Result<RecordPage> {
        self.documents.scan(scan).await
    }

    async fn count(&self, scan: &Scan) -> Result<u64> {
        self.documents.count(scan).await
    }

    async fn days(&self, scan: &Scan) -> Result<Vec<DayCount>> {
        self.documents.days(scan).await
    }

    async fn remove(&self, records: &[(PostId, u64)]) -> Result<Vec<ItemResult<()>>> {
        self.documents.remove(records).await
    }

    async fn refuse(&self, subjects: &[Subject]) -> Result<Vec<PostId>> {
        self.documents.refuse(subjects).await
    }

    async fn refused(&self, subjects: &[Subject]) -> Result<Vec<bool>> {
        self.documents.refused(subjects).await
    }

    async fn erase(&self, posts: &[PostId]) -> Result<Erased> {
        self.documents.erase(posts).await
    }

    async fn analyses(&self, use_case: &str) -> Result<Vec<AnalysisGroup>> {
        self.documents.analyses(use_case).await
    }

    async fn checkpoint(&self, key: &CheckpointKey) -> Result<Option<Checkpoint>> {
        self.documents.checkpoint(key).await
    }

    async fn save_checkpoint(&self, key: &CheckpointKey, checkpoint: &Checkpoint) -> Result<()> {
        self.documents.save_checkpoint(key, checkpoint).await
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        self.documents.save_run(run).await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        self.documents.runs(limit).await
    }

    async fn bury(&self, letters: &[DeadLetter]) -> Result<()> {
        self.documents.bury(letters).await
    }

    async fn dead_letters(&self, scan: &DeadLetterScan) -> Result<Vec<DeadLetter>> {
        self.documents.dead_letters(scan).await
    }

    async fn dead_letter_counts(&self, use_case: Option<&str>) -> Result<Vec<DeadLetterCount>> {
        self.documents.dead_letter_counts(use_case).await
    }

    async fn exhume(&self, keys: &[String]) -> Result<()> {
        self.documents.exhume(keys).await
    }

    async fn memo(&self, name: &str) -> Result<Option<String>> {
        self.documents.memo(name).await
    }

    async fn save_memo(&self, name: &str, value: &str) -> Result<()> {
        self.documents.save_memo(name, value).await
    }
}

fn lost(post: &PostId) -> Error {
    Error::new(ErrorKind::Corrupt, "documents.load")
        .message("a post was archived, and the warehouse does not have it")
        .with("post", post)
}

#[async_trait]
impl ReviewQueue for Tiered {
    async fn ask(&self, tasks: &[ReviewTask]) -> Result<()> {
        self.documents.ask(tasks).await
    }

    async fn open(&self, use_case: Option<&str>, limit: usize) -> Result<Vec<ReviewTask>> {
        self.documents.open(use_case, limit).await
    }
}

#[async_trait]
impl AnalysisCache for Tiered {
    async fn recall(&self, keys: &[Digest]) -> Result<Vec<Option<Vec<Finding>>>> {
        self.documents.recall(keys).await
    }

    async fn remember(&self, analyses: &[(Digest, Vec<Finding>)]) -> Result<()> {
        self.documents.remember(analyses).await
    }

    async fn recall_near(
        &self,
        likenesses: &[Likeness],
        within: u32,
    ) -> Result<Vec<Option<NearFindings>>> {
        self.documents.recall_near(likenesses, within).await
    }

    async fn remember_near(&self, analysed: &[Analysed]) -> Result<()> {
        self.documents.remember_near(analysed).await
    }

    async fn forget(&self, pictures: &[Digest]) -> Result<u64> {
        self.documents.forget(pictures).await
    }
}

#[async_trait]
impl Portable for Tiered {
    async fn erasure_key(&self) -> Result<ErasureKey> {
        self.documents.erasure_key().await
    }

    async fn adopt_erasure_key(&self, key: &ErasureKey) -> Result<()> {
        self.documents.adopt_erasure_key(key).await
    }

    async fn export(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EntryPage> {
        self.documents.export(collection, after, limit).await
    }

    async fn import(&self, entries: &[Entry]) -> Result<()> {
        self.documents.import(entries).await
    }
}
