//! Stored records as a source: what re-analysis is made of.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};

use super::Pipeline;
use super::stage::EnricherStage;
use crate::{
    AnalysisGroup, Checkpoint, Documents, Filter, Fingerprint, Granularity, Incoming, LedgerEntry,
    LedgerOutcome, Page, Partition, PostId, Record, Result, Scan, Source, SourceSpec, Stored,
};

/// The records that documents hold for a use case, all of them. The pipeline's ledger decides what of them is stale; the rest is filtered as
/// unchanged. [`PipelineBuilder::stale`](super::PipelineBuilder::stale) reads only those on which something may be stale.
pub struct StoredRecords {
    spec: SourceSpec,
    documents: Arc<dyn Documents>,
    scan: Scan,
}

impl StoredRecords {
    /// The name under which stored records stand in plans and reports.
    pub const NAME: &'static str = "stored";

    /// The records of `use_case` that match the filter.
    pub fn of_use_case(documents: Arc<dyn Documents>, use_case: &str, filter: Filter) -> Self {
        let description = match filter.to_string() {
            text if text.is_empty() => format!("stored posts of {use_case}"),
            text => format!("stored posts of {use_case} where {text}"),
        };
        Self {
            spec: SourceSpec::new(Self::NAME, description),
            documents,
            scan: Scan::matching(filter).of_use_case(use_case).limit(256),
        }
    }

    /// Of these, only the records whose analysis is one of those.
    pub(crate) fn with_analyses(mut self, analyses: Vec<Fingerprint>) -> Self {
        self.scan = self.scan.with_analyses(analyses);
        self
    }

    /// The records that an earlier run left pending.
    pub(crate) fn pending(documents: Arc<dyn Documents>, use_case: &str) -> Self {
        Self {
            spec: SourceSpec::new("pending", format!("posts that {use_case} left pending")),
            documents,
            scan: Scan::matching(Filter::All)
                .in_state(use_case, "pending")
                .limit(256),
        }
    }
}

#[async_trait]
impl Source for StoredRecords {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(vec![Partition("all".to_owned())])
    }

    /// Reads from the beginning, whatever the checkpoint: what was done in an earlier run is skipped by the ledger.
    fn read(&self, _partition: Partition, _from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let documents = Arc::clone(&self.documents);
        let scan = self.scan.clone();
        stream::try_unfold(Some(scan), move |scan| {
            let documents = Arc::clone(&documents);
            async move {
                let Some(scan) = scan else { return Ok(None) };
                let page = documents.scan(&scan).await?;
                let next: Option<PostId> = page.next;
                let items = page
                    .records
                    .into_iter()
                    .map(|record| Incoming::Record(Box::new(record)))
                    .collect();
                let page = Page {
                    items,
                    checkpoint: Checkpoint::default(),
                };
                Ok(Some((page, next.map(|id| scan.after(Some(id))))))
            }
        })
        .boxed()
    }
}

/// The stored records of a pipeline by what its enrichers may still have to do on them.
#[derive(Default)]
pub(super) struct Groups {
    /// Records that have to be looked at one by one.
    pub(super) stale: Vec<AnalysisGroup>,
    /// Records on which every enricher has done its work.
    pub(super) done: Vec<AnalysisGroup>,
}

impl Groups {
    /// Sorts the records of a pipeline's use case, looking at one of each group.
    pub(super) async fn of(pipeline: &Pipeline, documents: &dyn Documents) -> Result<Self> {
        let groups = documents.analyses(pipeline.name()).await?;
        let samples: Vec<PostId> = groups.iter().map(|group| group.sample.clone()).collect();
        let samples = documents.load(&samples).await?;
        let mut sorted = Self::default();
        for (group, sample) in groups.into_iter().zip(samples) {
            let stale = match sample {
                Stored::Known(record) => pipeline.enrichers().any(|e| may_be_stale(e, &record)),
                // It changed in between: its group is looked at.
                Stored::Unknown | Stored::Archived { .. } | Stored::Tombstoned => true,
            };
            match stale {
                true => sorted.stale.push(group),
                false => sorted.done.push(group),
            }
        }
        Ok(sorted)
    }

    /// The analyses of the records that have to be looked at.
    pub(super) fn stale_analyses(&self) -> Vec<Fingerprint> {
        self.stale.iter().map(|g| g.analysis.clone()).collect()
    }

    /// The analyses of the others.
    pub(super) fn done_analyses(&self) -> Vec<Fingerprint> {
        self.done.iter().map(|g| g.analysis.clone()).collect()
    }
}

/// Whether an enricher may have something to do on records of this one's group. Looks only at what [`Record::analysis`] is made of, so that the
/// answer is the same for every record of the group.
fn may_be_stale(stage: &EnricherStage, record: &Record) -> bool {
    let spec = stage.spec();
    let mut lines = record
        .ledger
        .iter()
        .filter(|line| *line.enricher == *spec.name)
        .peekable();
    if lines.peek().is_none() {
        return match spec.granularity {
            Granularity::Post => true,
            Granularity::Media => record.post.pictures().next().is_some(),
            Granularity::Region => record.has_regions(),
        };
    }
    let uncovered = spec.granularity == Granularity::Media && !record.covers_pictures(&spec.name);
    uncovered || lines.any(|line| !is_current(stage, line))
}

fn is_current(stage: &EnricherStage, line: &LedgerEntry) -> bool {
    match line.outcome {
        LedgerOutcome::Done => line.fingerprint == stage.spec().fingerprint,
        LedgerOutcome::Skipped(reason) => {
            line.outcome.satisfied() && line.fingerprint == *stage.fingerprint_of_skip(reason)
        }
        LedgerOutcome::Failed(_) => false,
    }
}
