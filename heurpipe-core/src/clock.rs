//! What time it is, for whoever must not ask the machine.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the time: the machine's, one that goes with tokio's timers, or one that is set by hand.
///
/// With the second, under tokio's paused time, whatever writes times down can be tested to the second; the testkit's
/// `VirtualClock` moves it on. Where sockets are waited for, time cannot be paused, since tokio would let timers fire meanwhile: there the
/// third lets days pass in a moment, and leaves timers alone. A copy tells the same time.
///
/// ```
/// use heurpipe_core::Clock;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let origin = "2026-03-01T08:00:00Z".parse()?;
/// let clock = Clock::tokio(origin);
/// assert!(clock.now() >= origin);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock(Time);

#[derive(Debug, Clone, Copy, Default)]
enum Time {
    #[default]
    System,
    Tokio {
        origin: Timestamp,
        start: Instant,
    },
    /// In microseconds since the epoch.
    Manual(&'static AtomicI64),
}

/// Moves a clock that is set by hand: see [`Clock::manual`]. Copies move the same clock.
#[derive(Debug, Clone, Copy)]
pub struct ClockHand(&'static AtomicI64);

impl ClockHand {
    /// Moves the clock on by so much.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.update(Ordering::SeqCst, Ordering::SeqCst, |now| {
            now.saturating_add(by)
        });
    }
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Time::System)
    }

    /// It is `origin` now, and goes on with tokio's timers: it stands still while they are paused, and never goes back.
    pub fn tokio(origin: Timestamp) -> Self {
        let start = Instant::now();
        Self(Time::Tokio { origin, start })
    }

    /// It is `origin` now, and stays so until the hand is moved.
    ///
    /// A few bytes of each such clock are never given back, so that clocks can be copied: make one for a test, not one for a call.
    ///
    /// ```
    /// use std::time::Duration;
    /// use heurpipe_core::Clock;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (clock, hand) = Clock::manual("2026-03-01T08:00:00Z".parse()?);
    /// hand.advance(Duration::from_secs(7 * 86_400));
    /// assert_eq!(clock.now().to_string(), "2026-03-08T08:00:00Z");
    /// # Ok(()) }
    /// ```
    pub fn manual(origin: Timestamp) -> (Self, ClockHand) {
        let time: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(origin.as_microsecond())));
        (Self(Time::Manual(time)), ClockHand(time))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            Time::System => Timestamp::now(),
            Time::Tokio { origin, start } => origin
                .checked_add(start.elapsed())
                .unwrap_or(Timestamp::MAX),
            Time::Manual(time) => {
                Timestamp::from_microsecond(time.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_goes_with_tokios_timers() {
        let clock = Clock::tokio(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(clock.now().as_second(), 90);
    }

    #[tokio::test(start_paused = true)]
    async fn past_the_end_of_time_it_stands_still() {
        let clock = Clock::tokio(Timestamp::MAX);
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn set_by_hand_it_moves_when_told_and_all_copies_with_it() {
        let (clock, hand) = Clock::manual(Timestamp::UNIX_EPOCH);
        let copy = clock;
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        hand.advance(Duration::from_millis(90_500));
        assert_eq!(clock.now().as_millisecond(), 90_500);
        assert_eq!(copy.now(), clock.now());
    }

    #[test]
    fn set_by_hand_it_does_not_pass_the_end_of_time() {
        let (clock, hand) = Clock::manual(Timestamp::MAX);
        hand.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn the_systems_is_the_machines() {
        let before = Timestamp::now();
        assert!(Clock::default().now() >= before);
    }
}
