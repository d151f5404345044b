//! A pipeline of parts that do nothing, so that what is left is the executor.

use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_benches::workload::{BATCH, STAGES};
use heurpipe_core::{
    Batch, Documents, Enriched, Enricher, EnricherSpec, Pipeline, Result, RunOptions, Sink, Source,
};

use crate::AnyResult;

/// Runs everything that the source yields through [`STAGES`] enrichers in a row into the sink.
///
/// # Errors
/// When not every post is delivered.
pub async fn run(
    source: impl Source + 'static,
    documents: Option<Arc<dyn Documents>>,
    sink: impl Sink + 'static,
) -> AnyResult<()> {
    let mut builder = Pipeline::builder("bench").source(source).sink(sink);
    if let Some(documents) = documents {
        builder = builder.documents(documents);
    }
    for stage in 0..STAGES {
        builder = builder.enrich(Idle::after(stage));
    }
    let mut options = RunOptions::default();
    options.batch = BATCH;
    let report = builder.build()?.run(options).await?;
    if report.posts.delivered != report.posts.read || report.posts.read == 0 {
        return Err(format!("not every post was delivered: {report:?}").into());
    }
    Ok(())
}

/// Finds nothing. Each needs what the one before it would give, so that they stand in a row.
struct Idle(EnricherSpec);

impl Idle {
    fn after(stage: usize) -> Self {
        let spec = EnricherSpec::new(&format!("idle{stage}"), "1").gives([format!("idle{stage}")]);
        let needs = stage.checked_sub(1).map(|before| format!("idle{before}"));
        Self(spec.needs(needs))
    }
}

#[async_trait]
impl Enricher for Idle {
    fn spec(&self) -> &EnricherSpec {
        &self.0
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let nothing = batch.items.iter().map(|_| Ok(Vec::new())).collect();
        Ok(Enriched::new(self.0.fingerprint.clone(), nothing))
    }
}
