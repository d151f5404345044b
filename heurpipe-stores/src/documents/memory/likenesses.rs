//! What analysed pictures look like.

use std::collections::{BTreeSet, HashMap};

use heurpipe_core::{Analysed, Digest, Likeness};

use crate::documents::near::{Nearest, Search, places};

/// What pictures look like, by the key of what was found in them.
#[derive(Debug, Default)]
pub(super) struct Likenesses {
    analysed: HashMap<Digest, Analysed>,
    /// Keys by band and place.
    places: HashMap<(usize, i64), Vec<Digest>>,
}

impl Likenesses {
    /// Keeps one whose key has none yet.
    pub(super) fn insert(&mut self, analysed: Analysed) {
        if self.analysed.contains_key(&analysed.key) {
            return;
        }
        for place in places(&analysed.likeness).into_iter().enumerate() {
            self.places.entry(place).or_default().push(analysed.key);
        }
        self.analysed.insert(analysed.key, analysed);
    }

    /// What the picture looks like whose findings have this key.
    pub(super) fn get(&self, key: &Digest) -> Option<&Analysed> {
        self.analysed.get(key)
    }

    pub(super) fn remove(&mut self, key: &Digest) {
        let Some(analysed) = self.analysed.remove(key) else {
            return;
        };
        for place in places(&analysed.likeness).into_iter().enumerate() {
            if let Some(keys) = self.places.get_mut(&place) {
                keys.retain(|other| other != key);
                if keys.is_empty() {
                    self.places.remove(&place);
                }
            }
        }
    }

    /// The keys of what was found in these pictures.
    pub(super) fn of(&self, pictures: &[Digest]) -> BTreeSet<Digest> {
        let analysed = self.analysed.values();
        let theirs = analysed.filter(|analysed| pictures.contains(&analysed.picture));
        theirs.map(|analysed| analysed.key).collect()
    }

    /// The nearest picture, and the key of what was found in it.
    pub(super) fn nearest(&self, wanted: &Likeness, search: &Search) -> Option<(Digest, Digest)> {
        let mut nearest = Nearest::none();
        let keys = search
            .places(wanted)
            .filter_map(|place| self.places.get(&place));
        for analysed in keys.flatten().filter_map(|key| self.analysed.get(key)) {
            if let Some(distance) = search.distance(wanted, &analysed.likeness) {
                nearest.add(distance, analysed.picture, analysed.key);
            }
        }
        nearest.into_inner()
    }
}
