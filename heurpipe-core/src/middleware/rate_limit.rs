//! A slower pace.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::time::Instant;

use super::layer::{Answer, Call, Items, Layer, Read, Work};
use super::layered::Layered;
use crate::{Checkpoint, Page, Result};

/// A part that is handed, or hands on, at most so many items a second: a token bucket that holds one second's worth, and at least one.
///
/// A call waits until all its items are allowed, so a batch larger than the bucket waits for what it takes too much, and goes whole. Calls are served
/// in the order in which they come; one that is dropped while it waits gives its places back. A source's page is held back until all its items are
/// allowed. Calls without items (partitions, settled, flush) are never held back.
pub type WithRateLimit<P> = Layered<P, RateLimit>;

impl<P> WithRateLimit<P> {
    /// Lets at most so many items a second through. A rate that is below one item in eleven days, or no number, counts as that.
    pub fn new(part: P, per_second: f64) -> Self {
        Self::around(part, RateLimit::new(per_second))
    }
}

const SLOWEST: f64 = 1e-6;

/// The layer of [`WithRateLimit`].
#[derive(Debug)]
pub struct RateLimit {
    per_second: f64,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    /// Items that may go now; negative: so many that wait are promised already.
    tokens: f64,
    at: Instant,
}

impl RateLimit {
    fn new(per_second: f64) -> Self {
        // The greater of a number and NaN is the number.
        let per_second = per_second.max(SLOWEST);
        Self {
            per_second,
            bucket: Mutex::new(Bucket {
                tokens: per_second.max(1.0),
                at: Instant::now(),
            }),
        }
    }

    /// Waits until so many items may go.
    async fn admit(&self, items: usize) {
        if items == 0 {
            return;
        }
        let items = items as f64;
        let wait = self.reserve(items);
        if wait.is_zero() {
            return;
        }
        let mut promise = Promise { of: self, items };
        tokio::time::sleep(wait).await;
        promise.items = 0.0;
    }

    /// Takes places for so many items and says how long to wait for them.
    fn reserve(&self, items: f64) -> Duration {
        let now = Instant::now();
        let mut bucket = self.lock();
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        let room = self.per_second.max(1.0);
        bucket.tokens = (bucket.tokens + passed * self.per_second).min(room) - items;
        bucket.at = now;
        let wait = (-bucket.tokens / self.per_second).max(0.0);
        Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        // Two numbers, valid after each statement; a panic elsewhere does not spoil them.
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Places taken; those still held when it is dropped are given back.
struct Promise<'a> {
    of: &'a RateLimit,
    items: f64,
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        self.of.lock().tokens += self.items;
    }
}

#[async_trait]
impl Layer for RateLimit {
    async fn call<T, W, F>(&self, _call: &Call<'_>, work: W) -> Result<T>
    where
        T: Send,
        W: Fn() -> F + Send + Sync,
        F: Future<Output = Result<T>> + Send,
    {
        work().await
    }

    async fn batch<I, R, W>(&self, call: &Call<'_>, items: &I, work: &W) -> Result<Answer<R>>
    where
        I: Items + ?Sized,
        R: Send,
        W: Work<I, R>,
    {
        self.admit(call.items).await;
        work.run(items).await
    }

    fn pages(
        self: Arc<Self>,
        _part: String,
        from: Checkpoint,
        read: Read,
    ) -> BoxStream<'static, Result<Page>> {
        stream::unfold((self, read(from)), |(limit, mut pages)| async move {
            let page = pages.next().await?;
            if let Ok(page) = &page {
                limit.admit(page.items.len()).await;
            }
            Some((page, (limit, pages)))
        })
        .boxed()
    }
}
