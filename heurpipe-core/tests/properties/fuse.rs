//! Kills a run at a given call of a store, before or after the call has had its effect, or asks it to end.

use std::future::{Future, pending};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use heurpipe_core::{StopSignal, StopSwitch, stop_signal};
use tokio::sync::watch;

use super::case::Moment;

/// At which call of all the stores' calls, counted from 1, and when in it.
#[derive(Debug, Clone, Copy)]
pub struct Crash {
    pub call: u64,
    pub moment: Moment,
}

/// Counts the calls of one life. Once it has blown, no call has an effect any more, and none returns.
pub struct Fuse {
    calls: AtomicU64,
    at: Option<Crash>,
    blown: watch::Sender<bool>,
    switch: (StopSwitch, StopSignal),
}

impl Fuse {
    pub fn new(at: Option<Crash>) -> Self {
        Self {
            calls: AtomicU64::new(0),
            at,
            blown: watch::Sender::new(false),
            switch: stop_signal(),
        }
    }

    /// What asks the run to end.
    pub fn signal(&self) -> StopSignal {
        self.switch.1.clone()
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(SeqCst)
    }

    /// One call: all of its work, and what of it is done when the process is killed half way.
    pub async fn call<T>(
        &self,
        whole: impl Future<Output = T>,
        half: impl Future<Output = ()>,
    ) -> T {
        if *self.blown.borrow() {
            return pending().await;
        }
        let call = self.calls.fetch_add(1, SeqCst) + 1;
        let Some(crash) = self.at.filter(|crash| crash.call == call) else {
            return whole.await;
        };
        match crash.moment {
            Moment::Before => {}
            Moment::Half => half.await,
            Moment::After => drop(whole.await),
            Moment::Drain => {
                self.switch.0.drain();
                return whole.await;
            }
            Moment::Stop => {
                self.switch.0.stop();
                return whole.await;
            }
        }
        self.blow();
        pending().await
    }

    pub fn blow(&self) {
        self.blown.send_replace(true);
    }

    /// Waits for the crash.
    pub async fn blown(&self) {
        let mut blown = self.blown.subscribe();
        if blown.wait_for(|blown| *blown).await.is_err() {
            pending().await
        }
    }
}
