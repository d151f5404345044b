//! More attempts at what failed for the moment.

use std::borrow::Borrow;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};

use super::layer::{Answer, Call, Items, Layer, Read, Work};
use super::layered::Layered;
use crate::retry::Waits;
use crate::{Checkpoint, Error, ErrorKind, ItemResult, Page, Result, Retry, RetryPolicy};

/// A part whose temporary failures are tried again by a [`RetryPolicy`]; what still fails after that is passed on.
///
/// A batch that failed as a whole is handed on again as a whole; items that failed one by one are handed on again by themselves, without those
/// that have their outcome. An enricher that answers such a second call with another fingerprint was swapped in between: then the whole batch
/// is done anew, so that one answer never mixes two models. A source is read again from the checkpoint of the last page that it yielded, so
/// posts may come twice, as they may from any source; each page brings the full number of attempts back.
pub type WithRetry<P> = Layered<P, Retries>;

impl<P> WithRetry<P> {
    /// Tries again what fails for the moment.
    pub fn new(part: P, policy: RetryPolicy) -> Self {
        Self::around(part, Retries { policy })
    }
}

/// The layer of [`WithRetry`].
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    policy: RetryPolicy,
}

#[async_trait]
impl Layer for Retries {
    async fn call<T, W, F>(&self, call: &Call<'_>, work: W) -> Result<T>
    where
        T: Send,
        W: Fn() -> F + Send + Sync,
        F: Future<Output = Result<T>> + Send,
    {
        self.policy.run(call.method, work).await
    }

    async fn batch<I, R, W>(&self, call: &Call<'_>, items: &I, work: &W) -> Result<Answer<R>>
    where
        I: Items + ?Sized,
        R: Send,
        W: Work<I, R>,
    {
        let mut waits = self.policy.waits();
        let mut so_far = SoFar::new(items.count());
        let mut answer = work.run(items).await;
        loop {
            let failure = match answer {
                Ok(answer) => so_far.take(call, answer)?,
                Err(error) => Some(so_far.failed(error)),
            };
            let Some(wait) = failure.and_then(|error| waits.after(&error)) else {
                return so_far.done();
            };
            tracing::warn!(
                part = call.part,
                method = call.method,
                items = so_far.open.len(),
                ?wait,
                "it fails, trying again"
            );
            tokio::time::sleep(wait).await;
            answer = match so_far.open.len() == items.count() {
                true => work.run(items).await,
                false => work.run(items.pick(&so_far.open).borrow()).await,
            };
        }
    }

    fn pages(
        self: Arc<Self>,
        part: String,
        from: Checkpoint,
        read: Read,
    ) -> BoxStream<'static, Result<Page>> {
        let reading = Reading {
            pages: Some(read(from.clone())),
            waits: self.policy.waits(),
            policy: self.policy,
            from,
            read,
            part,
        };
        stream::unfold(reading, |mut reading| async move {
            let page = reading.next().await?;
            Some((page, reading))
        })
        .boxed()
    }
}

/// What is known of a batch after some calls.
struct SoFar<R> {
    answer: Answer<R>,
    /// Places of items that are to be handed on again; their outcomes are filled in last.
    open: Vec<usize>,
    outcomes: Vec<Option<ItemResult<R>>>,
    /// The error of the last call, if it failed as a whole.
    failure: Option<Error>,
    answered: bool,
}

impl<R> SoFar<R> {
    fn new(items: usize) -> Self {
        Self {
            answer: Answer::new(Vec::new()),
            open: (0..items).collect(),
            outcomes: (0..items).map(|_| None).collect(),
            failure: None,
            answered: false,
        }
    }

    /// Takes the answer on the open items. Gives an error for which it is worth to try again, if there is one.
    fn take(&mut self, call: &Call<'_>, answer: Answer<R>) -> Result<Option<Error>> {
        if answer.outcomes.len() != self.open.len() {
            return Err(call
                .error(ErrorKind::Internal)
                .message("it gave another number of outcomes than it was given items")
                .with("items", self.open.len())
                .with("outcomes", answer.outcomes.len()));
        }
        let swapped = self.answered && answer.fingerprint != self.answer.fingerprint;
        self.answer.cpu += answer.cpu;
        self.answer.fingerprint = answer.fingerprint;
        self.answered = true;
        self.failure = None;
        if swapped && self.open.len() < self.outcomes.len() {
            self.open = (0..self.outcomes.len()).collect();
            let error = call.error(ErrorKind::Conflict);
            let error = error.message("the fingerprint changed between two calls on one batch");
            self.failure = Some(error.replica());
            return Ok(Some(error));
        }
        let mut again: Option<Error> = None;
        let mut open = Vec::new();
        for (place, outcome) in std::mem::take(&mut self.open)
            .into_iter()
            .zip(answer.outcomes)
        {
            if let Err(error) = &outcome
                && error.retry() == Retry::Temporary
            {
                open.push(place);
                let longer = again
                    .as_ref()
                    .is_none_or(|a| a.retry_after() < error.retry_after());
                if longer {
                    again = Some(error.replica());
                }
            }
            self.outcomes[place] = Some(outcome);
        }
        self.open = open;
        Ok(again)
    }

    /// Takes the error of a whole call on the open items.
    fn failed(&mut self, error: Error) -> Error {
        let copy = error.replica();
        self.failure = Some(error);
        copy
    }

    /// What there is to answer when no further call is made.
    fn done(mut self) -> Result<Answer<R>> {
        if let Some(error) = self.failure {
            if self.open.len() == self.outcomes.len() {
                return Err(error);
            }
            for place in &self.open {
                self.outcomes[*place] = Some(Err(error.replica()));
            }
        }
        self.answer.outcomes = self.outcomes.into_iter().flatten().collect();
        Ok(self.answer)
    }
}

/// A source being read.
struct Reading {
    /// None: it has ended.
    pages: Option<BoxStream<'static, Result<Page>>>,
    /// The checkpoint of the last page.
    from: Checkpoint,
    waits: Waits,
    policy: RetryPolicy,
    read: Read,
    part: String,
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Page>> {
        loop {
            let error = match self.pages.as_mut()?.next().await {
                Some(Err(error)) => error,
                Some(Ok(page)) => {
                    self.from.clone_from(&page.checkpoint);
                    self.waits = self.policy.waits();
                    return Some(Ok(page));
                }
                None => {
                    self.pages = None;
                    return None;
                }
            };
            let Some(wait) = self.waits.after(&error) else {
                self.pages = None;
                return Some(Err(error));
            };
            tracing::warn!(%error, source = self.part, ?wait, "the source does not answer, trying again");
            tokio::time::sleep(wait).await;
            self.pages = Some((self.read)(self.from.clone()));
        }
    }
}
