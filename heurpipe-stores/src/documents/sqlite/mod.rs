//! Documents in one SQLite file.
//!
//! The file is in WAL mode: readers never wait for the writer. One process writes, and a lock file beside the database names it; others open
//! it [for reading](SqliteDocuments::open_read_only). What filters ask for is kept in tables of its own, so that they are answered by the database;
//! the record itself is one JSON text.

mod analyses;
mod archived;
mod database;
mod erasure;
mod failure;
mod filter;
mod findings;
mod graveyard;
mod letters;
mod likenesses;
mod migration;
mod parts;
mod portable;
mod progress;
mod records;
mod scan;
mod schema;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use async_trait::async_trait;
use heurpipe_core::{
    Analysed, AnalysisCache, AnalysisGroup, Checkpoint, CheckpointKey, Collection, DayCount,
    DeadLetter, DeadLetterCount, DeadLetterScan, Digest, Documents, Entry, EntryPage, Erased,
    ErasureKey, Finding, ItemResult, Likeness, NearFindings, Portable, PostId, Record, RecordPage,
    Result, ReviewQueue, ReviewTask, RunRecord, Scan, Stored, Subject,
};

use crate::task;
use database::Database;
use portable::Ready;
use records::Prepared;

/// How many analyses are remembered, unless told otherwise.
const ANALYSES: usize = 1_000_000;

/// Documents in a SQLite file.
///
/// Commits are on the disk when they return, power failures included. All work runs on blocking threads. Dropping the value closes the file and
/// lets go of its lock.
#[derive(Debug)]
pub struct SqliteDocuments {
    database: Database,
    most_analyses: usize,
}

impl SqliteDocuments {
    /// Opens the database for writing; makes it, and its folder, when there is none. Tables of an earlier version are brought up to date.
    ///
    /// # Errors
    /// `Conflict` naming the process that writes to it already; `Corrupt` when the file is something else; `Config` when its tables are of
    /// a later version; `PermissionDenied` or `Io` when the folder or the file refuses.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let database = task::blocking("sqlite.open", move || Database::open(&path)).await?;
        Ok(Self::over(database))
    }

    /// Opens the database for reading, whether or not a process is writing to it.
    ///
    /// # Errors
    /// `NotFound` when it is not there; `Config` when its tables are of another version; else as for [`open`](Self::open).
    pub async fn open_read_only(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let open = move || Database::open_read_only(&path);
        let database = task::blocking("sqlite.open", open).await?;
        Ok(Self::over(database))
    }

    /// Opens the database for reading, and keeps every process from writing to it until it is dropped.
    ///
    /// # Errors
    /// `Conflict` naming the process that writes to it; else as for [`open_read_only`](Self::open_read_only).
    pub async fn open_undisturbed(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let open = move || Database::open_undisturbed(&path);
        let database = task::blocking("sqlite.open", open).await?;
        Ok(Self::over(database))
    }

    /// Remembers at most so many analyses, a million unless told; the oldest are forgotten first.
    pub fn remember_at_most(mut self, analyses: usize) -> Self {
        self.most_analyses = analyses;
        self
    }

    fn over(database: Database) -> Self {
        Self {
            database,
            most_analyses: ANALYSES,
        }
    }
}

#[async_trait]
impl Documents for SqliteDocuments {
    async fn load(&self, ids: &[PostId]) -> Result<Vec<Stored>> {
        let ids = ids.to_vec();
        self.database
            .read("sqlite.load", move |tx| records::load(tx, &ids))
            .await
    }

    async fn commit(&self, records: &[&Record]) -> Result<Vec<ItemResult<u64>>> {
        let records: Vec<Record> = records.iter().map(|r| (*r).clone()).collect();
        let prepare = move || Ok(records.iter().map(Prepared::new).collect::<Vec<_>>());
        let prepared = task::blocking("sqlite.commit", prepare).await?;
        self.database
            .write("sqlite.commit", move |tx| records::commit(tx, prepared))
            .await
    }

    async fn scan(&self, scan: &Scan) -> Result<RecordPage> {
        let scan = scan.clone();
        self.database
            .read("sqlite.scan", move |tx| scan::page(tx, &scan))
            .await
    }

    async fn count(&self, scan: &Scan) -> Result<u64> {
        let scan = scan.clone();
        self.database
            .read("sqlite.count", move |tx| scan::count(tx, &scan))
            .await
    }

    async fn days(&self, scan: &Scan) -> Result<Vec<DayCount>> {
        let scan = scan.clone();
        self.database
            .read("sqlite.days", move |tx| scan::days(tx, &scan))
            .await
    }

    async fn remove(&self, records: &[(PostId, u64)]) -> Result<Vec<ItemResult<()>>> {
        let records = records.to_vec();
        self.database
            .write("sqlite.remove", move |tx| records::remove(tx, &records))
            .await
    }

    async fn refuse(&self, subjects: &[Subject]) -> Result<Vec<PostId>> {
        let subjects = subjects.to_vec();
        self.database
            .write("sqlite.refuse", move |tx| erasure::refuse(tx, &subjects))
            .await
    }

    async fn refused(&self, subjects: &[Subject]) -> Result<Vec<bool>> {
        let subjects = subjects.to_vec();
        self.database
            .read("sqlite.refused", move |tx| erasure::refused(tx, &subjects))
            .await
    }

    async fn erase(&self, posts: &[PostId]) -> Result<Erased> {
        let posts = posts.to_vec();
        let erased = self
            .database
            .write("sqlite.erase", move |tx| erasure::erase(tx, &posts))
            .await?;
        self.database.empty_log("sqlite.erase").await?;
        Ok(erased)
    }

