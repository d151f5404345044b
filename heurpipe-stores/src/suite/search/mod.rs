//! What every search index must do.

mod counts;
mod filters;
mod order;
mod writing;

use std::sync::Arc;

use futures::future::BoxFuture;
use heurpipe_core::{Filter, Platform, Post, PostId, Record, SearchIndex, SearchRequest};
use jiff::Timestamp;

use super::differential::write;
use super::{Check, Failure};

/// A check by its name.
type Named = (
    &'static str,
    fn(Arc<dyn SearchIndex>) -> BoxFuture<'static, Check>,
);

/// The checks of a module, by the names of their functions.
macro_rules! checks {
    ($($name:ident),+ $(,)?) => {
        pub(super) const CHECKS: &[super::Named] = &[$((stringify!($name), |index| Box::pin($name(index)))),+];
    };
}
use checks;

/// Runs every check on an index of its own, and prints which hold.
///
/// # Errors
/// Those of the index where it should not fail.
///
/// # Panics
/// Where the index is wrong.
pub async fn run(fresh: impl AsyncFn() -> Result<Arc<dyn SearchIndex>, Failure>) -> Check {
    let mut count = 0;
    for (name, check) in [
        writing::CHECKS,
        filters::CHECKS,
        order::CHECKS,
        counts::CHECKS,
    ]
    .concat()
    {
        println!("search suite: {name}");
        check(fresh().await?)
            .await
            .map_err(|error| format!("{name}: {error}"))?;
        count += 1;
    }
    println!("search suite: {count} checks hold");
    Ok(())
}

fn id(native: &str) -> PostId {
    PostId::new(Platform::instagram(), native)
}

fn record(native: &str, revision: u64, text: &str) -> Record {
    let mut record = Record::new(Post::new(id(native), Timestamp::UNIX_EPOCH));
    record.post.text = text.to_owned();
    record.revision = revision;
    record
}

/// A record with values of attributes, as its source gave them.
fn with(native: &str, attributes: &[(&str, &[&str])]) -> Record {
    let mut record = record(native, 1, "");
    for (attribute, values) in attributes {
        let values = values.iter().map(|v| (*v).to_owned()).collect();
        record.post.given.insert((*attribute).to_owned(), values);
    }
    record
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
