//! A budget of bytes that are held at a time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget is counted in such units, so that it fits the semaphore.
const UNIT: usize = 1024;

/// Bytes that may be held at a time. Whoever holds more than all of it alone is let through alone.
pub(super) struct ByteBudget {
    left: Arc<Semaphore>,
    units: usize,
}

/// A share of the budget, given back when dropped.
pub(super) type ByteShare = Option<Arc<OwnedSemaphorePermit>>;

impl ByteBudget {
    pub(super) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS >> 1);
        Self {
            left: Arc::new(Semaphore::new(units)),
            units,
        }
    }

    /// Waits until so many bytes may be held.
    pub(super) async fn take(&self, bytes: usize) -> ByteShare {
        let wanted = bytes.div_ceil(UNIT).min(self.units);
        if wanted == 0 {
            return None;
        }
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let share = Arc::clone(&self.left).acquire_many_owned(wanted).await;
        share.ok().map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_share_is_waited_for_and_one_too_large_goes_alone() {
        let budget = ByteBudget::new(10 * UNIT);
        let held = budget.take(9 * UNIT).await;
        assert!(futures::FutureExt::now_or_never(budget.take(2 * UNIT)).is_none());
        drop(held);
        let all = budget.take(1000 * UNIT).await;
        assert!(futures::FutureExt::now_or_never(budget.take(1)).is_none());
        drop(all);
        assert!(budget.take(0).await.is_none());
    }
}
