//! Trying again what failed for the moment.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use heurpipe_core::{Error, Retry};

/// A longer wait is left to whoever can put the picture off.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How often to try.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempts {
    /// In all.
    pub(super) number: usize,
    /// The pause after the first, which doubles each time.
    pub(super) first_pause: Duration,
}

impl Attempts {
    /// The pauses between the attempts at one thing.
    pub(super) fn pauses(&self) -> Pauses {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_delay(LONGEST_WAIT)
            .with_max_times(self.number.saturating_sub(1))
            .with_jitter();
        Pauses(backoff.build())
    }
}

/// See [`Attempts::pauses`].
pub(super) struct Pauses(ExponentialBackoff);

impl Pauses {
    /// How long to pause before the next attempt; none: there is to be none. What the other side asks for is waited for.
    pub(super) fn after(&mut self, error: &Error) -> Option<Duration> {
        let asked = error.retry_after().unwrap_or_default();
        if error.retry() != Retry::Temporary || asked > LONGEST_WAIT {
            return None;
        }
        Some(self.0.next()?.max(asked))
    }
}