    async fn analyses(&self, use_case: &str) -> Result<Vec<AnalysisGroup>> {
        let use_case = use_case.to_owned();
        self.database
            .read("sqlite.analyses", move |tx| analyses::groups(tx, &use_case))
            .await
    }

    async fn checkpoint(&self, key: &CheckpointKey) -> Result<Option<Checkpoint>> {
        let key = key.clone();
        self.database
            .read("sqlite.checkpoint", move |tx| {
                progress::checkpoint(tx, &key)
            })
            .await
    }

    async fn save_checkpoint(&self, key: &CheckpointKey, checkpoint: &Checkpoint) -> Result<()> {
        let (key, checkpoint) = (key.clone(), checkpoint.clone());
        self.database
            .write("sqlite.save_checkpoint", move |tx| {
                progress::save_checkpoint(tx, &key, &checkpoint)
            })
            .await
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        let run = run.clone();
        self.database
            .write("sqlite.save_run", move |tx| progress::save_run(tx, &run))
            .await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        self.database
            .read("sqlite.runs", move |tx| progress::runs(tx, limit))
            .await
    }

    async fn bury(&self, letters: &[DeadLetter]) -> Result<()> {
        let letters = letters.to_vec();
        self.database
            .write("sqlite.bury", move |tx| letters::bury(tx, &letters))
            .await
    }

    async fn dead_letters(&self, scan: &DeadLetterScan) -> Result<Vec<DeadLetter>> {
        let scan = scan.clone();
        self.database
            .read("sqlite.dead_letters", move |tx| letters::page(tx, &scan))
            .await
    }

    async fn dead_letter_counts(&self, use_case: Option<&str>) -> Result<Vec<DeadLetterCount>> {
        let use_case = use_case.map(str::to_owned);
        self.database
            .read("sqlite.dead_letter_counts", move |tx| {
                letters::counts(tx, use_case.as_deref())
            })
            .await
    }

    async fn exhume(&self, keys: &[String]) -> Result<()> {
        let keys = keys.to_vec();
        self.database
            .write("sqlite.exhume", move |tx| letters::exhume(tx, &keys))
            .await
    }

    async fn memo(&self, name: &str) -> Result<Option<String>> {
        let name = name.to_owned();
        self.database
            .read("sqlite.memo", move |tx| progress::memo(tx, &name))
            .await
    }

    async fn save_memo(&self, name: &str, value: &str) -> Result<()> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.database
            .write("sqlite.save_memo", move |tx| {
                progress::save_memo(tx, &name, &value)
            })
            .await
    }
}

#[async_trait]
impl ReviewQueue for SqliteDocuments {
    async fn ask(&self, tasks: &[ReviewTask]) -> Result<()> {
        let tasks = tasks.to_vec();
        self.database
            .write("sqlite.ask", move |tx| progress::ask(tx, &tasks))
            .await
    }

    async fn open(&self, use_case: Option<&str>, limit: usize) -> Result<Vec<ReviewTask>> {
        let use_case = use_case.map(str::to_owned);
        self.database
            .read("sqlite.open_tasks", move |tx| {
                progress::open_tasks(tx, use_case.as_deref(), limit)
            })
            .await
    }
}

#[async_trait]
impl AnalysisCache for SqliteDocuments {
    async fn recall(&self, keys: &[Digest]) -> Result<Vec<Option<Vec<Finding>>>> {
        let keys = keys.to_vec();
        self.database
            .read("sqlite.recall", move |tx| findings::recall(tx, &keys))
            .await
    }

    async fn remember(&self, analyses: &[(Digest, Vec<Finding>)]) -> Result<()> {
        let rows = findings::encode(analyses);
        if rows.is_empty() {
            return Ok(());
        }
        let most = self.most_analyses;
        self.database
            .write_lazily("sqlite.remember", move |tx| {
                findings::remember(tx, &rows, most)
            })
            .await
    }

    async fn recall_near(
        &self,
        likenesses: &[Likeness],
        within: u32,
    ) -> Result<Vec<Option<NearFindings>>> {
        let likenesses = likenesses.to_vec();
        self.database
            .read("sqlite.recall_near", move |tx| {
                likenesses::recall(tx, &likenesses, within)
            })
            .await
    }

    async fn remember_near(&self, analysed: &[Analysed]) -> Result<()> {
        let analysed = analysed.to_vec();
        self.database
            .write_lazily("sqlite.remember_near", move |tx| {
                likenesses::remember(tx, &analysed)
            })
            .await
    }

    async fn forget(&self, pictures: &[Digest]) -> Result<u64> {
        let pictures = pictures.to_vec();
        self.database
            .write("sqlite.forget", move |tx| findings::forget(tx, &pictures))
            .await
    }
}

#[async_trait]
impl Portable for SqliteDocuments {
    async fn erasure_key(&self) -> Result<ErasureKey> {
        self.database
            .read("sqlite.erasure_key", portable::key)
            .await
    }

    async fn adopt_erasure_key(&self, key: &ErasureKey) -> Result<()> {
        let key = key.clone();
        self.database
            .write("sqlite.adopt_erasure_key", move |tx| {
                portable::adopt(tx, &key)
            })
            .await
    }

    async fn export(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EntryPage> {
        let after = after.map(str::to_owned);
        self.database
            .read("sqlite.export", move |tx| {
                portable::export(tx, collection, after.as_deref(), limit)
            })
            .await
    }

    async fn import(&self, entries: &[Entry]) -> Result<()> {
        let entries = entries.to_vec();
        let prepare = move || entries.iter().map(Ready::new).collect::<Result<Vec<_>>>();
        let ready = task::blocking("sqlite.import", prepare).await?;
        let most = self.most_analyses;
        self.database
            .write("sqlite.import", move |tx| {
                portable::import(tx, &ready, most)
            })
            .await
    }
}
