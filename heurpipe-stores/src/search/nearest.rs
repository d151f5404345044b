//! How near a record is to what is looked for.

use heurpipe_core::{Direction, Record};

/// The greatest cosine over a record's vectors of an attribute; none where it has none to compare.
pub(crate) fn nearest(wanted: &Direction, record: &Record, attribute: &str) -> Option<f32> {
    let vectors = record.effective_vectors();
    wanted.nearest(vectors.get(attribute)?.iter().copied())
}
