//! Where items meet what is known of them: merged, saved as pending, or settled at once.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver};

use super::super::partition_channel::Share;
use super::super::receipt;
use super::super::survey::needs_work;
use super::meter::Meter;
use super::shared::{Arrival, Envelope, Parcel, Shared};
use crate::{
    DeadLetter, Error, ErrorKind, Incoming, Outcome, Platform, Post, PostId, Record, Result, State,
    Stored, Unreadable,
};

/// Two writers that keep changing one record are given up on after so many rounds.
const ROUNDS: usize = 16;

pub(super) struct Intake {
    pub(super) shared: Arc<Shared>,
    pub(super) meter: Arc<Meter>,
    pub(super) pages: Receiver<Vec<Arrival>>,
    pub(super) again: UnboundedReceiver<Arrival>,
    pub(super) next: Sender<Parcel>,
}

/// An item that is claimed, and whether this run has seen its post before.
struct Claimed {
    key: PostId,
    item: Incoming,
    share: Share,
    again: bool,
}

impl Intake {
    /// Takes in pages until all readers are done and nothing is on its way.
    ///
    /// # Errors
    /// When documents fail for good.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut reading = true;
        while reading || !self.shared.in_flight.is_empty() || !self.again.is_empty() {
            let arrivals = tokio::select! {
                biased;
                Some(arrival) = self.again.recv() => vec![arrival],
                page = self.pages.recv(), if reading => match page {
                    Some(page) => {
                        self.meter.entered(page.len());
                        page
                    }
                    None => { reading = false; continue }
                },
                () = self.shared.in_flight.changed.notified(), if !reading => continue,
            };
            let shared = Arc::clone(&self.shared);
            let parcels = self.meter.measure(take_in(&shared, arrivals)).await?;
            for parcel in parcels {
                self.meter.left(parcel.envelopes.len());
                if self.next.send(parcel).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

async fn take_in(shared: &Shared, arrivals: Vec<Arrival>) -> Result<Vec<Parcel>> {
    let mut claimed = Vec::with_capacity(arrivals.len());
    for (item, share) in arrivals {
        match item {
            Incoming::Unreadable(unreadable) => bury_unreadable(shared, &unreadable, share).await?,
            item => claimed.extend(claim(shared, item, share)),
        }
    }
    let envelopes = match &shared.pipeline.documents {
        Some(_) => meet_documents(shared, claimed).await?,
        None => meet_nothing(shared, claimed),
    };
    let mut parcels = Vec::new();
    let mut envelopes = envelopes.into_iter().peekable();
    while envelopes.peek().is_some() {
        parcels.push(Parcel {
            envelopes: envelopes.by_ref().take(shared.options.batch).collect(),
            budget: None,
        });
    }
    Ok(parcels)
}

/// Takes an item's post in hand; nothing if the item is settled already or has to wait.
fn claim(shared: &Shared, item: Incoming, share: Share) -> Option<Claimed> {
    let key = match &item {
        Incoming::Post(post) => post.id.clone(),
        Incoming::Record(record) => record.id().clone(),
        Incoming::Gone(id) => id.clone(),
        Incoming::Unreadable(unreadable) => place_id(unreadable),
    };
    if outside(shared, &item) {
        let outcome = filtered("outside the range");
        shared.totals.settled(&outcome);
        receipt::settle([(share, key, outcome)]);
        return None;
    }
    let ((item, share), again) = shared.in_flight.claim(&key, (item, share))?;
    Some(Claimed {
        key,
        item,
        share,
        again,
    })
}

fn outside(shared: &Shared, item: &Incoming) -> bool {
    let published = match item {
        Incoming::Post(post) => post.published_at,
        Incoming::Record(record) => record.post.published_at,
        _ => return false,
    };
    let options = &shared.options;
    let bounded = options.since.is_some() || options.until.is_some();
    match published {
        Some(at) => {
            options.since.is_some_and(|since| at < since)
                || options.until.is_some_and(|until| at >= until)
        }
        None => bounded,
    }
}

fn filtered(reason: &str) -> Outcome {
    Outcome::Filtered {
        reason: reason.to_owned(),
    }
}

fn place_id(unreadable: &Unreadable) -> PostId {
    PostId::new(Platform::new("unreadable"), unreadable.place.as_str())
}

async fn bury_unreadable(shared: &Shared, unreadable: &Unreadable, share: Share) -> Result<()> {
    let id = place_id(unreadable);
    tracing::warn!(
        place = unreadable.place,
        reason = unreadable.reason,
        "an item cannot be read"
    );
    if let Some(documents) = &shared.pipeline.documents {
        let letter = DeadLetter::of_unreadable(&shared.pipeline.name, "source", unreadable);
        shared
            .persist("dead letter", || {
                documents.bury(std::slice::from_ref(&letter))
            })
            .await?;
    }
    let outcome = Outcome::DeadLettered;
    shared.totals.settled(&outcome);
    receipt::settle([(share, id, outcome)]);
    Ok(())
}

/// Without documents: every post is new, and of one that comes twice only the first is taken.
fn meet_nothing(shared: &Shared, claimed: Vec<Claimed>) -> Vec<Envelope> {
    let mut envelopes = Vec::with_capacity(claimed.len());
    for Claimed {
        key,
        item,
        share,
        again,
    } in claimed
    {
        let record = match item {
            _ if again => None,
            Incoming::Post(post) => Some(Record::new(*post)),
            Incoming::Record(record) => Some(*record),
            Incoming::Gone(_) | Incoming::Unreadable(_) => None,
        };
        match record {
            Some(record) => envelopes.push(envelope(key, record, share, false)),
            None => {
                let reason = if again { "duplicate" } else { "gone" };
                shared.settle(share, key, filtered(reason));
            }
        }
    }
    envelopes
}

fn envelope(key: PostId, record: Record, share: Share, again: bool) -> Envelope {
    Envelope {
        key,
        record: Arc::new(record),
        share,
        again,
        bytes: HashMap::new(),
        failure: None,
    }
}

/// What is to be done with an item, once it has met what is stored.
enum Meeting {
    /// Save it as pending, then work on it.
    Save(Record),
    /// Work on it; what is stored is the same.
    Work(Record),
    /// There is nothing to do.
    Settle(Outcome),
}

/// Loads what is known, merges, saves what is new, settles what is known and done.
async fn meet_documents(shared: &Shared, claimed: Vec<Claimed>) -> Result<Vec<Envelope>> {
    let mut envelopes = Vec::with_capacity(claimed.len());
    let mut open = claimed;
    for _ in 0..ROUNDS {
        if open.is_empty() {
            return Ok(envelopes);
        }
        let mut saving: Vec<(Record, Claimed)> = Vec::new();
        for (stored, claimed) in load(shared, &open).await?.into_iter().zip(open) {
            match meet(shared, stored, &claimed) {
                Meeting::Settle(outcome) => {
                    shared.settle(claimed.share, claimed.key, outcome);
                }
                Meeting::Work(record) => {
                    envelopes.push(envelope(claimed.key, record, claimed.share, claimed.again));
                }
                Meeting::Save(record) => saving.push((record, claimed)),
            }
        }
        open = save_pending(shared, saving, &mut envelopes).await?;
    }
    Err(Error::new(ErrorKind::Conflict, "pipeline.intake")
        .message("records keep changing while they are being saved")
        .with("posts", open.len()))
}

async fn load(shared: &Shared, claimed: &[Claimed]) -> Result<Vec<Stored>> {
    let Some(documents) = &shared.pipeline.documents else {
        return Ok(Vec::new());
    };
    let ids: Vec<PostId> = claimed.iter().map(|c| c.key.clone()).collect();
    shared.persist("load", || documents.load(&ids)).await
}

fn meet(shared: &Shared, stored: Stored, claimed: &Claimed) -> Meeting {
    match (stored, &claimed.item) {
        (Stored::Tombstoned, _) => Meeting::Settle(filtered("tombstoned")),
        (Stored::Unknown, Incoming::Post(post)) => {
            Meeting::Save(pending(shared, Record::new(post.as_ref().clone())))
        }
        (Stored::Unknown, Incoming::Record(record)) => {
            let mut record = record.as_ref().clone();
            record.revision = 0;
            Meeting::Save(pending(shared, record))
        }
        (Stored::Known(known), Incoming::Post(post)) => {
            meet_known_post(shared, *known, post, claimed)
        }
        (Stored::Known(known), Incoming::Record(record)) => {
            let mut merged = known.as_ref().clone();
            merged.merge(record.as_ref().clone());
            merged.revision = known.revision;
            let changed = merged != *known;
            proceed(shared, merged, changed, claimed)
        }
        (Stored::Known(known), Incoming::Gone(_)) => {
            let mut record = *known;
            let changed = record.mark_gone(jiff::Timestamp::now());
            proceed(shared, record, changed, claimed)
        }
        (Stored::Unknown, Incoming::Gone(_)) => Meeting::Settle(filtered("gone")),
        (_, Incoming::Unreadable(_)) => Meeting::Settle(Outcome::DeadLettered),
    }
}

fn meet_known_post(shared: &Shared, known: Record, post: &Post, claimed: &Claimed) -> Meeting {
    let mut merged = known;
    let changed = merged.absorb(post.clone());
    proceed(shared, merged, changed, claimed)
}

/// Goes on with a known record: it is worked on if something about it changed, if it was never settled for this use case, or if an
/// enricher has something to do on it.
fn proceed(shared: &Shared, record: Record, changed: bool, claimed: &Claimed) -> Meeting {
    let unsettled = matches!(
        record.states.get(&shared.pipeline.name),
        None | Some(State::Pending { .. } | State::Dead { .. })
    );
    if changed || !record.states.contains_key(&shared.pipeline.name) {
        Meeting::Save(pending(shared, record))
    } else if unsettled || needs_work(&shared.pipeline, &record) {
        Meeting::Work(record)
    } else if claimed.again {
        Meeting::Settle(filtered("duplicate"))
    } else {
        Meeting::Settle(filtered("unchanged"))
    }
}

fn pending(shared: &Shared, mut record: Record) -> Record {
    let use_case = &shared.pipeline.name;
    let delivered = record.states.get(use_case).is_some_and(State::is_in_sinks);
    record
        .states
        .insert(use_case.clone(), State::Pending { delivered });
    record
}

/// Saves records as pending; gives back those that somebody else changed in between.
async fn save_pending(
    shared: &Shared,
    saving: Vec<(Record, Claimed)>,
    envelopes: &mut Vec<Envelope>,
) -> Result<Vec<Claimed>> {
    let Some(documents) = &shared.pipeline.documents else {
        return Ok(Vec::new());
    };
    if saving.is_empty() {
        return Ok(Vec::new());
    }
    let records: Vec<&Record> = saving.iter().map(|(record, _)| record).collect();
    let committed = shared
        .persist("pending", || documents.commit(&records))
        .await?;
    let saved_before = envelopes.len();
    let mut conflicts = Vec::new();
    for (outcome, (mut record, claimed)) in committed.into_iter().zip(saving) {
        match outcome {
            Ok(revision) => {
                record.revision = revision;
                envelopes.push(envelope(claimed.key, record, claimed.share, claimed.again));
            }
            Err(error) if error.kind() == ErrorKind::Conflict => conflicts.push(claimed),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                shared.settle(claimed.share, claimed.key, filtered("tombstoned"));
            }
            Err(error) => return Err(error),
        }
    }
    let saved = envelopes.iter_mut().skip(saved_before);
    receipt::mark_durable(saved.map(|envelope| &mut envelope.share));
    Ok(conflicts)
}
