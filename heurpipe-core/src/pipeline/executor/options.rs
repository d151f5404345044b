//! How a pipeline is run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::{Clock, RetryPolicy, RunReport};

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
    /// Which enrichers run whatever the ledger says.
    pub force: Force,
    /// Posts that travel together.
    pub batch: usize,
    /// Bytes of posts that travel together, unless one alone has more.
    pub batch_bytes: usize,
    /// How long a batch waits for more posts.
    pub batch_age: Duration,
    /// Bytes of posts, of fetched pictures and of pixels that are held at a time, each; a single batch or picture may have more.
    pub byte_budget: usize,
    /// Partitions read at the same time.
    pub readers: usize,
    /// How long a source is waited for that says how long it must be (its allowance is used up). What takes longer ends the partition for this
    /// run; the next one goes on there.
    pub source_patience: Duration,
    /// Batches whose media are fetched at the same time.
    pub fetches: usize,
    /// Whether batches leave the fetching in the order in which they came.
    pub fetch_order: Order,
    /// Batches enriched at the same time.
    pub workers: usize,
    /// Whether batches leave the enrichers in the order in which they came.
    pub enrich_order: Order,
    /// Posts after which sinks are flushed and states committed, if no pause comes before.
    pub settle_every: usize,
    /// After so long a call of an enricher, gate or sink is given up, where the stage does not say otherwise.
    pub timeout: Duration,
    /// How calls of enrichers, gates and sinks are tried again, where the stage does not say otherwise.
    pub retry: RetryPolicy,
    /// What time it is.
    pub clock: Clock,
    /// Called about twice a second with the report so far.
    pub progress: Option<ProgressFn>,
    /// Ends the run early.
    pub stop: Option<StopSignal>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            run: None,
            limit: None,
            since: None,
            until: None,
            force: Force::Nothing,
            batch: 32,
            batch_bytes: 8 << 20,
            batch_age: Duration::from_millis(100),
            byte_budget: 64 << 20,
            readers: 4,
            source_patience: Duration::from_secs(3600),
            fetches: 4,
            fetch_order: Order::Free,
            // A batch that waits for a store, or whose last call keeps one core busy, leaves the others to the next.
            workers: 2 * crate::compute::cores(),
            enrich_order: Order::Free,
            settle_every: 1024,
            timeout: Duration::from_secs(600),
            retry: RetryPolicy::default(),
            clock: Clock::system(),
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

/// Which enrichers run whatever the ledger says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Force {
    /// None: what is done is not done again.
    #[default]
    Nothing,
    /// Those of these names.
    Enrichers(BTreeSet<String>),
    /// All.
    Everything,
}

impl Force {
    /// Whether this enricher is forced.
    pub fn includes(&self, enricher: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Enrichers(names) => names.contains(enricher),
            Self::Everything => true,
        }
    }
}

/// Whether batches leave a stage in the order in which they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As soon as each is done: a slow batch holds up no other.
    #[default]
    Free,
    /// In order: a batch that is done waits for those before it.
    Kept,
}

/// How far a run has been asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    /// Not at all.
    No,
    /// To read no more, since there is enough.
    Enough,
    /// To read no more, and to settle what is on its way.
    Drain,
    /// At once. What is on its way stays pending for the next run.
    Now,
}

/// Tells a run to end early; see [`stop_signal`].
#[derive(Debug, Clone)]
pub struct StopSignal(pub(super) watch::Receiver<Stop>);

/// Gives the signal; see [`stop_signal`].
#[derive(Debug, Clone)]
pub struct StopSwitch(watch::Sender<Stop>);

impl StopSwitch {
    /// Lets runs read no more, settle what is on its way, and end.
    pub fn drain(&self) {
        self.raise(Stop::Drain);
    }

    /// Ends runs at once. What is on its way is neither lost nor done: the next run takes it up.
    pub fn stop(&self) {
        self.raise(Stop::Now);
    }

    /// The first call drains, the second stops.
    pub fn press(&self) {
        let asked = *self.0.borrow();
        match asked {
            Stop::No | Stop::Enough => self.drain(),
            Stop::Drain | Stop::Now => self.stop(),
        }
    }

    fn raise(&self, to: Stop) {
        self.0.send_if_modified(|stop| {
            let further = *stop < to;
            *stop = (*stop).max(to);
            further
        });
    }
}

/// A switch and the signal that it gives to runs.
pub fn stop_signal() -> (StopSwitch, StopSignal) {
    let (sender, receiver) = watch::channel(Stop::No);
    (StopSwitch(sender), StopSignal(receiver))
}
