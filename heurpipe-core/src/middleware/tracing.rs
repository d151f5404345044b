//! A trace of each call.

use std::future::Future;
use std::sync::Arc;

use ::tracing::{Instrument, Span, debug_span, warn};
use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};

use super::layer::{Answer, Call, Items, Layer, Read, Work};
use super::layered::Layered;
use crate::{Checkpoint, Page, Result};

/// A part whose calls, and a source's pages, stand each in a span of level debug named `call`, with the fields `kind`, `method`, `part` and `items`.
///
/// The error of a whole call is an event of level warn within the span; items that failed one by one are one event, with their number and the
/// first of the errors. Nothing that is handed over or answered changes.
pub type WithTracing<P> = Layered<P, Trace>;

impl<P> WithTracing<P> {
    /// Puts each call into a span.
    pub fn new(part: P) -> Self {
        Self::around(part, Trace(()))
    }
}

/// The layer of [`WithTracing`].
#[derive(Debug, Clone, Copy)]
pub struct Trace(());

fn span(call: &Call<'_>) -> Span {
    debug_span!(
        "call",
        kind = call.kind,
        method = call.method,
        part = call.part,
        items = call.items
    )
}

/// Waits for a call and says so if it fails.
async fn told<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let answer = work.await;
    if let Err(error) = &answer {
        warn!(%error, retry = ?error.retry(), "the call failed");
    }
    answer
}

#[async_trait]
impl Layer for Trace {
    async fn call<T, W, F>(&self, call: &Call<'_>, work: W) -> Result<T>
    where
        T: Send,
        W: Fn() -> F + Send + Sync,
        F: Future<Output = Result<T>> + Send,
    {
        told(work()).instrument(span(call)).await
    }

    async fn batch<I, R, W>(&self, call: &Call<'_>, items: &I, work: &W) -> Result<Answer<R>>
    where
        I: Items + ?Sized,
        R: Send,
        W: Work<I, R>,
    {
        async {
            let answer = told(work.run(items)).await?;
            let mut errors = answer.outcomes.iter().filter_map(|o| o.as_ref().err());
            if let Some(error) = errors.next() {
                let failed = 1 + errors.count();
                warn!(%error, failed, "items failed");
            }
            Ok(answer)
        }
        .instrument(span(call))
        .await
    }

    fn pages(
        self: Arc<Self>,
        part: String,
        from: Checkpoint,
        read: Read,
    ) -> BoxStream<'static, Result<Page>> {
        stream::unfold((part, read(from)), |(part, mut pages)| async move {
            let page_span = span(&Call::page(&part));
            let next = async {
                told(async { pages.next().await.transpose() })
                    .await
                    .transpose()
            };
            let page = next.instrument(page_span).await?;
            Some((page, (part, pages)))
        })
        .boxed()
    }
}
