//! What every search index must do.

mod counts;
mod order;
mod similar;
mod writing;

use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{Filter, Record, SearchIndex, SearchRequest};

use super::differential::write;
use super::filters::{self, Finder};
use super::report::{self, Of};
use super::{Backend, Check, Failure, Findings, checks, id, record, with};

/// Runs every check on an index of its own, and prints which hold. Whether vectors are compared, and how exactly, is what the index says of itself.
///
/// # Errors
/// Those of the index where it should not fail.
///
/// # Panics
/// Where the index is wrong, and where a check is said not to be applicable that there is not.
pub async fn run(
    backend: Backend,
    fresh: impl AsyncFn() -> Result<Arc<dyn SearchIndex>, Failure>,
) -> Result<Findings, Failure> {
    let similarity = fresh().await?.similarity();
    let lacks = [backend.lacks, &similar::not_applicable(similarity)].concat();
    report::hold_but("search", backend.name, &lacks, all(), fresh).await
}

/// All checks by their names.
fn all() -> Vec<(&'static str, Of<dyn SearchIndex>)> {
    let of_search = [
        writing::CHECKS,
        order::CHECKS,
        counts::CHECKS,
        similar::CHECKS,
    ]
    .concat();
    let of_search = of_search
        .into_iter()
        .map(|(name, check)| -> (&'static str, Of<dyn SearchIndex>) { (name, Box::new(check)) });
    let of_filters =
        filters::CHECKS
            .iter()
            .map(|(name, check)| -> (&'static str, Of<dyn SearchIndex>) {
                (*name, Box::new(|index| check(Arc::new(Searched(index)))))
            });
    of_search.chain(of_filters).collect()
}

/// Records in an index.
struct Searched(Arc<dyn SearchIndex>);

#[async_trait]
impl Finder for Searched {
    async fn fill(&self, records: &[Record]) -> Check {
        fill(&*self.0, records).await
    }

    async fn found(&self, filter: &Filter) -> Result<Vec<String>, Failure> {
        found(&*self.0, filter).await
    }
}

async fn fill(index: &dyn SearchIndex, records: &[Record]) -> Check {
    write(index, records).await?;
    Ok(index.flush().await?)
}

/// The native ids of what matches, in order.
async fn found(index: &dyn SearchIndex, filter: &Filter) -> Result<Vec<String>, Failure> {
    let page = index.search(&SearchRequest::new(filter.clone())).await?;
    assert_eq!(page.total.value, page.items.len() as u64, "{filter}");
    let mut ids: Vec<String> = page
        .items
        .iter()
        .map(|r| r.id().native.to_string())
        .collect();
    ids.sort();
    Ok(ids)
}

/// Each filter finds what is written behind it.
async fn finds(index: &dyn SearchIndex, expected: &[(&str, &[&str])]) -> Check {
    for (filter, ids) in expected {
        assert_eq!(found(index, &filter.parse()?).await?, *ids, "{filter}");
    }
    Ok(())
}
