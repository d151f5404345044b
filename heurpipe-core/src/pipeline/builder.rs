//! Composing a pipeline.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::plan::{Plan, PlannedStage, Wave, invalid, waves};
use super::{MediaAccess, Pipeline};
use crate::{
    Blobs, Decoder, Documents, Enricher, FetchMedia, Input, QualityGate, Result, ReviewQueue, Sink,
    Source,
};

/// Composes a [`Pipeline`]; see [`Pipeline::builder`].
#[derive(Default)]
#[must_use]
pub struct PipelineBuilder {
    name: String,
    documents: Option<Arc<dyn Documents>>,
    review: Option<Arc<dyn ReviewQueue>>,
    sources: Vec<Arc<dyn Source>>,
    media: Option<MediaAccess>,
    decoder: Option<Arc<dyn Decoder>>,
    enrichers: Vec<Arc<dyn Enricher>>,
    gates: Vec<Arc<dyn QualityGate>>,
    sinks: Vec<Arc<dyn Sink>>,
}

impl PipelineBuilder {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The state: records are saved when gathered and when settled, and a killed run goes on where it was. Without documents, checkpoints
    /// are not kept, and of a post that comes twice in a run only the first is taken.
    pub fn documents(mut self, documents: Arc<dyn Documents>) -> Self {
        self.documents = Some(documents);
        self
    }

    /// Where gates put their questions.
    pub fn review(mut self, queue: Arc<dyn ReviewQueue>) -> Self {
        self.review = Some(queue);
        self
    }

    /// Adds a source; several are read at the same time.
    pub fn source(self, source: impl Source + 'static) -> Self {
        self.source_arc(Arc::new(source))
    }

    /// Adds a shared source.
    pub fn source_arc(mut self, source: Arc<dyn Source>) -> Self {
        self.sources.push(source);
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

    /// Adds an enricher; the order follows from what each needs and gives.
    pub fn enrich(self, enricher: impl Enricher + 'static) -> Self {
        self.enrich_arc(Arc::new(enricher))
    }

    /// Adds a shared enricher.
    pub fn enrich_arc(mut self, enricher: Arc<dyn Enricher>) -> Self {
        self.enrichers.push(enricher);
        self
    }

    /// Adds a gate; a record passes all of them in order.
    pub fn gate(mut self, gate: impl QualityGate + 'static) -> Self {
        self.gates.push(Arc::new(gate));
        self
    }

    /// Adds a sink.
    pub fn sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sinks.push(Arc::new(sink));
        self
    }

    /// Checks the whole and puts it in order.
    ///
    /// # Errors
    /// `Config`, naming the stage and what is missing: no name, no source, no sink, two parts of one name, an attribute that is needed
    /// and not given, a circle, pixels without a decoder or media, a gate without documents or without a review queue.
    pub fn build(self) -> Result<Pipeline> {
        if self.name.is_empty() || self.name.contains('/') {
            return Err(
                invalid("a pipeline's name is not empty and has no slash").with("name", &self.name)
            );
        }
        if self.sources.is_empty() {
            return Err(invalid("the pipeline has no source").with("pipeline", &self.name));
        }
        if self.sinks.is_empty() {
            return Err(invalid("the pipeline has no sink").with("pipeline", &self.name));
        }
        distinct(
            "source",
            self.sources.iter().map(|s| s.spec().name.as_str()),
        )?;
        distinct("gate", self.gates.iter().map(|g| g.name()))?;
        distinct("sink", self.sinks.iter().map(|s| s.spec().name.as_str()))?;
        self.check_media()?;
        self.check_gates()?;
        let waves = waves(&self.enrichers)?;
        let plan = self.plan(&waves);
        Ok(Pipeline {
            name: self.name,
            documents: self.documents,
            review: self.review,
            sources: self.sources,
            media: self.media,
            decoder: self.decoder,
            waves,
            gates: self.gates,
            sinks: self.sinks,
            plan,
        })
    }

    fn check_media(&self) -> Result<()> {
        for enricher in &self.enrichers {
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

    fn check_gates(&self) -> Result<()> {
        let Some(gate) = self.gates.first() else {
            return Ok(());
        };
        let missing = match (&self.documents, &self.review) {
            (None, _) => "documents",
            (_, None) => "review",
            _ => "",
        };
        if !missing.is_empty() {
            return Err(invalid("a gate has nowhere to keep what it holds")
                .with("gate", gate.name())
                .with("missing", missing));
        }
        for gate in &self.gates {
            for attribute in gate.needs() {
                let given = self
                    .enrichers
                    .iter()
                    .any(|e| e.spec().gives.contains(attribute));
                if !given {
                    return Err(invalid("a gate needs an attribute that no enricher gives")
                        .with("gate", gate.name())
                        .with("missing", attribute));
                }
            }
        }
        Ok(())
    }

    fn plan(&self, waves: &[Wave]) -> Plan {
        let mut stages = Vec::new();
        for source in &self.sources {
            let spec = source.spec();
            stages.push(PlannedStage::new(
                "source",
                &spec.name,
                spec.description.clone(),
            ));
        }
        if let Some(media) = &self.media {
            let detail = match media {
                MediaAccess::Fetch(_) => "fetch pictures into blobs",
                MediaAccess::Stored(_) => "pictures fetched earlier",
            };
            stages.push(PlannedStage::new("media", "media", detail.to_owned()));
        }
        for (number, wave) in waves.iter().enumerate() {
            for enricher in wave {
                stages.push(PlannedStage::enricher(enricher.spec(), number + 1));
            }
        }
        for gate in &self.gates {
            stages.push(PlannedStage::new("gate", gate.name(), gate.describe()));
        }
        for sink in &self.sinks {
            let spec = sink.spec();
            let filter = spec.only.to_string();
            let detail = if filter.is_empty() {
                "every post".to_owned()
            } else {
                format!("only {filter}")
            };
            stages.push(PlannedStage::new("sink", &spec.name, detail));
        }
        Plan {
            pipeline: self.name.clone(),
            stages,
        }
    }
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
