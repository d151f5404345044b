//! Where items meet what is known of them: merged, saved as pending, or settled at once; and gathered into batches.

use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver};
use tokio::time::Instant;

use super::super::partition_channel::Share;
use super::in_flight::{Handed, Key};
use super::meeting;
use super::meter::Meter;
use super::options::RunOptions;
use super::shared::{Arrival, Envelope, Parcel, Settled, Shared, weight};
use crate::{DeadLetter, Incoming, Outcome, PostId, Record, Result, Unreadable};

pub(super) struct Intake {
    pub(super) shared: Arc<Shared>,
    pub(super) meter: Arc<Meter>,
    pub(super) pages: Receiver<Vec<Arrival>>,
    pub(super) again: UnboundedReceiver<Handed>,
    pub(super) next: Sender<Parcel>,
}

/// A claim to an item's post.
pub(super) struct Claimed {
    pub(super) key: Key,
    pub(super) id: PostId,
    pub(super) share: Share,
    /// Whether this run has seen the post before.
    pub(super) again: bool,
}

impl Claimed {
    /// Puts the record that the item has become on its way.
    pub(super) fn sent(self, record: Record) -> Envelope {
        Envelope {
            key: self.key,
            id: self.id,
            record: Arc::new(record),
            share: self.share,
            again: self.again,
            pictures: Vec::new(),
            failure: None,
        }
    }

    pub(super) fn settled(self, outcome: Outcome) -> Settled {
        Settled {
            key: Some(self.key),
            id: self.id,
            share: self.share,
            outcome,
        }
    }
}

