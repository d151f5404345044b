//! Running the enrichers on a parcel of records, wave by wave, decoding each picture once.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::mpsc::{Receiver, Sender};

use super::super::need::{Decision, LazyFlat, decide, targets};
use super::call::call;
use super::meter::Meter;
use super::pictures::Pictures;
use super::shared::{Envelope, Parcel, Shared, receiver_stream};
use crate::{
    Annotation, Batch, Enricher, EnricherSpec, Error, Finding, Fingerprint, Input, InputDigest,
    Item, ItemResult, LedgerEntry, LedgerOutcome, Producer, Record, Result, SkipReason, Target,
};

/// The meters of the enrich stage: one for decoding, one per enricher by name.
pub(super) struct EnrichMeters {
    pub(super) decode: Arc<Meter>,
    pub(super) enrichers: HashMap<String, Arc<Meter>>,
}

pub(super) async fn run(
    shared: Arc<Shared>,
    meters: Arc<EnrichMeters>,
    parcels: Receiver<Parcel>,
    next: Sender<Vec<Envelope>>,
) -> Result<()> {
    let workers = shared.options.workers.max(1);
    let enriched = receiver_stream(parcels)
        .map(|parcel| {
            let shared = Arc::clone(&shared);
            let meters = Arc::clone(&meters);
            // A task of its own: the parcels' work outside of compute threads may use all cores.
            tokio::spawn(async move { enrich_parcel(&shared, &meters, parcel).await })
        })
        .buffer_unordered(workers);
    let mut enriched = std::pin::pin!(enriched);
    while let Some(done) = enriched.next().await {
        let envelopes = done.map_err(|error| {
            Error::new(crate::ErrorKind::Internal, "pipeline.enrich")
                .message("an enricher panicked")
                .cause(error)
        })?;
        if next.send(envelopes).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn enrich_parcel(shared: &Shared, meters: &EnrichMeters, parcel: Parcel) -> Vec<Envelope> {
    let Parcel {
        mut envelopes,
        budget,
    } = parcel;
    let mut pictures = Pictures::new(shared, &meters.decode);
    for wave in &shared.pipeline.waves {
        let flats: Vec<LazyFlat> = envelopes.iter().map(|_| LazyFlat::new()).collect();
        let mut runs = Vec::with_capacity(wave.len());
        for enricher in wave {
            let meter = &meters.enrichers[&enricher.spec().name];
            let mut jobs = plan_jobs(enricher.spec(), meter, &mut envelopes, &flats);
            pictures
                .fill(&mut envelopes, &mut jobs, enricher.spec())
                .await;
            runs.push((enricher, meter, jobs));
        }
        let done = join_all(runs.into_iter().map(|(enricher, meter, jobs)| async move {
            let outcomes = run_jobs(enricher.as_ref(), meter, &jobs).await;
            // The items go before the records are written to, which are shared with them until then.
            let places: Vec<Place> = jobs.into_iter().map(Job::into_place).collect();
            (enricher, meter, places, outcomes)
        }))
        .await;
        for (enricher, meter, places, outcomes) in done {
            for (place, outcome) in places.into_iter().zip(outcomes) {
                enter(enricher.spec(), meter, &mut envelopes, place, outcome);
            }
        }
    }
    drop(budget);
    for envelope in &mut envelopes {
        envelope.bytes.clear();
    }
    envelopes
}

/// One target on which an enricher is to run.
pub(super) struct Job {
    /// Index of the envelope.
    pub(super) envelope: usize,
    pub(super) target: Target,
    pub(super) input: InputDigest,
    /// What the enricher will see; an error where its picture cannot be had or decoded.
    pub(super) item: ItemResult<Item>,
}

/// Where the outcome of a job belongs.
struct Place {
    envelope: usize,
    target: Target,
    input: InputDigest,
}

impl Job {
    fn into_place(self) -> Place {
        Place {
            envelope: self.envelope,
            target: self.target,
            input: self.input,
        }
    }
}

/// What an enricher has to do on a parcel. What it skips is entered into the ledger at once.
fn plan_jobs(
    spec: &EnricherSpec,
    meter: &Meter,
    envelopes: &mut [Envelope],
    flats: &[LazyFlat],
) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (index, (envelope, flat)) in envelopes.iter_mut().zip(flats).enumerate() {
        if envelope.failure.is_some() {
            continue;
        }
        for target in targets(spec, &envelope.record) {
            match decide(spec, &envelope.record, flat, &target) {
                Decision::Satisfied => meter.skipped(1),
                Decision::Skip { input, reason } => {
                    meter.skipped(1);
                    skip(spec, &mut envelope.record, target, input, reason);
                }
                Decision::Run { input, .. } => jobs.push(Job {
                    envelope: index,
                    item: Ok(Item::new(Arc::clone(&envelope.record), target.clone())),
                    target,
                    input,
                }),
            }
        }
    }
    jobs
}

fn skip(
    spec: &EnricherSpec,
    record: &mut Arc<Record>,
    target: Target,
    input: InputDigest,
    reason: SkipReason,
) {
    let entry = LedgerEntry::new(
        spec.name.as_str(),
        spec.fingerprint.clone(),
        target,
        input,
        LedgerOutcome::Skipped(reason),
        Timestamp::now(),
    );
    Arc::make_mut(record).enter(entry, Vec::new());
}

/// What came of one job: findings, the fingerprint they were made with, and what they cost.
struct JobOutcome {
    fingerprint: Fingerprint,
    findings: ItemResult<Vec<Finding>>,
    cpu_ms: f64,
}

/// Runs an enricher on its jobs, each distinct picture once.
async fn run_jobs(enricher: &dyn Enricher, meter: &Meter, jobs: &[Job]) -> Vec<JobOutcome> {
    meter.entered(jobs.len());
    let spec = enricher.spec();
    let mut batch = Batch::default();
    let mut places: HashMap<InputDigest, usize> = HashMap::new();
    let mut place_of: Vec<Option<usize>> = Vec::with_capacity(jobs.len());
    for job in jobs {
        let place = job.item.as_ref().ok().map(|item| {
            let next = batch.items.len();
            // What a post-level enricher sees is more than its input digest tells for certain, so only pictures are shared.
            let shared_picture = spec.input != Input::Record;
            let place = if shared_picture {
                *places.entry(job.input).or_insert(next)
            } else {
                next
            };
            if place == next {
                batch.items.push(item.clone());
            }
            place
        });
        place_of.push(place);
    }
    let called = batch.len();
    let (answers, cpu) = meter.measure_cpu(call(enricher, batch)).await;
    meter.cpu(answers.cpu);
    let cpu_ms = (cpu + answers.cpu).as_secs_f64() * 1000.0 / called.max(1) as f64;
    let mut first_use = vec![true; called];
    jobs.iter()
        .zip(place_of)
        .map(|(job, place)| match (place, &job.item) {
            (Some(place), _) => JobOutcome {
                fingerprint: answers.fingerprint.clone(),
                findings: answers.outcomes[place].to_owned_result(),
                cpu_ms: if std::mem::take(&mut first_use[place]) {
                    cpu_ms
                } else {
                    0.0
                },
            },
            (None, item) => JobOutcome {
                fingerprint: spec.fingerprint.clone(),
                findings: item.to_owned_result().map(|_| Vec::new()),
                cpu_ms: 0.0,
            },
        })
        .collect()
}

/// Results whose error several targets share.
trait ToOwnedResult<T> {
    fn to_owned_result(&self) -> ItemResult<T>;
}

impl<T: Clone> ToOwnedResult<T> for ItemResult<T> {
    fn to_owned_result(&self) -> ItemResult<T> {
        match self {
            Ok(value) => Ok(value.clone()),
            Err(error) => Err(error.replica()),
        }
    }
}

fn enter(
    spec: &EnricherSpec,
    meter: &Meter,
    envelopes: &mut [Envelope],
    job: Place,
    outcome: JobOutcome,
) {
    let envelope = &mut envelopes[job.envelope];
    let now = Timestamp::now();
    let (ledger_outcome, annotations) = match outcome.findings {
        Ok(findings) => {
            meter.left(1);
            let annotations = findings
                .into_iter()
                .map(|finding| {
                    let producer = producer(spec, &outcome.fingerprint);
                    Annotation::produced(job.target.clone(), finding, producer, now)
                })
                .collect();
            (LedgerOutcome::Done, annotations)
        }
        Err(error) => {
            meter.failed(1);
            let failed = LedgerOutcome::Failed(error.to_string());
            let error = error.with("target", &job.target);
            envelope
                .failure
                .get_or_insert_with(|| (spec.name.clone(), error));
            (failed, Vec::new())
        }
    };
    let entry = LedgerEntry::new(
        spec.name.as_str(),
        outcome.fingerprint,
        job.target,
        job.input,
        ledger_outcome,
        now,
    )
    .cost(outcome.cpu_ms);
    Arc::make_mut(&mut envelope.record).enter(entry, annotations);
}

fn producer(spec: &EnricherSpec, fingerprint: &Fingerprint) -> Producer {
    Producer {
        name: spec.name.clone(),
        version: spec.version.clone(),
        fingerprint: fingerprint.clone(),
        threshold: spec.threshold,
        shadow: false,
    }
}
