//! How a pipeline is run.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::RunReport;

/// Told about twice a second how far a run has come, and once at its end.
pub type ProgressFn = Arc<dyn Fn(&RunReport) + Send + Sync>;

/// How a pipeline is run.
#[derive(Clone)]
#[non_exhaustive]
pub struct RunOptions {
    /// The run's id; one is made of the time where none is given.
    pub run: Option<String>,
    /// Read at most so many items.
    pub limit: Option<u64>,
    /// Take only posts published at or after.
    pub since: Option<Timestamp>,
    /// Take only posts published before.
    pub until: Option<Timestamp>,
    /// Bytes of pictures held at a time, beside those being fetched.
    pub byte_budget: usize,
    /// Posts that travel together.
    pub batch: usize,
    /// Partitions read at the same time.
    pub readers: usize,
    /// Batches whose media are fetched at the same time.
    pub fetches: usize,
    /// Batches enriched at the same time.
    pub workers: usize,
    /// Posts after which sinks are flushed and states committed, if no pause comes before.
    pub settle_every: usize,
    /// Called about twice a second with the report so far.
    pub progress: Option<ProgressFn>,
    /// Ends the run early, draining what is on its way.
    pub stop: Option<StopSignal>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            run: None,
            limit: None,
            since: None,
            until: None,
            byte_budget: 64 << 20,
            batch: 32,
            readers: 4,
            fetches: 4,
            workers: crate::compute::cores(),
            settle_every: 1024,
            progress: None,
            stop: None,
        }
    }
}

impl std::fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions")
            .field("run", &self.run)
            .field("limit", &self.limit)
            .field("since", &self.since)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// Tells a run to end early; see [`stop_signal`].
#[derive(Debug, Clone)]
pub struct StopSignal(pub(super) watch::Receiver<bool>);

/// A switch and the signal that it gives: send `true` to let runs drain and end.
pub fn stop_signal() -> (watch::Sender<bool>, StopSignal) {
    let (sender, receiver) = watch::channel(false);
    (sender, StopSignal(receiver))
}
