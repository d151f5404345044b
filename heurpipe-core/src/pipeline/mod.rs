//! Pipelines: composed, checked, planned, run.

mod branch;
mod budget;
mod builder;
mod condition;
mod dead_letters;
mod executor;
mod in_order;
mod near;
mod need;
mod order;
mod partition_channel;
mod plan;
mod receipt;
mod stage;
mod stale;
mod survey;
mod sync;

use std::sync::Arc;

pub use branch::{Branch, Route};
pub use budget::{Budget, BudgetReport, GovernedReport};
pub use builder::PipelineBuilder;
pub use condition::Test;
pub use dead_letters::DeadLetters;
pub use executor::{Force, Order, ProgressFn, RunOptions, StopSignal, StopSwitch, stop_signal};
pub use near::NearDuplicates;
pub use need::Why;
pub use plan::{Explained, Plan, PlannedStage};
pub use stage::{BatchSize, StageOptions};
pub use stale::StoredRecords;
pub use survey::{Change, EnricherSurvey, Survey};

use crate::{
    AnalysisCache, Blobs, Decoder, Documents, FetchMedia, Filter, Result, ReviewQueue, RunReport,
    Source,
};

/// Where a pipeline gets the bytes of media from.
#[derive(Clone)]
pub(crate) enum MediaAccess {
    /// Fetches what is missing.
    Fetch(Arc<dyn FetchMedia>),
    /// Takes what is there.
    Stored(Arc<dyn Blobs>),
}

/// Where a pipeline's records come from.
pub(crate) enum Origin {
    /// A source.
    Source(Arc<dyn Source>),
    /// The stored records that match and on which something is stale.
    Stale(Filter),
}

impl Origin {
    fn name(&self) -> &str {
        match self {
            Self::Source(source) => &source.spec().name,
            Self::Stale(_) => StoredRecords::NAME,
        }
    }

    fn description(&self, pipeline: &str) -> String {
        match self {
            Self::Source(source) => source.spec().description.clone(),
            Self::Stale(filter) => match filter.to_string() {
                text if text.is_empty() => format!("stale posts of {pipeline}"),
                text => format!("stale posts of {pipeline} where {text}"),
            },
        }
    }
}

/// What a pipeline consists of, apart from its enrichers.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) documents: Option<Arc<dyn Documents>>,
    pub(crate) review: Option<Arc<dyn ReviewQueue>>,
    pub(crate) analyses: Option<Arc<dyn AnalysisCache>>,
    pub(crate) near: Option<NearDuplicates>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) media: Option<MediaAccess>,
    pub(crate) decoder: Option<Arc<dyn Decoder>>,
    pub(crate) budget: Option<Budget>,
    pub(crate) gates: Vec<stage::GateStage>,
    pub(crate) sinks: Vec<stage::SinkStage>,
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
    pub(crate) parts: Arc<Parts>,
    pub(crate) waves: Arc<Vec<order::Wave>>,
    plan: Plan,
}

impl Pipeline {
    /// Begins a pipeline. Its name keys checkpoints and states.
    pub fn builder(name: impl Into<String>) -> PipelineBuilder {
        PipelineBuilder::new(name)
    }

    /// The pipeline's name.
    pub fn name(&self) -> &str {
        &self.parts.name
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
    pub async fn survey(&self, filter: &Filter, force: &Force) -> Result<Survey> {
        survey::survey(self, filter, force).await
    }

    /// The same pipeline with only this enricher, what depends on it, and what these need.
    ///
    /// # Errors
    /// `Config` when the pipeline has no enricher of this name.
    pub fn only_enricher(mut self, name: &str) -> Result<Self> {
        let all: Vec<Arc<stage::EnricherStage>> = self.enrichers().cloned().collect();
        let near = self.parts.near.as_ref();
        let kept = order::around(&all, near, name)?;
        self.waves = Arc::new(order::waves(&kept, near)?);
        let waves = &self.waves;
        let mut stages = std::mem::take(&mut self.plan.stages);
        stages.retain(|stage| {
            let kept = || waves.iter().flatten().any(|e| e.spec().name == stage.name);
            stage.kind != "enrich" || kept()
        });
        self.plan = Plan::new(&self.parts.name, stages);
        Ok(self)
    }

    pub(crate) fn enrichers(&self) -> impl Iterator<Item = &Arc<stage::EnricherStage>> {
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
