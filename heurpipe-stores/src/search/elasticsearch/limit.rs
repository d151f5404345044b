//! How many bulks are under way at once: as many as the server answers without making them wait for one another.
//!
//! As TCP Vegas (Brakmo and Peterson, 1995) does with packets: the shortest time in which a bulk of some size was answered is taken for that of a server with nothing else to do.
//! By how much answers take longer tells how many of those under way only wait. One more is allowed while hardly any does, one fewer when several do, and half as
//! many once the server refuses.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

/// However fast the server is.
pub(super) const MOST: usize = 16;

/// While fewer than this wait, one more is allowed; while more than that, one fewer.
const WAITING: std::ops::RangeInclusive<f64> = 1.0..=2.0;

/// After so many changes it is found out anew how fast the server is: its indices grow, and others come and go.
const REMEMBERED: u32 = 100;

/// Lets so many be under way as are good.
#[derive(Debug)]
pub(super) struct Limit {
    semaphore: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    under_way: usize,
    /// Permits that are out and were to be taken away.
    excess: usize,
}

/// What lets one bulk be sent.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    limit: &'a Limit,
    permit: Option<SemaphorePermit<'a>>,
    begun: Instant,
}

/// How the server took a bulk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It answered for all.
    Whole,
    /// It had no time for some of it.
    InPart,
}

impl Limit {
    pub(super) fn new() -> Self {
        let pace = Pace::default();
        Self {
            semaphore: Semaphore::new(pace.allowed),
            state: Mutex::new(State {
                pace,
                under_way: 0,
                excess: 0,
            }),
        }
    }

    /// How many are allowed for now.
    pub(super) fn allowed(&self) -> usize {
        self.lock().pace.allowed
    }

    /// Waits until one more may be under way.
    pub(super) async fn permit(&self) -> Permit<'_> {
        // Nobody closes it.
        let permit = self.semaphore.acquire().await.ok();
        self.lock().under_way += 1;
        Permit {
            limit: self,
            permit,
            begun: Instant::now(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The server has answered for a bulk of so many items.
    pub(super) fn answered(self, items: usize, taken: Taken) {
        let took = self.begun.elapsed();
        let mut state = self.limit.lock();
        let before = state.pace.allowed;
        let busy = state.under_way;
        state.pace.answered(Answered {
            items,
            took,
            taken,
            busy,
        });
        let allowed = state.pace.allowed;
        if allowed < before {
            let fewer = before - allowed;
            state.excess += fewer - self.limit.semaphore.forget_permits(fewer);
        } else {
            let more = allowed - before;
            let kept = more.min(state.excess);
            state.excess -= kept;
            self.limit.semaphore.add_permits(more - kept);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.limit.lock();
        state.under_way -= 1;
        if state.excess > 0
            && let Some(permit) = self.permit.take()
        {
            state.excess -= 1;
            permit.forget();
        }
    }
}

/// Reckons how many are good.
#[derive(Debug)]
struct Pace {
    allowed: usize,
    /// The shortest time of bulks of about so many items, in seconds, by their number's logarithm.
    shortest: HashMap<u32, f64>,
    changes: u32,
    round: Round,
}

/// Answers since the last change.
#[derive(Debug, Default)]
struct Round {
    answers: usize,
    /// By how many times they took longer than the shortest, summed.
    slower: f64,
    /// Whether as many were under way as may be: else nothing is known about more.
    full: bool,
}

struct Answered {
    items: usize,
    took: Duration,
    taken: Taken,
    /// How many were under way.
    busy: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            allowed: 1,
            shortest: HashMap::new(),
            changes: 0,
            round: Round::default(),
        }
    }
}

impl Pace {
    fn answered(&mut self, answer: Answered) {
        if answer.taken == Taken::InPart {
            self.change_to(self.allowed / 2);
            return;
        }
        let took = answer.took.as_secs_f64().max(f64::MIN_POSITIVE);
        let size = answer.items.max(1).ilog2();
        let shortest = self.shortest.entry(size).or_insert(took);
        *shortest = shortest.min(took);
        self.round.slower += took / *shortest;
        self.round.answers += 1;
        self.round.full |= answer.busy >= self.allowed;
        if self.round.answers >= self.allowed {
            self.judge();
        }
    }

