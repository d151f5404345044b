//! A search index in memory, for tests and trials: every question is answered by going through all records.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use heurpipe_core::{
    FacetCount, FacetRequest, Filter, Flat, ItemResult, PostId, Record, Result, SearchIndex,
    SearchPage, SearchRequest, Series, Similar, SimilarRequest, Similarity, Sink, SinkSpec, Sort,
    Total, TrendRequest,
};

use super::counts::commonest;
use super::cursor::{Place, Rank};
use super::nearest::nearest;
use super::series::{Tally, bucket};
use crate::codec;
use crate::instant::nanoseconds;

/// A search index that begins empty and ends with the value.
#[derive(Debug)]
pub struct MemorySearch {
    spec: SinkSpec,
    entries: Mutex<BTreeMap<String, Entry>>,
}

#[derive(Debug)]
struct Entry {
    record: Arc<Record>,
    flat: Flat,
}

impl MemorySearch {
    /// An index without anything in it.
    pub fn new() -> Self {
        Self {
            spec: SinkSpec::new("search"),
            entries: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemorySearch {
    fn default() -> Self {
        Self::new()
    }
}

fn place(entry: &Entry, sort: Sort) -> Place {
    let published = entry.flat.published.map(nanoseconds);
    Place {
        rank: match sort {
            Sort::Newest => Rank::of_time(published, true),
            Sort::Oldest => Rank::of_time(published, false),
            Sort::MostLiked => Rank::of_number(entry.flat.numbers.get("likes").copied()),
        },
        id: entry.flat.id.clone(),
    }
}

fn matching<'a>(
    entries: &'a BTreeMap<String, Entry>,
    filter: &'a Filter,
) -> impl Iterator<Item = &'a Entry> {
    entries.values().filter(|e| filter.matches(&e.flat))
}

#[async_trait]
impl Sink for MemorySearch {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        let mut entries = self.lock();
        let mut outcomes = Vec::with_capacity(records.len());
        for record in records {
            outcomes.push(codec::check(record));
            let flat = Flat::of(record);
            let known = entries.get(&flat.id);
            let outdated = known.is_some_and(|known| known.record.revision > record.revision);
            if codec::check(record).is_ok() && !outdated {
                let record = Arc::clone(record);
                entries.insert(flat.id.clone(), Entry { record, flat });
            }
        }
        Ok(outcomes)
    }
}

#[async_trait]
impl SearchIndex for MemorySearch {
    async fn search(&self, request: &SearchRequest) -> Result<SearchPage> {
        let cursor = request.cursor.as_deref();
        let after = cursor
            .map(|cursor| Place::from_cursor(cursor, request.sort))
            .transpose()?;
        let entries = self.lock();
        let mut found: Vec<(Place, &Entry)> = matching(&entries, &request.filter)
            .map(|entry| (place(entry, request.sort), entry))
            .collect();
        let value = found.len() as u64;
        found.retain(|(place, _)| after.as_ref().is_none_or(|after| place > after));
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        let more = found.len() > request.limit;
        found.truncate(request.limit);
        let last = found.last().filter(|_| more);
        Ok(SearchPage {
            next: last.map(|(place, _)| place.to_cursor(request.sort)),
            items: found.iter().map(|(_, e)| (*e.record).clone()).collect(),
            total: Total {
                value,
                ..Total::default()
            },
        })
    }

    async fn get(&self, id: &PostId) -> Result<Option<Record>> {
        let entries = self.lock();
        Ok(entries.get(&id.to_string()).map(|e| (*e.record).clone()))
    }

    async fn facets(&self, request: &FacetRequest) -> Result<BTreeMap<String, Vec<FacetCount>>> {
        let entries = self.lock();
        let mut facets = BTreeMap::new();
        for field in &request.fields {
            let mut counts: HashMap<String, u64> = HashMap::new();
            for entry in matching(&entries, &request.filter) {
                for value in entry.flat.values(field) {
                    *counts.entry(value.to_owned()).or_default() += 1;
                }
            }
            facets.insert(field.clone(), commonest(counts, request.limit));
        }
        Ok(facets)
    }

    async fn trends(&self, request: &TrendRequest) -> Result<Vec<Series>> {
        let entries = self.lock();
        let mut tally = Tally::default();
        for entry in matching(&entries, &request.filter) {
            let Some(published) = entry.flat.published else {
                continue;
            };
            let before = request.from.is_some_and(|from| published < from);
            if !before && request.to.is_none_or(|to| published < to) {
                let bucket = bucket(request.interval, nanoseconds(published));
                add(&mut tally, &entry.flat, bucket, request);
            }
        }
        Ok(tally.into_series(request.interval, request.limit))
    }

    fn similarity(&self) -> Similarity {
        Similarity::Exact
    }

    async fn similar(&self, request: &SimilarRequest) -> Result<Vec<Similar>> {
        let wanted = request.direction()?;
        let entries = self.lock();
        let found = matching(&entries, &request.filter)
            .filter(|entry| !request.without.contains(entry.record.id()))
            .filter_map(|entry| {
                let score = nearest(&wanted, &entry.record, &request.attribute)?;
                Some((Place::by_score(score, entry.flat.id.clone()), score, entry))
            });
        let mut found: Vec<(Place, f32, &Entry)> = found.collect();
        found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let nearest = found.into_iter().take(request.limit);
        let similar = nearest.map(|(_, score, entry)| Similar {
            record: (*entry.record).clone(),
            score,
        });
        Ok(similar.collect())
    }

    async fn remove(&self, ids: &[PostId]) -> Result<()> {
        let mut entries = self.lock();
        for id in ids {
            entries.remove(&id.to_string());
        }
        Ok(())
    }
}

fn add(tally: &mut Tally, flat: &Flat, bucket: i64, request: &TrendRequest) {
    *tally.totals.entry(bucket).or_default() += 1;
    for value in flat.values(&request.attribute) {
        *tally.values.entry(value.to_owned()).or_default() += 1;
        let splits: Vec<Option<String>> = match &request.split {
            Some(field) => flat.values(field).map(|v| Some(v.to_owned())).collect(),
            None => vec![None],
        };
        for split in splits {
            let counts = tally.counts.entry((value.to_owned(), split)).or_default();
            *counts.entry(bucket).or_default() += 1;
        }
    }
}
