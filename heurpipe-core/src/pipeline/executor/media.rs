//! Fetching the pictures of posts, within the byte budget.

use std::sync::Arc;

use futures::StreamExt;
use tokio::sync::mpsc::{Receiver, Sender};

use super::super::MediaAccess;
use super::bytes::ByteBudget;
use super::meter::Meter;
use super::options::Order;
use super::pictures;
use super::shared::{Envelope, Parcel, Shared, in_task, receiver_stream};
use crate::{
    FetchMedia, Fetched, ItemResult, MediaKind, MediaOutcome, MediaRequest, Result, Retry,
};

/// A medium whose host does not answer is tried so often, beyond what the fetcher itself does.
const ATTEMPTS: u32 = 3;
/// A parcel whose pictures take more than this share of the budget is divided.
const SHARES: usize = 4;

pub(super) async fn run(
    shared: Arc<Shared>,
    meter: Arc<Meter>,
    parcels: Receiver<Parcel>,
    next: Sender<Parcel>,
) -> Result<()> {
    let bytes = shared.options.byte_budget;
    let budget = ByteBudget::new(bytes);
    let pixels = bytes_decoded(&shared);
    let fetching = receiver_stream(parcels).map(|parcel| {
        let shared = Arc::clone(&shared);
        let meter = Arc::clone(&meter);
        in_task("pipeline.media", "the fetcher panicked", async move {
            fetch(&shared, &meter, parcel).await
        })
    });
    let lanes = shared.options.fetches.max(1);
    let mut fetched = match shared.options.fetch_order {
        Order::Free => fetching.buffer_unordered(lanes).boxed(),
        Order::Kept => fetching.buffered(lanes).boxed(),
    };
    while let Some(done) = fetched.next().await {
        let parcel = done?;
        meter.left(parcel.envelopes.len());
        for (mut parcel, held) in divided(parcel, bytes / SHARES, pixels) {
            parcel.pictures = budget.take(held).await;
            if next.send(parcel).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The bytes of one picture's pixels in all sizes that enrichers want, three a pixel.
fn bytes_decoded(shared: &Shared) -> usize {
    let sizes = pictures::sizes(shared);
    sizes
        .iter()
        .map(|s| 3 * s.width as usize * s.height as usize)
        .sum()
}

/// Divides a parcel so that the pictures of a part, as stored and as decoded, take about `most` bytes; says how many they take.
fn divided(parcel: Parcel, most: usize, pixels: usize) -> Vec<(Parcel, usize)> {
    let Parcel {
        envelopes, posts, ..
    } = parcel;
    let part = || Parcel {
        envelopes: Vec::new(),
        posts: posts.clone(),
        pictures: None,
    };
    let total: usize = envelopes.iter().map(|e| picture_bytes(e, pixels)).sum();
    if total <= most {
        return vec![(
            Parcel {
                envelopes,
                ..part()
            },
            total,
        )];
    }
    let mut parts: Vec<(Parcel, usize)> = Vec::new();
    for envelope in envelopes {
        let bytes = picture_bytes(&envelope, pixels);
        match parts.last_mut() {
            Some((part, held)) if *held + bytes <= most => {
                part.envelopes.push(envelope);
                *held += bytes;
            }
            _ => {
                let envelopes = vec![envelope];
                parts.push((
                    Parcel {
                        envelopes,
                        ..part()
                    },
                    bytes,
                ));
            }
        }
    }
    parts
}

fn picture_bytes(envelope: &Envelope, pixels: usize) -> usize {
    let pictures = envelope.record.post.pictures();
    let stored = pictures.map(|picture| match &picture.fetched {
        Fetched::Stored { bytes, .. } => pixels + usize::try_from(*bytes).unwrap_or(usize::MAX),
        Fetched::Not | Fetched::Gone { .. } => 0,
    });
    stored.fold(0, usize::saturating_add)
}

async fn fetch(shared: &Shared, meter: &Meter, mut parcel: Parcel) -> Parcel {
    meter.entered(parcel.envelopes.len());
    if let Some(MediaAccess::Fetch(fetcher)) = &shared.pipeline.parts.media {
        let envelopes = &mut parcel.envelopes;
        let fetching = fetch_missing(shared, meter, fetcher.as_ref(), envelopes);
        meter.measure(fetching).await;
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
                    request: MediaRequest::new(&*envelope.record.post, medium.clone()),
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
            envelope.pictures.push((medium.id.clone(), bytes));
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
            envelope.fail("media", error);
        }
    }
}
