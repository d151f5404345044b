//! What becomes of an item that meets what is stored of its post.

use super::super::receipt;
use super::super::survey::needs_work;
use super::intake::{Claimed, filtered};
use super::shared::{Envelope, Settled, Shared};
use crate::{
    Documents, Error, ErrorKind, Incoming, Outcome, PostId, Record, Result, State, Stored,
};

/// Two writers that keep changing one record are given up on after so many rounds.
const ROUNDS: usize = 16;

/// Without documents: every post is new, and of one that comes twice only the first is taken.
pub(super) fn with_nothing(shared: &Shared, claimed: Vec<(Incoming, Claimed)>) -> Vec<Envelope> {
    let mut envelopes = Vec::with_capacity(claimed.len());
    let mut settled = Vec::new();
    for (item, claim) in claimed {
        match item {
            _ if claim.again => settled.push(claim.settled(filtered("duplicate"))),
            Incoming::Post(post) => envelopes.push(claim.sent(Record::new(post))),
            Incoming::Record(record) => envelopes.push(claim.sent(*record)),
            Incoming::Gone(_) => settled.push(claim.settled(filtered("gone"))),
            Incoming::Unreadable(_) => settled.push(claim.settled(Outcome::DeadLettered)),
        }
    }
    settle(shared, settled);
    envelopes
}

/// Loads what is known, merges, saves what is new, settles what is known and done.
pub(super) async fn with_documents(
    shared: &Shared,
    documents: &dyn Documents,
    claimed: Vec<(Incoming, Claimed)>,
) -> Result<Vec<Envelope>> {
    let mut envelopes = Vec::with_capacity(claimed.len());
    let mut open = claimed;
    for _ in 0..ROUNDS {
        if open.is_empty() {
            return Ok(envelopes);
        }
        let ids: Vec<PostId> = open.iter().map(|(_, claim)| claim.id.clone()).collect();
        let stored = shared.persist("load", || documents.load(&ids)).await?;
        let mut saving = Vec::new();
        let mut settled = Vec::new();
        for (stored, (item, claim)) in stored.into_iter().zip(open) {
            match meet(shared, stored, &item, &claim) {
                Meeting::Settle(outcome) => settled.push(claim.settled(outcome)),
                Meeting::Work(record) => envelopes.push(claim.sent(record)),
                Meeting::Save(record) => saving.push((record, item, claim)),
            }
        }
        settle(shared, settled);
        open = save_pending(shared, documents, saving, &mut envelopes).await?;
    }
    Err(Error::new(ErrorKind::Conflict, "pipeline.intake")
        .message("records keep changing while they are being saved")
        .with("posts", open.len()))
}

fn settle(shared: &Shared, settled: Vec<Settled>) {
    if !settled.is_empty() {
        shared.settle(settled);
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

fn meet(shared: &Shared, stored: Stored, item: &Incoming, claim: &Claimed) -> Meeting {
    match (stored, item) {
        (Stored::Tombstoned, _) => Meeting::Settle(filtered("tombstoned")),
        // What is kept elsewhere cannot be merged with here; see `Documents::remove`.
        (Stored::Archived { .. }, _) => Meeting::Settle(filtered("archived")),
        (_, Incoming::Unreadable(_)) => Meeting::Settle(Outcome::DeadLettered),
        (Stored::Unknown, Incoming::Gone(_)) => Meeting::Settle(filtered("gone")),
        (Stored::Unknown, Incoming::Post(post)) => {
            Meeting::Save(pending(shared, Record::new(post.clone())))
        }
        (Stored::Unknown, Incoming::Record(record)) => {
            let mut record = record.as_ref().clone();
            record.revision = 0;
            Meeting::Save(pending(shared, record))
        }
        (Stored::Known(mut known), Incoming::Post(post)) => {
            let changed = known.absorb(post.as_ref().clone());
            proceed(shared, *known, changed, claim)
        }
        (Stored::Known(known), Incoming::Record(record)) => {
            // What comes from documents themselves is the same as a rule.
            if known == *record {
                return proceed(shared, *known, false, claim);
            }
            let mut merged = known.as_ref().clone();
            merged.merge(record.as_ref().clone());
            merged.revision = known.revision;
            let changed = merged != *known;
            proceed(shared, merged, changed, claim)
        }
        (Stored::Known(mut known), Incoming::Gone(_)) => {
            let changed = known.mark_gone(shared.now());
            proceed(shared, *known, changed, claim)
        }
    }
}

/// Goes on with a known record: it is worked on if something about it changed, if it was never settled for this use case, or if an
/// enricher has something to do on it.
fn proceed(shared: &Shared, record: Record, changed: bool, claim: &Claimed) -> Meeting {
    let state = record.states.get(shared.pipeline.name());
    let unsettled = matches!(state, Some(State::Pending { .. } | State::Dead { .. }));
    if changed || state.is_none() {
        Meeting::Save(pending(shared, record))
    } else if unsettled || needs_work(&shared.pipeline, &shared.options.force, &record) {
        Meeting::Work(record)
    } else if claim.again {
        Meeting::Settle(filtered("duplicate"))
    } else {
        Meeting::Settle(filtered("unchanged"))
    }
}

fn pending(shared: &Shared, mut record: Record) -> Record {
    let use_case = shared.pipeline.name();
    let delivered = record.states.get(use_case).is_some_and(State::is_in_sinks);
    let state = State::Pending { delivered };
    record.states.insert(use_case.to_owned(), state);
    record
}

/// Saves records as pending; gives back those that somebody else changed in between.
async fn save_pending(
    shared: &Shared,
    documents: &dyn Documents,
    saving: Vec<(Record, Incoming, Claimed)>,
    envelopes: &mut Vec<Envelope>,
) -> Result<Vec<(Incoming, Claimed)>> {
    if saving.is_empty() {
        return Ok(Vec::new());
    }
    let records: Vec<&Record> = saving.iter().map(|(record, ..)| record).collect();
    let committed = shared
        .persist("pending", || documents.commit(&records))
        .await?;
    let saved_before = envelopes.len();
    let mut conflicts = Vec::new();
    let mut settled = Vec::new();
    for (outcome, (mut record, item, claim)) in committed.into_iter().zip(saving) {
        match outcome {
            Ok(revision) => {
                record.revision = revision;
                envelopes.push(claim.sent(record));
            }
            Err(error) if error.kind() == ErrorKind::Conflict => conflicts.push((item, claim)),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                settled.push(claim.settled(filtered("tombstoned")));
            }
            Err(error) => return Err(error),
        }
    }
    let saved = envelopes.iter_mut().skip(saved_before);
    receipt::mark_durable(saved.map(|envelope| &mut envelope.share));
    settle(shared, settled);
    Ok(conflicts)
}
