//! Counting values, by one pass over the column of keyword ordinals.

use std::collections::HashMap;
use std::ops::Range;

use heurpipe_core::Interval;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use super::fields::{name, range};
use crate::search::series::{Tally, bucket};

/// The ordinals of a field's keywords within a segment: a range, since a field's terms begin alike.
fn ordinals(keywords: &StrColumn, field: &str) -> tantivy::Result<Range<u64>> {
    let (first, after) = range(field);
    let dictionary = keywords.dictionary();
    // The first ordinal at or after a term that itself is no keyword.
    let at = |term: &str| -> tantivy::Result<u64> {
        let (bound, _) = dictionary
            .term_bounds_to_ord(std::ops::Bound::Included(term), std::ops::Bound::Unbounded)?;
        Ok(match bound {
            std::ops::Bound::Included(ord) => ord.min(dictionary.num_terms() as u64),
            _ => 0,
        })
    };
    Ok(at(&first)?..at(&after)?)
}

/// The values (without their field) of ordinals in rising order.
fn values(keywords: &StrColumn, field: &str, ordinals: &[u64]) -> tantivy::Result<Vec<String>> {
    let skip = range(field).0.len();
    let mut values = Vec::with_capacity(ordinals.len());
    let take = |term: &[u8]| {
        values.push(String::from_utf8_lossy(term.get(skip..).unwrap_or_default()).into_owned());
    };
    keywords
        .dictionary()
        .sorted_ords_to_term_cb(ordinals, take)?;
    Ok(values)
}

/// Counts the values of several fields.
#[derive(Debug)]
pub(super) struct FacetCollector {
    pub(super) fields: Vec<String>,
}

/// Counts of each field's values, in the order of the fields.
type FacetCounts = Vec<HashMap<String, u64>>;

pub(super) struct SegmentFacets {
    keywords: Option<StrColumn>,
    /// Field, where its ordinals begin, and a count for each.
    fields: Vec<(String, u64, Vec<u64>)>,
}

impl Collector for FacetCollector {
    type Fruit = FacetCounts;
    type Child = SegmentFacets;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<SegmentFacets> {
        let keywords = reader.fast_fields().str(name::KEYWORDS)?;
        let mut fields = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let ordinals = match &keywords {
                Some(keywords) => ordinals(keywords, field)?,
                None => 0..0,
            };
            let count = usize::try_from(ordinals.end.saturating_sub(ordinals.start)).unwrap_or(0);
            fields.push((field.clone(), ordinals.start, vec![0; count]));
        }
        Ok(SegmentFacets { keywords, fields })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(
        &self,
        segments: Vec<tantivy::Result<FacetCounts>>,
    ) -> tantivy::Result<FacetCounts> {
        let mut all: FacetCounts = vec![HashMap::new(); self.fields.len()];
        for segment in segments {
            for (all, counts) in all.iter_mut().zip(segment?) {
                for (value, count) in counts {
                    *all.entry(value).or_default() += count;
                }
            }
        }
        Ok(all)
    }
}

impl SegmentCollector for SegmentFacets {
    type Fruit = tantivy::Result<FacetCounts>;

    fn collect(&mut self, doc: DocId, _score: Score) {
        let Some(keywords) = &self.keywords else {
            return;
        };
        for ord in keywords.term_ords(doc) {
            for (_, first, counts) in &mut self.fields {
                let index = ord.wrapping_sub(*first);
                if let Some(count) = counts.get_mut(usize::try_from(index).unwrap_or(usize::MAX)) {
                    *count += 1;
                }
            }
        }
    }

    fn harvest(self) -> tantivy::Result<FacetCounts> {
        let Some(keywords) = &self.keywords else {
            return Ok(vec![HashMap::new(); self.fields.len()]);
        };
        self.fields
            .iter()
            .map(|(field, first, counts)| {
                let counted = || (*first..).zip(counts).filter(|(_, count)| **count > 0);
                let ordinals: Vec<u64> = counted().map(|(ord, _)| ord).collect();
                let values = values(keywords, field, &ordinals)?;
                Ok(values.into_iter().zip(counted().map(|(_, c)| *c)).collect())
            })
            .collect()
    }
}

