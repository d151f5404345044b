//! What the stages of a run share.

use std::collections::HashMap;
use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};

use super::super::Pipeline;
use super::super::partition_channel::Share;
use super::super::receipt;
use super::meter::Totals;
use super::options::RunOptions;
use crate::{Error, Incoming, Outcome, PostId, Record, Result, Retry};

/// What every stage of a run can see.
pub(super) struct Shared {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) options: RunOptions,
    pub(super) totals: Totals,
    pub(super) in_flight: InFlight,
    /// Becomes true when the run is to end early: on request, or because a store failed for good.
    pub(super) stop: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Settles an item whose fate is durable.
    pub(super) fn settle(&self, share: Share, id: PostId, outcome: Outcome) {
        self.totals.settled(&outcome);
        self.in_flight.release(&id);
        receipt::settle([(share, id, outcome)]);
    }

    /// Does something to a store, waiting out its temporary failures: a store that is down pauses the run, it does not lose a post.
    pub(super) async fn persist<T, F: Future<Output = Result<T>>>(
        &self,
        what: &str,
        operation: impl Fn() -> F,
    ) -> Result<T> {
        let mut waits = store_backoff().build();
        loop {
            let error = match operation().await {
                Ok(done) => return Ok(done),
                Err(error) if error.retry() != Retry::Temporary => return Err(error),
                Err(error) => error,
            };
            let wait = waits.next().unwrap_or(MAX_STORE_WAIT);
            tracing::warn!(%error, what, ?wait, "the store does not answer, the run waits for it");
            tokio::time::sleep(wait).await;
            if self.stopping() {
                return Err(error);
            }
        }
    }
}

const MAX_STORE_WAIT: Duration = Duration::from_secs(30);

fn store_backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(MAX_STORE_WAIT)
        .with_jitter()
        .without_max_times()
}

/// A record on its way, with all that must not be lost or forgotten about it.
pub(super) struct Envelope {
    /// The id under which it is in flight.
    pub(super) key: PostId,
    pub(super) record: Arc<Record>,
    pub(super) share: Share,
    /// It was seen before in this run; counts as a duplicate once it is settled.
    pub(super) again: bool,
    /// Bytes fetched just now, by medium, so that they are not read back from the blob store.
    pub(super) bytes: HashMap<String, Bytes>,
    /// The stage at which it failed for good.
    pub(super) failure: Option<(String, Error)>,
}

/// Envelopes that travel together, with their share of the byte budget.
pub(super) struct Parcel {
    pub(super) envelopes: Vec<Envelope>,
    pub(super) budget: Option<OwnedSemaphorePermit>,
}

/// An item with its share of its page's receipt.
pub(super) type Arrival = (Incoming, Share);

/// Which posts are on their way: one PostId at a time. A second arrival waits until the first is settled.
pub(super) struct InFlight {
    state: Mutex<InFlightState>,
    again: UnboundedSender<Arrival>,
    pub(super) changed: Notify,
}

#[derive(Default)]
struct InFlightState {
    waiting: HashMap<PostId, Vec<Arrival>>,
    seen: HashSet<PostId>,
}

impl InFlight {
    pub(super) fn new(again: UnboundedSender<Arrival>) -> Self {
        Self {
            state: Mutex::default(),
            again,
            changed: Notify::new(),
        }
    }

    /// Takes a post in hand. Gives back the arrival and whether this run has seen the post before; nothing if the post is on its
    /// way: then the arrival waits and comes again.
    pub(super) fn claim(&self, id: &PostId, arrival: Arrival) -> Option<(Arrival, bool)> {
        let mut state = self.lock();
        if let Some(waiting) = state.waiting.get_mut(id) {
            waiting.push(arrival);
            return None;
        }
        state.waiting.insert(id.clone(), Vec::new());
        let seen = !state.seen.insert(id.clone());
        Some((arrival, seen))
    }

    /// Lets go of a post; whoever waited for it comes again.
    pub(super) fn release(&self, id: &PostId) {
        let waiting = self.lock().waiting.remove(id);
        for arrival in waiting.into_iter().flatten() {
            // The intake ends only when nothing is in flight, so it is there to take this.
            let _ = self.again.send(arrival);
        }
        self.changed.notify_one();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().waiting.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, InFlightState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The parcels of a channel as a stream.
pub(super) fn receiver_stream<T>(
    receiver: tokio::sync::mpsc::Receiver<T>,
) -> impl futures::Stream<Item = T> {
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    })
}
