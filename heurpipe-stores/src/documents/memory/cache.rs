//! Findings by what they were made of, the latest so many.

use std::collections::{HashMap, VecDeque};

use heurpipe_core::{Analysed, Digest, Finding, Likeness, NearFindings};

use super::likenesses::Likenesses;
use crate::documents::near::Search;

/// Findings by key. Beyond a number of them the oldest go.
#[derive(Debug, Default)]
pub(super) struct Cache {
    findings: HashMap<Digest, Vec<Finding>>,
    /// The keys, oldest first: each once.
    order: VecDeque<Digest>,
    likenesses: Likenesses,
}

impl Cache {
    pub(super) fn recall(&self, key: &Digest) -> Option<Vec<Finding>> {
        self.findings.get(key).cloned()
    }

    /// Keeps findings under a key that is not known yet, and at most `most` altogether.
    pub(super) fn remember(&mut self, key: Digest, findings: &[Finding], most: usize) {
        if self.findings.contains_key(&key) {
            return;
        }
        self.findings.insert(key, findings.to_vec());
        self.order.push_back(key);
        while self.order.len() > most {
            if let Some(oldest) = self.order.pop_front() {
                self.findings.remove(&oldest);
                self.likenesses.remove(&oldest);
            }
        }
    }

    /// Findings from a place in their order on, the oldest first, each with what its picture looks like.
    pub(super) fn from(
        &self,
        place: usize,
    ) -> impl Iterator<Item = (Digest, &Vec<Finding>, Option<&Analysed>)> {
        let keys = self.order.iter().skip(place);
        keys.filter_map(|key| {
            let findings = self.findings.get(key)?;
            Some((*key, findings, self.likenesses.get(key)))
        })
    }

    /// What was found in the nearest picture.
    pub(super) fn recall_near(&self, likeness: &Likeness, search: &Search) -> Option<NearFindings> {
        let (picture, key) = self.likenesses.nearest(likeness, search)?;
        let findings = self.recall(&key)?;
        Some(NearFindings { picture, findings })
    }

    /// Forgets what was found in pictures of which it is known what they look like; how many findings went.
    pub(super) fn forget(&mut self, pictures: &[Digest]) -> u64 {
        let keys = self.likenesses.of(pictures);
        for key in &keys {
            self.findings.remove(key);
            self.likenesses.remove(key);
        }
        self.order.retain(|key| !keys.contains(key));
        keys.len() as u64
    }

    /// Keeps what a picture looks like whose findings are known.
    pub(super) fn remember_near(&mut self, analysed: Analysed) {
        if self.findings.contains_key(&analysed.key) {
            self.likenesses.insert(analysed);
        }
    }
}
