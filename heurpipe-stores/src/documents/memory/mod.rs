//! Documents in memory, for tests, trials and pipelines that need not survive the process.

mod archived;
mod cache;
mod erasure;
mod graveyard;
mod index;
mod likenesses;
mod portable;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use heurpipe_core::{
    Analysed, AnalysisCache, AnalysisGroup, Checkpoint, CheckpointKey, DayCount, DeadLetter,
    DeadLetterCount, DeadLetterScan, Digest, Documents, Erased, Finding, Fingerprint, Flat,
    ItemResult, Likeness, NearFindings, PostId, Record, RecordPage, Result, ReviewQueue,
    ReviewTask, RunRecord, Scan, Stored, Subject,
};
use jiff::civil::Date;

use super::near::Search;
use crate::codec;
use archived::Archived;
use cache::Cache;
use graveyard::Graveyard;
use index::Index;

/// How many analyses are remembered, unless told otherwise.
const ANALYSES: usize = 100_000;

/// Documents that begin empty and end with the value.
///
/// ```
/// use heurpipe_core::{Documents, Platform, Post, PostId, Record, Stored};
/// use heurpipe_stores::documents::MemoryDocuments;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let documents = MemoryDocuments::new();
/// let id = PostId::new(Platform::instagram(), "1");
/// let record = Record::new(Post::new(id.clone(), "2026-03-01T08:00:00Z".parse()?));
/// documents.commit(&[&record]).await?;
/// let Stored::Known(stored) = documents.load(&[id]).await?.remove(0) else {
///     return Err("nothing was stored".into());
/// };
/// assert_eq!(stored.revision, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MemoryDocuments {
    state: Mutex<Shelves>,
    most_analyses: usize,
}

impl Default for MemoryDocuments {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            most_analyses: ANALYSES,
        }
    }
}

#[derive(Debug, Default)]
struct Shelves {
    records: BTreeMap<PostId, Kept>,
    index: Index,
    aliases: BTreeMap<PostId, BTreeSet<PostId>>,
    archived: Archived,
    graveyard: Graveyard,
    checkpoints: BTreeMap<CheckpointKey, Checkpoint>,
    runs: BTreeMap<String, RunRecord>,
    letters: BTreeMap<String, DeadLetter>,
    tasks: BTreeMap<Digest, ReviewTask>,
    memos: BTreeMap<String, String>,
    cache: Cache,
}

#[derive(Debug)]
struct Kept {
    record: Record,
    flat: Flat,
    analysis: Fingerprint,
}

impl MemoryDocuments {
    /// A store without anything in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers at most so many analyses, 100,000 unless told; the oldest are forgotten first.
    pub fn remember_at_most(mut self, analyses: usize) -> Self {
        self.most_analyses = analyses;
        self
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn known_as(&self, id: &PostId) -> Option<PostId> {
        if self.records.contains_key(id) {
            return Some(id.clone());
        }
        self.aliases.get(id)?.first().cloned()
    }

    fn load(&self, id: &PostId) -> Stored {
        if self.graveyard.holds_post(id) {
            return Stored::Tombstoned;
        }
        match self.known_as(id).and_then(|id| self.records.get(&id)) {
            Some(kept) => Stored::Known(Box::new(kept.record.clone())),
            None => self.archived.find(id),
        }
    }

    fn commit(&mut self, record: &Record) -> ItemResult<u64> {
        let id = record.id();
        if self.refuses(record) {
            return Err(super::tombstoned(id));
        }
        codec::check(record)?;
        let stored = match self.records.get(id) {
            Some(kept) => kept.record.revision,
            None => self.archived.revision(id).unwrap_or(0),
        };
        if stored != record.revision {
            return Err(super::outdated(id, record.revision, stored));
        }
        let mut record = record.clone();
        record.revision += 1;
        let revision = record.revision;
        self.put(record);
        Ok(revision)
    }

    /// Stores a record in the place of whatever there is of it.
    fn put(&mut self, record: Record) {
        self.take(&record.post.id);
        for alias in &record.post.aliases {
            let names = self.aliases.entry(alias.clone()).or_default();
            names.insert(record.post.id.clone());
        }
        let kept = Kept {
            flat: Flat::of(&record),
            analysis: record.analysis(),
            record,
        };
        self.archived.forget(&kept.record.post.id);
        self.index.insert(&kept.record, &kept.analysis);
        self.records.insert(kept.record.post.id.clone(), kept);
    }

    /// Takes out a record and whatever finds it.
    fn take(&mut self, id: &PostId) -> Option<Kept> {
        let kept = self.records.remove(id)?;
        self.index.remove(&kept.record, &kept.analysis);
        for alias in &kept.record.post.aliases {
            if let Some(names) = self.aliases.get_mut(alias) {
                names.remove(id);
                if names.is_empty() {
                    self.aliases.remove(alias);
                }
            }
        }
        Some(kept)
    }

    /// Lets go of a record that has this revision.
    fn remove(&mut self, id: &PostId, revision: u64) -> ItemResult<()> {
        let Some(stored) = self.records.get(id).map(|kept| kept.record.revision) else {
            return Ok(());
        };
        if stored != revision {
            return Err(super::outdated(id, revision, stored));
        }
        if let Some(kept) = self.take(id) {
            self.archived.mark(&kept.record);
        }
        Ok(())
    }

    /// Keeps a letter, unless it is about what was erased.
    fn bury(&mut self, letter: &DeadLetter) {
        let record = letter.record.as_ref();
        let of_refused = record.is_some_and(|record| self.refuses(record));
        if !of_refused && !self.graveyard.holds_post(&letter.post) {
            self.letters.insert(letter.key.clone(), letter.clone());
        }
    }

    /// Keeps a task that is not known yet, unless it is about what was erased.
    fn ask(&mut self, task: &ReviewTask) {
        if !self.graveyard.holds_post(&task.post) {
            self.tasks.entry(task.id).or_insert_with(|| task.clone());
        }
    }

    fn scan<'a>(&'a self, scan: &'a Scan) -> Box<dyn Iterator<Item = &'a Record> + 'a> {
        let from = scan
            .after
            .as_ref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let found: Box<dyn Iterator<Item = &Kept>> = match self.index.candidates(scan) {
            Some(ids) => Box::new(ids.filter_map(|id| self.records.get(id))),
            None => Box::new(
                self.records
                    .range::<PostId, _>((from, Bound::Unbounded))
                    .map(|(_, kept)| kept),
            ),
        };
        Box::new(
            found
                .filter(|kept| wanted(scan, kept))
                .map(|kept| &kept.record),
        )
    }
}

