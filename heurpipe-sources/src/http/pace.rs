//! How fast to call, steered by how much of the allowance is used.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heurpipe_core::{Clock, Error, ErrorKind, Result};
#[cfg(feature = "instagram")]
use jiff::SignedDuration;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The rule of the pace. Below `slow_from` percent of the allowance calls follow one another at once. From there the pause between
/// two calls grows in a straight line, up to `longest` just below 100 percent. At 100 percent no call is made until the allowance is
/// given back, since calling on while throttled lengthens the block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pacing {
    /// Percent of the allowance from which on calls are spaced.
    pub slow_from: f64,
    /// The longest pause between two calls.
    pub longest: Duration,
    /// How long to stay away at 100 percent when the other side does not say.
    pub rest: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            slow_from: 75.0,
            longest: Duration::from_secs(30),
            rest: Duration::from_secs(300),
        }
    }
}

impl Pacing {
    /// The pause before the next call when so much of the allowance is used.
    fn pause(&self, percent: f64) -> Duration {
        let over = (percent - self.slow_from) / (100.0 - self.slow_from).max(1.0);
        self.longest.mul_f64(over.clamp(0.0, 1.0))
    }
}

/// What the other side last said of a credential's allowance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// How much of it is used.
    pub percent: f64,
    /// When that was said; none: nothing was said yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// No call is to be made before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_until: Option<Timestamp>,
}

/// Allowances are counted over a rolling hour: what was said of one that long ago says nothing any more.
#[cfg(feature = "instagram")]
const ALLOWANCE_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// The pace of one credential.
#[derive(Debug)]
pub(crate) struct Pace {
    pacing: Pacing,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next_call: Instant,
    standing: Standing,
}

