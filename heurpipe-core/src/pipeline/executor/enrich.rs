//! Running the enrichers on a parcel of records, wave by wave, decoding each picture once.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use tokio::sync::mpsc::{Receiver, Sender};

use super::super::need::Look;
use super::call::call_in_batches;
use super::jobs::{self, Job, Results};
use super::options::Order;
use super::pictures::{self, Pictures};
use super::shared::{Parcel, Shared, in_task, receiver_stream};
use super::stages::{EnricherRun, Stages};
use crate::{Input, Item, Result};

pub(super) async fn run(
    shared: Arc<Shared>,
    stages: Arc<Stages>,
    parcels: Receiver<Parcel>,
    next: Sender<Parcel>,
) -> Result<()> {
    let workers = shared.options.workers.max(1);
    let order = shared.options.enrich_order;
    let enriching = receiver_stream(parcels).map(|parcel| {
        let shared = Arc::clone(&shared);
        let stages = Arc::clone(&stages);
        in_task("pipeline.enrich", "an enricher panicked", async move {
            enrich(&shared, &stages, parcel).await
        })
    });
    let mut enriched = match order {
        Order::Free => enriching.buffer_unordered(workers).boxed(),
        Order::Kept => enriching.buffered(workers).boxed(),
    };
    while let Some(done) = enriched.next().await {
        if next.send(done?).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn enrich(shared: &Shared, stages: &Stages, mut parcel: Parcel) -> Parcel {
    if let Some(controller) = &shared.controller {
        controller.posts(parcel.envelopes.len());
    }
    let envelopes = &mut parcel.envelopes;
    stages.ledger.entered(envelopes.len());
    let mut looks: Vec<Look> = envelopes.iter().map(|_| Look::default()).collect();
    let mut pictures = Pictures::new(shared, &stages.decode);
    for wave in &stages.waves {
        let mut runs = Vec::with_capacity(wave.len());
        for run in wave {
            let plan = || jobs::plan(shared, run, envelopes, &mut looks);
            let mut jobs = stages.ledger.time(plan);
            let items = match run.stage.spec().input {
                Input::Record => jobs::show_records(envelopes, &mut jobs),
                Input::Bytes | Input::Pixels(_) => pictures.show(run, envelopes, &mut jobs).await,
            };
            runs.push((run, jobs, items));
        }
        let calls = runs
            .into_iter()
            .map(|(run, jobs, items)| work(shared, run, jobs, items));
        let done = join_all(calls).await;
        let now = shared.now();
        let found = stages.ledger.time(|| {
            let done = done.into_iter();
            done.map(|(run, jobs, results)| results.enter(run, envelopes, &mut looks, jobs, now))
                .collect()
        });
        pictures::remember(shared, found).await;
    }
    stages.ledger.left(envelopes.len());
    for envelope in envelopes {
        envelope.pictures = Vec::new();
    }
    parcel.pictures = None;
    parcel
}

/// Calls an enricher on what its jobs show. The items are gone when it ends: the records are then written to.
async fn work<'a>(
    shared: &Shared,
    run: &'a EnricherRun,
    jobs: Vec<Job>,
    items: Vec<Item>,
) -> (&'a EnricherRun, Vec<Job>, Results) {
    run.meter.entered(jobs.len());
    let shown = items.len();
    let (answers, cpu) = match shown {
        0 => (Vec::new(), Duration::ZERO),
        _ => {
            let (answers, polled) = run.meter.measure_cpu(call_in_batches(run, items)).await;
            let computed = answers.iter().map(|answer| answer.cpu).sum();
            run.meter.cpu(computed);
            (answers, polled + computed)
        }
    };
    let cpu_ms = cpu.as_secs_f64() * 1000.0;
    if let Some(controller) = &shared.controller {
        controller.spent(&run.stage.spec().name, jobs.len(), cpu_ms);
    }
    (run, jobs, Results::new(answers, shown, cpu_ms))
}
