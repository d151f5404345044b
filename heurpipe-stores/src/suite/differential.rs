//! Random records, random filters: every store must find what core's own evaluation finds.

use std::collections::BTreeSet;
use std::sync::Arc;

use heurpipe_core::{Filter, Flat, PostId, Record, Scan, SearchIndex, SearchRequest};

use super::corpus::{self, Dice};
use super::{Check, Failure};
use crate::documents::DocumentStore;

/// How many records and filters to try.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Where the dice begin.
    pub seed: u64,
    /// Records.
    pub records: u64,
    /// Filters.
    pub filters: u64,
}

type Ids = BTreeSet<PostId>;

/// Compares a document store with core.
///
/// # Errors
/// Those of the store where it should not fail.
///
/// # Panics
/// Where the store finds other records than core, naming the filter.
pub async fn documents(store: Arc<dyn DocumentStore>, extent: Extent) -> Check {
    let mut dice = Dice::new(extent.seed);
    let records = fill_documents(&*store, &mut dice, extent.records).await?;
    for _ in 0..extent.filters {
        let filter = corpus::filter(&mut dice, 3);
        let expected = expected(&records, &filter);
        let mut scan = Scan::matching(filter.clone()).limit(17);
        let count = store.count(&scan).await?;
        let mut found = Vec::new();
        loop {
            let page = store.scan(&scan).await?;
            found.extend(page.records.iter().map(|r| r.id().clone()));
            match page.next {
                Some(next) => scan = scan.after(Some(next)),
                None => break,
            }
        }
        assert!(found.is_sorted(), "ids in order: {filter:?}");
        assert_eq!(count, found.len() as u64, "count: {filter:?}");
        compare(found, &expected, &filter);
    }
    Ok(())
}

/// Compares a search index with core.
///
/// # Errors
/// Those of the index where it should not fail.
///
/// # Panics
/// Where the index finds other records than core, naming the filter.
pub async fn search(index: Arc<dyn SearchIndex>, extent: Extent) -> Check {
    let mut dice = Dice::new(extent.seed);
    let records = fill_index(&*index, &mut dice, extent.records).await?;
    for _ in 0..extent.filters {
        let filter = corpus::filter(&mut dice, 3);
        let expected = expected(&records, &filter);
        let mut request = SearchRequest::new(filter.clone()).limit(17);
        let mut found = Vec::new();
        loop {
            let page = index.search(&request).await?;
            assert_eq!(page.total.value, expected.len() as u64, "{filter:?}");
            found.extend(page.items.iter().map(|r| r.id().clone()));
            match page.next {
                Some(next) => request = request.cursor(Some(next)),
                None => break,
            }
        }
        compare(found, &expected, &filter);
    }
    Ok(())
}

fn expected(records: &[Record], filter: &Filter) -> Ids {
    records
        .iter()
        .filter(|record| filter.matches(&Flat::of(record)))
        .map(|record| record.id().clone())
        .collect()
}

fn compare(found: Vec<PostId>, expected: &Ids, filter: &Filter) {
    let count = found.len();
    let found: Ids = found.into_iter().collect();
    assert_eq!(found.len(), count, "each once: {filter:?}");
    let missing: Vec<_> = expected.difference(&found).collect();
    let surplus: Vec<_> = found.difference(expected).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "missing {missing:?}, surplus {surplus:?}: {filter:?}"
    );
}

/// Records, a third of which are replaced by others of the same id.
pub(super) fn generations(dice: &mut Dice, count: u64) -> (Vec<Record>, Vec<Record>) {
    let first: Vec<Record> = (0..count).map(|n| corpus::record(dice, n)).collect();
    let mut second = Vec::new();
    for (number, old) in (0..count).zip(&first) {
        if dice.once_in(3) {
            let mut new = corpus::record(dice, number);
            new.post.id = old.post.id.clone();
            second.push(new);
        }
    }
    (first, second)
}

async fn fill_documents(
    store: &dyn DocumentStore,
    dice: &mut Dice,
    count: u64,
) -> Result<Vec<Record>, Failure> {
    let (mut records, replacements) = generations(dice, count);
    commit(store, &mut records).await?;
    for mut new in replacements {
        if let Some(old) = records.iter_mut().find(|r| r.id() == new.id()) {
            new.revision = old.revision;
            *old = new;
            commit(store, std::slice::from_mut(old)).await?;
        }
    }
    Ok(records)
}

async fn commit(store: &dyn DocumentStore, records: &mut [Record]) -> Check {
    let borrowed: Vec<&Record> = records.iter().collect();
    let outcomes = store.commit(&borrowed).await?;
    for (record, outcome) in records.iter_mut().zip(outcomes) {
        record.revision = outcome?;
    }
    Ok(())
}

/// Fills an index in several flushes, with revisions as documents would give them.
pub(super) async fn fill_index(
    index: &dyn SearchIndex,
    dice: &mut Dice,
    count: u64,
) -> Result<Vec<Record>, Failure> {
    let (mut records, replacements) = generations(dice, count);
    for record in &mut records {
        record.revision = 1;
    }
    for some in records.chunks(100) {
        write(index, some).await?;
        index.flush().await?;
    }
    for mut new in replacements {
        if let Some(old) = records.iter_mut().find(|r| r.id() == new.id()) {
            new.revision = 2;
            *old = new;
            write(index, std::slice::from_ref(old)).await?;
        }
    }
    index.flush().await?;
    Ok(records)
}

pub(super) async fn write(index: &dyn SearchIndex, records: &[Record]) -> Check {
    let records: Vec<Arc<Record>> = records.iter().cloned().map(Arc::new).collect();
    for outcome in index.write(&records).await? {
        outcome?;
    }
    Ok(())
}
