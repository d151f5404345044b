//! Building the search index anew, from documents and the warehouse.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::Arc;

use futures::stream::{Stream, TryStreamExt};
use heurpipe_core::filter::{Filter, Keyword, Predicate};
use heurpipe_core::{Documents, PostId, Record, Result, Retry, SearchIndex, Stored, Subject};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::retention::is_past;
use crate::search::Rebuild;
use crate::warehouse::{DocumentRows, HotRows, Warehouse};

/// So many records are written at a time.
const WRITTEN_AT_A_TIME: usize = 500;

/// After so many the index is flushed, which makes it forget what it has to remember of unflushed ones.
const FLUSHED_AFTER: usize = 20_000;

/// A rebuild of the search index from what documents and the warehouse hold: all posts that are relevant to a use case, and not past their
/// [retention](super::Retention).
///
/// The index in use serves until the new one is whole. Posts that change in documents meanwhile are written again when it is published; posts that are
/// [erased](super::Forget) meanwhile are not in it.
pub struct Reindex {
    documents: Arc<dyn Documents>,
    /// What documents hold.
    hot: DocumentRows,
    warehouse: Arc<dyn Warehouse>,
    limits: BTreeMap<String, SignedDuration>,
    now: Timestamp,
}

/// What would be in a new index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReindexSurvey {
    /// Posts of documents.
    pub documents: u64,
    /// Posts of the warehouse.
    pub warehouse: u64,
    /// Posts that would not be in it, since all their use cases have done with them.
    pub past_retention: u64,
}

/// What a rebuild wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReindexReport {
    /// Posts from documents.
    pub documents: u64,
    /// Posts from the warehouse.
    pub warehouse: u64,
    /// Posts that were left out, since all their use cases have done with them.
    pub past_retention: u64,
    /// Posts that changed while it ran, and were written again.
    pub again: u64,
    /// Posts that the index cannot keep, and why.
    pub refused: Vec<RefusedPost>,
}

/// A post that the index cannot keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RefusedPost {
    /// The post.
    pub post: PostId,
    /// What the index says of it.
    pub reason: String,
}

impl Reindex {
    /// From these stores.
    pub fn from(documents: Arc<dyn Documents>, warehouse: Arc<dyn Warehouse>) -> Self {
        Self {
            hot: DocumentRows::new(Arc::clone(&documents)).matching(relevant()),
            documents,
            warehouse,
            limits: BTreeMap::new(),
            now: Timestamp::now(),
        }
    }

    /// Without the posts that are past these limits now; see [`Retention::of`](super::Retention::of).
    pub fn keeping(mut self, limits: BTreeMap<String, SignedDuration>) -> Self {
        self.limits = limits;
        self
    }

    /// What there is to write.
    ///
    /// # Errors
    /// Those of the stores.
    pub async fn survey(&self) -> Result<ReindexSurvey> {
        let (documents, done_with) = self.tally(self.hot.pages()).await?;
        let (warehouse, also_done_with) = self.tally(self.cold().await?).await?;
        Ok(ReindexSurvey {
            documents,
            warehouse,
            past_retention: done_with + also_done_with,
        })
    }

    /// How many records there are to write, and how many that are past their retention.
    async fn tally(&self, pages: impl Stream<Item = Result<Vec<Record>>>) -> Result<(u64, u64)> {
        let mut pages = pin!(pages);
        let (mut kept, mut past) = (0, 0);
        while let Some(records) = pages.try_next().await? {
            for record in &records {
                match self.keeps(record) {
                    true => kept += 1,
                    false => past += 1,
                }
            }
        }
        Ok((kept, past))
    }

