//! Wrappers around parts: a time-out, more attempts, a slower pace, a trace.
//!
//! Each wraps a [`Source`](crate::Source), [`Enricher`](crate::Enricher), [`QualityGate`](crate::QualityGate) or [`Sink`](crate::Sink) and
//! is one again, with the spec of the part within. So they nest, and the outermost acts first: `part.with_timeout(d).with_retry(p)` limits each
//! attempt, `part.with_retry(p).with_timeout(d)` all attempts together.
//!
//! ```
//! use std::time::Duration;
//! use heurpipe_core::middleware::MiddlewareExt;
//! use heurpipe_core::testkit::{Collect, Posts};
//! use heurpipe_core::{Pipeline, RetryPolicy, RunOptions};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> heurpipe_core::Result<()> {
//! let out = Collect::new("out");
//! let report = Pipeline::builder("careful")
//!     .source(Posts::texts(["a red dress"]).with_rate_limit(1000.0))
//!     .sink(
//!         out.clone()
//!             .with_timeout(Duration::from_secs(5))
//!             .with_retry(RetryPolicy::default())
//!             .with_tracing(),
//!     )
//!     .build()?
//!     .run(RunOptions::default())
//!     .await?;
//! assert_eq!(report.posts.delivered, 1);
//! # Ok(()) }
//! ```
//!
//! | wrapper | batches | a source's pages | dropping a call half-way |
//! |---|---|---|---|
//! | [`WithTimeout`] | handed on as they are; at the limit the call is dropped and the whole batch has failed | each page has the limit to itself; a late one ends the stream | drops the part's call |
//! | [`WithRetry`] | what failed for the moment is handed on again, by itself | an error is answered by reading on from the last page's checkpoint | drops the part's call or the wait |
//! | [`WithRateLimit`] | handed on as they are, once all their items are allowed | held back until all their items are allowed | in the wait, gives the items' places back |
//! | [`WithTracing`] | handed on as they are, in a span | a span for each page | closes the span |
//!
//! A wrapper of one's own is a [`Layer`]: what it does around each call, whatever the part.

mod layer;
mod layered;
mod rate_limit;
mod retry;
mod timeout;
mod tracing;

use std::time::Duration;

pub use layer::{Answer, Call, Items, Layer, Read, Work};
pub use layered::Layered;
pub use rate_limit::{RateLimit, WithRateLimit};
pub use retry::{Retries, WithRetry};
pub use timeout::{Timeout, WithTimeout};
pub use tracing::{Trace, WithTracing};

use crate::RetryPolicy;

/// Wraps parts.
pub trait MiddlewareExt: Sized {
    /// Fails calls, and a source's pages, that take longer than this; see [`WithTimeout`].
    fn with_timeout(self, limit: Duration) -> WithTimeout<Self> {
        WithTimeout::new(self, limit)
    }

    /// Tries again what fails for the moment; see [`WithRetry`].
    fn with_retry(self, policy: RetryPolicy) -> WithRetry<Self> {
        WithRetry::new(self, policy)
    }

    /// Lets through at most so many items a second; see [`WithRateLimit`].
    fn with_rate_limit(self, per_second: f64) -> WithRateLimit<Self> {
        WithRateLimit::new(self, per_second)
    }

    /// Puts each call into a span, with its errors; see [`WithTracing`].
    fn with_tracing(self) -> WithTracing<Self> {
        WithTracing::new(self)
    }
}

impl<P: Sized> MiddlewareExt for P {}
