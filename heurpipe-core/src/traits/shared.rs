//! A part that is shared is a part: whatever takes one by value, a wrapper or a suite, takes an [`Arc`] of it too.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::analyses::{Analysed, AnalysisCache, Likeness, NearFindings};
use super::documents::{
    AnalysisGroup, CheckpointKey, DayCount, DeadLetter, DeadLetterCount, DeadLetterScan, Documents,
    RecordPage, RunRecord, Scan, Stored,
};
use super::enricher::ItemResult;
use super::erasure::{Erased, Subject};
use super::gate::{QualityGate, Verdict};
use super::portable::{Collection, Entry, EntryPage, ErasureKey, Portable};
use super::review::{ReviewQueue, ReviewTask};
use super::source::{Checkpoint, Page, Partition, Source, SourceSpec};
use crate::{Digest, Finding, Outcome, PostId, Record, Result};

#[async_trait]
impl<S: Source + ?Sized> Source for Arc<S> {
    fn spec(&self) -> &SourceSpec {
        (**self).spec()
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        (**self).partitions().await
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        (**self).read(partition, from)
    }

    async fn settled(
        &self,
        partition: &Partition,
        upto: &Checkpoint,
        outcomes: &[(PostId, Outcome)],
    ) -> Result<()> {
        (**self).settled(partition, upto, outcomes).await
    }
}

#[async_trait]
impl<G: QualityGate + ?Sized> QualityGate for Arc<G> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn describe(&self) -> String {
        (**self).describe()
    }

    fn needs(&self) -> &[String] {
        (**self).needs()
    }

    async fn judge(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<Verdict>>> {
        (**self).judge(records).await
    }
}

#[async_trait]
impl<D: Documents + ?Sized> Documents for Arc<D> {
    async fn load(&self, ids: &[PostId]) -> Result<Vec<Stored>> {
        (**self).load(ids).await
    }

    async fn commit(&self, records: &[&Record]) -> Result<Vec<ItemResult<u64>>> {
        (**self).commit(records).await
    }

    async fn scan(&self, scan: &Scan) -> Result<RecordPage> {
        (**self).scan(scan).await
    }

    async fn count(&self, scan: &Scan) -> Result<u64> {
        (**self).count(scan).await
    }

    async fn days(&self, scan: &Scan) -> Result<Vec<DayCount>> {
        (**self).days(scan).await
    }

    async fn remove(&self, records: &[(PostId, u64)]) -> Result<Vec<ItemResult<()>>> {
        (**self).remove(records).await
    }

    async fn refuse(&self, subjects: &[Subject]) -> Result<Vec<PostId>> {
        (**self).refuse(subjects).await
    }

    async fn refused(&self, subjects: &[Subject]) -> Result<Vec<bool>> {
        (**self).refused(subjects).await
    }

    async fn erase(&self, posts: &[PostId]) -> Result<Erased> {
        (**self).erase(posts).await
    }

    async fn analyses(&self, use_case: &str) -> Result<Vec<AnalysisGroup>> {
        (**self).analyses(use_case).await
    }

    async fn checkpoint(&self, key: &CheckpointKey) -> Result<Option<Checkpoint>> {
        (**self).checkpoint(key).await
    }

    async fn save_checkpoint(&self, key: &CheckpointKey, checkpoint: &Checkpoint) -> Result<()> {
        (**self).save_checkpoint(key, checkpoint).await
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        (**self).save_run(run).await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        (**self).runs(limit).await
    }

    async fn bury(&self, letters: &[DeadLetter]) -> Result<()> {
        (**self).bury(letters).await
    }

    async fn dead_letters(&self, scan: &DeadLetterScan) -> Result<Vec<DeadLetter>> {
        (**self).dead_letters(scan).await
    }

    async fn dead_letter_counts(&self, use_case: Option<&str>) -> Result<Vec<DeadLetterCount>> {
        (**self).dead_letter_counts(use_case).await
    }

    async fn exhume(&self, keys: &[String]) -> Result<()> {
        (**self).exhume(keys).await
    }

    async fn memo(&self, name: &str) -> Result<Option<String>> {
        (**self).memo(name).await
    }

    async fn save_memo(&self, name: &str, value: &str) -> Result<()> {
        (**self).save_memo(name, value).await
    }
}

#[async_trait]
impl<A: AnalysisCache + ?Sized> AnalysisCache for Arc<A> {
    async fn recall(&self, keys: &[Digest]) -> Result<Vec<Option<Vec<Finding>>>> {
        (**self).recall(keys).await
    }

    async fn remember(&self, analyses: &[(Digest, Vec<Finding>)]) -> Result<()> {
        (**self).remember(analyses).await
    }

    async fn recall_near(
        &self,
        likenesses: &[Likeness],
        within: u32,
    ) -> Result<Vec<Option<NearFindings>>> {
        (**self).recall_near(likenesses, within).await
    }

    async fn remember_near(&self, analysed: &[Analysed]) -> Result<()> {
        (**self).remember_near(analysed).await
    }

    async fn forget(&self, pictures: &[Digest]) -> Result<u64> {
        (**self).forget(pictures).await
    }
}

#[async_trait]
impl<Q: ReviewQueue + ?Sized> ReviewQueue for Arc<Q> {
    async fn ask(&self, tasks: &[ReviewTask]) -> Result<()> {
        (**self).ask(tasks).await
    }

    async fn open(&self, use_case: Option<&str>, limit: usize) -> Result<Vec<ReviewTask>> {
        (**self).open(use_case, limit).await
    }
}

#[async_trait]
impl<P: Portable + ?Sized> Portable for Arc<P> {
    async fn erasure_key(&self) -> Result<ErasureKey> {
        (**self).erasure_key().await
    }

    async fn adopt_erasure_key(&self, key: &ErasureKey) -> Result<()> {
        (**self).adopt_erasure_key(key).await
    }

    async fn export(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EntryPage> {
        (**self).export(collection, after, limit).await
    }

    async fn import(&self, entries: &[Entry]) -> Result<()> {
        (**self).import(entries).await
    }
}
