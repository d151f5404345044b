//! Documents on a MongoDB server.
//!
//! A collection for each kind of thing. What filters and scans ask for lies in fields of a record's document, with indexes; the record itself is one JSON
//! text beside them. Writes go many to a command; what became of each is read back, so that no number of a reply has to be believed. Any number of
//! processes write and read.

mod address;
mod analyses;
mod database;
mod erasure;
mod failure;
mod filter;
mod findings;
mod graveyard;
mod letters;
mod likenesses;
mod portable;
mod progress;
mod records;
mod reply;
mod scan;
mod server;
mod writer;

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use heurpipe_core::{
    Analysed, AnalysisCache, AnalysisGroup, Checkpoint, CheckpointKey, Collection, DayCount,
    DeadLetter, DeadLetterCount, DeadLetterScan, Digest, Documents, Entry, EntryPage, Erased,
    ErasureKey, Finding, ItemResult, Likeness, NearFindings, Portable, PostId, Record, RecordPage,
    Result, ReviewQueue, ReviewTask, RunRecord, Scan, Stored, Subject,
};

use crate::Mode;
use address::Address;
use database::Database;
use graveyard::Graveyard;

const OPERATION: &str = "mongodb.open";

/// How many analyses are remembered, unless told otherwise.
const ANALYSES: usize = 1_000_000;

/// Documents in a database of a MongoDB server.
///
/// Commits have reached the journals of a majority when they return, unless the URL says otherwise; what is only remembered may be forgotten when a server
/// ends. Dropping a call does not undo what has been sent.
#[derive(Debug)]
pub struct MongoDocuments {
    database: Database,
    graveyard: RwLock<Arc<Graveyard>>,
    product: String,
    most_analyses: usize,
}

impl MongoDocuments {
    /// Opens the database of a URL: `mongodb(+srv)://HOST[:PORT][,HOST[:PORT]…][/DATABASE][?credentials=env:NAME|file:PATH][&OPTION=VALUE…]`. DATABASE is by
    /// default `heurpipe`. The secret that `credentials` refers to is `user:password`. The options are those of MongoDB's connection strings.
    ///
    /// Opened for writing, it makes collections and indexes that are not there.
    ///
    /// # Errors
    /// `Config` for a URL that cannot be read, a server of another kind or of a version too old, a database that a newer version of this program wrote, and an
    /// index that somebody has changed; `Corrupt` when somebody else's collections stand where ours should; `NotFound` when there is no such database and it is
    /// to be read; `Unauthenticated`, `PermissionDenied`; `Unavailable`, `Timeout` when the server does not answer. Nothing is written where it fails.
    pub async fn open(url: &str, mode: Mode) -> Result<Self> {
        let address = Address::parse(url)?;
        let database = Database::at(&address, mode).await?;
        let product = server::identify(&database).await?;
        let about = server::prepare(&database).await?;
        Ok(Self {
            database,
            graveyard: RwLock::new(Arc::new(Graveyard::of(about))),
            product,
            most_analyses: ANALYSES,
        })
    }

    fn graveyard(&self) -> Arc<Graveyard> {
        let graveyard = self.graveyard.read();
        Arc::clone(&graveyard.unwrap_or_else(PoisonError::into_inner))
    }

    /// What the server is, and which version: `MongoDB 8.0.4`.
    pub fn product(&self) -> &str {
        &self.product
    }

    /// Remembers at most so many analyses, a million unless told; the oldest are forgotten first.
    pub fn remember_at_most(mut self, analyses: usize) -> Self {
        self.most_analyses = analyses;
        self
    }
}

#[async_trait]
impl Documents for MongoDocuments {
    async fn load(&self, ids: &[PostId]) -> Result<Vec<Stored>> {
        records::load(&self.database, &self.graveyard(), ids).await
    }

    async fn commit(&self, records: &[&Record]) -> Result<Vec<ItemResult<u64>>> {
        let records = records.iter().map(|r| (*r).clone()).collect();
        records::commit(&self.database, &self.graveyard(), records).await
    }

    async fn scan(&self, scan: &Scan) -> Result<RecordPage> {
        scan::page(&self.database, scan).await
    }

    async fn count(&self, scan: &Scan) -> Result<u64> {
        scan::count(&self.database, scan).await
    }

    async fn days(&self, scan: &Scan) -> Result<Vec<DayCount>> {
        scan::days(&self.database, scan).await
    }

