//! What the stages of a run share.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::super::Pipeline;
use super::super::budget::Controller;
use super::super::partition_channel::Share;
use super::super::receipt;
use super::bytes::{ByteBudget, ByteShare};
use super::in_flight::{InFlight, Key};
use super::meter::Totals;
use super::options::{RunOptions, Stop};
use crate::{Error, ErrorKind, Incoming, Outcome, Post, PostId, Record, Result, Retry};

/// What every stage of a run can see.
pub(super) struct Shared {
    pub(super) pipeline: Pipeline,
    pub(super) options: RunOptions,
    pub(super) totals: Totals,
    pub(super) in_flight: InFlight,
    /// Raised when the run is to end early: on request, or because a store failed for good.
    pub(super) stop: watch::Sender<Stop>,
    /// Decides which dear enrichers run, where the pipeline has a budget.
    pub(super) controller: Option<Controller>,
    /// Bytes of posts between intake and settlement.
    pub(super) post_bytes: ByteBudget,
    /// Whether no more pages are to come.
    all_read: AtomicBool,
    /// What the run waits for, and why.
    waits: Mutex<BTreeMap<String, String>>,
}

impl Shared {
    pub(super) fn new(pipeline: Pipeline, options: RunOptions, in_flight: InFlight) -> Self {
        let budget = pipeline.parts.budget;
        Self {
            totals: Totals::default(),
            in_flight,
            stop: watch::Sender::new(Stop::No),
            controller: budget.map(Controller::new),
            post_bytes: ByteBudget::new(options.byte_budget),
            all_read: AtomicBool::new(false),
            waits: Mutex::default(),
            pipeline,
            options,
        }
    }

    /// Whether somebody wants the run to end.
    pub(super) fn stopping(&self) -> bool {
        *self.stop.borrow() >= Stop::Drain
    }

    /// Lets the run end early.
    pub(super) fn stop(&self, how: Stop) {
        self.stop.send_if_modified(|stop| {
            let further = *stop < how;
            *stop = how.max(*stop);
            further
        });
    }

    pub(super) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Says that no more pages are to come.
    pub(super) fn all_is_read(&self) {
        self.all_read.store(true, Relaxed);
    }

    /// Whether no more pages are to come.
    pub(super) fn read_to_the_end(&self) -> bool {
        self.all_read.load(Relaxed)
    }

    /// Settles items whose fate is durable: counts them, lets go of their posts, and tells their pages.
    pub(super) fn settle(&self, settled: Vec<Settled>) {
        self.totals.settled(settled.iter().map(|s| &s.outcome));
        self.in_flight.release(settled.iter().filter_map(|s| s.key));
        receipt::settle(settled.into_iter().map(|s| (s.share, s.id, s.outcome)));
    }

    /// Does something to a store, waiting out its temporary failures: a store that is down pauses the run, it does not lose a post.
    pub(super) async fn persist<T, F: Future<Output = Result<T>>>(
        &self,
        what: &str,
        operation: impl Fn() -> F,
    ) -> Result<T> {
        let error = match operation().await {
            Err(error) if error.retry() == Retry::Temporary => error,
            outcome => return outcome,
        };
        let outcome = self.wait_for(what, error, operation).await;
        self.end_wait(what);
        outcome
    }

