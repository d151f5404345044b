//! The system of record: what is known of every post, and how far every run has come.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::enricher::ItemResult;
use super::erasure::{Erased, Subject};
use super::source::{Checkpoint, Partition};
use crate::Result;
use crate::filter::Filter;
use crate::model::{Fingerprint, PostId, Record};
use crate::report::RunReport;

/// Keeps records, checkpoints, runs, dead letters and tombstones.
///
/// What an implementer must uphold: `commit` is atomic per record and durable when it returns; a record is replaced only by
/// compare-and-set on its revision; a tombstoned post is never stored, nor a dead letter or a task about it; a call that nobody
/// polls for a while keeps no others waiting.
#[async_trait]
pub trait Documents: Send + Sync {
    /// What is known of each post, in the order of the ids. An id also finds a record that has it as an alias, or had it when it was
    /// [removed](Self::remove).
    async fn load(&self, ids: &[PostId]) -> Result<Vec<Stored>>;

    /// Stores each record whose `revision` is the stored one (0: not stored yet) and gives the new revision, one higher.
    /// Another revision gives `Conflict`; a tombstoned post, or one of a tombstoned author, gives `PermissionDenied`. One outcome per record, in
    /// order. The stored revision of a record that was [removed](Self::remove) is that which it had.
    async fn commit(&self, records: &[&Record]) -> Result<Vec<ItemResult<u64>>>;

    /// Records in the order of their ids, a page at a time.
    async fn scan(&self, scan: &Scan) -> Result<RecordPage>;

    /// How many records a scan would give, whatever its limit.
    async fn count(&self, scan: &Scan) -> Result<u64>;

    /// How many records a scan would give, whatever its limit, by the day (UTC) on which they were published, in this order. Those of which
    /// this is not known come first.
    async fn days(&self, scan: &Scan) -> Result<Vec<DayCount>>;

    /// Removes records whose `revision` is the stored one: something else keeps them from now on. That they were archived is remembered, under all
    /// their ids; see [`Stored::Archived`]. Another revision gives `Conflict` and keeps the record; what is not there is removed already. Durable when
    /// it returns. One outcome per record, in order.
    async fn remove(&self, records: &[(PostId, u64)]) -> Result<Vec<ItemResult<()>>>;

    /// Sees to it that these posts and authors are never stored again, and gives the posts that are here of them: in records or archived, by
    /// their own ids, each once. Nothing is removed yet, but [`load`](Self::load) says of them that they are tombstoned.
    ///
    /// A post is refused under all ids that it has here, an author under the given name: further names are further subjects. What is remembered
    /// does not tell who was erased where the store outlives the process. Doing it again changes nothing. Durable when it returns.
    async fn refuse(&self, subjects: &[Subject]) -> Result<Vec<PostId>>;

    /// Whether each of these is refused, in order.
    async fn refused(&self, subjects: &[Subject]) -> Result<Vec<bool>>;

    /// [Refuses](Self::refuse) posts and removes all that is here of them: records, what is remembered of archived ones, dead letters, tasks. Erasing
    /// what is not there is fine. Durable when it returns.
    async fn erase(&self, posts: &[PostId]) -> Result<Erased>;

    /// The distinct values of [`Record::analysis`] among the records that a use case knows, with how many records have each and one of
    /// them. Answered from an index: re-analysis finds stale records by it.
    async fn analyses(&self, use_case: &str) -> Result<Vec<AnalysisGroup>>;

    /// How far a pipeline's partition has come.
    async fn checkpoint(&self, key: &CheckpointKey) -> Result<Option<Checkpoint>>;

    /// Stores how far a pipeline's partition has come. Durable when it returns.
    async fn save_checkpoint(&self, key: &CheckpointKey, checkpoint: &Checkpoint) -> Result<()>;

    /// Stores or replaces a run's record by its id.
    async fn save_run(&self, run: &RunRecord) -> Result<()>;

    /// The latest runs, newest first.
    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>>;

    /// Stores dead letters; one with the same key replaces the earlier. Durable when it returns.
    async fn bury(&self, letters: &[DeadLetter]) -> Result<()>;

    /// Dead letters, oldest first, a page at a time.
    async fn dead_letters(&self, scan: &DeadLetterScan) -> Result<Vec<DeadLetter>>;

    /// How many dead letters there are by use case, stage and cause, in this order.
    async fn dead_letter_counts(&self, use_case: Option<&str>) -> Result<Vec<DeadLetterCount>>;

    /// Removes dead letters by key: they were replayed or dropped.
    async fn exhume(&self, keys: &[String]) -> Result<()>;

    /// A small value kept for a component under a name: budget ledgers, measured costs.
    async fn memo(&self, name: &str) -> Result<Option<String>>;

    /// Stores such a value.
    async fn save_memo(&self, name: &str, value: &str) -> Result<()>;
}

/// What is known of a post.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// Nothing.
    Unknown,
    /// This.
    Known(Box<Record>),
    /// It was here and is kept elsewhere now; see [`Documents::remove`]. A commit with this revision brings it back.
    Archived {
        /// Its own id.
        post: PostId,
        /// The revision that it had.
        revision: u64,
    },
    /// It was erased and must not come back.
    Tombstoned,
}

/// Which records to read.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Scan {
    /// Records that match.
    pub filter: Filter,
    /// Records whose state for a use case has this name: `("catalog", "pending")`.
    pub state: Option<(String, String)>,
    /// Records that have any state for this use case.
    pub use_case: Option<String>,
    /// Records whose [`analysis`](Record::analysis) is one of these.
    pub analyses: Option<Vec<Fingerprint>>,
    /// Records of which no use case owes anything: none is pending or held.
    pub settled: bool,
    /// Only ids after this one.
    pub after: Option<PostId>,
    /// At most so many.
    pub limit: usize,
}

