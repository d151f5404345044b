//! Putting a partition's pages back in order, however they become durable and settle.

use std::collections::VecDeque;

use super::receipt::Progress;
use crate::{Checkpoint, Outcome, PostId};

/// A page's outcomes with the checkpoint after it.
pub(crate) type SettledPage = (Checkpoint, Vec<(PostId, Outcome)>);

/// Puts a partition's pages back in order. Holds the pages that are not settled, and those behind them; each step costs no more than the
/// pages that it moves on.
#[derive(Debug, Default)]
pub(crate) struct InOrder {
    /// Pages that were read and not yet given back as settled.
    pages: VecDeque<PageInOrder>,
    /// The sequence number of the first of them.
    first: u64,
    /// How many of them, from the first on, are durable and covered by a checkpoint given out.
    committed: usize,
}

#[derive(Debug)]
struct PageInOrder {
    checkpoint: Checkpoint,
    durable: bool,
    settled: Option<Vec<(PostId, Outcome)>>,
}

impl InOrder {
    /// The next page was read; its checkpoint speaks for everything up to its end.
    pub(crate) fn expect(&mut self, checkpoint: Checkpoint) {
        self.pages.push_back(PageInOrder {
            checkpoint,
            durable: false,
            settled: None,
        });
    }

    /// Takes what a page tells.
    pub(crate) fn note(&mut self, progress: Progress) {
        let (sequence, settled) = match progress {
            Progress::Durable(sequence) => (sequence, None),
            Progress::Settled(sequence, outcomes) => (sequence, Some(outcomes)),
        };
        let page = sequence
            .checked_sub(self.first)
            .and_then(|index| self.pages.get_mut(usize::try_from(index).ok()?));
        if let Some(page) = page {
            page.durable = true;
            if settled.is_some() {
                page.settled = settled;
            }
        }
    }

    /// The checkpoint that may be committed now, if it is further than the last one.
    pub(crate) fn committable(&mut self) -> Option<Checkpoint> {
        let before = self.committed;
        let newly = self.pages.range(before..).take_while(|p| p.durable).count();
        self.committed += newly;
        let last = self.committed.checked_sub(1).filter(|_| newly > 0)?;
        self.pages.get(last).map(|page| page.checkpoint.clone())
    }

    /// Pages settled in order since the last call, with their checkpoint. Only those that a checkpoint given out covers.
    pub(crate) fn settled(&mut self) -> Vec<SettledPage> {
        let mut settled = Vec::new();
        while self.committed > 0
            && let Some(outcomes) = self.pages.front_mut().and_then(|p| p.settled.take())
            && let Some(page) = self.pages.pop_front()
        {
            self.first += 1;
            self.committed -= 1;
            settled.push((page.checkpoint, outcomes));
        }
        settled
    }
}

#[cfg(test)]
#[path = "in_order_tests.rs"]
mod tests;