    /// Tries again and again, and says meanwhile what the run waits for.
    async fn wait_for<T, F: Future<Output = Result<T>>>(
        &self,
        what: &str,
        mut error: Error,
        operation: impl Fn() -> F,
    ) -> Result<T> {
        let mut delays = store_backoff().build();
        let mut stop = self.stop.subscribe();
        loop {
            let delay = delays.next().unwrap_or(MAX_STORE_WAIT);
            tracing::warn!(%error, what, ?delay, "the store does not answer, the run waits for it");
            self.begin_wait(what, &error);
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                _ = stop.wait_for(|stop| *stop >= Stop::Drain) => {}
            }
            match operation().await {
                Err(again) if again.retry() == Retry::Temporary && !self.stopping() => {
                    error = again;
                }
                outcome => return outcome,
            }
        }
    }

    /// Says that the run waits for something, and why.
    pub(super) fn begin_wait(&self, what: &str, error: &Error) {
        self.waits().insert(what.to_owned(), error.to_string());
    }

    /// Says that it waits for this no longer.
    pub(super) fn end_wait(&self, what: &str) {
        self.waits().remove(what);
    }

    /// What the run waits for at this moment, and why.
    pub(super) fn waiting(&self) -> Vec<String> {
        let waits = self.waits();
        waits
            .iter()
            .map(|(what, why)| format!("{what}: {why}"))
            .collect()
    }

    fn waits(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest wait before a store that is down is asked again.
pub(super) const MAX_STORE_WAIT: Duration = Duration::from_secs(30);

fn store_backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(MAX_STORE_WAIT)
        .with_jitter()
        .without_max_times()
}

/// A record on its way, with all that must not be lost or forgotten about it.
pub(super) struct Envelope {
    /// What stands for its post while it is on its way.
    pub(super) key: Key,
    /// The id under which it came.
    pub(super) id: PostId,
    pub(super) record: Arc<Record>,
    pub(super) share: Share,
    /// It was seen before in this run; counts as a duplicate once it is settled.
    pub(super) again: bool,
    /// Bytes fetched just now, by medium, so that they are not read back from the blob store.
    pub(super) pictures: Vec<(String, Bytes)>,
    /// The stage at which it failed for good.
    pub(super) failure: Option<Box<Failure>>,
}

/// Where and why a post failed for good.
pub(super) struct Failure {
    pub(super) stage: String,
    pub(super) error: Error,
}

impl Failure {
    pub(super) fn at(stage: &str, error: Error) -> Box<Self> {
        Box::new(Self {
            stage: stage.to_owned(),
            error,
        })
    }
}

impl Envelope {
    /// Notes that it failed for good; of several failures the first counts.
    pub(super) fn fail(&mut self, stage: &str, error: Error) {
        self.failure
            .get_or_insert_with(|| Failure::at(stage, error));
    }
}

/// Envelopes that travel together, with their shares of the byte budgets.
pub(super) struct Parcel {
    pub(super) envelopes: Vec<Envelope>,
    /// Of the posts' bytes; held until all of them are settled, also where the parcel was divided.
    pub(super) posts: ByteShare,
    /// Of the pictures' bytes; held until they are analysed.
    pub(super) pictures: ByteShare,
}

/// An item with its share of its page's receipt.
pub(super) type Arrival = (Incoming, Share);

/// An item whose fate is durable. Without a key, it was never claimed.
pub(super) struct Settled {
    pub(super) key: Option<Key>,
    pub(super) id: PostId,
    pub(super) share: Share,
    pub(super) outcome: Outcome,
}

/// About how many bytes a post holds.
pub(super) fn weight(post: &Post) -> usize {
    let raw: usize = post.raw.values().map(|raw| raw.as_str().len()).sum();
    size_of::<Record>() + post.text.len() + raw
}

/// The parcels of a channel as a stream.
pub(super) fn receiver_stream<T>(
    receiver: tokio::sync::mpsc::Receiver<T>,
) -> impl futures::Stream<Item = T> {
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    })
}

/// A parcel's work in a task of its own, begun at once and ended when this is dropped. It may use all cores, and it goes on while its stage waits for room, which
/// would never come if it stopped with something in its hands that the stages ahead need.
///
/// # Errors
/// `Internal`, saying `panicked`, when the work does.
pub(super) fn in_task<T: Send + 'static>(
    operation: &'static str,
    panicked: &'static str,
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Result<T>> + Send {
    let task = AbortOnDropHandle::new(tokio::spawn(work));
    async move {
        task.await.map_err(|error| {
            Error::new(ErrorKind::Internal, operation)
                .message(panicked)
                .cause(error)
        })
    }
}
