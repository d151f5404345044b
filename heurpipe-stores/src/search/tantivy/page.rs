//! Collecting a page of results in order.

use std::collections::BinaryHeap;
use std::ops::Bound;

use heurpipe_core::Sort;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader};

use super::fields::name;
use crate::search::cursor::{Place, Rank};

/// Collects the first results after a place, and counts all.
#[derive(Debug)]
pub(super) struct PageCollector {
    pub(super) sort: Sort,
    pub(super) after: Option<Place>,
    pub(super) limit: usize,
}

/// What was collected.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In order.
    pub(super) places: Vec<(Place, DocAddress)>,
    /// All that match, those before the place included.
    pub(super) total: u64,
}

/// The column that results are ranked by.
enum Ranked {
    Newest(Option<Column<i64>>),
    Oldest(Option<Column<i64>>),
    MostLiked(Option<Column<f64>>),
}

impl Ranked {
    fn open(sort: Sort, segment: &SegmentReader) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        Ok(match sort {
            Sort::Newest => Self::Newest(columns.column_opt(name::PUBLISHED)?),
            Sort::Oldest => Self::Oldest(columns.column_opt(name::PUBLISHED)?),
            Sort::MostLiked => Self::MostLiked(columns.column_opt(name::LIKES)?),
        })
    }

    fn rank(&self, doc: DocId) -> Rank {
        match self {
            Self::Newest(column) => Rank::of_time(column.as_ref().and_then(|c| c.first(doc)), true),
            Self::Oldest(column) => {
                Rank::of_time(column.as_ref().and_then(|c| c.first(doc)), false)
            }
            Self::MostLiked(column) => Rank::of_number(column.as_ref().and_then(|c| c.first(doc))),
        }
    }
}

/// Collects within one segment. There, ids are compared by their ordinals, which sort as the ids do.
pub(super) struct SegmentPage {
    segment: SegmentOrdinal,
    ranked: Ranked,
    ids: Option<StrColumn>,
    /// Results begin at this rank and this ordinal.
    from: Option<(Rank, u64)>,
    limit: usize,
    /// The worst on top.
    best: BinaryHeap<(Rank, u64, DocId)>,
    total: u64,
}

impl Collector for PageCollector {
    type Fruit = Found;
    type Child = SegmentPage;

    fn for_segment(
        &self,
        segment: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<SegmentPage> {
        let ids = reader.fast_fields().str(name::ID)?;
        let from = match (&self.after, &ids) {
            (Some(place), Some(ids)) => Some((place.rank, first_after(ids, &place.id)?)),
            _ => None,
        };
        Ok(SegmentPage {
            segment,
            ranked: Ranked::open(self.sort, reader)?,
            ids,
            from,
            limit: self.limit,
            best: BinaryHeap::new(),
            total: 0,
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<tantivy::Result<Found>>) -> tantivy::Result<Found> {
        let mut all = Found::default();
        for found in segments {
            let found = found?;
            all.total += found.total;
            all.places.extend(found.places);
        }
        all.places.sort();
        all.places.truncate(self.limit);
        Ok(all)
    }
}

/// The least ordinal whose id comes after this one.
fn first_after(ids: &StrColumn, id: &str) -> tantivy::Result<u64> {
    let bounds = ids
        .dictionary()
        .term_bounds_to_ord(Bound::Excluded(id), Bound::Unbounded)?;
    Ok(match bounds.0 {
        Bound::Included(ord) => ord,
        Bound::Excluded(ord) => ord.saturating_add(1),
        Bound::Unbounded => 0,
    })
}

impl SegmentCollector for SegmentPage {
    type Fruit = tantivy::Result<Found>;

    fn collect(&mut self, doc: DocId, _score: Score) {
        self.total += 1;
        let rank = self.ranked.rank(doc);
        let ord = self.ids.as_ref().and_then(|ids| ids.ords().first(doc));
        let candidate = (rank, ord.unwrap_or_default(), doc);
        if self.from.is_some_and(|from| (rank, candidate.1) < from) {
            return;
        }
        if self.best.len() < self.limit {
            self.best.push(candidate);
        } else if let Some(mut worst) = self.best.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
    }

    fn harvest(self) -> tantivy::Result<Found> {
        let mut places = Vec::with_capacity(self.best.len());
        for (rank, ord, doc) in self.best {
            let mut id = String::new();
            if let Some(ids) = &self.ids {
                ids.ord_to_str(ord, &mut id)?;
            }
            let address = DocAddress::new(self.segment, doc);
            places.push((Place { rank, id }, address));
        }
        Ok(Found {
            places,
            total: self.total,
        })
    }
}
