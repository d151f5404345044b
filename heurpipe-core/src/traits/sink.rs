//! Where records go.

use std::sync::Arc;

use async_trait::async_trait;

use super::enricher::ItemResult;
use crate::Result;
use crate::filter::Filter;
use crate::model::Record;

/// Takes records.
///
/// What an implementer must uphold:
/// - Writing is idempotent by post id and revision: writing a record twice is as writing it once, and an older revision never replaces a
///   newer one.
/// - One outcome per record, in order. An error of the whole call means that nothing is known of any record.
/// - When [`SinkSpec::durable`] is [`Durable::AtFlush`], what was written survives a crash only after [`flush`](Self::flush) has returned; the executor
///   settles receipts after that.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Name and durability.
    fn spec(&self) -> &SinkSpec;

    /// Writes records.
    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>>;

    /// Makes durable all that was written before.
    async fn flush(&self) -> Result<()> {
        Ok(())
    }
}

/// What a sink says of itself.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SinkSpec {
    /// Unique within a pipeline.
    pub name: String,
    /// When a write is durable.
    pub durable: Durable,
    /// Only records that match are written.
    pub only: Filter,
}

impl SinkSpec {
    /// A sink whose writes are durable at once.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            durable: Durable::AtWrite,
            only: Filter::All,
        }
    }

    /// Says that writes are durable after a flush.
    pub fn durable_at_flush(mut self) -> Self {
        self.durable = Durable::AtFlush;
        self
    }
}

/// When a write survives a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durable {
    /// When `write` has returned.
    AtWrite,
    /// When the next `flush` has returned.
    AtFlush,
}

/// Convenience for users of sinks.
pub trait SinkExt: Sink + Sized {
    /// Takes only records that match the filter; the rest is filtered.
    fn only(self, filter: Filter) -> Only<Self> {
        let mut spec = self.spec().clone();
        spec.only = spec.only.and(filter);
        Only { inner: self, spec }
    }

    /// Takes the sink under another name, so that one store can stand in a pipeline twice.
    fn named(self, name: impl Into<String>) -> Only<Self> {
        let mut spec = self.spec().clone();
        spec.name = name.into();
        Only { inner: self, spec }
    }
}

impl<T: Sink + Sized> SinkExt for T {}

/// A sink with a condition or another name; see [`SinkExt`].
#[derive(Debug)]
pub struct Only<S> {
    inner: S,
    spec: SinkSpec,
}

#[async_trait]
impl<S: Sink> Sink for Only<S> {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        self.inner.write(records).await
    }

    async fn flush(&self) -> Result<()> {
        self.inner.flush().await
    }
}

#[async_trait]
impl<S: Sink + ?Sized> Sink for Arc<S> {
    fn spec(&self) -> &SinkSpec {
        (**self).spec()
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        (**self).write(records).await
    }

    async fn flush(&self) -> Result<()> {
        (**self).flush().await
    }
}
