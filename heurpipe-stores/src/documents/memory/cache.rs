//! Findings by what they were made of, the latest so many.

use std::collections::{HashMap, VecDeque};

use heurpipe_core::{Digest, Finding};

/// Findings by key. Beyond a number of them the oldest go.
#[derive(Debug, Default)]
pub(super) struct Cache {
    findings: HashMap<Digest, Vec<Finding>>,
    /// The keys, oldest first: each once.
    order: VecDeque<Digest>,
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
            }
        }
    }
}
