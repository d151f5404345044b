//! What time it is, for whoever must not ask the machine.

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the time: the machine's, or one that goes with tokio's timers.
///
/// With the second, under tokio's paused time, whatever writes times down can be tested to the second; the testkit's
/// `VirtualClock` moves it on. A copy tells the same time.
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

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            Time::System => Timestamp::now(),
            Time::Tokio { origin, start } => origin
                .checked_add(start.elapsed())
                .unwrap_or(Timestamp::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
    fn the_systems_is_the_machines() {
        let before = Timestamp::now();
        assert!(Clock::default().now() >= before);
    }
}