    async fn remove(&self, records: &[(PostId, u64)]) -> Result<Vec<ItemResult<()>>> {
        records::remove(&self.database, &self.graveyard(), records).await
    }

    async fn refuse(&self, subjects: &[Subject]) -> Result<Vec<PostId>> {
        erasure::refuse(&self.database, &self.graveyard(), subjects).await
    }

    async fn refused(&self, subjects: &[Subject]) -> Result<Vec<bool>> {
        erasure::refused(&self.database, &self.graveyard(), subjects).await
    }

    async fn erase(&self, posts: &[PostId]) -> Result<Erased> {
        erasure::erase(&self.database, &self.graveyard(), posts).await
    }

    async fn analyses(&self, use_case: &str) -> Result<Vec<AnalysisGroup>> {
        analyses::groups(&self.database, use_case).await
    }

    async fn checkpoint(&self, key: &CheckpointKey) -> Result<Option<Checkpoint>> {
        progress::checkpoint(&self.database, key).await
    }

    async fn save_checkpoint(&self, key: &CheckpointKey, checkpoint: &Checkpoint) -> Result<()> {
        progress::save_checkpoint(&self.database, key, checkpoint).await
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        progress::save_run(&self.database, run).await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        progress::runs(&self.database, limit).await
    }

    async fn bury(&self, letters: &[DeadLetter]) -> Result<()> {
        letters::bury(&self.database, &self.graveyard(), letters).await
    }

    async fn dead_letters(&self, scan: &DeadLetterScan) -> Result<Vec<DeadLetter>> {
        letters::page(&self.database, scan).await
    }

    async fn dead_letter_counts(&self, use_case: Option<&str>) -> Result<Vec<DeadLetterCount>> {
        letters::counts(&self.database, use_case).await
    }

    async fn exhume(&self, keys: &[String]) -> Result<()> {
        letters::exhume(&self.database, keys).await
    }

    async fn memo(&self, name: &str) -> Result<Option<String>> {
        progress::memo(&self.database, name).await
    }

    async fn save_memo(&self, name: &str, value: &str) -> Result<()> {
        progress::save_memo(&self.database, name, value).await
    }
}

#[async_trait]
impl ReviewQueue for MongoDocuments {
    async fn ask(&self, tasks: &[ReviewTask]) -> Result<()> {
        progress::ask(&self.database, &self.graveyard(), tasks).await
    }

    async fn open(&self, use_case: Option<&str>, limit: usize) -> Result<Vec<ReviewTask>> {
        progress::open_tasks(&self.database, use_case, limit).await
    }
}

#[async_trait]
impl AnalysisCache for MongoDocuments {
    async fn recall(&self, keys: &[Digest]) -> Result<Vec<Option<Vec<Finding>>>> {
        findings::recall(&self.database, keys).await
    }

    async fn remember(&self, analyses: &[(Digest, Vec<Finding>)]) -> Result<()> {
        let analyses = findings::encode(analyses);
        findings::remember(&self.database, analyses, self.most_analyses).await
    }

    async fn recall_near(
        &self,
        likenesses: &[Likeness],
        within: u32,
    ) -> Result<Vec<Option<NearFindings>>> {
        likenesses::recall(&self.database, likenesses, within).await
    }

    async fn remember_near(&self, analysed: &[Analysed]) -> Result<()> {
        likenesses::remember(&self.database, analysed).await
    }

    async fn forget(&self, pictures: &[Digest]) -> Result<u64> {
        likenesses::forget(&self.database, pictures).await
    }
}

#[async_trait]
impl Portable for MongoDocuments {
    async fn erasure_key(&self) -> Result<ErasureKey> {
        Ok(self.graveyard().key().clone())
    }

    async fn adopt_erasure_key(&self, key: &ErasureKey) -> Result<()> {
        let adopted = portable::adopt(&self.database, &self.graveyard(), key).await?;
        let graveyard = self.graveyard.write();
        *graveyard.unwrap_or_else(PoisonError::into_inner) = Arc::new(adopted);
        Ok(())
    }

    async fn export(
        &self,
        collection: Collection,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EntryPage> {
        portable::export(&self.database, collection, after, limit).await
    }

    async fn import(&self, entries: &[Entry]) -> Result<()> {
        let graveyard = self.graveyard();
        portable::import(&self.database, &graveyard, entries, self.most_analyses).await
    }
}
