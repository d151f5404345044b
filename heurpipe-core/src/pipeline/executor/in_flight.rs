//! Which posts are on their way: one PostId at a time.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use super::shared::Arrival;
use crate::PostId;

/// Posts that a run remembers having seen, at least; twice as many at most. Memory stays the same however long it runs.
const REMEMBERED: usize = 1 << 15;

/// What stands for a post's id while it is on its way. Were two ids ever to have the same, one post would wait for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(u128);

impl Key {
    pub(super) fn of(id: &PostId) -> Self {
        let platform = xxh3_64(id.platform.as_str().as_bytes());
        Self(xxh3_128_with_seed(id.native.as_bytes(), platform))
    }
}

/// A second arrival of a post on its way waits until the first is settled, and then has the claim: no later arrival overtakes it.
pub(super) struct InFlight {
    state: Mutex<State>,
    again: UnboundedSender<Handed>,
    pub(super) changed: Notify,
}

/// An arrival that has waited, with the claim to its post.
pub(super) type Handed = (Key, Arrival);

#[derive(Default)]
struct State {
    /// Posts on their way, each with the arrivals that wait for it, in order.
    waiting: HashMap<Key, VecDeque<Arrival>, Keyed>,
    seen: Recent,
}

impl InFlight {
    pub(super) fn new(again: UnboundedSender<Handed>) -> Self {
        Self {
            state: Mutex::default(),
            again,
            changed: Notify::new(),
        }
    }

    /// Takes posts in hand, all under one lock: calls `each` with every arrival whose post was free, and with whether this run has seen the
    /// post before, not too long ago. The others wait and come again.
    pub(super) fn claim(
        &self,
        arrivals: impl IntoIterator<Item = (Key, Arrival)>,
        mut each: impl FnMut(Key, Arrival, bool),
    ) {
        let mut state = self.lock();
        let State { waiting, seen } = &mut *state;
        for (key, arrival) in arrivals {
            match waiting.entry(key) {
                Entry::Occupied(mut waiting) => waiting.get_mut().push_back(arrival),
                Entry::Vacant(free) => {
                    free.insert(VecDeque::new());
                    each(key, arrival, !seen.insert(key));
                }
            }
        }
    }

    /// Lets go of posts. Whoever has waited longest for one takes it in hand, and comes again.
    pub(super) fn release(&self, keys: impl IntoIterator<Item = Key>) {
        let mut state = self.lock();
        for key in keys {
            match state.waiting.get_mut(&key).and_then(VecDeque::pop_front) {
                // The intake ends only when nothing is in flight, so it is there to take this.
                Some(arrival) => drop(self.again.send((key, arrival))),
                None => drop(state.waiting.remove(&key)),
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// How many posts are on their way.
    pub(super) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys of late: two sets, of which the older goes when the younger is full.
#[derive(Default)]
struct Recent {
    young: HashSet<Key, Keyed>,
    old: HashSet<Key, Keyed>,
}

impl Recent {
    /// Whether the key is new among those remembered.
    fn insert(&mut self, key: Key) -> bool {
        if self.young.len() >= REMEMBERED {
            // The old set's memory is used again.
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        !self.old.contains(&key) && self.young.insert(key)
    }
}

type Keyed = BuildHasherDefault<KeyHasher>;

/// Keys are hashes already.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::super::super::receipt::PageReceipt;
    use super::*;
    use crate::{Incoming, Platform};

    fn key(number: usize) -> Key {
        Key(number as u128)
    }

    #[test]
    fn of_those_that_wait_for_a_post_the_first_has_it_next_and_none_overtakes() {
        let (progress, _notes) = unbounded_channel();
        let mut shares = PageReceipt::issue(0, 4, progress);
        let (again, mut handed) = unbounded_channel();
        let in_flight = InFlight::new(again);
        let mut arrives = |name: &str| {
            let item = Incoming::Gone(PostId::new(Platform::new("test"), name));
            let mut taken = false;
            let arrival = shares.next().map(|share| (key(1), (item, share)));
            in_flight.claim(arrival, |_, _, _| taken = true);
            taken
        };
        let mut released = || {
            in_flight.release([key(1)]);
            let (_, (item, _)) = handed.try_recv().ok()?;
            Some(item.id().native.to_string())
        };
        assert!(arrives("first"));
        assert!(!arrives("second"));
        assert!(!arrives("third"));
        assert_eq!(released().as_deref(), Some("second"));
        assert!(!arrives("fourth"), "the second has the claim");
        assert_eq!(released().as_deref(), Some("third"));
        assert_eq!(released().as_deref(), Some("fourth"));
        assert_eq!(released(), None);
        assert_eq!(in_flight.len(), 0);
    }

    #[test]
    fn what_was_seen_of_late_is_known_and_memory_is_bounded() {
        let mut recent = Recent::default();
        assert!(recent.insert(key(0)));
        assert!(!recent.insert(key(0)));
        for number in 1..4 * REMEMBERED {
            assert!(recent.insert(key(number)));
            let back = number.saturating_sub(REMEMBERED - 1);
            assert!(!recent.insert(key(back.max(1))), "{number}");
            assert!(recent.young.len() + recent.old.len() <= 2 * REMEMBERED);
        }
        assert!(recent.insert(key(0)), "what was long ago is forgotten");
    }
}