fn wanted(scan: &Scan, kept: &Kept) -> bool {
    let states = &kept.record.states;
    let in_state = scan.state.as_ref().is_none_or(|(use_case, name)| {
        states
            .get(use_case)
            .is_some_and(|state| state.name() == name)
    });
    let known = scan
        .use_case
        .as_ref()
        .is_none_or(|use_case| states.contains_key(use_case));
    let analysed = scan
        .analyses
        .as_ref()
        .is_none_or(|analyses| analyses.contains(&kept.analysis));
    let settled = !scan.settled || states.iter().all(|(_, state)| state.is_settled());
    in_state && known && analysed && settled && scan.filter.matches(&kept.flat)
}

#[async_trait]
impl Documents for MemoryDocuments {
    async fn load(&self, ids: &[PostId]) -> Result<Vec<Stored>> {
        let shelves = self.lock();
        Ok(ids.iter().map(|id| shelves.load(id)).collect())
    }

    async fn commit(&self, records: &[&Record]) -> Result<Vec<ItemResult<u64>>> {
        let mut shelves = self.lock();
        Ok(records.iter().map(|r| shelves.commit(r)).collect())
    }

    async fn scan(&self, scan: &Scan) -> Result<RecordPage> {
        let shelves = self.lock();
        let mut found = shelves.scan(scan);
        let records: Vec<Record> = found.by_ref().take(scan.limit).cloned().collect();
        let more = found.next().is_some();
        let next = records.last().filter(|_| more).map(|r| r.id().clone());
        Ok(RecordPage { records, next })
    }

    async fn count(&self, scan: &Scan) -> Result<u64> {
        Ok(self.lock().scan(scan).count() as u64)
    }

    async fn days(&self, scan: &Scan) -> Result<Vec<DayCount>> {
        let shelves = self.lock();
        let mut days: BTreeMap<Option<Date>, u64> = BTreeMap::new();
        for record in shelves.scan(scan) {
            *days.entry(record.post.day()).or_default() += 1;
        }
        let days = days.into_iter();
        Ok(days
            .map(|(day, records)| DayCount { day, records })
            .collect())
    }

    async fn remove(&self, records: &[(PostId, u64)]) -> Result<Vec<ItemResult<()>>> {
        let mut shelves = self.lock();
        let removed = records.iter();
        Ok(removed
            .map(|(id, revision)| shelves.remove(id, *revision))
            .collect())
    }

    async fn refuse(&self, subjects: &[Subject]) -> Result<Vec<PostId>> {
        Ok(self.lock().refuse(subjects))
    }

    async fn refused(&self, subjects: &[Subject]) -> Result<Vec<bool>> {
        let shelves = self.lock();
        let refused = |subject: &Subject| match subject {
            Subject::Post(id) => shelves.graveyard.holds_post(id),
            Subject::Author(author) => shelves.graveyard.holds_author(author),
        };
        Ok(subjects.iter().map(refused).collect())
    }

    async fn erase(&self, posts: &[PostId]) -> Result<Erased> {
        Ok(self.lock().erase(posts))
    }

    async fn analyses(&self, use_case: &str) -> Result<Vec<AnalysisGroup>> {
        let shelves = self.lock();
        Ok(shelves.index.groups(use_case))
    }

