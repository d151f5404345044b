//! Fetching the pictures of posts, within the byte budget.

use std::sync::Arc;

use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender};

use super::super::MediaAccess;
use super::meter::Meter;
use super::shared::{Envelope, Parcel, Shared, receiver_stream};
use crate::{
    FetchMedia, Fetched, ItemResult, MediaKind, MediaOutcome, MediaRequest, Result, Retry,
};

/// The budget is counted in such units, so that it fits the semaphore.
const UNIT: usize = 1024;
/// A medium whose host does not answer is tried so often, beyond what the fetcher itself does.
const ATTEMPTS: u32 = 3;

pub(super) async fn run(
    shared: Arc<Shared>,
    meter: Arc<Meter>,
    parcels: Receiver<Parcel>,
    next: Sender<Parcel>,
) -> Result<()> {
    let units = (shared.options.byte_budget / UNIT).max(1);
    let budget = Arc::new(Semaphore::new(units));
    let fetched = receiver_stream(parcels)
        .map(|parcel| fetch_parcel(&shared, &meter, parcel))
        .buffer_unordered(shared.options.fetches);
    let mut fetched = std::pin::pin!(fetched);
    while let Some(mut parcel) = fetched.next().await {
        let held: usize = parcel.envelopes.iter().map(held_bytes).sum();
        let wanted = held.div_ceil(UNIT).min(units);
        if wanted > 0 {
            let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
            parcel.budget = Arc::clone(&budget).acquire_many_owned(wanted).await.ok();
        }
        meter.left(parcel.envelopes.len());
        if next.send(parcel).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn held_bytes(envelope: &Envelope) -> usize {
    envelope.bytes.values().map(bytes::Bytes::len).sum()
}

async fn fetch_parcel(shared: &Shared, meter: &Meter, mut parcel: Parcel) -> Parcel {
    meter.entered(parcel.envelopes.len());
    match &shared.pipeline.media {
        Some(MediaAccess::Fetch(fetcher)) => {
            meter
                .measure(fetch_missing(
                    shared,
                    meter,
                    fetcher.as_ref(),
                    &mut parcel.envelopes,
                ))
                .await;
        }
        Some(MediaAccess::Stored(_)) | None => {}
    }
    parcel
}

/// Which medium of which envelope a request is for.
struct Wanted {
    envelope: usize,
    medium: usize,
    request: MediaRequest,
}

async fn fetch_missing(
    shared: &Shared,
    meter: &Meter,
    fetcher: &dyn FetchMedia,
    envelopes: &mut [Envelope],
) {
    let mut wanted = missing(shared, envelopes);
    for attempt in 1..=ATTEMPTS {
        if wanted.is_empty() {
            return;
        }
        let requests: Vec<MediaRequest> = wanted.iter().map(|w| w.request.clone()).collect();
        let outcomes = fetcher.fetch(&requests).await;
        let mut again = Vec::new();
        for (outcome, want) in outcomes.into_iter().zip(wanted) {
            let temporary = matches!(&outcome, Err(e) if e.retry() == Retry::Temporary);
            if temporary && attempt < ATTEMPTS {
                again.push(want);
            } else {
                enter(
                    shared,
                    meter,
                    &mut envelopes[want.envelope],
                    want.medium,
                    outcome,
                );
            }
        }
        wanted = again;
    }
}

/// The media that were never fetched; those that were are counted as reused.
fn missing(shared: &Shared, envelopes: &[Envelope]) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for (index, envelope) in envelopes.iter().enumerate() {
        for (number, medium) in envelope.record.post.media.iter().enumerate() {
            match &medium.fetched {
                _ if medium.kind == MediaKind::Video => {}
                Fetched::Not => wanted.push(Wanted {
                    envelope: index,
                    medium: number,
                    request: MediaRequest {
                        post: envelope.record.id().clone(),
                        media: medium.clone(),
                    },
                }),
                // A post seen twice in a run is counted once, whichever of its sightings comes first.
                Fetched::Stored { .. } if !envelope.again => {
                    shared.totals.media(|media| media.reused += 1);
                }
                Fetched::Stored { .. } | Fetched::Gone { .. } => {}
            }
        }
    }
    wanted
}

fn enter(
    shared: &Shared,
    meter: &Meter,
    envelope: &mut Envelope,
    number: usize,
    outcome: ItemResult<MediaOutcome>,
) {
    let medium = &mut Arc::make_mut(&mut envelope.record).post.media[number];
    match outcome {
        Ok(MediaOutcome::Stored {
            digest,
            bytes,
            content_type,
        }) => {
            medium.fetched = Fetched::Stored {
                digest,
                bytes: bytes.len() as u64,
                content_type,
            };
            envelope.bytes.insert(medium.id.clone(), bytes);
            shared.totals.media(|media| media.fetched += 1);
        }
        Ok(MediaOutcome::Gone { reason }) => {
            medium.fetched = Fetched::Gone { reason };
            meter.skipped(1);
            shared.totals.media(|media| media.failed += 1);
        }
        Err(error) => {
            meter.failed(1);
            shared.totals.media(|media| media.failed += 1);
            envelope
                .failure
                .get_or_insert_with(|| ("media".to_owned(), error));
        }
    }
}
