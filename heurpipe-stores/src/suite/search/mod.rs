//! What every search index must do.

mod counts;
mod order;
mod writing;

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use heurpipe_core::{Filter, Record, SearchIndex, SearchRequest};

use super::differential::write;
use super::filters::{self, Finder};
use super::{Check, Failure, checks, id, record, with};

/// Runs every check on an index of its own, and prints which hold.
///
/// # Errors
/// Those of the index where it should not fail.
///
/// # Panics
/// Where the index is wrong.
pub async fn run(fresh: impl AsyncFn() -> Result<Arc<dyn SearchIndex>, Failure>) -> Check {
    let mut count = 0;
    let mut hold = async |name, check: BoxFuture<'static, Check>| -> Check {
        println!("search suite: {name}");
        check.await.map_err(|error| format!("{name}: {error}"))?;
        count += 1;
        Ok(())
    };
    for (name, check) in [writing::CHECKS, order::CHECKS, counts::CHECKS].concat() {
        hold(name, check(fresh().await?)).await?;
    }
    for (name, check) in filters::CHECKS {
        hold(*name, check(Arc::new(Searched(fresh().await?)))).await?;
    }
    println!("search suite: {count} checks hold");
    Ok(())
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
