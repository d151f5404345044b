//! Receipts: what ties a page's checkpoint to the fate of its items.
//!
//! Each item of a page carries a [`Share`]. A page is *durable* when each of its items is saved as pending or settled, and *settled* when each
//! is settled. A partition's checkpoint is committed up to the last page before which all are durable; a share that is dropped
//! without either leaves its page open for ever, so that the next run reads it again.
//!
//! Items travel in batches, and most of a batch comes from the same page. So shares are marked and settled in bulk, and a page is locked once
//! for each run of neighbours that belong to it, not once for each item.
//!
//! This file is also compiled by the model checks in `tests/receipt_model.rs`: it synchronises with nothing but [`super::sync`].

use super::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{Outcome, PostId};

/// What the pages of a partition tell its committer.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Every item of the page is saved as pending or settled.
    Durable(u64),
    /// Every item of the page is settled, thus, in the order in which they were settled.
    Settled(u64, Vec<(PostId, Outcome)>),
}

/// Where pages tell of their progress. Each page tells at most once that it is durable and, not before, at most once that it is settled.
pub(crate) trait Tell: Send + Sync {
    /// Takes the message without waiting: the page is locked meanwhile, so that its messages cannot overtake each other.
    fn tell(&self, progress: Progress);
}

/// A page on its way through the pipeline.
pub(crate) struct PageReceipt<T: Tell> {
    sequence: u64,
    items: usize,
    state: Mutex<PageState>,
    partition: T,
}

struct PageState {
    not_durable: usize,
    outcomes: Vec<(PostId, Outcome)>,
}

impl<T: Tell> PageReceipt<T> {
    /// A page of `items` items, the `sequence`-th of its partition: gives one share for each. A page without items is durable and
    /// settled at once.
    pub(crate) fn issue(
        sequence: u64,
        items: usize,
        partition: T,
    ) -> impl Iterator<Item = Share<T>> {
        let page = Arc::new(Self {
            sequence,
            items,
            state: Mutex::new(PageState {
                not_durable: items,
                outcomes: Vec::new(),
            }),
            partition,
        });
        if items == 0 {
            page.partition.tell(Progress::Durable(sequence));
            page.partition.tell(Progress::Settled(sequence, Vec::new()));
        }
        std::iter::repeat_n(page, items).map(|page| Share {
            page,
            durable: false,
        })
    }

    /// So many more of its items are durable.
    fn mark_durable(&self, items: usize) {
        self.count_durable(&mut self.lock(), items);
    }

    /// These items are settled; so many of them were not durable before.
    fn settle(&self, settled: Settled) {
        let mut state = self.lock();
        self.count_durable(&mut state, settled.newly_durable);
        if state.outcomes.is_empty() {
            state.outcomes = settled.outcomes;
        } else {
            state.outcomes.extend(settled.outcomes);
        }
        if state.outcomes.len() == self.items {
            let outcomes = std::mem::take(&mut state.outcomes);
            self.partition
                .tell(Progress::Settled(self.sequence, outcomes));
        }
    }

    fn count_durable(&self, state: &mut PageState, items: usize) {
        // Without the check, a page that has told already would tell again.
        if items == 0 {
            return;
        }
        state.not_durable -= items;
        if state.not_durable == 0 {
            self.partition.tell(Progress::Durable(self.sequence));
        }
    }

    fn lock(&self) -> MutexGuard<'_, PageState> {
        // The counts are valid whenever the lock is let go; a panic elsewhere does not spoil them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One item's share of its page's receipt.
#[must_use = "a share dropped unsettled leaves its page open"]
pub(crate) struct Share<T: Tell> {
    page: Arc<PageReceipt<T>>,
    durable: bool,
}

/// Says of items that they are saved as pending: a later run will find them there. What is marked already is passed over.
pub(crate) fn mark_durable<'a, T: Tell + 'a>(shares: impl IntoIterator<Item = &'a mut Share<T>>) {
    let mut run: Option<(&Arc<PageReceipt<T>>, usize)> = None;
    for share in shares {
        if std::mem::replace(&mut share.durable, true) {
            continue;
        }
        let page = &share.page;
        match &mut run {
            Some((same, items)) if Arc::ptr_eq(same, page) => *items += 1,
            _ => {
                if let Some((before, items)) = run.replace((page, 1)) {
                    before.mark_durable(items);
                }
            }
        }
    }
    if let Some((page, items)) = run {
        page.mark_durable(items);
    }
}

/// Says what became of items, after that is durable. Pages learn it in this order.
///
/// No page is locked while the next item is asked for.
pub(crate) fn settle<T: Tell>(items: impl IntoIterator<Item = (Share<T>, PostId, Outcome)>) {
    let mut items = items.into_iter();
    let mut run: Option<(Arc<PageReceipt<T>>, Settled)> = None;
    while let Some((share, id, outcome)) = items.next() {
        let Share { page, durable } = share;
        match &mut run {
            Some((same, settled)) if Arc::ptr_eq(same, &page) => settled.push(id, outcome, durable),
            _ => {
                let at_most = page.items.min(items.size_hint().0.saturating_add(1));
                let mut settled = Settled::with_capacity(at_most);
                settled.push(id, outcome, durable);
                if let Some((before, settled)) = run.replace((page, settled)) {
                    before.settle(settled);
                }
            }
        }
    }
    if let Some((page, settled)) = run {
        page.settle(settled);
    }
}

/// Items of one page that are settled together.
struct Settled {
    outcomes: Vec<(PostId, Outcome)>,
    newly_durable: usize,
}

impl Settled {
    fn with_capacity(items: usize) -> Self {
        Self {
            outcomes: Vec::with_capacity(items),
            newly_durable: 0,
        }
    }

    fn push(&mut self, id: PostId, outcome: Outcome, durable: bool) {
        self.outcomes.push((id, outcome));
        self.newly_durable += usize::from(!durable);
    }
}
