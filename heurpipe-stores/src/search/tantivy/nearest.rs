//! Collecting what is nearest to a vector.
//!
//! There is no graph of neighbours: every vector of the attribute that belongs to a matching document is compared, so that the answer is exact whatever the filter.
//! Vectors are the dictionary of a column and are read in its order, each once, one in memory at a time.

use std::ops::{Bound, Range};
use std::sync::Arc;

use heurpipe_core::Direction;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{BytesColumn, StrColumn};
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader};

use super::fields::{name, read_vector, vectors};
use crate::search::cursor::Place;

/// Collects the nearest by their vectors of one attribute.
#[derive(Debug)]
pub(super) struct NearestCollector {
    pub(super) attribute: String,
    pub(super) wanted: Arc<Direction>,
    pub(super) limit: usize,
}

/// A document that was found, with its score.
#[derive(Debug)]
pub(super) struct Near {
    place: Place,
    pub(super) score: f32,
    pub(super) address: DocAddress,
}

/// Collects within one segment.
pub(super) struct SegmentNearest {
    segment: SegmentOrdinal,
    ids: Option<StrColumn>,
    vectors: Option<BytesColumn>,
    /// Those of vectors that may be compared.
    ordinals: Range<u64>,
    wanted: Arc<Direction>,
    limit: usize,
    /// Vectors of matching documents, each by its ordinal; in rising order once all are there.
    found: Vec<(u64, DocId)>,
}

impl Collector for NearestCollector {
    type Fruit = Vec<Near>;
    type Child = SegmentNearest;

    fn for_segment(
        &self,
        segment: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<SegmentNearest> {
        let columns = reader.fast_fields();
        let vectors = columns.bytes(name::VECTORS)?;
        let ordinals = match &vectors {
            Some(column) => ordinals(column, &self.attribute, self.wanted.dimensions())?,
            None => 0..0,
        };
        Ok(SegmentNearest {
            segment,
            ids: columns.str(name::ID)?,
            vectors,
            ordinals,
            wanted: Arc::clone(&self.wanted),
            limit: self.limit,
            found: Vec::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(
        &self,
        segments: Vec<tantivy::Result<Vec<Near>>>,
    ) -> tantivy::Result<Vec<Near>> {
        let mut all = Vec::new();
        for near in segments {
            all.extend(near?);
        }
        all.sort_by(|a, b| a.place.cmp(&b.place));
        all.truncate(self.limit);
        Ok(all)
    }
}

/// The ordinals of an attribute's vectors of a length within a segment.
fn ordinals(column: &BytesColumn, attribute: &str, length: usize) -> tantivy::Result<Range<u64>> {
    let (first, after) = vectors(attribute, length);
    let dictionary = column.dictionary();
    // Neither is the term of a vector: what is there comes after it.
    let at = |term: &[u8]| -> tantivy::Result<u64> {
        let (bound, _) = dictionary.term_bounds_to_ord(Bound::Included(term), Bound::Unbounded)?;
        Ok(match bound {
            Bound::Included(ord) => ord.min(dictionary.num_terms() as u64),
            Bound::Excluded(_) | Bound::Unbounded => 0,
        })
    };
    Ok(at(&first)?..at(&after)?)
}

impl SegmentCollector for SegmentNearest {
    type Fruit = tantivy::Result<Vec<Near>>;

    fn collect(&mut self, doc: DocId, _score: Score) {
        if let Some(vectors) = &self.vectors {
            let comparable = vectors
                .term_ords(doc)
                .filter(|ord| self.ordinals.contains(ord));
            self.found.extend(comparable.map(|ord| (ord, doc)));
        }
    }

    fn harvest(mut self) -> tantivy::Result<Vec<Near>> {
        self.found.sort_unstable();
        let mut near = Vec::new();
        for (rank, doc, score) in self.nearest()? {
            let mut id = String::new();
            if let Some(ids) = &self.ids {
                ids.ord_to_str(rank, &mut id)?;
            }
            near.push(Near {
                place: Place::by_score(score, id),
                score,
                address: DocAddress::new(self.segment, doc),
            });
        }
        Ok(near)
    }
}

impl SegmentNearest {
    /// The nearest documents with their scores, each with the ordinal of its id, which sorts as the id does; in no order.
    fn nearest(&self) -> tantivy::Result<Vec<(u64, DocId, f32)>> {
        let mut scores = self.scores()?;
        // The best of each document first.
        scores.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then_with(|| y.total_cmp(x)));
        scores.dedup_by_key(|(doc, _)| *doc);
        let id = |doc| self.ids.as_ref().and_then(|ids| ids.ords().first(doc));
        let mut nearest: Vec<(u64, DocId, f32)> = scores
            .into_iter()
            .map(|(doc, score)| (id(doc).unwrap_or_default(), doc, score))
            .collect();
        if nearest.len() > self.limit {
            nearest.select_nth_unstable_by(self.limit, |(a, _, x), (b, _, y)| {
                y.total_cmp(x).then_with(|| a.cmp(b))
            });
            nearest.truncate(self.limit);
        }
        Ok(nearest)
    }

    /// The score of each vector that was found, with its document.
    fn scores(&self) -> tantivy::Result<Vec<(DocId, f32)>> {
        let Some(column) = &self.vectors else {
            return Ok(Vec::new());
        };
        let ordinals: Vec<u64> = self.found.iter().map(|(ord, _)| *ord).collect();
        let mut scores = Vec::with_capacity(self.found.len());
        let mut numbers = Vec::with_capacity(self.wanted.dimensions());
        let mut documents = self.found.iter();
        // Several documents may have one vector: its term then comes once for each.
        column
            .dictionary()
            .sorted_ords_to_term_cb(&ordinals, |term| {
                read_vector(term, self.wanted.dimensions(), &mut numbers);
                if let (Some((_, doc)), Some(score)) =
                    (documents.next(), self.wanted.cosine(&numbers))
                {
                    scores.push((*doc, score));
                }
            })?;
        Ok(scores)
    }
}
