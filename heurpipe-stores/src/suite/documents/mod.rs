//! What every document store must do.

mod analyses;
mod cache;
mod commits;
mod letters;
mod life;
mod near;
mod progress;
mod scans;

use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{ErrorKind, Filter, Post, Record, Scan, State};
use jiff::Timestamp;

use super::filters::{self, Finder};
use super::report::{self, Of};
use super::{Backend, Check, Failure, Findings, checks, id};
use crate::documents::DocumentStore;

/// Runs every check on a store of its own, and prints which hold.
///
/// # Errors
/// Those of the store where it should not fail.
///
/// # Panics
/// Where the store is wrong, and where a check is said not to be applicable that there is not.
pub async fn run(
    backend: Backend,
    fresh: impl AsyncFn() -> Result<Arc<dyn DocumentStore>, Failure>,
) -> Result<Findings, Failure> {
    report::hold("documents", backend, all(), fresh).await
}

/// All checks by their names.
fn all() -> Vec<(&'static str, Of<dyn DocumentStore>)> {
    let of_documents = [
        commits::CHECKS,
        scans::CHECKS,
        progress::CHECKS,
        letters::CHECKS,
        analyses::CHECKS,
        cache::CHECKS,
        near::CHECKS,
        life::CHECKS,
    ]
    .concat();
    let of_documents = of_documents
        .into_iter()
        .map(|(name, check)| -> (&'static str, Of<dyn DocumentStore>) { (name, Box::new(check)) });
    let of_filters =
        filters::CHECKS
            .iter()
            .map(|(name, check)| -> (&'static str, Of<dyn DocumentStore>) {
                (*name, Box::new(|store| check(Arc::new(Scanned(store)))))
            });
    of_documents.chain(of_filters).collect()
}

fn pending() -> State {
    State::Pending { delivered: false }
}

fn record(native: &str) -> Record {
    Record::new(Post::new(id(native), Timestamp::UNIX_EPOCH))
}

async fn commit(store: &dyn DocumentStore, record: &mut Record) -> Check {
    for outcome in store.commit(&[record]).await? {
        record.revision = outcome?;
    }
    Ok(())
}

/// Why a store refuses a record, if it does.
async fn refusal(store: &dyn DocumentStore, record: &Record) -> Result<Option<ErrorKind>, Failure> {
    let outcome = store.commit(&[record]).await?.pop();
    Ok(outcome.and_then(|o| o.err()).map(|error| error.kind()))
}

/// The native ids of all that a scan asks for, in order; its count must be that of what it finds.
async fn natives(store: &dyn DocumentStore, scan: &Scan) -> Result<Vec<String>, Failure> {
    let page = store.scan(scan).await?;
    assert_eq!(page.next, None, "{scan:?}");
    assert_eq!(
        store.count(scan).await?,
        page.records.len() as u64,
        "{scan:?}"
    );
    let natives = page.records.iter().map(|r| r.id().native.to_string());
    Ok(natives.collect())
}

/// Records in a store.
struct Scanned(Arc<dyn DocumentStore>);

#[async_trait]
impl Finder for Scanned {
    async fn fill(&self, records: &[Record]) -> Check {
        for record in records {
            let mut record = record.clone();
            record.revision = 0;
            commit(&*self.0, &mut record).await?;
        }
        Ok(())
    }

    async fn found(&self, filter: &Filter) -> Result<Vec<String>, Failure> {
        natives(&*self.0, &Scan::matching(filter.clone())).await
    }
}
