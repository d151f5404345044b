//! How many items a stage is given in one call.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::super::stage::BatchSize;

/// Every so many calls a neighbouring size is tried.
const EXPLORE_EVERY: u64 = 8;
/// A size is changed for one that is faster by this share at least: less is noise.
const GAIN: f64 = 0.03;
/// How much a new measurement counts against those before.
const WEIGHT: f64 = 0.3;

/// The size of a stage's calls, adapted while running where the stage wants that.
pub(super) struct Sizing {
    size: BatchSize,
    state: Mutex<Adaptive>,
}

struct Adaptive {
    current: usize,
    calls: u64,
    /// Seconds an item, by size, as measured of late.
    measured: BTreeMap<usize, f64>,
}

impl Sizing {
    pub(super) fn new(size: BatchSize) -> Self {
        let current = match size {
            BatchSize::Adaptive { least, most } => least.max(1).min(most.max(1)),
            BatchSize::Whole | BatchSize::AtMost(_) => 1,
        };
        Self {
            size,
            state: Mutex::new(Adaptive {
                current,
                calls: 0,
                measured: BTreeMap::new(),
            }),
        }
    }

    /// How many items the next call is given, of so many that there are.
    pub(super) fn next(&self, items: usize) -> usize {
        match self.size {
            BatchSize::Whole => items,
            BatchSize::AtMost(most) => items.min(most.max(1)),
            BatchSize::Adaptive { least, most } => {
                let mut state = self.lock();
                state.calls += 1;
                let size = match state.calls % EXPLORE_EVERY {
                    0 => state.current * 2,
                    half if half == EXPLORE_EVERY / 2 => state.current / 2,
                    _ => state.current,
                };
                size.clamp(least.max(1), most.max(least.max(1))).min(items)
            }
        }
    }

    /// Takes note of what a call took. One that had fewer items than it might says nothing of its size and is not counted.
    pub(super) fn took(&self, items: usize, time: Duration) {
        if !matches!(self.size, BatchSize::Adaptive { .. }) || items == 0 {
            return;
        }
        let each = time.as_secs_f64() / items as f64;
        let mut state = self.lock();
        let known = state.measured.entry(items).or_insert(each);
        *known += WEIGHT * (each - *known);
        let current = state.current;
        let now = state.measured.get(&current).copied();
        let neighbours = [current * 2, current / 2];
        let faster = neighbours.into_iter().find(|size| {
            let (there, here) = (state.measured.get(size), now);
            there
                .zip(here)
                .is_some_and(|(there, here)| *there < here * (1.0 - GAIN))
        });
        if let Some(size) = faster {
            state.current = size;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Adaptive> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size at which calls arrive whose cost is `cost(items)` microseconds.
    fn settles_at(size: BatchSize, cost: impl Fn(usize) -> f64) -> usize {
        let sizing = Sizing::new(size);
        for _ in 0..400 {
            let items = sizing.next(1000);
            sizing.took(items, Duration::from_secs_f64(cost(items) * 1e-6));
        }
        sizing.lock().current
    }

    #[test]
    fn sizes_go_where_an_item_takes_least() {
        let adaptive = BatchSize::Adaptive { least: 1, most: 64 };
        // A call costs something whatever is in it: the larger, the better.
        assert_eq!(settles_at(adaptive, |n| 500.0 + 10.0 * n as f64), 64);
        // Each item costs the same: there is no reason to wait for more.
        assert_eq!(settles_at(adaptive, |n| 10.0 * n as f64), 1);
        // Beyond the cache it gets slower: 500/n + n is least between 16 and 32.
        let middle = settles_at(adaptive, |n| 500.0 + (n * n) as f64);
        assert!((16..=32).contains(&middle), "{middle}");
    }

    #[test]
    fn bounds_hold() {
        assert_eq!(Sizing::new(BatchSize::Whole).next(7), 7);
        assert_eq!(Sizing::new(BatchSize::AtMost(4)).next(7), 4);
        let sizing = Sizing::new(BatchSize::Adaptive { least: 4, most: 8 });
        for _ in 0..50 {
            let size = sizing.next(100);
            assert!((4..=8).contains(&size), "{size}");
            sizing.took(size, Duration::from_micros(1));
        }
        assert_eq!(sizing.next(3), 3);
    }
}