impl Intake {
    /// Takes in pages until all readers are done and nothing is on its way.
    ///
    /// # Errors
    /// When documents fail for good.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut gathered = Gathered::default();
        let mut reading = true;
        while reading || self.shared.in_flight.len() > 0 || !self.again.is_empty() {
            let mut handed = None;
            let arrivals = tokio::select! {
                biased;
                Some(again) = self.again.recv() => {
                    handed = Some(again);
                    Vec::new()
                }
                page = self.pages.recv(), if reading => match page {
                    Some(page) => {
                        self.meter.entered(page.len());
                        page
                    }
                    None => {
                        reading = false;
                        self.shared.all_is_read();
                        Vec::new()
                    }
                },
                () = self.shared.in_flight.changed.notified(), if !reading => Vec::new(),
                () = tokio::time::sleep_until(gathered.due), if !gathered.envelopes.is_empty() => {
                    gathered.close();
                    Vec::new()
                }
            };
            let shared = Arc::clone(&self.shared);
            if !arrivals.is_empty() || handed.is_some() {
                let taking = take_in(&shared, arrivals, handed);
                let envelopes = self.meter.measure(taking).await?;
                gathered.add(envelopes, &shared.options);
            }
            if !reading {
                // Nothing is to come that a batch could wait for.
                gathered.close();
            }
            for (envelopes, bytes) in std::mem::take(&mut gathered.closed) {
                if !self.send(envelopes, bytes).await {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Sends a batch on, when its bytes fit the budget. Whether somebody took it.
    async fn send(&self, envelopes: Vec<Envelope>, bytes: usize) -> bool {
        let posts = self.shared.post_bytes.take(bytes).await;
        self.meter.left(envelopes.len());
        let parcel = Parcel {
            envelopes,
            posts,
            pictures: None,
        };
        self.next.send(parcel).await.is_ok()
    }
}

/// Envelopes on their way into batches, which close by size, bytes or age.
struct Gathered {
    envelopes: Vec<Envelope>,
    bytes: usize,
    /// When the batch is closed at the latest.
    due: Instant,
    closed: Vec<(Vec<Envelope>, usize)>,
}

impl Default for Gathered {
    fn default() -> Self {
        Self {
            envelopes: Vec::new(),
            bytes: 0,
            due: Instant::now(),
            closed: Vec::new(),
        }
    }
}

impl Gathered {
    fn add(&mut self, envelopes: Vec<Envelope>, options: &RunOptions) {
        let size = options.batch.max(1);
        for envelope in envelopes {
            if self.envelopes.is_empty() {
                self.due = Instant::now() + options.batch_age;
                self.envelopes.reserve_exact(size.min(4096));
            }
            self.bytes += weight(&envelope.record.post);
            self.envelopes.push(envelope);
            if self.envelopes.len() >= size || self.bytes >= options.batch_bytes {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        if !self.envelopes.is_empty() {
            let envelopes = std::mem::take(&mut self.envelopes);
            self.closed
                .push((envelopes, std::mem::take(&mut self.bytes)));
        }
    }
}

/// Takes in what has arrived, or what has waited and has its claim already.
async fn take_in(
    shared: &Shared,
    arrivals: Vec<Arrival>,
    handed: Option<Handed>,
) -> Result<Vec<Envelope>> {
    let mut claimed = claim(shared, arrivals).await?;
    claimed.extend(handed.map(|(key, (item, share))| {
        let id = item.id().into_owned();
        let claim = Claimed {
            key,
            id,
            share,
            again: true,
        };
        (item, claim)
    }));
    match &shared.pipeline.parts.documents {
        Some(documents) => meeting::with_documents(shared, documents.as_ref(), claimed).await,
        None => Ok(meeting::with_nothing(shared, claimed)),
    }
}

/// Takes the items' posts in hand; what is settled already or has to wait is left out.
async fn claim(shared: &Shared, arrivals: Vec<Arrival>) -> Result<Vec<(Incoming, Claimed)>> {
    let mut free = Vec::with_capacity(arrivals.len());
    let mut outside = Vec::new();
    for (item, share) in arrivals {
        match item {
            Incoming::Unreadable(unreadable) => bury_unreadable(shared, &unreadable, share).await?,
            item if is_outside(shared, &item) => outside.push(Settled {
                key: None,
                id: item.id().into_owned(),
                share,
                outcome: filtered("outside the range"),
            }),
            item => free.push((Key::of(&item.id()), (item, share))),
        }
    }
    if !outside.is_empty() {
        shared.settle(outside);
    }
    let mut claimed = Vec::with_capacity(free.len());
    shared.in_flight.claim(free, |key, (item, share), again| {
        let id = item.id().into_owned();
        let claim = Claimed {
            key,
            id,
            share,
            again,
        };
        claimed.push((item, claim));
    });
    Ok(claimed)
}

fn is_outside(shared: &Shared, item: &Incoming) -> bool {
    let options = &shared.options;
    if options.since.is_none() && options.until.is_none() {
        return false;
    }
    let published = match item {
        Incoming::Post(post) => post.published_at,
        Incoming::Record(record) => record.post.published_at,
        Incoming::Gone(_) | Incoming::Unreadable(_) => return false,
    };
    let Some(at) = published else { return true };
    options.since.is_some_and(|since| at < since) || options.until.is_some_and(|until| at >= until)
}

pub(super) fn filtered(reason: &'static str) -> Outcome {
    Outcome::Filtered {
        reason: reason.into(),
    }
}

async fn bury_unreadable(shared: &Shared, unreadable: &Unreadable, share: Share) -> Result<()> {
    tracing::warn!(
        place = unreadable.place,
        reason = unreadable.reason,
        "an item cannot be read"
    );
    if let Some(documents) = &shared.pipeline.parts.documents {
        let letter = DeadLetter::of_unreadable(shared.pipeline.name(), "source", unreadable);
        shared
            .persist("dead letters", || {
                documents.bury(std::slice::from_ref(&letter))
            })
            .await?;
    }
    shared.settle(vec![Settled {
        key: None,
        id: unreadable.id(),
        share,
        outcome: Outcome::DeadLettered,
    }]);
    Ok(())
}
