//! Receipts: what ties a page's checkpoint to the fate of its items.
//!
//! Each item of a page carries a [`Share`]. A page is *durable* when each of its items is saved as pending or settled, and *settled* when each
//! is settled. A partition's checkpoint is committed up to the last page before which all are durable; a share that is dropped
//! without either leaves its page open for ever, so that the next run reads it again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use crate::{Checkpoint, Outcome, PostId};

/// What the pages of a partition tell its committer.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Every item of the page is saved as pending or settled.
    Durable(u64),
    /// Every item of the page is settled, thus.
    Settled(u64, Vec<(PostId, Outcome)>),
}

/// A page on its way through the pipeline.
#[derive(Debug)]
pub(crate) struct PageReceipt {
    sequence: u64,
    state: Mutex<PageState>,
    partition: UnboundedSender<Progress>,
}

#[derive(Debug)]
struct PageState {
    not_durable: usize,
    not_settled: usize,
    outcomes: Vec<(PostId, Outcome)>,
}

impl PageReceipt {
    /// A page of `items` items, the `sequence`-th of its partition. A page without items is durable and settled at once.
    pub(crate) fn issue(
        sequence: u64,
        items: usize,
        partition: UnboundedSender<Progress>,
    ) -> Vec<Share> {
        let page = Arc::new(Self {
            sequence,
            state: Mutex::new(PageState {
                not_durable: items,
                not_settled: items,
                outcomes: Vec::with_capacity(items),
            }),
            partition,
        });
        if items == 0 {
            page.tell(Progress::Durable(sequence));
            page.tell(Progress::Settled(sequence, Vec::new()));
        }
        let share = || Share {
            page: Arc::clone(&page),
            durable: false,
        };
        (0..items).map(|_| share()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, PageState> {
        // The state is plain counters, valid after each statement; a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, progress: Progress) {
        // The committer is gone when the run was stopped: then nothing is to be committed.
        let _ = self.partition.send(progress);
    }
}

/// One item's share of its page's receipt.
#[derive(Debug)]
#[must_use = "a share dropped unsettled leaves its page open"]
pub(crate) struct Share {
    page: Arc<PageReceipt>,
    durable: bool,
}

impl Share {
    /// Says that the item is saved as pending: a later run will find it there.
    pub(crate) fn mark_durable(&mut self) {
        if self.durable {
            return;
        }
        self.durable = true;
        let mut state = self.page.lock();
        state.not_durable -= 1;
        if state.not_durable == 0 {
            self.page.tell(Progress::Durable(self.page.sequence));
        }
    }

    /// Says what became of the item, after that is durable.
    pub(crate) fn settle(mut self, id: PostId, outcome: Outcome) {
        self.mark_durable();
        let mut state = self.page.lock();
        state.outcomes.push((id, outcome));
        state.not_settled -= 1;
        if state.not_settled == 0 {
            let outcomes = std::mem::take(&mut state.outcomes);
            self.page
                .tell(Progress::Settled(self.page.sequence, outcomes));
        }
    }
}

/// Puts a partition's pages back in order.
#[derive(Debug, Default)]
pub(crate) struct InOrder {
    pages: VecDeque<PageInOrder>,
    first: u64,
}

#[derive(Debug)]
struct PageInOrder {
    checkpoint: Checkpoint,
    durable: bool,
    committed: bool,
    settled: Option<Vec<(PostId, Outcome)>>,
}

impl InOrder {
    /// The next page was read; its checkpoint speaks for everything up to its end.
    pub(crate) fn expect(&mut self, checkpoint: Checkpoint) {
        self.pages.push_back(PageInOrder {
            checkpoint,
            durable: false,
            committed: false,
            settled: None,
        });
    }

    /// Takes what a page tells.
    pub(crate) fn note(&mut self, progress: Progress) {
        let (sequence, settled) = match progress {
            Progress::Durable(sequence) => (sequence, None),
            Progress::Settled(sequence, outcomes) => (sequence, Some(outcomes)),
        };
        let index = (sequence - self.first) as usize;
        if let Some(page) = self.pages.get_mut(index) {
            page.durable = true;
            if settled.is_some() {
                page.settled = settled;
            }
        }
    }

    /// The checkpoint that may be committed now, if it is further than the last one.
    pub(crate) fn committable(&mut self) -> Option<Checkpoint> {
        let mut last = None;
        for page in self.pages.iter_mut().take_while(|p| p.durable) {
            if !page.committed {
                page.committed = true;
                last = Some(page.checkpoint.clone());
            }
        }
        last
    }

    /// Pages settled in order since the last call, with their checkpoint.
    pub(crate) fn settled(&mut self) -> Vec<(Checkpoint, Vec<(PostId, Outcome)>)> {
        let mut settled = Vec::new();
        while self
            .pages
            .front()
            .is_some_and(|p| p.committed && p.settled.is_some())
        {
            if let Some(page) = self.pages.pop_front() {
                self.first += 1;
                settled.push((page.checkpoint, page.settled.unwrap_or_default()));
            }
        }
        settled
    }
}
