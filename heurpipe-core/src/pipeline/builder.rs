//! Composing a pipeline.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::branch::{Branch, Route, Stages};
use super::near::NearDuplicates;
use super::order::{Wave, invalid, waves};
use super::plan::{Plan, PlannedStage};
use super::stage::StageOptions;
use super::{MediaAccess, Origin, Parts, Pipeline};
use crate::{
    AnalysisCache, Blobs, Budget, Decoder, Documents, Enricher, FetchMedia, Filter, Input,
    QualityGate, Result, ReviewQueue, Sink, Source,
};

/// Sinks and side outputs that a pipeline may have: while a post is delivered, each is a bit of a word.
pub(super) const MOST_SINKS: usize = 64;

/// Composes a [`Pipeline`]; see [`Pipeline::builder`].
#[derive(Default)]
#[must_use]
pub struct PipelineBuilder {
    name: String,
    documents: Option<Arc<dyn Documents>>,
    review: Option<Arc<dyn ReviewQueue>>,
    analyses: Option<Arc<dyn AnalysisCache>>,
    near: Option<NearDuplicates>,
    origins: Vec<Origin>,
    media: Option<MediaAccess>,
    decoder: Option<Arc<dyn Decoder>>,
    budget: Option<Budget>,
    trunk: Branch,
}

impl PipelineBuilder {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The state: records are saved when gathered and when settled, and a killed run goes on where it was. Without documents, checkpoints
    /// are not kept, and of a post that comes again soon (within some ten thousand posts) only the first is taken.
    pub fn documents(mut self, documents: Arc<dyn Documents>) -> Self {
        self.documents = Some(documents);
        self
    }

    /// Where gates put their questions.
    pub fn review(mut self, queue: Arc<dyn ReviewQueue>) -> Self {
        self.review = Some(queue);
        self
    }

    /// What was found in pictures before: a picture that comes again, in whatever post, is not analysed again.
    pub fn analyses(mut self, cache: Arc<dyn AnalysisCache>) -> Self {
        self.analyses = Some(cache);
        self
    }

    /// Lets enrichers take over what they found in an earlier picture that looks nearly the same, instead of looking themselves. Without this they never
    /// do.
    pub fn near_duplicates(mut self, allowed: NearDuplicates) -> Self {
        self.near = Some(allowed);
        self
    }

    /// Adds a source; several are read at the same time, and what they yield is merged.
    pub fn source(self, source: impl Source + 'static) -> Self {
        self.source_arc(Arc::new(source))
    }

    /// Adds a shared source.
    pub fn source_arc(mut self, source: Arc<dyn Source>) -> Self {
        self.origins.push(Origin::Source(source));
        self
    }

    /// Adds as a source the records that documents hold for this pipeline, that match the filter, and on which an enricher has something to
    /// do: re-analysis. What is up to date is not even read.
    pub fn stale(mut self, filter: Filter) -> Self {
        self.origins.push(Origin::Stale(filter));
        self
    }

    /// Fetches media at ingest.
    pub fn fetch_media(mut self, fetcher: impl FetchMedia + 'static) -> Self {
        self.media = Some(MediaAccess::Fetch(Arc::new(fetcher)));
        self
    }

    /// Reads media that were fetched earlier, and fetches none.
    pub fn stored_media(mut self, blobs: Arc<dyn Blobs>) -> Self {
        self.media = Some(MediaAccess::Stored(blobs));
        self
    }

    /// Decodes pictures for the enrichers that want pixels.
    pub fn decode_with(mut self, decoder: impl Decoder + 'static) -> Self {
        self.decoder = Some(Arc::new(decoder));
        self
    }

    /// Holds what the analysis costs: dear enrichers run only where it is worth most.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Adds an enricher; the order follows from what each needs and gives.
    pub fn enrich(self, enricher: impl Enricher + 'static) -> Self {
        self.on_trunk(|trunk| trunk.enrich(enricher))
    }