    async fn checkpoint(&self, key: &CheckpointKey) -> Result<Option<Checkpoint>> {
        Ok(self.lock().checkpoints.get(key).cloned())
    }

    async fn save_checkpoint(&self, key: &CheckpointKey, checkpoint: &Checkpoint) -> Result<()> {
        let mut shelves = self.lock();
        shelves.checkpoints.insert(key.clone(), checkpoint.clone());
        Ok(())
    }

    async fn save_run(&self, run: &RunRecord) -> Result<()> {
        let mut shelves = self.lock();
        shelves.runs.insert(run.report.run.clone(), run.clone());
        Ok(())
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>> {
        let mut runs: Vec<RunRecord> = self.lock().runs.values().rev().cloned().collect();
        // Stable: runs that began together stay in falling order of their ids.
        runs.sort_by_key(|run| std::cmp::Reverse(run.started_at));
        runs.truncate(limit);
        Ok(runs)
    }

    async fn bury(&self, letters: &[DeadLetter]) -> Result<()> {
        let mut shelves = self.lock();
        letters.iter().for_each(|letter| shelves.bury(letter));
        Ok(())
    }

    async fn dead_letters(&self, scan: &DeadLetterScan) -> Result<Vec<DeadLetter>> {
        let shelves = self.lock();
        let mut letters: Vec<&DeadLetter> = shelves
            .letters
            .values()
            .filter(|letter| scan.takes(letter))
            .collect();
        letters.sort_by_key(|letter| (letter.at, &letter.key));
        letters.truncate(scan.limit);
        Ok(letters.into_iter().cloned().collect())
    }

    async fn dead_letter_counts(&self, use_case: Option<&str>) -> Result<Vec<DeadLetterCount>> {
        let shelves = self.lock();
        let mut counts: BTreeMap<[&str; 3], u64> = BTreeMap::new();
        for letter in shelves.letters.values() {
            if use_case.is_none_or(|name| letter.use_case == name) {
                let place = [&*letter.use_case, &*letter.stage, &*letter.cause];
                *counts.entry(place).or_default() += 1;
            }
        }
        let counts = counts.into_iter();
        Ok(counts
            .map(|([use_case, stage, cause], letters)| DeadLetterCount {
                use_case: use_case.to_owned(),
                stage: stage.to_owned(),
                cause: cause.to_owned(),
                letters,
            })
            .collect())
    }

    async fn exhume(&self, keys: &[String]) -> Result<()> {
        let mut shelves = self.lock();
        for key in keys {
            shelves.letters.remove(key);
        }
        Ok(())
    }

    async fn memo(&self, name: &str) -> Result<Option<String>> {
        Ok(self.lock().memos.get(name).cloned())
    }

    async fn save_memo(&self, name: &str, value: &str) -> Result<()> {
        self.lock().memos.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

#[async_trait]
impl ReviewQueue for MemoryDocuments {
    async fn ask(&self, tasks: &[ReviewTask]) -> Result<()> {
        let mut shelves = self.lock();
        tasks.iter().for_each(|task| shelves.ask(task));
        Ok(())
    }

    async fn open(&self, use_case: Option<&str>, limit: usize) -> Result<Vec<ReviewTask>> {
        let shelves = self.lock();
        let mut tasks: Vec<ReviewTask> = shelves
            .tasks
            .values()
            .filter(|task| use_case.is_none_or(|name| task.use_case == name))
            .cloned()
            .collect();
        tasks.sort_by_key(|task| task.asked_at);
        tasks.truncate(limit);
        Ok(tasks)
    }
}

#[async_trait]
impl AnalysisCache for MemoryDocuments {
    async fn recall(&self, keys: &[Digest]) -> Result<Vec<Option<Vec<Finding>>>> {
        let shelves = self.lock();
        Ok(keys.iter().map(|key| shelves.cache.recall(key)).collect())
    }

    async fn remember(&self, analyses: &[(Digest, Vec<Finding>)]) -> Result<()> {
        let mut shelves = self.lock();
        for (key, findings) in analyses {
            shelves.cache.remember(*key, findings, self.most_analyses);
        }
        Ok(())
    }

    async fn recall_near(
        &self,
        likenesses: &[Likeness],
        within: u32,
    ) -> Result<Vec<Option<NearFindings>>> {
        let search = Search::within(within);
        let shelves = self.lock();
        let near = |likeness| shelves.cache.recall_near(likeness, &search);
        Ok(likenesses.iter().map(near).collect())
    }

    async fn remember_near(&self, analysed: &[Analysed]) -> Result<()> {
        let mut shelves = self.lock();
        for one in analysed {
            shelves.cache.remember_near(*one);
        }
        Ok(())
    }

    async fn forget(&self, pictures: &[Digest]) -> Result<u64> {
        Ok(self.lock().cache.forget(pictures))
    }
}
