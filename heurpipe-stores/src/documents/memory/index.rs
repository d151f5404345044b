//! Which records are in which state and were made by which analysis, so that few of many are found without looking at all.

use std::collections::btree_set::Range;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::ops::Bound;

use heurpipe_core::{AnalysisGroup, Fingerprint, PostId, Record, Scan};

type Ids = BTreeSet<PostId>;

/// Ids by what scans ask for, use case by use case.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_state: BTreeMap<String, BTreeMap<&'static str, Ids>>,
    by_analysis: BTreeMap<String, BTreeMap<Fingerprint, Ids>>,
}

impl Index {
    pub(super) fn insert(&mut self, record: &Record, analysis: &Fingerprint) {
        for (use_case, state) in &record.states {
            let states = self.by_state.entry(use_case.clone()).or_default();
            let ids = states.entry(state.name()).or_default();
            ids.insert(record.id().clone());
            let analyses = self.by_analysis.entry(use_case.clone()).or_default();
            let ids = analyses.entry(analysis.clone()).or_default();
            ids.insert(record.id().clone());
        }
    }

    pub(super) fn remove(&mut self, record: &Record, analysis: &Fingerprint) {
        for (use_case, state) in &record.states {
            if let Some(states) = self.by_state.get_mut(use_case) {
                take(states, state.name(), record.id());
            }
            if let Some(analyses) = self.by_analysis.get_mut(use_case) {
                take(analyses, analysis.clone(), record.id());
            }
        }
    }

    /// The groups of a use case's records.
    pub(super) fn groups(&self, use_case: &str) -> Vec<AnalysisGroup> {
        let groups = self.by_analysis.get(use_case).into_iter().flatten();
        let group = |(analysis, ids): (&Fingerprint, &Ids)| {
            let sample = ids.first()?.clone();
            Some(AnalysisGroup {
                analysis: analysis.clone(),
                records: ids.len() as u64,
                sample,
            })
        };
        groups.filter_map(group).collect()
    }

    /// The ids among which a scan's records are, in order; none: it does not ask for what is indexed.
    pub(super) fn candidates<'a>(&'a self, scan: &'a Scan) -> Option<Merged<'a>> {
        let sets: Vec<&Ids> = match (&scan.state, &scan.use_case, &scan.analyses) {
            (Some((use_case, state)), ..) => {
                let states = self.by_state.get(use_case);
                let ids = states.and_then(|states| states.get(state.as_str()));
                ids.into_iter().collect()
            }
            (None, Some(use_case), Some(analyses)) => {
                let known = self.by_analysis.get(use_case);
                let asked: BTreeSet<&Fingerprint> = analyses.iter().collect();
                asked.into_iter().filter_map(|a| known?.get(a)).collect()
            }
            _ => return None,
        };
        let from = scan
            .after
            .as_ref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let after = |ids: &'a Ids| ids.range::<PostId, _>((from, Bound::Unbounded)).peekable();
        Some(Merged(sets.into_iter().map(after).collect()))
    }
}

fn take<K: Ord>(sets: &mut BTreeMap<K, Ids>, key: K, id: &PostId) {
    if let Some(ids) = sets.get_mut(&key) {
        ids.remove(id);
        if ids.is_empty() {
            sets.remove(&key);
        }
    }
}

/// The ids of several sets that have none in common, in order.
pub(super) struct Merged<'a>(Vec<Peekable<Range<'a, PostId>>>);

impl<'a> Iterator for Merged<'a> {
    type Item = &'a PostId;

    fn next(&mut self) -> Option<&'a PostId> {
        let heads = self.0.iter_mut().enumerate();
        let heads = heads.filter_map(|(set, ids)| Some((*ids.peek()?, set)));
        let (_, set) = heads.min()?;
        self.0[set].next()
    }
}
