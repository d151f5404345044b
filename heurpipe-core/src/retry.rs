//! Trying again what failed for the moment.

use std::future::Future;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::{Error, Result, Retry};

/// How often and after which waits a call is made again.
///
/// Only errors that are [`Retry::Temporary`] are tried again. The first wait is `first`, each further one is twice as long; up to as much again
/// is added at random, so that many callers do not come back at one moment. Where the error says how long to wait
/// ([`Error::retry_after`]), that is the wait instead. No wait is longer than `ceiling`.
///
/// ```
/// use std::time::Duration;
/// use heurpipe_core::{Error, ErrorKind, RetryPolicy};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> heurpipe_core::Result<()> {
/// let policy = RetryPolicy::default().attempts(2).first(Duration::from_millis(1));
/// let mut calls = 0;
/// let answer = policy
///     .run("example.ask", || {
///         calls += 1;
///         let answer = match calls {
///             1 => Err(Error::new(ErrorKind::Unavailable, "example.ask")),
///             _ => Ok("here"),
///         };
///         async move { answer }
///     })
///     .await?;
/// assert_eq!((answer, calls), ("here", 2));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Calls beyond the first.
    pub attempts: usize,
    /// The wait before the second call.
    pub first: Duration,
    /// The longest wait.
    pub ceiling: Duration,
}

impl Default for RetryPolicy {
    /// Three more calls, the first after 50 ms, none later than 5 s after the one before.
    fn default() -> Self {
        Self {
            attempts: 3,
            first: Duration::from_millis(50),
            ceiling: Duration::from_secs(5),
        }
    }
}

impl RetryPolicy {
    /// One call and no more.
    pub fn none() -> Self {
        Self::default().attempts(0)
    }

    /// So many calls beyond the first.
    pub fn attempts(mut self, attempts: usize) -> Self {
        self.attempts = attempts;
        self
    }

    /// So long a wait before the second call.
    pub fn first(mut self, wait: Duration) -> Self {
        self.first = wait;
        self
    }

    /// No wait longer than this.
    pub fn ceiling(mut self, wait: Duration) -> Self {
        self.ceiling = wait;
        self
    }

    /// Calls `operation` until it succeeds, fails for good, or has been called as often as allowed. `what` names the call in the log.
    ///
    /// Dropping the future ends the matter: during a wait nothing is under way, during a call the call is dropped.
    ///
    /// # Errors
    /// That of the last call.
    pub async fn run<T, F, Fut>(&self, what: &str, mut operation: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let mut waits = self.waits();
        loop {
            let error = match operation().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(wait) = waits.after(&error) else {
                return Err(error);
            };
            tracing::warn!(%error, what, ?wait, "it fails, trying again");
            tokio::time::sleep(wait).await;
        }
    }

    /// The waits of one run of calls.
    pub(crate) fn waits(&self) -> Waits {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.ceiling)
            .with_max_times(self.attempts)
            .with_jitter()
            .build();
        Waits {
            backoff,
            ceiling: self.ceiling,
        }
    }
}

/// The waits between the calls of one operation.
#[derive(Debug)]
pub(crate) struct Waits {
    backoff: ExponentialBackoff,
    ceiling: Duration,
}

impl Waits {
    /// How long to wait before the next call; none: there is to be no further call.
    pub(crate) fn after(&mut self, error: &Error) -> Option<Duration> {
        if error.retry() != Retry::Temporary {
            return None;
        }
        let wait = self.backoff.next()?;
        // Jitter comes on top of the ceiling that the back-off itself knows.
        Some(error.retry_after().unwrap_or(wait).min(self.ceiling))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;
    use crate::ErrorKind;

    /// Fails so often with this error, then succeeds; tells calls made and time passed.
    async fn tried(policy: RetryPolicy, failures: usize, error: Error) -> (bool, usize, Duration) {
        let calls = Cell::new(0);
        let started = Instant::now();
        let done = policy
            .run("test.call", || {
                calls.set(calls.get() + 1);
                let answer = match calls.get() > failures {
                    true => Ok(()),
                    false => Err(error.replica()),
                };
                async move { answer }
            })
            .await;
        (done.is_ok(), calls.get(), started.elapsed())
    }

    fn down() -> Error {
        Error::new(ErrorKind::Unavailable, "test.call")
    }

    #[tokio::test(start_paused = true)]
    async fn temporary_errors_are_tried_again_so_many_times() {
        let policy = RetryPolicy::default();
        assert!(tried(policy, 3, down()).await.0);
        let (done, calls, _) = tried(policy, 4, down()).await;
        assert_eq!((done, calls), (false, 4));
        let (done, calls, _) = tried(RetryPolicy::none(), 1, down()).await;
        assert_eq!((done, calls), (false, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn errors_for_good_are_not_tried_again() {
        for kind in [ErrorKind::Corrupt, ErrorKind::Unauthenticated] {
            let error = Error::new(kind, "test.call");
            let (done, calls, waited) = tried(RetryPolicy::default(), 1, error).await;
            assert_eq!((done, calls, waited), (false, 1, Duration::ZERO));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_with_jitter_up_to_the_ceiling() {
        let policy = RetryPolicy::default()
            .attempts(8)
            .first(Duration::from_secs(1))
            .ceiling(Duration::from_secs(4));
        let mut waits = policy.waits();
        let waited: Vec<f64> = (0..8)
            .map(|_| waits.after(&down()).unwrap().as_secs_f64())
            .collect();
        assert!((1.0..=2.0).contains(&waited[0]), "{waited:?}");
        assert!((2.0..=4.0).contains(&waited[1]), "{waited:?}");
        assert!(waited[2..].iter().all(|w| *w == 4.0), "{waited:?}");
        assert_eq!(waits.after(&down()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_other_sides_wish_is_respected_up_to_the_ceiling() {
        let asked = |wait| Error::new(ErrorKind::RateLimited, "test.call").after(wait);
        let second = Duration::from_secs(1);
        let (_, _, waited) = tried(RetryPolicy::default(), 1, asked(second)).await;
        assert!(waited >= second && waited < 2 * second, "{waited:?}");
        let (_, _, waited) = tried(RetryPolicy::default(), 1, asked(600 * second)).await;
        assert!(waited >= 5 * second && waited < 6 * second, "{waited:?}");
    }
}
