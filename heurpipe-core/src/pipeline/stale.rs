//! Stored records as a source: what re-analysis is made of.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};

use crate::{
    Checkpoint, Documents, Filter, Incoming, Page, Partition, PostId, Result, Scan, Source,
    SourceSpec,
};

/// The records that documents hold for a use case. The pipeline's ledger decides what of them is stale; the rest is filtered as
/// unchanged, so a re-analysis is an ordinary run over this source.
pub struct StoredRecords {
    spec: SourceSpec,
    documents: Arc<dyn Documents>,
    scan: Scan,
}

impl StoredRecords {
    /// The records of `use_case` that match the filter.
    pub fn of_use_case(documents: Arc<dyn Documents>, use_case: &str, filter: Filter) -> Self {
        let description = match filter.to_string() {
            text if text.is_empty() => format!("stored posts of {use_case}"),
            text => format!("stored posts of {use_case} where {text}"),
        };
        Self {
            spec: SourceSpec::new("stored", description),
            documents,
            scan: Scan::matching(filter).of_use_case(use_case).limit(256),
        }
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