impl Pace {
    /// A pace that knows of no call yet.
    pub(crate) fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            clock: Clock::default(),
            state: Mutex::new(State {
                next_call: Instant::now(),
                standing: Standing::default(),
            }),
        }
    }

    /// Tells by another clock until when calls are refused.
    #[cfg(feature = "instagram")]
    pub(crate) fn by(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Waits for the turn of one call.
    ///
    /// # Errors
    /// `RateLimited`, with the time to wait, while the allowance is used up.
    pub(crate) async fn turn(&self, operation: &'static str) -> Result<()> {
        let at = self.take_turn(operation)?;
        tokio::time::sleep_until(at).await;
        Ok(())
    }

    fn take_turn(&self, operation: &'static str) -> Result<Instant> {
        let mut state = self.state();
        if let Some(until) = state.standing.blocked_until {
            let wait = until.duration_since(self.clock.now());
            if let Ok(wait) = Duration::try_from(wait)
                && !wait.is_zero()
            {
                return Err(Error::new(ErrorKind::RateLimited, operation)
                    .message("the allowance of calls is used up")
                    .after(wait));
            }
            // One call may find out whether the allowance is back.
            state.standing.blocked_until = None;
        }
        let at = state.next_call.max(Instant::now());
        state.next_call = at + self.pacing.pause(state.standing.percent);
        Ok(at)
    }

    /// Takes note of how much of the allowance is used, in percent, and of when it is given back.
    pub(crate) fn used(&self, percent: f64, back_in: Option<Duration>) {
        let now = self.clock.now();
        let mut state = self.state();
        state.standing.percent = percent;
        state.standing.told_at = Some(now);
        state.next_call = state
            .next_call
            .max(Instant::now() + self.pacing.pause(percent));
        let back_in = back_in.filter(|wait| !wait.is_zero());
        if percent >= 100.0 {
            state.standing.blocked_until = later(now, back_in.unwrap_or(self.pacing.rest));
        }
    }

    /// Takes note that the other side refuses calls for so long.
    #[cfg(feature = "instagram")]
    pub(crate) fn refused_for(&self, wait: Duration) {
        self.state().standing.blocked_until = later(self.clock.now(), wait);
    }

    /// How long to stay away when the other side does not say.
    pub(crate) fn rest(&self) -> Duration {
        self.pacing.rest
    }

    /// What the other side last said, for whoever goes on after a restart.
    #[cfg(feature = "instagram")]
    pub(crate) fn standing(&self) -> Standing {
        self.state().standing
    }

    /// Goes on from what was said before a restart, as far as it still counts.
    #[cfg(feature = "instagram")]
    pub(crate) fn resume(&self, said: Standing) {
        let now = self.clock.now();
        let is_fresh = |at: Timestamp| now.duration_since(at) < ALLOWANCE_WINDOW;
        let mut state = self.state();
        state.standing.blocked_until = said.blocked_until;
        if said.told_at.is_some_and(is_fresh) {
            state.standing.percent = said.percent;
            state.standing.told_at = said.told_at;
            state.next_call = Instant::now() + self.pacing.pause(said.percent);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So much after `now`, or the end of time.
fn later(now: Timestamp, wait: Duration) -> Option<Timestamp> {
    Some(now.checked_add(wait).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_pause_grows_from_the_threshold_to_the_end() {
        let pacing = Pacing {
            slow_from: 75.0,
            longest: Duration::from_secs(20),
            rest: Duration::from_secs(300),
        };
        assert_eq!(pacing.pause(0.0), Duration::ZERO);
        assert_eq!(pacing.pause(75.0), Duration::ZERO);
        assert_eq!(pacing.pause(87.5), Duration::from_secs(10));
        assert_eq!(pacing.pause(100.0), Duration::from_secs(20));
        assert_eq!(pacing.pause(180.0), Duration::from_secs(20));
    }

    #[test]
    fn no_call_is_made_while_the_allowance_is_used_up() {
        let pace = Pace::new(Pacing::default());
        assert!(pace.take_turn("test.call").is_ok());
        pace.used(100.0, Some(Duration::from_secs(600)));
        let error = pace.take_turn("test.call").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        let wait = error.retry_after().unwrap();
        assert!(wait > Duration::from_secs(590) && wait <= Duration::from_secs(600));
    }

    #[test]
    fn calls_are_spaced_when_the_allowance_runs_low() {
        let pace = Pace::new(Pacing::default());
        pace.used(90.0, None);
        let first = pace.take_turn("test.call").unwrap();
        let second = pace.take_turn("test.call").unwrap();
        assert_eq!(second - first, Duration::from_secs(18));
    }

    #[cfg(feature = "instagram")]
    mod after_a_restart {
        use heurpipe_core::testkit::VirtualClock;

        use super::*;

        const ORIGIN: Timestamp = Timestamp::UNIX_EPOCH;

        /// What a pace remembers that was told `percent` and then, after `gap`, goes on in another process.
        async fn restarted(percent: f64, gap: Duration) -> Pace {
            let time = VirtualClock::start(ORIGIN);
            let pace = Pace::new(Pacing::default()).by(time.clock());
            pace.used(percent, None);
            time.advance(gap).await;
            let next = Pace::new(Pacing::default()).by(time.clock());
            next.resume(pace.standing());
            next
        }

        #[tokio::test]
        async fn a_block_holds_until_it_ends() {
            let pace = restarted(100.0, Duration::from_secs(200)).await;
            let error = pace.take_turn("test.call").unwrap_err();
            assert_eq!(error.retry_after(), Some(Duration::from_secs(100)));
        }

        #[tokio::test]
        async fn a_block_that_has_ended_is_over_but_the_pace_is_slow() {
            let pace = restarted(100.0, Duration::from_secs(300)).await;
            let at = pace.take_turn("test.call").unwrap();
            assert_eq!(at - Instant::now(), Duration::from_secs(30));
        }

        #[tokio::test]
        async fn an_hour_later_nothing_is_known() {
            let pace = restarted(99.0, Duration::from_secs(3600)).await;
            assert_eq!(pace.take_turn("test.call").unwrap(), Instant::now());
            assert_eq!(pace.standing(), Standing::default());
        }
    }
}
