//! Calling an enricher so that a temporary failure is retried and a poison item fails alone.

use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use tokio::time::Instant;

use super::stages::EnricherRun;
use crate::{
    Batch, EnricherSpec, Error, ErrorKind, Finding, Fingerprint, Item, ItemResult, Result,
};

/// The answers to a batch, one per item.
pub(super) struct Answers {
    /// What each item's answer was made with, where it is not what the spec says: a model was swapped meanwhile.
    pub(super) fingerprint: Fingerprint,
    pub(super) outcomes: Vec<ItemResult<Vec<Finding>>>,
    /// CPU time on compute threads.
    pub(super) cpu: Duration,
}

/// Enriches items in calls of the size that the stage wants, as many at a time as it allows. One answer to each call, in order of the
/// items.
pub(super) async fn call_in_batches(run: &EnricherRun, mut items: Vec<Item>) -> Vec<Answers> {
    let mut batches = Vec::new();
    while !items.is_empty() {
        let size = run.sizing.next(items.len());
        let rest = items.split_off(size);
        batches.push(Batch::new(std::mem::replace(&mut items, rest)));
    }
    let at_a_time = run.concurrency.unwrap_or(1);
    stream::iter(batches)
        .map(|batch| call(run, batch))
        .buffered(at_a_time)
        .collect()
        .await
}

/// Enriches a batch: retries temporary failures, and halves a batch that fails as a whole until the items that spoil it are alone.
fn call(run: &EnricherRun, batch: Batch) -> BoxFuture<'_, Answers> {
    async move {
        match with_retries(run, &batch).await {
            Ok(answers) => answers,
            Err(error) if batch.len() == 1 => Answers {
                fingerprint: run.stage.spec().fingerprint.clone(),
                outcomes: vec![Err(error)],
                cpu: Duration::ZERO,
            },
            Err(_) => halved(run, batch).await,
        }
    }
    .boxed()
}

async fn halved(run: &EnricherRun, mut batch: Batch) -> Answers {
    let second = Batch::new(batch.items.split_off(batch.len() / 2));
    let mut first = call(run, batch).await;
    let second = call(run, second).await;
    first.outcomes.extend(second.outcomes);
    first.cpu += second.cpu;
    first
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
        let Ok(second) = once(run, &again).await else {
            continue;
        };
        answers.cpu += second.cpu;
        if second.fingerprint != answers.fingerprint {
            // What two models say is not mixed in one answer: the item stays failed, and a later run takes it up.
            return;
        }
        for (index, outcome) in failed.into_iter().zip(second.outcomes) {
            answers.outcomes[index] = outcome;
        }
    }
}

/// Whether an item failed for the moment.
pub(super) fn is_temporary<T>(outcome: &ItemResult<T>) -> bool {
    matches!(outcome, Err(error) if error.retry() == crate::Retry::Temporary)
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
    if enriched.outcomes.len() != batch.len() {
        return Err(Error::new(ErrorKind::Internal, "enricher.enrich")
            .message("the enricher gave another number of outcomes than it was given items")
            .with("enricher", &spec.name)
            .with("items", batch.len())
            .with("outcomes", enriched.outcomes.len()));
    }
    let outcomes = enriched.outcomes.into_iter();
    Ok(Answers {
        fingerprint: enriched.fingerprint,
        outcomes: outcomes.map(|o| o.and_then(|f| checked(spec, f))).collect(),
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