    /// Adds an enricher that is called in a way of its own.
    pub fn enrich_with(self, enricher: impl Enricher + 'static, options: StageOptions) -> Self {
        self.on_trunk(|trunk| trunk.enrich_with(enricher, options))
    }

    /// Adds a shared enricher.
    pub fn enrich_arc(self, enricher: Arc<dyn Enricher>) -> Self {
        self.enrich(enricher)
    }

    /// Sends each post one way of several.
    pub fn route(self, route: Route) -> Self {
        self.on_trunk(|trunk| trunk.route(route))
    }

    /// Adds a gate; a record passes all of them in order.
    pub fn gate(self, gate: impl QualityGate + 'static) -> Self {
        self.on_trunk(|trunk| trunk.gate(gate))
    }

    /// Adds a gate that is called in a way of its own.
    pub fn gate_with(self, gate: impl QualityGate + 'static, options: StageOptions) -> Self {
        self.on_trunk(|trunk| trunk.gate_with(gate, options))
    }

    /// Adds a sink.
    pub fn sink(self, sink: impl Sink + 'static) -> Self {
        self.on_trunk(|trunk| trunk.sink(sink))
    }

    /// Adds a sink that is called in a way of its own.
    pub fn sink_with(self, sink: impl Sink + 'static, options: StageOptions) -> Self {
        self.on_trunk(|trunk| trunk.sink_with(sink, options))
    }

    /// Adds a side output; see [`Branch::tee`].
    pub fn tee(self, sink: impl Sink + 'static) -> Self {
        self.on_trunk(|trunk| trunk.tee(sink))
    }

    fn on_trunk(mut self, add: impl FnOnce(Branch) -> Branch) -> Self {
        self.trunk = add(self.trunk);
        self
    }

    /// Checks the whole and puts it in order.
    ///
    /// # Errors
    /// `Config`, naming the stage and what is missing: no name, no source, no sink or more than 64, two parts of one name, an attribute that is needed
    /// and not given, a circle, pixels without a decoder or media, a gate without documents or without a review queue,
    /// near-duplicates without a cache of analyses or without an enricher that says what pictures look like.
    pub fn build(self) -> Result<Pipeline> {
        let stages = Stages::of(&self.trunk);
        self.check_ends(&stages)?;
        check_distinct(&self.origins, &stages)?;
        self.check_media(&stages)?;
        self.check_gates(&stages)?;
        if let Some(near) = &self.near {
            near.check(&stages.enrichers, self.analyses.is_some())?;
        }
        let waves = waves(&stages.enrichers, self.near.as_ref())?;
        let plan = self.plan(&waves, &stages);
        Ok(Pipeline {
            parts: Arc::new(Parts {
                name: self.name,
                documents: self.documents,
                review: self.review,
                analyses: self.analyses,
                near: self.near,
                origins: self.origins,
                media: self.media,
                decoder: self.decoder,
                budget: self.budget,
                gates: stages.gates,
                sinks: stages.sinks,
            }),
            waves: Arc::new(waves),
            plan,
        })
    }

    fn check_ends(&self, stages: &Stages) -> Result<()> {
        if self.name.is_empty() || self.name.contains('/') {
            return Err(
                invalid("a pipeline's name is not empty and has no slash").with("name", &self.name)
            );
        }
        if self.origins.is_empty() {
            return Err(invalid("the pipeline has no source").with("pipeline", &self.name));
        }
        if !stages.sinks.iter().any(|sink| !sink.tee) {
            return Err(invalid("the pipeline has no sink").with("pipeline", &self.name));
        }
        if stages.sinks.len() > MOST_SINKS {
            return Err(invalid("the pipeline has more sinks than it can have")
                .with("pipeline", &self.name)
                .with("sinks", stages.sinks.len())
                .with("most", MOST_SINKS));
        }
        let stale = |origin: &Origin| matches!(origin, Origin::Stale(_));
        if self.documents.is_none() && self.origins.iter().any(stale) {
            return Err(invalid("stale records are found in documents")
                .with("pipeline", &self.name)
                .with("missing", "documents"));
        }
        Ok(())
    }

