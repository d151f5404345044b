//! The allowances of both APIs and what has been used of them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use heurpipe_core::Clock;
use jiff::{SignedDuration, Timestamp};

use super::passes::Passes;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long an asked-for hashtag counts.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Allowances of the APIs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Graph calls in a rolling hour.
    pub graph_calls_per_hour: usize,
    /// Distinct hashtags in seven days.
    pub hashtags_per_week: usize,
    /// Weibo calls in each hour of the clock.
    pub weibo_calls_per_hour: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            graph_calls_per_hour: 100_000,
            hashtags_per_week: 30,
            weibo_calls_per_hour: 100_000,
        }
    }
}

/// What has been used up so far, by a clock.
pub(super) struct Usage {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    graph: LastHour,
    weibo: ThisHour,
    /// When each hashtag was asked for: asking again while it counts does not renew it.
    hashtags: HashMap<String, Timestamp>,
    passes: Passes,
}

/// What has been used of an allowance of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) calls: usize,
    /// When calls are given back: one of a rolling hour, all of an hour of the clock.
    pub(super) back_in: SignedDuration,
}

impl Usage {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Counts a call of the Graph API. One that is refused counts too: calling on lengthens the block.
    pub(super) fn graph_call(&self) -> Spent {
        let now = self.clock.now();
        self.state().graph.count(now)
    }

    /// Counts a call of Weibo's API.
    pub(super) fn weibo_call(&self) -> Spent {
        let now = self.clock.now();
        self.state().weibo.count(now)
    }

    /// Weibo's calls, without counting one.
    pub(super) fn weibo(&self) -> Spent {
        let now = self.clock.now();
        self.state().weibo.spent(now)
    }

    /// Whether the hashtag may be asked for when so many distinct ones may be in seven days; if so, it counts.
    pub(super) fn admits_hashtag(&self, tag: &str, most: usize) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        state.forget_hashtags(now);
        let admitted = state.hashtags.contains_key(tag) || state.hashtags.len() < most;
        if admitted {
            state.hashtags.entry(tag.to_owned()).or_insert(now);
        }
        admitted
    }

    /// The hashtags that count now, in the order of their names.
    pub(super) fn hashtags(&self) -> Vec<String> {
        let now = self.clock.now();
        let mut state = self.state();
        state.forget_hashtags(now);
        let mut tags: Vec<String> = state.hashtags.keys().cloned().collect();
        tags.sort_unstable();
        tags
    }

    /// Works on the passes over recent posts.
    pub(super) fn passes<T>(&self, work: impl FnOnce(&mut Passes) -> T) -> T {
        work(&mut self.state().passes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_hashtags(&mut self, now: Timestamp) {
        self.hashtags
            .retain(|_, asked_at| now.duration_since(*asked_at) < WEEK);
    }
}

/// The times of the calls of the last hour.
#[derive(Default)]
struct LastHour(VecDeque<Timestamp>);

impl LastHour {
    fn count(&mut self, now: Timestamp) -> Spent {
        self.0.push_back(now);
        self.spent(now)
    }

    fn spent(&mut self, now: Timestamp) -> Spent {
        while self
            .0
            .front()
            .is_some_and(|at| now.duration_since(*at) >= HOUR)
        {
            self.0.pop_front();
        }
        let oldest = self.0.front().copied().unwrap_or(now);
        Spent {
            calls: self.0.len(),
            back_in: HOUR - now.duration_since(oldest),
        }
    }
}

/// The calls of this hour of the clock.
#[derive(Default)]
pub(super) struct ThisHour {
    hour: i64,
    calls: usize,
}

impl ThisHour {
    pub(super) fn count(&mut self, now: Timestamp) -> Spent {
        self.begin(now);
        self.calls += 1;
        self.spent(now)
    }

    pub(super) fn spent(&mut self, now: Timestamp) -> Spent {
        self.begin(now);
        let gone = now.as_second().rem_euclid(HOUR.as_secs());
        Spent {
            calls: self.calls,
            back_in: HOUR - SignedDuration::from_secs(gone),
        }
    }

    /// A new hour begins with nothing.
    fn begin(&mut self, now: Timestamp) {
        let hour = now.as_second().div_euclid(HOUR.as_secs());
        if hour != self.hour {
            *self = Self { hour, calls: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn graph_calls_count_for_an_hour_each() {
        let (clock, hand) = Clock::manual(Timestamp::UNIX_EPOCH);
        let usage = Usage::new(clock);
        usage.graph_call();
        hand.advance(20 * MINUTE);
        let spent = usage.graph_call();
        assert_eq!((spent.calls, spent.back_in.as_mins()), (2, 40));
        hand.advance(40 * MINUTE);
        let spent = usage.graph_call();
        assert_eq!((spent.calls, spent.back_in.as_mins()), (2, 20));
    }

    #[test]
    fn weibo_calls_count_until_the_hour_is_full() {
        let (clock, hand) = Clock::manual(Timestamp::UNIX_EPOCH);
        let usage = Usage::new(clock);
        usage.weibo_call();
        hand.advance(50 * MINUTE);
        let spent = usage.weibo_call();
        assert_eq!((spent.calls, spent.back_in.as_mins()), (2, 10));
        hand.advance(10 * MINUTE);
        assert_eq!(usage.weibo().calls, 0);
        assert_eq!(usage.graph_call().calls, 1, "the APIs count apart");
    }

    #[test]
    fn hashtags_count_for_a_week_from_when_they_were_first_asked_for() {
        let day = 24 * 60 * MINUTE;
        let (clock, hand) = Clock::manual(Timestamp::UNIX_EPOCH);
        let usage = Usage::new(clock);
        assert!(usage.admits_hashtag("a", 2));
        hand.advance(4 * day);
        assert!(usage.admits_hashtag("b", 2));
        assert!(!usage.admits_hashtag("c", 2));
        assert!(usage.admits_hashtag("a", 2), "it counts already");
        hand.advance(3 * day);
        assert_eq!(usage.hashtags(), ["b"], "asking again renews nothing");
        assert!(usage.admits_hashtag("c", 2));
    }
}
