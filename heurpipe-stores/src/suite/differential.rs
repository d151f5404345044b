//! Random records, random filters: every store must find what core's own evaluation finds.

use std::collections::BTreeSet;
use std::sync::Arc;

#[cfg(feature = "warehouse")]
use futures::TryStreamExt;
use heurpipe_core::{Filter, Flat, PostId, Record, Scan, SearchIndex, SearchRequest};

use super::corpus::{self, Dice};
use super::kinds::Kinds;
use super::{Check, Failure};
use crate::documents::DocumentStore;
#[cfg(feature = "warehouse")]
use crate::warehouse::Warehouse;

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

/// Records, filters, and what core says of which matches which. All stores that are tried with one corpus are asked the same.
#[derive(Debug, Clone)]
pub struct Corpus {
    first: Vec<Record>,
    /// What a third of the first ones become, by their places.
    replacements: Vec<(usize, Record)>,
    questions: Vec<(Filter, Ids)>,
    kinds: Kinds,
}

impl Corpus {
    /// The corpus of a seed.
    pub fn made(extent: Extent) -> Self {
        let mut dice = Dice::new(extent.seed);
        let (first, replacements) = generations(&mut dice, extent.records);
        let mut newest = first.clone();
        for (place, new) in &replacements {
            newest[*place] = new.clone();
        }
        let mut kinds = Kinds::default();
        newest.iter().for_each(|record| kinds.add_record(record));
        let flats: Vec<(&PostId, Flat)> = newest.iter().map(|r| (r.id(), Flat::of(r))).collect();
        let mut questions = Vec::new();
        for _ in 0..extent.filters {
            let filter = corpus::filter(&mut dice, 3);
            let matching = flats.iter().filter(|(_, flat)| filter.matches(flat));
            let expected: Ids = matching.map(|(id, _)| (*id).clone()).collect();
            kinds.add_filter(&filter, expected.len(), newest.len());
            questions.push((filter, expected));
        }
        Self {
            first,
            replacements,
            questions,
            kinds,
        }
    }

    /// How many of each kind of record and filter there are.
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// How many filters there are.
    pub fn filters(&self) -> usize {
        self.questions.len()
    }

    /// The same records with those of the filters that a server can be asked, as far as it is like the product that it stands for.
    #[must_use]
    pub fn asking(&self, can_be_asked: impl Fn(&Filter) -> bool) -> Self {
        let mut corpus = self.clone();
        corpus.questions.retain(|(filter, _)| can_be_asked(filter));
        corpus
    }
}

/// Compares an empty document store with core.
///
/// # Errors
/// Those of the store where it should not fail.
///
/// # Panics
/// Where the store finds other records than core, naming the filter.
pub async fn documents(store: Arc<dyn DocumentStore>, corpus: &Corpus) -> Check {
    let mut records = corpus.first.clone();
    commit(&*store, &mut records).await?;
    for (place, new) in &corpus.replacements {
        let mut new = new.clone();
        new.revision = records[*place].revision;
        commit(&*store, std::slice::from_mut(&mut new)).await?;
    }
    for (filter, expected) in &corpus.questions {
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
        compare(found, expected, filter);
    }
    Ok(())
}

/// Compares an empty search index with core.
///
/// # Errors
/// Those of the index where it should not fail.
///
/// # Panics
/// Where the index finds other records than core, naming the filter.
pub async fn search(index: Arc<dyn SearchIndex>, corpus: &Corpus) -> Check {
    fill(&*index, &corpus.first, &corpus.replacements).await?;
    for (filter, expected) in &corpus.questions {
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
        compare(found, expected, filter);
    }
    Ok(())
}

/// Compares an empty warehouse with core.
///
/// # Errors
/// Those of the warehouse where it should not fail.
///
/// # Panics
/// Where the warehouse finds other records than core, naming the filter.
#[cfg(feature = "warehouse")]
pub async fn warehouse(warehouse: Arc<dyn Warehouse>, corpus: &Corpus) -> Check {
    let (first, second) = revised(&corpus.first, &corpus.replacements);
    for some in first.chunks(100) {
        warehouse.append(some.to_vec()).await?;
    }
    warehouse.append(second).await?;
    for (filter, expected) in &corpus.questions {
        let pages: Vec<Vec<Record>> = warehouse.scan(filter).await?.try_collect().await?;
        let found = pages.iter().flatten().map(|r| r.id().clone()).collect();
        compare(found, expected, filter);
    }
    Ok(())
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

/// Records, and others of the same ids that replace a third of them, by their places.
fn generations(dice: &mut Dice, count: u64) -> (Vec<Record>, Vec<(usize, Record)>) {
    let first: Vec<Record> = (0..count).map(|n| corpus::record(dice, n)).collect();
    let mut second = Vec::new();
    for (number, (place, old)) in (0..count).zip(first.iter().enumerate()) {
        if dice.once_in(3) {
            let mut new = corpus::record(dice, number);
            new.post.id = old.post.id.clone();
            second.push((place, new));
        }
    }
    (first, second)
}

/// Both generations with revisions as documents would give them.
fn revised(first: &[Record], replacements: &[(usize, Record)]) -> (Vec<Record>, Vec<Record>) {
    let with = |record: &Record, revision| {
        let mut record = record.clone();
        record.revision = revision;
        record
    };
    let first = first.iter().map(|record| with(record, 1)).collect();
    let second = replacements.iter().map(|(_, new)| with(new, 2)).collect();
    (first, second)
}

async fn commit(store: &dyn DocumentStore, records: &mut [Record]) -> Check {
    let borrowed: Vec<&Record> = records.iter().collect();
    let outcomes = store.commit(&borrowed).await?;
    for (record, outcome) in records.iter_mut().zip(outcomes) {
        record.revision = outcome?;
    }
    Ok(())
}

/// Fills an index with random records in several flushes, some of which replace others; gives what is then there.
pub(super) async fn fill_index(
    index: &dyn SearchIndex,
    dice: &mut Dice,
    count: u64,
) -> Result<Vec<Record>, Failure> {
    let (first, replacements) = generations(dice, count);
    fill(index, &first, &replacements).await?;
    let (mut newest, second) = revised(&first, &replacements);
    for ((place, _), new) in replacements.iter().zip(second) {
        newest[*place] = new;
    }
    Ok(newest)
}

async fn fill(
    index: &dyn SearchIndex,
    first: &[Record],
    replacements: &[(usize, Record)],
) -> Check {
    let (first, second) = revised(first, replacements);
    for some in first.chunks(100) {
        write(index, some).await?;
        index.flush().await?;
    }
    for new in &second {
        write(index, std::slice::from_ref(new)).await?;
    }
    Ok(index.flush().await?)
}

pub(super) async fn write(index: &dyn SearchIndex, records: &[Record]) -> Check {
    let records: Vec<Arc<Record>> = records.iter().cloned().map(Arc::new).collect();
    for outcome in index.write(&records).await? {
        outcome?;
    }
    Ok(())
}
