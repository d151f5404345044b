//! Time that passes when a test says so.

use std::time::Duration;

use jiff::Timestamp;

use crate::Clock;

/// Tokio's time, standing still until told to move on: waits, time-outs, rates and back-offs can be tested to the millisecond in no time.
///
/// When every task waits, tokio moves on by itself to the next timer. So a test need not know how long something waits: it awaits it, and
/// then reads how much time has passed. Timers fire at whole milliseconds.
///
/// ```
/// use std::time::Duration;
/// use heurpipe_core::testkit::VirtualClock;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let origin: jiff::Timestamp = "2026-03-01T08:00:00Z".parse()?;
/// let time = VirtualClock::start(origin);
/// let stage_clock = time.clock();
/// time.advance(Duration::from_secs(60)).await;
/// assert_eq!(stage_clock.now().to_string(), "2026-03-01T08:01:00Z");
/// tokio::time::sleep(Duration::from_secs(3600)).await; // takes no time
/// assert_eq!(time.now().duration_since(origin).as_secs(), 3660);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct VirtualClock {
    clock: Clock,
}

impl VirtualClock {
    /// Pauses tokio's time; it is `origin` now.
    ///
    /// # Panics
    /// Outside of a current-thread runtime, and where time is paused already: there is one time per runtime.
    pub fn start(origin: Timestamp) -> Self {
        tokio::time::pause();
        Self {
            clock: Clock::tokio(origin),
        }
    }

    /// A clock that tells this time, to be handed to what is tested.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves on by so much; timers that are due by then fire.
    pub async fn advance(&self, by: Duration) {
        tokio::time::advance(by).await;
    }
}
