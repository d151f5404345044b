//! Documents, a cache of analyses and a review queue at which things go wrong.

use async_trait::async_trait;

use super::layer::Faulty;
use crate::middleware::Call;
use crate::{
    Analysed, AnalysisCache, AnalysisGroup, Checkpoint, CheckpointKey, Collection, DayCount,
    DeadLetter, DeadLetterCount, DeadLetterScan, Digest, Documents, Entry, EntryPage, Erased,
    ErasureKey, Finding, ItemResult, Likeness, NearFindings, Portable, PostId, Record, RecordPage,
    Result, ReviewQueue, ReviewTask, RunRecord, Scan, Stored, Subject,
};

/// A call of documents: its name in scripts is the method's.
fn documents(method: &'static str) -> Call<'static> {
    Call::new("documents", method, "documents", 0)
}

fn analyses(method: &'static str) -> Call<'static> {
    Call::new("analyses", method, "analyses", 0)
}

fn portable(method: &'static str) -> Call<'static> {
    Call::new("portable", method, "portable", 0)
}

fn review(method: &'static str) -> Call<'static> {
    Call::new("review", method, "review", 0)
}

#[async_trait]
impl<P: Documents + 'static> Documents for Faulty<P> {
    async fn load(&self, ids: &[PostId]) -> Result<Vec<Stored>> {
        let posts: Vec<&PostId> = ids.iter().collect();
        let work = || self.part().load(ids);
        self.layer().around(&documents("load"), &posts, work).await
    }

    async fn commit(&self, records: &[&Record]) -> Result<Vec<ItemResult<u64>>> {
        let posts: Vec<&PostId> = records.iter().map(|r| r.id()).collect();
        let work = || self.part().commit(records);
        self.layer()
            .around(&documents("commit"), &posts, work)
            .await
    }

    async fn scan(&self, scan: &Scan) -> Result<RecordPage> {
        let work = || self.part().scan(scan);
        self.layer().around(&documents("scan"), &[], work).await
    }

    async fn count(&self, scan: &Scan) -> Result<u64> {
        let work = || self.part().count(scan);
        self.layer().around(&documents("count"), &[], work).await
    }

    async fn days(&self, scan: &Scan) -> Result<Vec<DayCount>> {
        let work = || self.part().days(scan);
        self.layer().around(&documents("days"), &[], work).await
    }

    async fn remove(&self, records: &[(PostId, u64)]) -> Result<Vec<ItemResult<()>>> {
        let posts: Vec<&PostId> = records.iter().map(|(id, _)| id).collect();
        let work = || self.part().remove(records);
        self.layer()
            .around(&documents("remove"), &posts, work)
            .await
    }

    async fn refuse(&self, subjects: &[Subject]) -> Result<Vec<PostId>> {
        let work = || self.part().refuse(subjects);
        self.layer().around(&documents("refuse"), &[], work).await
    }

    async fn refused(&self, subjects: &[Subject]) -> Result<Vec<bool>> {
        let work = || self.part().refused(subjects);
        self.layer().around(&documents("refused"), &[], work).await
    }

    async fn erase(&self, posts: &[PostId]) -> Result<Erased> {
        let named: Vec<&PostId> = posts.iter().collect();
        let work = || self.part().erase(posts);
        self.layer().around(&documents("erase"), &named, work).await
    }

    async fn analyses(&self, use_case: &str) -> Result<Vec<AnalysisGroup>> {
        let work = || self.part().analyses(use_case);
        self.layer().around(&documents("analyses"), &[], work).await
    }

    async fn checkpoint(&self, key: &CheckpointKey) -> Result<Option<Checkpoint>> {
        let work = || self.part().checkpoint(key);
        self.layer()
            .around(&documents("checkpoint"), &[], work)
            .await
    }

    async fn save_checkpoint(&self, key: &CheckpointKey, checkpoint: &Checkpoint) -> Result<()> {
        let work = || self.part().save_checkpoint(key, checkpoint);
        self.layer()
            .around(&documents("save_checkpoint"), &[], work)
            .await
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        let work = || self.part().save_run(run);
        self.layer().around(&documents("save_run"), &[], work).await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        let work = || self.part().runs(limit);
        self.layer().around(&documents("runs"), &[], work).await
    }

    async fn bury(&self, letters: &[DeadLetter]) -> Result<()> {
        let posts: Vec<&PostId> = letters.iter().map(|letter| &letter.post).collect();
        let work = || self.part().bury(letters);
        self.layer().around(&documents("bury"), &posts, work).await
    }

    async fn dead_letters(&self, scan: &DeadLetterScan) -> Result<Vec<DeadLetter>> {
        let work = || self.part().dead_letters(scan);
        self.layer()
            .around(&documents("dead_letters"), &[], work)
            .await
    }

    async fn dead_letter_counts(&self, use_case: Option<&str>) -> Result<Vec<DeadLetterCount>> {
        let work = || self.part().dead_letter_counts(use_case);
        self.layer()
            .around(&documents("dead_letter_counts"), &[], work)
            .await
    }

    async fn exhume(&self, keys: &[String]) -> Result<()> {
        let work = || self.part().exhume(keys);
        self.layer().around(&documents("exhume"), &[], work).await
    }

    async fn memo(&self, name: &str) -> Result<Option<String>> {
        let work = || self.part().memo(name);
        self.layer().around(&documents("memo"), &[], work).await
    }

    async fn save_memo(&self, name: &str, value: &str) -> Result<()> {
        let work = || self.part().save_memo(name, value);
        self.layer()
            .around(&documents("save_memo"), &[], work)
            .await
    }
}

#[async_trait]
impl<P: ReviewQueue + 'static> ReviewQueue for Faulty<P> {
    async fn ask(&self, tasks: &[ReviewTask]) -> Result<()> {
        let posts: Vec<&PostId> = tasks.iter().map(|task| &task.post).collect();
        let work = || self.part().ask(tasks);
        self.layer().around(&review("ask"), &posts, work).await
    }

    async fn open(&self, use_case: Option<&str>, limit: usize) -> Result<Vec<ReviewTask>> {
        let work = || self.part().open(use_case, limit);
        self.layer().around(&review("open"), &[], work).await
    }
}

#[async_trait]
impl<P: AnalysisCache + 'static> AnalysisCache for Faulty<P> {
    async fn recall(&self, keys: &[Digest]) -> Result<Vec<Option<Vec<Finding>>>> {
        let work = || self.part().recall(keys);
        self.layer().around(&analyses("recall"), &[], work).await
    }

    async fn remember(&self, found: &[(Digest, Vec<Finding>)]) -> Result<()> {
        let work = || self.part().remember(found);
        self.layer().around(&analyses("remember"), &[], work).await
    }

    async fn recall_near(
        &self,
        likenesses: &[Likeness],
        within: u32,
    ) -> Result<Vec<Option<NearFindings>>> {
        let work = || self.part().recall_near(likenesses, within);
        self.layer()
            .around(&analyses("recall_near"), &[], work)
            .await
    }

    async fn remember_near(&self, analysed: &[Analysed]) -> Result<()> {
        let work = || self.part().remember_near(analysed);
        self.layer()
            .around(&analyses("remember_near"), &[], work)
            .await
    }

    async fn forget(&self, pictures: &[Digest]) -> Result<u64> {
        let work = || self.part().forget(pictures);
        self.layer().around(&analyses("forget"), &[], work).await
    }
}

#[async_trait]
impl<P: Portable + 'static> Portable for Faulty<P> {
    async fn erasure_key(&self) -> Result<ErasureKey> {
        let work = || self.part().erasure_key();
        self.layer()
            .around(&portable("erasure_key"), &[], work)
            .await
    }

    async fn adopt_erasure_key(&self, key: &ErasureKey) -> Result<()> {
        let work = || self.part().adopt_erasure_key(key);
        self.layer()
            .around(&portable("adopt_erasure_key"), &[], work)
            .await
    }

    async fn export(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EntryPage> {
        let work = || self.part().export(collection, after, limit);
        self.layer().around(&portable("export"), &[], work).await
    }

    async fn import(&self, entries: &[Entry]) -> Result<()> {
        let work = || self.part().import(entries);
        self.layer().around(&portable("import"), &[], work).await
    }
}
