//! Running a pipeline: readers, intake, media, enrichers, delivery, each a task, joined by bounded channels.

mod call;
mod deliver;
mod enrich;
mod intake;
mod media;
mod meter;
mod options;
mod pictures;
mod reader;
mod shared;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use self::deliver::Deliver;
use self::enrich::EnrichMeters;
use self::intake::Intake;
use self::meter::{Meter, Totals, rounded};
pub use self::options::{ProgressFn, RunOptions, StopSignal, stop_signal};
use self::reader::Reader;
use self::shared::{Arrival, InFlight, Shared};
use super::{Pipeline, StoredRecords};
use crate::{Error, ErrorKind, Result, RunRecord, RunReport, RunStatus, Source};

/// Batches that wait between two stages.
const QUEUE: usize = 2;

pub(super) async fn run(pipeline: &Pipeline, options: RunOptions) -> Result<RunReport> {
    let (again, arrivals_again) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        pipeline: Arc::new(pipeline.clone()),
        totals: Totals::default(),
        in_flight: InFlight::new(again),
        stop: watch::Sender::new(false),
        options,
    });
    let stages = Stages::of(&shared);
    let mut record = begun(&shared);
    save(&shared, &record).await?;

    let (pages, pages_in) = mpsc::channel(QUEUE);
    let (to_media, media_in) = mpsc::channel(QUEUE);
    let (to_enrich, enrich_in) = mpsc::channel(QUEUE);
    let (to_deliver, deliver_in) = mpsc::channel(QUEUE);
    let intake = Intake {
        shared: Arc::clone(&shared),
        meter: Arc::clone(&stages.intake),
        pages: pages_in,
        again: arrivals_again,
        next: to_media,
    };
    let deliver = Deliver {
        shared: Arc::clone(&shared),
        gates: stages.gates.clone(),
        sinks: stages.sinks.clone(),
        settle: Arc::clone(&stages.settle),
        enriched: deliver_in,
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(read_sources(
        Arc::clone(&shared),
        stages.sources.clone(),
        pages,
    ));
    tasks.spawn(intake.run());
    let media_meter = Arc::clone(&stages.media);
    tasks.spawn(media::run(
        Arc::clone(&shared),
        media_meter,
        media_in,
        to_enrich,
    ));
    let enrich_meters = Arc::clone(&stages.enrich);
    tasks.spawn(enrich::run(
        Arc::clone(&shared),
        enrich_meters,
        enrich_in,
        to_deliver,
    ));
    tasks.spawn(deliver.run());

    let started = Instant::now();
    let outcome = supervise(&shared, &stages, &record, started, tasks).await;
    record.report = stages.report(&shared, &record.report, started.elapsed());
    record.report.status = match &outcome {
        Err(_) => RunStatus::Failed,
        Ok(()) if stopped_on_request(&shared) => RunStatus::Stopped,
        Ok(()) if !record.report.errors.is_empty() => RunStatus::Partial,
        Ok(()) => RunStatus::Done,
    };
    record.ended_at = Some(Timestamp::now());
    let saved = save(&shared, &record).await;
    outcome?;
    saved?;
    tell(&shared, &record.report);
    Ok(record.report)
}

/// Waits for the stages; ends all of them when one fails. Meanwhile tells how far it has come and listens for the stop signal.
async fn supervise(
    shared: &Arc<Shared>,
    stages: &Stages,
    record: &RunRecord,
    started: Instant,
    mut tasks: JoinSet<Result<()>>,
) -> Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_millis(500));
    let mut signal = shared.options.stop.clone();
    loop {
        tokio::select! {
            done = tasks.join_next() => match done {
                None => return Ok(()),
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => {
                    tasks.shutdown().await;
                    return Err(error);
                }
                Some(Err(error)) => {
                    tasks.shutdown().await;
                    return Err(Error::new(ErrorKind::Internal, "pipeline.run")
                        .message("a stage panicked")
                        .cause(error));
                }
            },
            _ = ticks.tick() => tell(shared, &stages.report(shared, &record.report, started.elapsed())),
            () = stop_requested(&mut signal) => {
                signal = None;
                shared.stop.send_replace(true);
            }
        }
    }
}

