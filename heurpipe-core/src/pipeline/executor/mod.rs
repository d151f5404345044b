//! Running a pipeline: readers, intake, media, enrichers, delivery, each a task, joined by bounded channels.

mod bytes;
mod call;
mod deliver;
mod ends;
mod enrich;
mod fate;
mod in_flight;
mod intake;
mod jobs;
mod media;
mod meeting;
mod meter;
mod options;
mod pictures;
mod reader;
mod shared;
mod sizing;
mod stages;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinSet;

use self::deliver::Deliver;
use self::in_flight::InFlight;
use self::intake::Intake;
use self::options::Stop;
pub use self::options::{
    Force, Order, ProgressFn, RunOptions, StopSignal, StopSwitch, stop_signal,
};
use self::reader::Reader;
use self::shared::{Arrival, Shared};
use self::stages::Stages;
use super::stale::Groups;
use super::{Origin, Pipeline, StoredRecords};
use crate::{Error, ErrorKind, Result, RunRecord, RunReport, RunStatus, Source};

/// Batches that wait between two stages.
const QUEUE: usize = 2;

pub(super) async fn run(pipeline: &Pipeline, options: RunOptions) -> Result<RunReport> {
    let (again, arrivals_again) = mpsc::unbounded_channel();
    let stages = Arc::new(Stages::of(pipeline, &options));
    let shared = Arc::new(Shared::new(pipeline.clone(), options, InFlight::new(again)));
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
        stages: Arc::clone(&stages),
        enriched: deliver_in,
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(read_origins(
        Arc::clone(&shared),
        Arc::clone(&stages),
        pages,
    ));
    tasks.spawn(intake.run());
    tasks.spawn(media::run(
        Arc::clone(&shared),
        Arc::clone(&stages.media),
        media_in,
        to_enrich,
    ));
    tasks.spawn(enrich::run(
        Arc::clone(&shared),
        Arc::clone(&stages),
        enrich_in,
        to_deliver,
    ));
    tasks.spawn(deliver.run());

    let started = Instant::now();
    let outcome = supervise(&shared, &stages, &record, started, tasks).await;
    record.report = stages.report(&shared, &record.report, started.elapsed());
    record.report.status = match &outcome {
        Err(_) => RunStatus::Failed,
        Ok(()) if asked_to_stop(&shared) != Stop::No => RunStatus::Stopped,
        Ok(()) if !record.report.errors.is_empty() => RunStatus::Partial,
        Ok(()) => RunStatus::Done,
    };
    record.report.waiting.clear();
    record.ended_at = Some(shared.now());
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
    let mut asked = Stop::No;
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
            further = asked_further(&mut signal, asked) => {
                asked = further;
                shared.stop(asked);
                if asked == Stop::Now {
                    tasks.shutdown().await;
                    return Ok(());
                }
            }
        }
    }
}

/// Waits until the run is asked to stop, or to stop sooner than before.
async fn asked_further(signal: &mut Option<StopSignal>, before: Stop) -> Stop {
    if let Some(StopSignal(receiver)) = signal
        && let Ok(asked) = receiver.wait_for(|asked| *asked > before).await
    {
        return *asked;
    }
    std::future::pending().await
}

fn asked_to_stop(shared: &Shared) -> Stop {
    let signal = shared.options.stop.as_ref();
    signal.map_or(Stop::No, |StopSignal(receiver)| *receiver.borrow())
}

/// Has the enrichers make ready, then reads what an earlier run left pending, then all sources, several partitions at a time.
async fn read_origins(
    shared: Arc<Shared>,
    stages: Arc<Stages>,
    pages: Sender<Vec<Arrival>>,
) -> Result<()> {
    let pipeline = &shared.pipeline;
    for enricher in pipeline.enrichers() {
        let prepared = enricher.enricher.prepare().await;
        prepared.map_err(|error| error.with("enricher", &enricher.spec().name))?;
    }
    if let Some(documents) = &pipeline.parts.documents {
        let pending = StoredRecords::pending(Arc::clone(documents), pipeline.name());
        read_source(&shared, &stages, Arc::new(pending), pages.clone(), false).await?;
    }
    let mut reading = FuturesUnordered::new();
    for origin in &pipeline.parts.origins {
        let (source, keeps_checkpoints) = source_of(&shared, origin).await?;
        reading.push(read_source(
            &shared,
            &stages,
            source,
            pages.clone(),
            keeps_checkpoints,
        ));
    }
    drop(pages);
    while let Some(read) = reading.next().await {
        read?;
    }
    Ok(())
}

/// The source that an origin stands for, and whether how far it is read is kept.
async fn source_of(shared: &Shared, origin: &Origin) -> Result<(Arc<dyn Source>, bool)> {
    let pipeline = &shared.pipeline;
    match (origin, &pipeline.parts.documents) {
        (Origin::Source(source), _) => Ok((Arc::clone(source), true)),
        (Origin::Stale(filter), Some(documents)) => {
            let stored =
                StoredRecords::of_use_case(Arc::clone(documents), pipeline.name(), filter.clone());
            let stored = match shared.options.force {
                Force::Nothing => {
                    let find = || Groups::of(pipeline, documents.as_ref());
                    let groups = shared.persist("stale records", find).await?;
                    stored.with_analyses(groups.stale_analyses())
                }
                Force::Enrichers(_) | Force::Everything => stored,
            };
            Ok((Arc::new(stored), false))
        }
        (Origin::Stale(_), None) => Err(Error::new(ErrorKind::Config, "pipeline.run")
            .message("stale records are found in documents")
            .with("missing", "documents")),
    }
}

async fn read_source(
    shared: &Arc<Shared>,
    stages: &Stages,
    source: Arc<dyn Source>,
    pages: Sender<Vec<Arrival>>,
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
            meter: Arc::clone(&stages.sources[&name]),
            slots: Arc::clone(&slots),
            keeps_checkpoints,
        };
        reading.push(reader.run(pages.clone()));
    }
    drop(pages);
    while let Some(read) = reading.next().await {
        read?;
    }
    Ok(())
}

fn begun(shared: &Shared) -> RunRecord {
    let now = shared.now();
    let run = shared.options.run.clone().unwrap_or_else(|| {
        format!(
            "{}-{}",
            shared.pipeline.name(),
            now.strftime("%Y%m%dT%H%M%S%3fZ")
        )
    });
    RunRecord {
        started_at: now,
        ended_at: None,
        report: RunReport::begun(run, shared.pipeline.name()),
    }
}

async fn save(shared: &Shared, record: &RunRecord) -> Result<()> {
    match &shared.pipeline.parts.documents {
        Some(documents) => shared.persist("run", || documents.save_run(record)).await,
        None => Ok(()),
    }
}

fn tell(shared: &Shared, report: &RunReport) {
    if let Some(progress) = &shared.options.progress {
        progress(report);
    }
}
