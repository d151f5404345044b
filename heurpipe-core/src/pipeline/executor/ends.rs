//! Calling gates and sinks: within their time, tried again, and so that a poison record fails alone.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use super::call::{complete, is_temporary, within};
use super::shared::Shared;
use super::stages::EndRun;
use crate::{Durable, Error, ItemResult, QualityGate, Record, Result, Retry, Sink, Verdict};

/// A gate's verdicts, in calls of the size that its stage wants.
pub(super) async fn judge(
    gate: &dyn QualityGate,
    run: &EndRun,
    records: &[Arc<Record>],
) -> Vec<ItemResult<Verdict>> {
    let calls = run.calls(records).into_iter();
    let judging: Vec<_> = calls.map(|call| judge_call(gate, run, call)).collect();
    let verdicts = stream::iter(judging).buffered(run.concurrency);
    verdicts.concat().await
}

/// One call's verdicts. What fails for the moment is asked again; a batch on which the gate fails is halved until the records that spoil it
/// are alone.
fn judge_call<'a>(
    gate: &'a dyn QualityGate,
    run: &'a EndRun,
    records: &'a [Arc<Record>],
) -> BoxFuture<'a, Vec<ItemResult<Verdict>>> {
    async move {
        let call = || judge_once(gate, run, records);
        match run.retry.run(gate.name(), call).await {
            Ok(verdicts) => judge_failed_again(gate, run, records, verdicts).await,
            Err(error) if records.len() == 1 => vec![Err(error)],
            Err(_) => {
                let (first, second) = records.split_at(records.len() / 2);
                let mut verdicts = judge_call(gate, run, first).await;
                verdicts.extend(judge_call(gate, run, second).await);
                verdicts
            }
        }
    }
    .boxed()
}

async fn judge_once(
    gate: &dyn QualityGate,
    run: &EndRun,
    records: &[Arc<Record>],
) -> Result<Vec<ItemResult<Verdict>>> {
    let started = Instant::now();
    let judging = gate.judge(records);
    let verdicts = within(run.timeout, "gate.judge", gate.name(), judging).await?;
    run.sizing.took(records.len(), started.elapsed());
    complete("gate.judge", "stage", gate.name(), records.len(), verdicts)
}

/// Asks again about the records on which the gate failed for the moment, within an answer that was given.
async fn judge_failed_again(
    gate: &dyn QualityGate,
    run: &EndRun,
    records: &[Arc<Record>],
    mut verdicts: Vec<ItemResult<Verdict>>,
) -> Vec<ItemResult<Verdict>> {
    let mut waits = run.retry.waits();
    loop {
        let failed: Vec<usize> = (0..records.len())
            .filter(|i| is_temporary(&verdicts[*i]))
            .collect();
        let error = failed.first().and_then(|i| verdicts[*i].as_ref().err());
        let Some(wait) = error.and_then(|error| waits.after(error)) else {
            return verdicts;
        };
        tokio::time::sleep(wait).await;
        let again: Vec<Arc<Record>> = failed.iter().map(|i| Arc::clone(&records[*i])).collect();
        if let Ok(second) = judge_in_halves(gate, run, &again).await {
            for (index, verdict) in failed.into_iter().zip(second) {
                verdicts[index] = verdict;
            }
        }
    }
}

/// Asks once. Where the gate fails for good, the batch is halved until the records that spoil it are alone.
///
/// # Errors
/// When it fails for the moment.
fn judge_in_halves<'a>(
    gate: &'a dyn QualityGate,
    run: &'a EndRun,
    records: &'a [Arc<Record>],
) -> BoxFuture<'a, Result<Vec<ItemResult<Verdict>>>> {
    async move {
        match judge_once(gate, run, records).await {
            Ok(verdicts) => Ok(verdicts),
            Err(error) if error.retry() == Retry::Temporary => Err(error),
            Err(error) if records.len() == 1 => Ok(vec![Err(error)]),
            Err(_) => {
                let (first, second) = records.split_at(records.len() / 2);
                let mut verdicts = judge_in_halves(gate, run, first).await?;
                verdicts.extend(judge_in_halves(gate, run, second).await?);
                Ok(verdicts)
            }
        }
    }
    .boxed()
}

/// Writes records to a sink, in calls of the size that its stage wants, until each is taken or refused for good; then makes them durable.
///
/// # Errors
/// When the sink fails in a way that needs a person, or the run is to end while the sink does not answer.
pub(super) async fn deliver(
    shared: &Shared,
    sink: &dyn Sink,
    run: &EndRun,
    records: &[Arc<Record>],
) -> Result<Vec<ItemResult<()>>> {
    let calls = run.calls(records).into_iter();
    let writing: Vec<_> = calls
        .map(|call| write_all(shared, sink, run, call))
        .collect();
    let outcomes = stream::iter(writing).buffered(run.concurrency);
    let outcomes = outcomes.try_concat().await?;
    if sink.spec().durable == Durable::AtFlush {
        let name = sink.spec().name.as_str();
        let flush = || within(run.timeout, "sink.flush", name, sink.flush());
        shared.persist(name, flush).await?;
    }
    Ok(outcomes)
}