    fn judge(&mut self) {
        let slower = self.round.slower / self.round.answers as f64;
        let waiting = self.allowed as f64 * (1.0 - 1.0 / slower);
        if waiting > *WAITING.end() {
            self.change_to(self.allowed - 1);
        } else if waiting < *WAITING.start() && self.round.full {
            self.change_to(self.allowed + 1);
        } else {
            self.change_to(self.allowed);
        }
    }

    fn change_to(&mut self, allowed: usize) {
        self.allowed = allowed.clamp(1, MOST);
        self.round = Round::default();
        self.changes += 1;
        if self.changes >= REMEMBERED {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEMS: usize = 200;

    /// A server that does so many bulks at once, each in a tenth of a second; others wait.
    fn answer(capacity: usize, busy: usize) -> Answered {
        let share = (busy as f64 / capacity as f64).max(1.0);
        Answered {
            items: ITEMS,
            took: Duration::from_secs_f64(share / 10.0),
            taken: Taken::Whole,
            busy,
        }
    }

    /// How many are allowed after each of so many answers, where callers send as many as they may, but not more than they want.
    fn course(capacity: usize, wanted: usize, answers: usize) -> Vec<usize> {
        let mut pace = Pace::default();
        (0..answers)
            .map(|_| {
                pace.answered(answer(capacity, pace.allowed.min(wanted)));
                pace.allowed
            })
            .collect()
    }

    #[test]
    fn as_many_are_allowed_as_the_server_does_at_once_and_one_or_two_that_wait() {
        for capacity in [1, 2, 4, 8] {
            let course = course(capacity, usize::MAX, 150);
            let highest = course.iter().copied().max();
            let expected = capacity + 1..=capacity + 3;
            assert!(
                highest.is_some_and(|highest| expected.contains(&highest)),
                "{capacity}: {course:?}"
            );
        }
    }

    #[test]
    fn nothing_is_allowed_that_nobody_has_asked_for() {
        let course = course(8, 3, 60);
        assert_eq!(course.iter().copied().max(), Some(4), "{course:?}");
    }

    #[test]
    fn a_refusal_halves_and_never_ends_it() {
        let mut pace = Pace {
            allowed: 8,
            ..Pace::default()
        };
        let course = [4, 2, 1, 1].map(|_| {
            pace.answered(Answered {
                taken: Taken::InPart,
                ..answer(8, 8)
            });
            pace.allowed
        });
        assert_eq!(course, [4, 2, 1, 1]);
    }

    #[test]
    fn small_bulks_are_not_compared_with_large_ones() {
        let mut pace = Pace::default();
        let of = |items, milliseconds| Answered {
            items,
            took: Duration::from_millis(milliseconds),
            taken: Taken::Whole,
            busy: MOST,
        };
        for _ in 0..40 {
            pace.answered(of(1, 2));
            pace.answered(of(400, 100));
        }
        assert!(pace.allowed > 5, "{}", pace.allowed);
    }

    #[test]
    fn a_server_that_has_become_slower_for_all_is_found_out_anew() {
        let mut pace = Pace {
            allowed: 4,
            shortest: HashMap::from([(ITEMS.ilog2(), 0.01)]),
            ..Pace::default()
        };
        let mut course = Vec::new();
        for _ in 0..400 {
            pace.answered(answer(4, pace.allowed));
            course.push(pace.allowed);
        }
        assert!(course.contains(&1), "{course:?}");
        assert!(course.iter().rev().take(100).any(|&n| n > 4), "{course:?}");
    }

    #[tokio::test]
    async fn permits_are_as_many_as_allowed() {
        let limit = Limit::new();
        for round in 0..30 {
            let allowed = limit.allowed();
            let mut permits = Vec::new();
            for _ in 0..allowed {
                permits.push(limit.permit().await);
            }
            assert!(limit.semaphore.try_acquire().is_err(), "round {round}");
            for permit in permits {
                let taken = if round % 7 == 6 {
                    Taken::InPart
                } else {
                    Taken::Whole
                };
                permit.answered(ITEMS, taken);
            }
        }
        assert_eq!(limit.lock().under_way, 0);
        assert_eq!(limit.semaphore.available_permits(), limit.allowed());
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_gives_its_permit_back() {
        let limit = Limit::new();
        drop(limit.permit().await);
        drop(limit.permit().await);
        assert_eq!(limit.semaphore.available_permits(), 1);
    }
}
