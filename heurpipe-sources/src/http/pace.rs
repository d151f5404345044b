//! How fast to call, steered by how much of the allowance is used.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Result};
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

/// The pace of one credential.
#[derive(Debug)]
pub(crate) struct Pace {
    pacing: Pacing,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next_call: Instant,
    pause: Duration,
    blocked_until: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            state: Mutex::new(State {
                next_call: Instant::now(),
                pause: Duration::ZERO,
                blocked_until: None,
            }),
        }
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
        let now = Instant::now();
        let mut state = self.state();
        if let Some(until) = state.blocked_until {
            if until > now {
                return Err(Error::new(ErrorKind::RateLimited, operation)
                    .message("the allowance of calls is used up")
                    .after(until - now));
            }
            // One call may find out whether the allowance is back.
            state.blocked_until = None;
        }
        let at = state.next_call.max(now);
        state.next_call = at + state.pause;
        Ok(at)
    }

    /// Takes note of how much of the allowance is used, in percent, and of when it is given back.
    pub(crate) fn used(&self, percent: f64, back_in: Option<Duration>) {
        let now = Instant::now();
        let mut state = self.state();
        state.pause = self.pacing.pause(percent);
        state.next_call = state.next_call.max(now + state.pause);
        let back_in = back_in.filter(|wait| !wait.is_zero());
        if percent >= 100.0 {
            state.blocked_until = Some(now + back_in.unwrap_or(self.pacing.rest));
        }
    }

    /// Takes note that the other side refuses calls for so long.
    pub(crate) fn refused_for(&self, wait: Duration) {
        self.state().blocked_until = Some(Instant::now() + wait);
    }

    /// How long to stay away when the other side does not say.
    pub(crate) fn rest(&self) -> Duration {
        self.pacing.rest
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
}