    /// Writes all posts to an index, which is empty yet, and makes it the one in use.
    ///
    /// # Errors
    /// Those of the stores; before the index is published nothing has changed then.
    pub async fn run(&self, rebuild: &dyn Rebuild) -> Result<ReindexReport> {
        let mut writing = Writing {
            documents: &*self.documents,
            index: rebuild.index(),
            waiting: Vec::new(),
            unflushed: 0,
            refused: Vec::new(),
        };
        let mut report = ReindexReport::default();
        let mut seen = HashMap::new();
        // Documents come first: what is archived meanwhile is found in the warehouse then.
        let mut hot = self.hot.pages();
        while let Some(records) = hot.try_next().await? {
            for record in records {
                seen.insert(record.id().clone(), record.revision);
                match self.keeps(&record) {
                    true => writing.add(record, &mut report.documents).await?,
                    false => report.past_retention += 1,
                }
            }
        }
        let mut cold = pin!(self.cold().await?);
        while let Some(records) = cold.try_next().await? {
            for record in records {
                match self.keeps(&record) {
                    true => writing.add(record, &mut report.warehouse).await?,
                    false => report.past_retention += 1,
                }
            }
        }
        writing.write().await?;
        rebuild.publish().await?;
        let mut changed = self.hot.pages();
        while let Some(records) = changed.try_next().await? {
            for record in records {
                if seen.get(record.id()) != Some(&record.revision) && self.keeps(&record) {
                    writing.add(record, &mut report.again).await?;
                }
            }
        }
        writing.write().await?;
        writing.index.flush().await?;
        report.refused = writing.refused;
        Ok(report)
    }

    fn keeps(&self, record: &Record) -> bool {
        !is_past(&self.limits, record, self.now)
    }

    /// What the warehouse holds, some at a time. What documents say of a post, whether it is relevant to them or not, counts instead of its row.
    async fn cold(&self) -> Result<impl Stream<Item = Result<Vec<Record>>> + '_> {
        let pages = self.warehouse.scan(&relevant()).await?;
        Ok(pages.and_then(async |mut records| {
            let ids: Vec<PostId> = records.iter().map(|record| record.id().clone()).collect();
            let mut stored = self.documents.load(&ids).await?.into_iter();
            records.retain(|_| !matches!(stored.next(), Some(Stored::Known(_))));
            Ok(records)
        }))
    }
}

/// Posts that a use case has delivered.
fn relevant() -> Filter {
    Filter::Test(Predicate::Keyword {
        field: "relevant_to".to_owned(),
        any_of: vec![Keyword::Prefix(String::new())],
    })
}

/// What waits to be written.
struct Writing<'a> {
    documents: &'a dyn Documents,
    index: Arc<dyn SearchIndex>,
    waiting: Vec<Arc<Record>>,
    unflushed: usize,
    refused: Vec<RefusedPost>,
}

impl Writing<'_> {
    async fn add(&mut self, record: Record, count: &mut u64) -> Result<()> {
        *count += 1;
        self.waiting.push(Arc::new(record));
        match self.waiting.len() {
            WRITTEN_AT_A_TIME => self.write().await,
            _ => Ok(()),
        }
    }

    async fn write(&mut self) -> Result<()> {
        let records = std::mem::take(&mut self.waiting);
        if records.is_empty() {
            return Ok(());
        }
        let outcomes = self.index.write(&records).await?;
        for (record, outcome) in records.iter().zip(outcomes) {
            match outcome {
                Ok(()) => {}
                Err(error) if error.retry() == Retry::Permanent => self.refused.push(RefusedPost {
                    post: record.id().clone(),
                    reason: error.chain().join(": "),
                }),
                Err(error) => return Err(error),
            }
        }
        self.remove_erased(&records).await?;
        self.unflushed += records.len();
        if self.unflushed >= FLUSHED_AFTER {
            self.index.flush().await?;
            self.unflushed = 0;
        }
        Ok(())
    }

    /// An erasure refuses a post before it looks for it: what is not refused after it was written is found by the erasure.
    async fn remove_erased(&self, records: &[Arc<Record>]) -> Result<()> {
        let ids: Vec<PostId> = records.iter().map(|record| record.id().clone()).collect();
        let subjects: Vec<Subject> = ids.iter().cloned().map(Subject::Post).collect();
        let refused = self.documents.refused(&subjects).await?;
        let erased: Vec<PostId> = ids
            .into_iter()
            .zip(refused)
            .filter_map(|(id, refused)| refused.then_some(id))
            .collect();
        match erased.is_empty() {
            true => Ok(()),
            false => self.index.remove(&erased).await,
        }
    }
}
