//! Calling an enricher so that a temporary failure is retried and a poison item fails alone.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::{Batch, Enricher, Error, ErrorKind, Finding, Fingerprint, ItemResult, Result, Retry};

/// Calls on one batch, beyond the first.
const RETRIES: usize = 3;

/// The answers to a batch, one per item.
pub(super) struct Answers {
    pub(super) fingerprint: Fingerprint,
    pub(super) outcomes: Vec<ItemResult<Vec<Finding>>>,
    pub(super) cpu: Duration,
}

/// Enriches a batch: retries temporary failures, and halves a batch that fails as a whole until the items that spoil it are alone.
pub(super) fn call(enricher: &dyn Enricher, batch: Batch) -> BoxFuture<'_, Answers> {
    async move {
        if batch.is_empty() {
            return Answers {
                fingerprint: enricher.spec().fingerprint.clone(),
                outcomes: Vec::new(),
                cpu: Duration::ZERO,
            };
        }
        match with_retries(enricher, &batch).await {
            Ok(answers) => answers,
            Err(error) if batch.len() == 1 => Answers {
                fingerprint: enricher.spec().fingerprint.clone(),
                outcomes: vec![Err(error)],
                cpu: Duration::ZERO,
            },
            Err(_) => halved(enricher, batch).await,
        }
    }
    .boxed()
}

async fn halved(enricher: &dyn Enricher, mut batch: Batch) -> Answers {
    let second = Batch::new(batch.items.split_off(batch.len() / 2));
    let mut first = call(enricher, batch).await;
    let second = call(enricher, second).await;
    first.outcomes.extend(second.outcomes);
    first.cpu += second.cpu;
    first
}

async fn with_retries(enricher: &dyn Enricher, batch: &Batch) -> Result<Answers> {
    let mut waits = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(RETRIES)
        .with_jitter()
        .build();
    loop {
        let error = match once(enricher, batch).await {
            Ok(answers) => return Ok(answers),
            Err(error) => error,
        };
        let wait = match (error.retry(), waits.next()) {
            (Retry::Temporary, Some(wait)) => error.retry_after().unwrap_or(wait),
            _ => return Err(error),
        };
        tracing::warn!(%error, enricher = enricher.spec().name, ?wait, "the enricher fails, trying again");
        tokio::time::sleep(wait).await;
    }
}

async fn once(enricher: &dyn Enricher, batch: &Batch) -> Result<Answers> {
    let enriched = enricher.enrich(batch).await?;
    if enriched.outcomes.len() != batch.len() {
        return Err(Error::new(ErrorKind::Internal, "enricher.enrich")
            .message("the enricher gave another number of outcomes than it was given items")
            .with("enricher", &enricher.spec().name)
            .with("items", batch.len())
            .with("outcomes", enriched.outcomes.len()));
    }
    Ok(Answers {
        fingerprint: enriched.fingerprint,
        outcomes: enriched.outcomes,
        cpu: enriched.cpu,
    })
}