impl Scan {
    /// All records that match, a thousand a page.
    pub fn matching(filter: Filter) -> Self {
        Self {
            filter,
            limit: 1000,
            ..Self::default()
        }
    }

    /// Only records in this state for this use case.
    pub fn in_state(mut self, use_case: &str, state: &str) -> Self {
        self.state = Some((use_case.to_owned(), state.to_owned()));
        self
    }

    /// Only records that this use case knows.
    pub fn of_use_case(mut self, use_case: &str) -> Self {
        self.use_case = Some(use_case.to_owned());
        self
    }

    /// Only records whose analysis is one of these.
    pub fn with_analyses(mut self, analyses: Vec<Fingerprint>) -> Self {
        self.analyses = Some(analyses);
        self
    }

    /// Only records of which no use case owes anything.
    pub fn settled(mut self) -> Self {
        self.settled = true;
        self
    }

    /// At most so many a page.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Only ids after this one.
    pub fn after(mut self, id: Option<PostId>) -> Self {
        self.after = id;
        self
    }
}

/// A page of a scan.
#[derive(Debug, Clone, Default)]
pub struct RecordPage {
    /// The records.
    pub records: Vec<Record>,
    /// Scan again after this id; none: that was all.
    pub next: Option<PostId>,
}

/// How many records were published on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DayCount {
    /// The day, UTC; none: it is not known.
    pub day: Option<Date>,
    /// How many.
    pub records: u64,
}

/// Records of a use case that were made by the same set of enrichers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalysisGroup {
    /// What they have in common.
    pub analysis: Fingerprint,
    /// How many they are.
    pub records: u64,
    /// One of them.
    pub sample: PostId,
}

/// Which dead letters to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetterScan {
    /// Only those of this pipeline.
    pub use_case: Option<String>,
    /// Only those that failed at this stage.
    pub stage: Option<String>,
    /// Only those with this cause, the name of an error kind.
    pub cause: Option<String>,
    /// Only those after this one, by time and key.
    pub after: Option<(Timestamp, String)>,
    /// At most so many.
    pub limit: usize,
}

impl DeadLetterScan {
    /// All dead letters, a thousand a page.
    pub fn all() -> Self {
        Self {
            limit: 1000,
            ..Self::default()
        }
    }

    /// Those of one pipeline, a thousand a page.
    pub fn of_use_case(use_case: impl Into<String>) -> Self {
        Self {
            use_case: Some(use_case.into()),
            ..Self::all()
        }
    }

    /// At most so many a page.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Only those after this one.
    pub fn after(mut self, letter: &DeadLetter) -> Self {
        self.after = Some((letter.at, letter.key.clone()));
        self
    }

    /// Whether a letter is among those asked for. The limit is the caller's matter.
    pub fn takes(&self, letter: &DeadLetter) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        let after = self
            .after
            .as_ref()
            .is_none_or(|(at, key)| (letter.at, &letter.key) > (*at, key));
        is(&self.use_case, &letter.use_case)
            && is(&self.stage, &letter.stage)
            && is(&self.cause, &letter.cause)
            && after
    }
}

/// How many dead letters have one cause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DeadLetterCount {
    /// The pipeline that gave up on them.
    pub use_case: String,
    /// The stage at which they failed.
    pub stage: String,
    /// The error's kind.
    pub cause: String,
    /// How many.
    pub letters: u64,
}

/// Whose checkpoint it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CheckpointKey {
    /// The pipeline.
    pub pipeline: String,
    /// The source within it.
    pub source: String,
    /// The partition of the source.
    pub partition: Partition,
}

impl std::fmt::Display for CheckpointKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.pipeline, self.source, self.partition.0)
    }
}

/// A run as kept: when, and its report so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none: it runs, or it was killed.
    pub ended_at: Option<Timestamp>,
    /// What it did.
    pub report: RunReport,
}

/// A post, or something that should have been one, that could not be processed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Use case and post: one dead letter a post and use case.
    pub key: String,
    /// The pipeline that gave up on it.
    pub use_case: String,
    /// The post; `unreadable:PLACE` for what never became one.
    pub post: PostId,
    /// The stage at which it failed.
    pub stage: String,
    /// The error's kind, for counting by cause.
    pub cause: String,
    /// The error and its causes, outermost first.
    pub chain: Vec<String>,
    /// The record as it was, for replaying.
    pub record: Option<Box<Record>>,
    /// The beginning of what could not be read.
    pub excerpt: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl DeadLetter {
    /// A post that failed at a stage.
    pub fn of_record(use_case: &str, stage: &str, record: Record, error: &crate::Error) -> Self {
        Self {
            key: Self::key_of(use_case, record.id()),
            use_case: use_case.to_owned(),
            post: record.id().clone(),
            stage: stage.to_owned(),
            cause: error.kind().as_str().to_owned(),
            chain: error.chain(),
            record: Some(Box::new(record)),
            excerpt: None,
            at: Timestamp::now(),
        }
    }

    /// Something that a source could not read as a post.
    pub fn of_unreadable(use_case: &str, source: &str, item: &super::source::Unreadable) -> Self {
        let post = item.id();
        Self {
            key: Self::key_of(use_case, &post),
            use_case: use_case.to_owned(),
            post,
            stage: source.to_owned(),
            cause: crate::ErrorKind::InvalidInput.as_str().to_owned(),
            chain: vec![item.reason.clone()],
            record: None,
            excerpt: Some(item.excerpt.clone()),
            at: Timestamp::now(),
        }
    }
}