async fn stop_requested(signal: &mut Option<StopSignal>) {
    if let Some(StopSignal(receiver)) = signal
        && receiver.wait_for(|stop| *stop).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

fn stopped_on_request(shared: &Shared) -> bool {
    let signal = shared.options.stop.as_ref();
    signal.is_some_and(|StopSignal(receiver)| *receiver.borrow())
}

/// Reads what an earlier run left pending, then all sources, several partitions at a time.
async fn read_sources(
    shared: Arc<Shared>,
    meters: HashMap<String, Arc<Meter>>,
    pages: Sender<Vec<Arrival>>,
) -> Result<()> {
    if let Some(documents) = &shared.pipeline.documents {
        let pending = StoredRecords::pending(Arc::clone(documents), &shared.pipeline.name);
        read_source(&shared, &meters, Arc::new(pending), &pages, false).await?;
    }
    let mut reading = FuturesUnordered::new();
    for source in shared.pipeline.sources.clone() {
        reading.push(read_source(&shared, &meters, source, &pages, true));
    }
    while let Some(read) = reading.next().await {
        read?;
    }
    Ok(())
}

async fn read_source(
    shared: &Arc<Shared>,
    meters: &HashMap<String, Arc<Meter>>,
    source: Arc<dyn Source>,
    pages: &Sender<Vec<Arrival>>,
    keeps_checkpoints: bool,
) -> Result<()> {
    let name = source.spec().name.clone();
    let partitions = match source.partitions().await {
        Ok(partitions) => partitions,
        Err(error) => {
            let sentence = format!("{name}: {}", error.chain().join(": "));
            tracing::error!(source = name, %error, "the source cannot be read");
            shared.totals.error(sentence);
            return Ok(());
        }
    };
    let slots = Arc::new(Semaphore::new(shared.options.readers.max(1)));
    let mut reading = FuturesUnordered::new();
    for partition in partitions {
        let reader = Reader {
            shared: Arc::clone(shared),
            source: Arc::clone(&source),
            partition,
            meter: Arc::clone(&meters[&name]),
            pages: pages.clone(),
            slots: Arc::clone(&slots),
            keeps_checkpoints,
        };
        reading.push(reader.run());
    }
    while let Some(read) = reading.next().await {
        read?;
    }
    Ok(())
}

/// The meters of all stages, in order of the plan.
struct Stages {
    sources: HashMap<String, Arc<Meter>>,
    intake: Arc<Meter>,
    media: Arc<Meter>,
    enrich: Arc<EnrichMeters>,
    gates: Vec<Arc<Meter>>,
    sinks: Vec<Arc<Meter>>,
    settle: Arc<Meter>,
    in_order: Vec<Arc<Meter>>,
}

impl Stages {
    fn of(shared: &Shared) -> Self {
        let pipeline = &shared.pipeline;
        let options = &shared.options;
        let mut in_order = Vec::new();
        let mut meter = |name: &str, lanes: usize| {
            let meter = Arc::new(Meter::new(name, lanes));
            in_order.push(Arc::clone(&meter));
            meter
        };
        let mut sources = HashMap::new();
        if pipeline.documents.is_some() {
            sources.insert("pending".to_owned(), meter("pending", 1));
        }
        for source in &pipeline.sources {
            let name = source.spec().name.clone();
            let stage = meter(&name, options.readers);
            sources.insert(name, stage);
        }
        let intake = meter("intake", 1);
        let media = meter("media", options.fetches);
        let decode = meter("decode", options.workers);
        let enrichers = pipeline
            .enrichers()
            .map(|e| {
                (
                    e.spec().name.clone(),
                    meter(&e.spec().name, options.workers),
                )
            })
            .collect();
        let gates = pipeline.gates.iter().map(|g| meter(g.name(), 1)).collect();
        let sinks = pipeline
            .sinks
            .iter()
            .map(|s| meter(&s.spec().name, 1))
            .collect();
        let settle = meter("settle", 1);
        Self {
            sources,
            intake,
            media,
            enrich: Arc::new(EnrichMeters { decode, enrichers }),
            gates,
            sinks,
            settle,
            in_order,
        }
    }

    fn report(&self, shared: &Shared, begun: &RunReport, elapsed: Duration) -> RunReport {
        let (posts, media, errors) = shared.totals.snapshot();
        let seconds = elapsed.as_secs_f64();
        let mut report = begun.clone();
        report.posts = posts;
        report.media = media;
        report.errors = errors;
        report.stages = self.in_order.iter().map(|m| m.report(elapsed)).collect();
        report.bottleneck = report
            .stages
            .iter()
            .max_by(|a, b| a.busy.total_cmp(&b.busy))
            .filter(|stage| stage.busy > 0.0)
            .map(|stage| stage.name.clone());
        report.seconds = rounded(seconds, 3);
        report.posts_per_second = rounded(posts.read as f64 / seconds.max(1e-9), 1);
        report
    }
}

fn begun(shared: &Shared) -> RunRecord {
    let now = Timestamp::now();
    let run = shared.options.run.clone().unwrap_or_else(|| {
        format!(
            "{}-{}",
            shared.pipeline.name,
            now.strftime("%Y%m%dT%H%M%S%3fZ")
        )
    });
    RunRecord {
        started_at: now,
        ended_at: None,
        report: RunReport::begun(run, &shared.pipeline.name),
    }
}

async fn save(shared: &Shared, record: &RunRecord) -> Result<()> {
    match &shared.pipeline.documents {
        Some(documents) => shared.persist("run", || documents.save_run(record)).await,
        None => Ok(()),
    }
}

fn tell(shared: &Shared, report: &RunReport) {
    if let Some(progress) = &shared.options.progress {
        progress(report);
    }
}
