//! Pipelines: composed, checked, planned, run.

// The executor is yet to ask it.
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
mod budget;
mod builder;
mod executor;
mod in_order;
mod need;
mod partition_channel;
mod plan;
mod receipt;
mod stale;
mod survey;
mod sync;

use std::sync::Arc;

pub use budget::{Budget, BudgetReport, GovernedReport};
pub use builder::PipelineBuilder;
pub use executor::{ProgressFn, RunOptions, StopSignal, stop_signal};
pub use need::Why;
pub use plan::{Plan, PlannedStage};
pub use stale::StoredRecords;
pub use survey::{EnricherSurvey, Survey};

use crate::{
    Blobs, Decoder, Documents, Enricher, FetchMedia, QualityGate, Result, ReviewQueue, RunReport,
    Sink, Source,
};

/// Where a pipeline gets the bytes of media from.
#[derive(Clone)]
pub(crate) enum MediaAccess {
    /// Fetches what is missing.
    Fetch(Arc<dyn FetchMedia>),
    /// Takes what is there.
    Stored(Arc<dyn Blobs>),
}

/// Sources, enrichers, gates and sinks, checked and put in order.
///
/// ```
/// # use std::sync::Arc;
/// use heurpipe_core::testkit::{Collect, Posts};
/// use heurpipe_core::{EnricherFn, EnricherSpec, Finding, Pipeline, RunOptions};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> heurpipe_core::Result<()> {
/// let loud = EnricherFn::new(EnricherSpec::new("loud", "1").gives(["loud"]), |item| {
///     let answer = if item.post().text.contains('!') { "yes" } else { "no" };
///     Ok(vec![Finding::label("loud", answer)])
/// });
/// let sink = Collect::new("out");
/// let report = Pipeline::builder("shouting")
///     .source(Posts::texts(["hello", "look at this dress!"]))
///     .enrich(loud)
///     .sink(sink.clone())
///     .build()?
///     .run(RunOptions::default())
///     .await?;
/// assert_eq!(report.posts.delivered, 2);
/// assert!(sink.records()[1].effective()["loud"].contains("yes"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Pipeline {
    pub(crate) name: String,
    pub(crate) documents: Option<Arc<dyn Documents>>,
    pub(crate) review: Option<Arc<dyn ReviewQueue>>,
    pub(crate) sources: Vec<Arc<dyn Source>>,
    pub(crate) media: Option<MediaAccess>,
    pub(crate) decoder: Option<Arc<dyn Decoder>>,
    pub(crate) waves: Vec<plan::Wave>,
    pub(crate) gates: Vec<Arc<dyn QualityGate>>,
    pub(crate) sinks: Vec<Arc<dyn Sink>>,
    plan: Plan,
}

impl Pipeline {
    /// Begins a pipeline. Its name keys checkpoints and states.
    pub fn builder(name: impl Into<String>) -> PipelineBuilder {
        PipelineBuilder::new(name)
    }

    /// The pipeline's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it will do.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Reads all sources to their end, or until stopped, and reports what became of every post.
    ///
    /// With documents, a run first takes up what an earlier one left pending, then goes on from the stored checkpoints.
    ///
    /// # Errors
    /// When a store fails for good. What a source or a post does wrong is in the report, not an error.
    pub async fn run(&self, options: RunOptions) -> Result<RunReport> {
        executor::run(self, options).await
    }

    /// Counts what would run on the records that documents hold, and why; runs nothing.
    ///
    /// # Errors
    /// When the pipeline has no documents, or they cannot be read.
    pub async fn survey(&self, filter: &crate::Filter) -> Result<Survey> {
        survey::survey(self, filter).await
    }

    /// The same pipeline with only this enricher, what depends on it, and what these need.
    ///
    /// # Errors
    /// `Config` when the pipeline has no enricher of this name.
    pub fn only_enricher(mut self, name: &str) -> Result<Self> {
        let all: Vec<Arc<dyn Enricher>> = self.enrichers().cloned().collect();
        self.waves = plan::waves(&plan::around(&all, name)?)?;
        let waves = &self.waves;
        self.plan.stages.retain(|stage| {
            let kept = || waves.iter().flatten().any(|e| e.spec().name == stage.name);
            stage.kind != "enrich" || kept()
        });
        Ok(self)
    }

    pub(crate) fn enrichers(&self) -> impl Iterator<Item = &Arc<dyn Enricher>> {
        self.waves.iter().flatten()
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("plan", &self.plan)
            .finish()
    }
}