    fn check_media(&self, stages: &Stages) -> Result<()> {
        for enricher in &stages.enrichers {
            let spec = enricher.spec();
            if spec.input != Input::Record && self.media.is_none() {
                return Err(invalid(
                    "an enricher wants pictures and the pipeline has no media access",
                )
                .with("enricher", &spec.name)
                .with("missing", "fetch_media or stored_media"));
            }
            if matches!(spec.input, Input::Pixels(_)) && self.decoder.is_none() {
                return Err(
                    invalid("an enricher wants pixels and the pipeline has no decoder")
                        .with("enricher", &spec.name)
                        .with("missing", "decode_with"),
                );
            }
        }
        Ok(())
    }

    fn check_gates(&self, stages: &Stages) -> Result<()> {
        let Some(first) = stages.gates.first() else {
            return Ok(());
        };
        let missing = match (&self.documents, &self.review) {
            (None, _) => "documents",
            (_, None) => "review",
            _ => "",
        };
        if !missing.is_empty() {
            return Err(invalid("a gate has nowhere to keep what it holds")
                .with("gate", first.gate.name())
                .with("missing", missing));
        }
        for stage in &stages.gates {
            for attribute in stage.gate.needs() {
                let mut specs = stages.enrichers.iter().map(|e| e.spec());
                if !specs.any(|spec| spec.gives.contains(attribute)) {
                    return Err(invalid("a gate needs an attribute that no enricher gives")
                        .with("gate", stage.gate.name())
                        .with("missing", attribute));
                }
            }
        }
        Ok(())
    }

    fn plan(&self, waves: &[Wave], stages: &Stages) -> Plan {
        let mut planned = Vec::new();
        for origin in &self.origins {
            planned.push(PlannedStage::new(
                "source",
                origin.name(),
                origin.description(&self.name),
            ));
        }
        if let Some(media) = &self.media {
            let detail = match media {
                MediaAccess::Fetch(_) => "fetch pictures into blobs",
                MediaAccess::Stored(_) => "pictures fetched earlier",
            };
            planned.push(PlannedStage::new("media", "media", detail.to_owned()));
        }
        for (number, wave) in waves.iter().enumerate() {
            for stage in wave {
                let near = self.near.as_ref().filter(|n| n.concerns(stage.spec()));
                planned.push(PlannedStage::enricher(stage, number + 1, near));
            }
        }
        for stage in &stages.gates {
            let (name, detail) = (stage.gate.name(), stage.gate.describe());
            planned.push(PlannedStage::new("gate", name, detail).under(&stage.condition));
        }
        for stage in &stages.sinks {
            let filter = stage.sink.spec().only.to_string();
            let detail = if filter.is_empty() {
                "every post".to_owned()
            } else {
                format!("only {filter}")
            };
            let kind = if stage.tee { "tee" } else { "sink" };
            planned.push(PlannedStage::new(kind, stage.name(), detail).under(&stage.condition));
        }
        Plan::new(&self.name, planned)
    }
}

fn check_distinct(origins: &[Origin], stages: &Stages) -> Result<()> {
    distinct("source", origins.iter().map(Origin::name))?;
    distinct("gate", stages.gates.iter().map(|stage| stage.gate.name()))?;
    distinct("sink", stages.sinks.iter().map(|stage| stage.name()))?;
    distinct("route", stages.routes.iter().map(|(name, _)| name.as_str()))?;
    for (route, cases) in &stages.routes {
        distinct("case", cases.iter().map(String::as_str))
            .map_err(|error| error.with("route", route))?;
    }
    Ok(())
}

fn distinct<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(invalid("two parts of one kind have one name")
                .with("kind", what)
                .with("name", name));
        }
    }
    Ok(())
}
