//! The hot tier: records that the warehouse has not taken over yet.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::{Documents, Filter, Record, Result, Scan};

/// Where a query finds the records that are not in the warehouse yet.
///
/// What an implementer must uphold: every call of [`pages`](Self::pages) begins anew, and a post comes at most once in each.
pub trait HotRows: Send + Sync {
    /// All hot records, some at a time.
    fn pages(&self) -> BoxStream<'_, Result<Vec<Record>>>;
}

/// No hot records: queries see the warehouse alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHotRows;

impl HotRows for NoHotRows {
    fn pages(&self) -> BoxStream<'_, Result<Vec<Record>>> {
        stream::empty().boxed()
    }
}

impl HotRows for Vec<Record> {
    fn pages(&self) -> BoxStream<'_, Result<Vec<Record>>> {
        stream::iter(self.chunks(1000))
            .map(|page| Ok(page.to_vec()))
            .boxed()
    }
}

/// The records of a document store.
pub struct DocumentRows {
    documents: Arc<dyn Documents>,
    filter: Filter,
}

impl DocumentRows {
    /// All records of these documents.
    pub fn new(documents: Arc<dyn Documents>) -> Self {
        Self {
            documents,
            filter: Filter::All,
        }
    }

    /// Only records that match.
    pub fn matching(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }
}

impl HotRows for DocumentRows {
    fn pages(&self) -> BoxStream<'_, Result<Vec<Record>>> {
        let first = Some(Scan::matching(self.filter.clone()));
        stream::try_unfold(first, |scan| async {
            let Some(scan) = scan else {
                return Ok(None);
            };
            let page = self.documents.scan(&scan).await?;
            let next = page.next.map(|id| scan.after(Some(id)));
            Ok(Some((page.records, next)))
        })
        .boxed()
    }
}
