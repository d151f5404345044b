//! A part within a layer is a part.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::layer::{Answer, Call, Layer, Read, Work};
use crate::{
    Batch, Checkpoint, Enriched, Enricher, EnricherSpec, Finding, ItemResult, Outcome, Page,
    Partition, PostId, QualityGate, Record, Result, Sink, SinkSpec, Source, SourceSpec, Verdict,
};

/// A part with a layer around each of its calls. Spec, name and needs are the part's own. Clones share part and layer.
#[derive(Debug)]
pub struct Layered<P, L> {
    part: Arc<P>,
    layer: Arc<L>,
}

impl<P, L> Layered<P, L> {
    /// Puts a layer around a part.
    pub fn around(part: P, layer: L) -> Self {
        Self {
            part: Arc::new(part),
            layer: Arc::new(layer),
        }
    }

    /// The part within.
    pub fn part(&self) -> &P {
        &self.part
    }

    /// The layer.
    pub fn layer(&self) -> &L {
        &self.layer
    }
}

impl<P, L> Clone for Layered<P, L> {
    fn clone(&self) -> Self {
        Self {
            part: Arc::clone(&self.part),
            layer: Arc::clone(&self.layer),
        }
    }
}

#[async_trait]
impl<P: Source + 'static, L: Layer> Source for Layered<P, L> {
    fn spec(&self) -> &SourceSpec {
        self.part.spec()
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        let call = Call::new("source", "partitions", &self.part.spec().name, 0);
        self.layer.call(&call, || self.part.partitions()).await
    }

    fn read(&self, partition: Partition, from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let part = Arc::clone(&self.part);
        let read: Read = Arc::new(move |from| part.read(partition.clone(), from));
        let name = self.part.spec().name.clone();
        Arc::clone(&self.layer).pages(name, from, read)
    }

    async fn settled(
        &self,
        partition: &Partition,
        upto: &Checkpoint,
        outcomes: &[(PostId, Outcome)],
    ) -> Result<()> {
        let name = &self.part.spec().name;
        let call = Call::new("source", "settled", name, outcomes.len());
        self.layer
            .call(&call, || self.part.settled(partition, upto, outcomes))
            .await
    }
}

#[async_trait]
impl<P: Enricher, L: Layer> Enricher for Layered<P, L>
where
    P: 'static,
{
    fn spec(&self) -> &EnricherSpec {
        self.part.spec()
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let spec = self.part.spec();
        let call = Call::new("enricher", "enrich", &spec.name, batch.len());
        let answer = self.layer.batch(&call, batch, &Enrich(&*self.part)).await?;
        let fingerprint = answer
            .fingerprint
            .unwrap_or_else(|| spec.fingerprint.clone());
        Ok(Enriched::new(fingerprint, answer.outcomes).cpu(answer.cpu))
    }
}

struct Enrich<'a, P>(&'a P);

#[async_trait]
impl<P: Enricher> Work<Batch, Vec<Finding>> for Enrich<'_, P> {
    async fn run(&self, batch: &Batch) -> Result<Answer<Vec<Finding>>> {
        Ok(self.0.enrich(batch).await?.into())
    }
}

#[async_trait]
impl<P: QualityGate, L: Layer> QualityGate for Layered<P, L>
where
    P: 'static,
{
    fn name(&self) -> &str {
        self.part.name()
    }

    fn describe(&self) -> String {
        self.part.describe()
    }

    fn needs(&self) -> &[String] {
        self.part.needs()
    }

    async fn judge(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<Verdict>>> {
        let call = Call::new("gate", "judge", self.part.name(), records.len());
        let work = Judge(&*self.part);
        Ok(self.layer.batch(&call, records, &work).await?.outcomes)
    }
}

struct Judge<'a, P>(&'a P);

#[async_trait]
impl<P: QualityGate> Work<[Arc<Record>], Verdict> for Judge<'_, P> {
    async fn run(&self, records: &[Arc<Record>]) -> Result<Answer<Verdict>> {
        Ok(Answer::new(self.0.judge(records).await?))
    }
}

#[async_trait]
impl<P: Sink, L: Layer> Sink for Layered<P, L>
where
    P: 'static,
{
    fn spec(&self) -> &SinkSpec {
        self.part.spec()
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        let name = &self.part.spec().name;
        let call = Call::new("sink", "write", name, records.len());
        let work = Write(&*self.part);
        Ok(self.layer.batch(&call, records, &work).await?.outcomes)
    }

    async fn flush(&self) -> Result<()> {
        let call = Call::new("sink", "flush", &self.part.spec().name, 0);
        self.layer.call(&call, || self.part.flush()).await
    }
}

struct Write<'a, P>(&'a P);

#[async_trait]
impl<P: Sink> Work<[Arc<Record>], ()> for Write<'_, P> {
    async fn run(&self, records: &[Arc<Record>]) -> Result<Answer<()>> {
        Ok(Answer::new(self.0.write(records).await?))
    }
}
