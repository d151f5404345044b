//! Building the search index anew, from documents and the warehouse.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use heurpipe_core::filter::{Filter, Keyword, Predicate};
use heurpipe_core::{Documents, PostId, Record, Result, Retry, Scan, SearchIndex, Stored, Subject};
use serde::Serialize;

use crate::search::Rebuild;
use crate::warehouse::Warehouse;

/// So many records are written at a time.
const WRITTEN_AT_A_TIME: usize = 500;

/// After so many the index is flushed, which makes it forget what it has to remember of unflushed ones.
const FLUSHED_AFTER: usize = 20_000;

/// A rebuild of the search index from what documents and the warehouse hold: all posts that are relevant to a use case.
///
/// The index in use serves until the new one is whole. Posts that change in documents meanwhile are written again when it is published; posts that are
/// [erased](super::Forget) meanwhile are not in it.
pub struct Reindex {
    documents: Arc<dyn Documents>,
    warehouse: Arc<dyn Warehouse>,
    rebuild: Arc<dyn Rebuild>,
}

/// What a rebuild wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReindexReport {
    /// Posts from documents.
    pub documents: u64,
    /// Posts from the warehouse.
    pub warehouse: u64,
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
    /// From these stores into that index, which is empty yet.
    pub fn new(
        documents: Arc<dyn Documents>,
        warehouse: Arc<dyn Warehouse>,
        rebuild: Arc<dyn Rebuild>,
    ) -> Self {
        Self {
            documents,
            warehouse,
            rebuild,
        }
    }

    /// Writes all posts and makes the index the one in use.
    ///
    /// # Errors
    /// Those of the stores; before the index is published nothing has changed then.
    pub async fn run(&self) -> Result<ReindexReport> {
        let mut writing = Writing {
            documents: &*self.documents,
            index: self.rebuild.index(),
            waiting: Vec::new(),
            unflushed: 0,
            refused: Vec::new(),
        };
        let mut report = ReindexReport::default();
        // Documents come first: what is archived meanwhile is found in the warehouse then.
        let seen = self.write_documents(&mut writing, &HashMap::new()).await?;
        report.documents = seen.len() as u64;
        report.warehouse = self.write_archived(&mut writing).await?;
        self.rebuild.publish().await?;
        let again = self.write_documents(&mut writing, &seen).await?;
        report.again = again.len() as u64;
        writing.index.flush().await?;
        report.refused = writing.refused;
        Ok(report)
    }

    /// Writes what documents hold, but for those revisions that are written already; gives the revisions that were written.
    async fn write_documents(
        &self,
        writing: &mut Writing<'_>,
        already: &HashMap<PostId, u64>,
    ) -> Result<HashMap<PostId, u64>> {
        let mut written = HashMap::new();
        let mut next = Some(Scan::matching(relevant()));
        while let Some(scan) = next.take() {
            let page = self.documents.scan(&scan).await?;
            for record in page.records {
                if already.get(record.id()) != Some(&record.revision) {
                    written.insert(record.id().clone(), record.revision);
                    writing.add(record).await?;
                }
            }
            next = page.next.map(|id| scan.after(Some(id)));
        }
        writing.write().await?;
        Ok(written)
    }

    async fn write_archived(&self, writing: &mut Writing<'_>) -> Result<u64> {
        let mut written = 0;
        let mut pages = self.warehouse.scan(&relevant()).await?;
        while let Some(page) = pages.next().await {
            let records = page?;
            let ids: Vec<PostId> = records.iter().map(|record| record.id().clone()).collect();
            let stored = self.documents.load(&ids).await?;
            for (record, stored) in records.into_iter().zip(stored) {
                // What documents hold of a post, whether that is relevant or not, counts instead of its row.
                if !matches!(stored, Stored::Known(_)) {
                    written += 1;
                    writing.add(record).await?;
                }
            }
        }
        writing.write().await?;
        Ok(written)
    }
}

/// What documents and the warehouse hold of posts that a use case has delivered: how many records of each. One that is in both is counted twice.
///
/// # Errors
/// Those of the stores.
pub async fn indexable(documents: &dyn Documents, warehouse: &dyn Warehouse) -> Result<(u64, u64)> {
    let hot = documents.count(&Scan::matching(relevant())).await?;
    let mut cold = 0;
    let mut pages = warehouse.scan(&relevant()).await?;
    while let Some(page) = pages.next().await {
        cold += page?.len() as u64;
    }
    Ok((hot, cold))
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
    async fn add(&mut self, record: Record) -> Result<()> {
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