/// Counts the values of one field, split by those of another, by interval.
#[derive(Debug)]
pub(super) struct TrendCollector {
    pub(super) attribute: String,
    pub(super) split: Option<String>,
    pub(super) interval: Interval,
}

pub(super) struct SegmentTrends {
    keywords: Option<StrColumn>,
    published: Option<Column<i64>>,
    attribute: String,
    attribute_ords: Range<u64>,
    split: Option<(String, Range<u64>)>,
    interval: Interval,
    totals: HashMap<i64, u64>,
    values: HashMap<u64, u64>,
    /// By value, splitting value ([`UNSPLIT`] when there is none asked for) and interval.
    counts: HashMap<(u64, u64, i64), u64>,
    /// Ordinals of the document at hand, kept for their allocation.
    here: Vec<u64>,
}

const UNSPLIT: u64 = u64::MAX;

impl Collector for TrendCollector {
    type Fruit = Tally;
    type Child = SegmentTrends;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<SegmentTrends> {
        let keywords = reader.fast_fields().str(name::KEYWORDS)?;
        let range_of = |field: &str| match &keywords {
            Some(keywords) => ordinals(keywords, field),
            None => Ok(0..0),
        };
        let split = match &self.split {
            Some(field) => Some((field.clone(), range_of(field)?)),
            None => None,
        };
        Ok(SegmentTrends {
            attribute: self.attribute.clone(),
            attribute_ords: range_of(&self.attribute)?,
            split,
            published: reader.fast_fields().column_opt(name::PUBLISHED)?,
            keywords,
            interval: self.interval,
            totals: HashMap::new(),
            values: HashMap::new(),
            counts: HashMap::new(),
            here: Vec::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<tantivy::Result<Tally>>) -> tantivy::Result<Tally> {
        let mut all = Tally::default();
        for segment in segments {
            all.merge(segment?);
        }
        Ok(all)
    }
}

impl SegmentCollector for SegmentTrends {
    type Fruit = tantivy::Result<Tally>;

    fn collect(&mut self, doc: DocId, _score: Score) {
        let published = self.published.as_ref().and_then(|c| c.first(doc));
        let (Some(published), Some(keywords)) = (published, &self.keywords) else {
            return;
        };
        let bucket = bucket(self.interval, published);
        *self.totals.entry(bucket).or_default() += 1;
        self.here.clear();
        self.here.extend(keywords.term_ords(doc));
        let of_attribute = |ord: &&u64| self.attribute_ords.contains(ord);
        for value in self.here.iter().filter(of_attribute) {
            *self.values.entry(*value).or_default() += 1;
            match &self.split {
                None => *self.counts.entry((*value, UNSPLIT, bucket)).or_default() += 1,
                Some((_, range)) => {
                    for split in self.here.iter().filter(|ord| range.contains(ord)) {
                        *self.counts.entry((*value, *split, bucket)).or_default() += 1;
                    }
                }
            }
        }
    }

    fn harvest(self) -> tantivy::Result<Tally> {
        let Some(keywords) = &self.keywords else {
            return Ok(Tally::default());
        };
        let named = names(keywords, &self.attribute, self.values.keys().copied())?;
        let splits = match &self.split {
            Some((field, _)) => {
                let ordinals = self.counts.keys().map(|(_, split, _)| *split);
                names(keywords, field, ordinals)?
            }
            None => HashMap::new(),
        };
        let mut tally = Tally {
            totals: self.totals,
            ..Tally::default()
        };
        for (ord, count) in self.values {
            if let Some(value) = named.get(&ord) {
                tally.values.insert(value.clone(), count);
            }
        }
        for ((value, split, bucket), count) in self.counts {
            if let Some(value) = named.get(&value) {
                let key = (value.clone(), splits.get(&split).cloned());
                tally.counts.entry(key).or_default().insert(bucket, count);
            }
        }
        Ok(tally)
    }
}

/// The values of some ordinals.
fn names(
    keywords: &StrColumn,
    field: &str,
    ordinals: impl Iterator<Item = u64>,
) -> tantivy::Result<HashMap<u64, String>> {
    let mut ordinals: Vec<u64> = ordinals.collect();
    ordinals.sort_unstable();
    ordinals.dedup();
    let values = values(keywords, field, &ordinals)?;
    Ok(ordinals.into_iter().zip(values).collect())
}
