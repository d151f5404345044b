//! Calling an enricher so that a temporary failure is retried and a poison item fails alone.

use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use tokio::time::Instant;

use super::stages::EnricherRun;
use crate::{
    Batch, EnricherSpec, Error, ErrorKind, Finding, Fingerprint, Item, ItemResult, Result, Retry,
};

/// The answers to a batch, one per item.
pub(super) struct Answers {
    /// What each item's answer was made with, where it is not what the spec says: a model was swapped meanwhile.
    pub(super) fingerprint: Fingerprint,
    pub(super) outcomes: Vec<ItemResult<Vec<Finding>>>,
    /// CPU time on compute threads.
    pub(super) cpu: Duration,
}

/// Enriches items in calls of the size that the stage wants, as many at a time as it allows. An answer or more to each call, in order of the
/// items.
pub(super) async fn call_in_batches(run: &EnricherRun, mut items: Vec<Item>) -> Vec<Answers> {
    let mut batches = Vec::new();
    while !items.is_empty() {
        let size = run.sizing.next(items.len());
        let rest = items.split_off(size);
        batches.push(Batch::new(std::mem::replace(&mut items, rest)));
    }
    let at_a_time = run.concurrency.unwrap_or(1);
    let answers: Vec<Vec<Answers>> = stream::iter(batches)
        .map(|batch| call(run, batch))
        .buffered(at_a_time)
        .collect()
        .await;
    answers.into_iter().flatten().collect()
}

/// Enriches a batch: retries temporary failures, and halves a batch that fails as a whole until the items that spoil it are alone.
fn call(run: &EnricherRun, batch: Batch) -> BoxFuture<'_, Vec<Answers>> {
    async move {
        match with_retries(run, &batch).await {
            Ok(answers) => vec![answers],
            Err(error) if batch.len() == 1 => vec![failed(run, error)],
            Err(_) => {
                let (first, second) = halves(batch);
                let mut answers = call(run, first).await;
                answers.extend(call(run, second).await);
                answers
            }
        }
    }
    .boxed()
}

fn halves(mut batch: Batch) -> (Batch, Batch) {
    let second = batch.items.split_off(batch.len() / 2);
    (batch, Batch::new(second))
}

/// The answer to one item that failed.
fn failed(run: &EnricherRun, error: Error) -> Answers {
    Answers {
        fingerprint: run.stage.spec().fingerprint.clone(),
        outcomes: vec![Err(error)],
        cpu: Duration::ZERO,
    }
}

async fn with_retries(run: &EnricherRun, batch: &Batch) -> Result<Answers> {
    let name = &run.stage.spec().name;
    let mut answers = run.retry.run(name, || once(run, batch)).await?;
    retry_items(run, batch, &mut answers).await;
    Ok(answers)
}

/// Calls again for the items that failed for the moment within an answer that was given.
async fn retry_items(run: &EnricherRun, batch: &Batch, answers: &mut Answers) {
    let mut waits = run.retry.waits();
    loop {
        let failed: Vec<usize> = (0..batch.len())
            .filter(|i| is_temporary(&answers.outcomes[*i]))
            .collect();
        let first = failed
            .first()
            .and_then(|i| answers.outcomes[*i].as_ref().err());
        let Some(wait) = first.and_then(|error| waits.after(error)) else {
            return;
        };
        tokio::time::sleep(wait).await;
        let again = Batch::new(failed.iter().map(|i| batch.items[*i].clone()).collect());
        let Ok(seconds) = again_in_halves(run, again).await else {
            continue;
        };
        let mut failed = failed.into_iter();
        for second in seconds {
            answers.cpu += second.cpu;
            let same_model = second.fingerprint == answers.fingerprint;
            for (outcome, index) in second.outcomes.into_iter().zip(failed.by_ref()) {
                if outcome.is_ok() && !same_model {
                    // What two models say is not mixed in one answer: the item stays failed, and a later run takes it up.
                    return;
                }
                answers.outcomes[index] = outcome;
            }
        }
    }
}

/// Calls once more. A batch that fails for good is halved until the items that spoil it are alone: the others did nothing wrong.
///
/// # Errors
/// When a call fails for the moment: it is not known of any item.
fn again_in_halves(run: &EnricherRun, batch: Batch) -> BoxFuture<'_, Result<Vec<Answers>>> {
    async move {
        match once(run, &batch).await {
            Ok(answers) => Ok(vec![answers]),
            Err(error) if error.retry() == Retry::Temporary => Err(error),
            Err(error) if batch.len() == 1 => Ok(vec![failed(run, error)]),
            Err(_) => {
                let (first, second) = halves(batch);
                let mut answers = again_in_halves(run, first).await?;
                answers.extend(again_in_halves(run, second).await?);
                Ok(answers)
            }
        }
    }
    .boxed()
}

/// Whether an item failed for the moment.
pub(super) fn is_temporary<T>(outcome: &ItemResult<T>) -> bool {
    matches!(outcome, Err(error) if error.retry() == Retry::Temporary)
}

/// One call, within the stage's time and its share of calls at a time.
async fn once(run: &EnricherRun, batch: &Batch) -> Result<Answers> {
    let _slot = match &run.slots {
        Some(slots) => slots.acquire().await.ok(),
        None => None,
    };
    let spec = run.stage.spec();
    let started = Instant::now();
    let work = run.stage.enricher.enrich(batch);
    let enriched = within(run.timeout, "enricher.enrich", &spec.name, work).await?;
    run.sizing.took(batch.len(), started.elapsed());
    let outcomes = complete(
        "enricher.enrich",
        "enricher",
        &spec.name,
        batch.len(),
        enriched.outcomes,
    )?;
    Ok(Answers {
        fingerprint: enriched.fingerprint,
        outcomes: outcomes
            .into_iter()
            .map(|o| o.and_then(|f| checked(spec, f)))
            .collect(),
        cpu: enriched.cpu,
    })
}

/// Waits for a call of a stage, but not longer than this.
pub(super) async fn within<T>(
    limit: Duration,
    operation: &'static str,
    stage: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Timeout, operation)
            .message("it took longer than allowed")
            .with("stage", stage)
            .with("limit_s", limit.as_secs_f64()))
    })
}

/// The outcomes of a call, one for each item. A part that gives another number has a defect, and nothing is known of any item.
pub(super) fn complete<T>(
    operation: &'static str,
    part: &'static str,
    name: &str,
    items: usize,
    outcomes: Vec<T>,
) -> Result<Vec<T>> {
    if outcomes.len() == items {
        return Ok(outcomes);
    }
    Err(Error::new(ErrorKind::Internal, operation)
        .message(format!(
            "the {part} gave another number of outcomes than it was given items"
        ))
        .with(part, name)
        .with("items", items)
        .with("outcomes", outcomes.len()))
}

/// Findings that nobody could store or explain fail their item.
fn checked(spec: &EnricherSpec, findings: Vec<Finding>) -> ItemResult<Vec<Finding>> {
    for finding in &findings {
        let wrong = if !spec.gives.contains(&finding.attribute) {
            "the enricher found an attribute that its spec does not give"
        } else if !finding.is_finite() {
            "the enricher found a number that is none"
        } else {
            continue;
        };
        return Err(Error::new(ErrorKind::Internal, "enricher.enrich")
            .message(wrong)
            .with("enricher", &spec.name)
            .with("attribute", &finding.attribute));
    }
    Ok(findings)
}
