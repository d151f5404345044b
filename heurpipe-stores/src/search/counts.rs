//! The commonest of counted values.

use std::collections::HashMap;

use heurpipe_core::FacetCount;

/// The commonest values first, those of one count by value; at most `limit`.
pub(crate) fn commonest(counts: HashMap<String, u64>, limit: usize) -> Vec<FacetCount> {
    let mut sorted: Vec<FacetCount> = counts
        .into_iter()
        .map(|(value, count)| FacetCount { value, count })
        .collect();
    sorted.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    sorted.truncate(limit);
    sorted
}
