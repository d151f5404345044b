//! An end to waiting.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};

use super::layer::{Answer, Call, Items, Layer, Read, Work};
use super::layered::Layered;
use crate::{Checkpoint, ErrorKind, Page, Result};

/// A part whose calls fail with `Timeout`, a temporary error that names part and limit, when they take longer than the limit.
///
/// The part's call is dropped then. Nothing is known of the batch: a sink may have written some of it. Of a source each page has the limit to
/// itself, counted from when it is asked for; a late one ends the stream, and whoever reads goes on from the last checkpoint.
pub type WithTimeout<P> = Layered<P, Timeout>;

impl<P> WithTimeout<P> {
    /// Limits each call of a part.
    pub fn new(part: P, limit: Duration) -> Self {
        Self::around(part, Timeout { limit })
    }
}

/// The layer of [`WithTimeout`].
#[derive(Debug, Clone, Copy)]
pub struct Timeout {
    limit: Duration,
}

impl Timeout {
    async fn limited<T>(
        &self,
        call: &Call<'_>,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        match tokio::time::timeout(self.limit, work).await {
            Ok(answer) => answer,
            Err(_) => Err(call
                .error(ErrorKind::Timeout)
                .message("it took longer than allowed")
                .with("limit", format_args!("{:?}", self.limit))),
        }
    }
}

#[async_trait]
impl Layer for Timeout {
    async fn call<T, W, F>(&self, call: &Call<'_>, work: W) -> Result<T>
    where
        T: Send,
        W: Fn() -> F + Send + Sync,
        F: Future<Output = Result<T>> + Send,
    {
        self.limited(call, work()).await
    }

    async fn batch<I, R, W>(&self, call: &Call<'_>, items: &I, work: &W) -> Result<Answer<R>>
    where
        I: Items + ?Sized,
        R: Send,
        W: Work<I, R>,
    {
        self.limited(call, work.run(items)).await
    }

    fn pages(
        self: Arc<Self>,
        part: String,
        from: Checkpoint,
        read: Read,
    ) -> BoxStream<'static, Result<Page>> {
        stream::unfold(Some(read(from)), move |pages| {
            let limits = Arc::clone(&self);
            let part = part.clone();
            async move {
                let mut pages = pages?;
                let next = async { pages.next().await.transpose() };
                match limits.limited(&Call::page(&part), next).await.transpose()? {
                    Ok(page) => Some((Ok(page), Some(pages))),
                    Err(error) => Some((Err(error), None)),
                }
            }
        })
        .boxed()
    }
}