async fn write_all(
    shared: &Shared,
    sink: &dyn Sink,
    run: &EndRun,
    records: &[Arc<Record>],
) -> Result<Vec<ItemResult<()>>> {
    let name = sink.spec().name.as_str();
    let mut outcomes = write(shared, sink, run, records).await?;
    let mut waits = run.retry.waits();
    loop {
        let again: Vec<usize> = (0..records.len())
            .filter(|i| is_temporary(&outcomes[*i]))
            .collect();
        let error = again.first().and_then(|i| outcomes[*i].as_ref().err());
        let Some(error) = error else {
            return Ok(outcomes);
        };
        // A store that takes nothing at all is down: that is waited out and no record's fault.
        let down = again.len() == records.len() && records.len() > 1;
        match waits.after(error) {
            Some(wait) => tokio::time::sleep(wait).await,
            None if down => {
                let error = error.replica();
                let taken = shared.persist(name, || accepts(sink, run, &records[..1], &error));
                outcomes[0] = taken.await?;
                waits = run.retry.waits();
            }
            None => return Ok(outcomes),
        }
        let batch: Vec<Arc<Record>> = again.iter().map(|i| Arc::clone(&records[*i])).collect();
        for (index, outcome) in again
            .into_iter()
            .zip(write(shared, sink, run, &batch).await?)
        {
            outcomes[index] = outcome;
        }
    }
}

/// Whether a sink that took nothing takes a first record again: its outcome, or the error that it is still down.
async fn accepts(
    sink: &dyn Sink,
    run: &EndRun,
    first: &[Arc<Record>],
    down: &Error,
) -> Result<ItemResult<()>> {
    let name = &sink.spec().name;
    let outcomes = within(run.timeout, "sink.write", name, sink.write(first)).await?;
    match outcomes.into_iter().next() {
        Some(Err(error)) if error.retry() == Retry::Temporary => Err(error),
        Some(outcome) => Ok(outcome),
        None => Err(down.replica()),
    }
}

/// One write. Where the whole is refused for good, it is halved until the records that are to blame are alone.
fn write<'a>(
    shared: &'a Shared,
    sink: &'a dyn Sink,
    run: &'a EndRun,
    records: &'a [Arc<Record>],
) -> BoxFuture<'a, Result<Vec<ItemResult<()>>>> {
    async move {
        let name = sink.spec().name.as_str();
        let call = || write_once(sink, run, records);
        let written = shared.persist(name, call).await;
        match written.and_then(|w| complete("sink.write", "stage", name, records.len(), w)) {
            Ok(outcomes) => Ok(outcomes),
            Err(error) if error.retry() != Retry::Permanent => Err(error),
            Err(error) if records.len() == 1 => Ok(vec![Err(error)]),
            Err(_) => {
                let (first, second) = records.split_at(records.len() / 2);
                let mut outcomes = write(shared, sink, run, first).await?;
                outcomes.extend(write(shared, sink, run, second).await?);
                Ok(outcomes)
            }
        }
    }
    .boxed()
}

/// One call of a sink, within its time.
async fn write_once(
    sink: &dyn Sink,
    run: &EndRun,
    records: &[Arc<Record>],
) -> Result<Vec<ItemResult<()>>> {
    let name = sink.spec().name.as_str();
    let started = Instant::now();
    let written = within(run.timeout, "sink.write", name, sink.write(records)).await?;
    run.sizing.took(records.len(), started.elapsed());
    Ok(written)
}

/// Writes to a side output, which has no say: what it refuses is counted, and nobody waits for it longer than for a call.
pub(super) async fn spill(sink: &dyn Sink, run: &EndRun, records: &[Arc<Record>]) -> usize {
    let name = sink.spec().name.as_str();
    let call = || async {
        let written = within(run.timeout, "sink.write", name, sink.write(records)).await?;
        if sink.spec().durable == Durable::AtFlush {
            within(run.timeout, "sink.flush", name, sink.flush()).await?;
        }
        complete("sink.write", "stage", name, records.len(), written)
    };
    match run.retry.run(name, call).await {
        Ok(outcomes) => outcomes.iter().filter(|outcome| outcome.is_err()).count(),
        Err(error) => {
            tracing::warn!(%error, sink = name, "a side output takes nothing");
            records.len()
        }
    }
}
