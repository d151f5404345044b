//! Boxes around things, and how many there are.

mod boxes;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{
    Batch, Enriched, Enricher, EnricherSpec, Error, ErrorKind, Finding, Pixels, Region, Result,
    Value,
};

use crate::folder::{self, ModelFolder};
use crate::manifest::{DetectSpec, Heads, Manifest, Task};
use crate::picture::{self, PictureModel, PictureTask};
use boxes::Reader;

/// An enricher that finds things in pictures (`task = "detect"`): a label and a region for each, and their number where the manifest names an
/// attribute for it. It tells that there are faces or people, never whose.
///
/// What it finds can be looked at by another model: one whose input has `regions_of` this one's attribute.
#[derive(Clone)]
pub struct Detect {
    model: Arc<Detector>,
    spec: EnricherSpec,
}

struct Detector {
    manifest: Manifest,
    reader: Reader,
    network: PictureModel,
    count: Option<String>,
    regions: bool,
}

/// A thing in a picture.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Detection {
    /// What it is.
    pub label: String,
    /// How sure, 0 to 1.
    pub confidence: f32,
    /// Where, in fractions of the picture.
    pub region: Region,
}

impl std::fmt::Debug for Detect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detect")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl Detect {
    /// Loads a model folder.
    ///
    /// # Errors
    /// As [`Classify::load`](crate::Classify::load).
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open(ModelFolder::open(folder.as_ref())?)
    }

    pub(crate) fn open(folder: ModelFolder) -> Result<Self> {
        folder.expect(&[Task::Detect])?;
        let manifest = &folder.manifest;
        let detect = manifest.detect.clone().ok_or_else(|| {
            Error::new(ErrorKind::Config, "model.load").message("a detector needs [detect]")
        })?;
        let network = PictureModel::open(&folder, &[])?;
        let outputs = outputs(&network, manifest, &detect)?;
        let network = network.giving(&outputs)?;
        let mut gives = Vec::new();
        if detect.regions {
            gives.push(manifest.attribute.clone());
        }
        gives.extend(detect.count.clone());
        let cost = folder::guessed_cost(manifest);
        let mut spec = folder::spec_of(manifest, &gives, &[&folder.digest], cost);
        // Boxes below the threshold are no findings; there would be thousands.
        spec.threshold = None;
        Ok(Self {
            spec,
            model: Arc::new(Detector {
                reader: Reader::of(manifest, &detect, &network.input),
                count: detect.count,
                regions: detect.regions,
                manifest: folder.manifest,
                network,
            }),
        })
    }

    /// What the model's folder says of it.
    pub fn manifest(&self) -> &Manifest {
        &self.model.manifest
    }

    /// What is in pictures of the size that the model wants, the surest first, on the calling thread.
    ///
    /// # Errors
    /// `InvalidInput` for pixels of another size; `Config` where the outputs are not what the manifest says; `Internal` where the runtime fails.
    pub fn detect(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Vec<Detection>>> {
        self.model.look(pictures)
    }
}

impl PictureTask for Detector {
    type Found = Vec<Detection>;

    fn network(&self) -> &PictureModel {
        &self.network
    }

    fn look(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Vec<Detection>>> {
        let boxes = self.network.run(pictures, |outputs, pictures| {
            self.reader.boxes(outputs, pictures)
        })?;
        let placed = boxes
            .into_iter()
            .zip(pictures)
            .map(|(boxes, picture)| self.reader.placed(boxes, picture.source));
        Ok(placed.collect())
    }
}

impl Detector {
    fn findings(&self, detections: Vec<Detection>) -> Vec<Finding> {
        let mut findings = Vec::with_capacity(detections.len() + 1);
        if let Some(count) = &self.count {
            let number = Value::Number(detections.len() as f64);
            findings.push(Finding::new(count, number));
        }
        if self.regions {
            let found = detections.into_iter().map(|detection| {
                Finding::label(&self.manifest.attribute, detection.label)
                    .confidence(detection.confidence)
                    .region(detection.region)
            });
            findings.extend(found);
        }
        findings
    }
}

/// The outputs to read, boxes first: as the manifest names them, else by their shape.
fn outputs(
    network: &PictureModel,
    manifest: &Manifest,
    detect: &DetectSpec,
) -> Result<Vec<String>> {
    let there: Vec<(&str, &[i64])> = network.outputs_there().collect();
    let last_is = |wanted: i64| {
        let found = there
            .iter()
            .find(|(_, shape)| shape.last() == Some(&wanted));
        found.map(|(name, _)| (*name).to_owned())
    };
    let missing = |what: &str| {
        let names: Vec<&str> = there.iter().map(|(name, _)| *name).collect();
        Error::new(ErrorKind::Config, "model.load")
            .message("no output has the shape looked for: name it in [detect]")
            .with("model", &manifest.name)
            .with("output", what)
            .with("there_are", names.join(", "))
    };
    let scores = manifest.labels.len() as i64 + i64::from(detect.background);
    match detect.heads {
        Heads::Joined => {
            let only = || there.first().map(|(name, _)| (*name).to_owned());
            let boxes = detect.boxes.clone().or_else(only);
            Ok(vec![boxes.ok_or_else(|| missing("boxes"))?])
        }
        Heads::Separate => {
            let boxes = detect.boxes.clone().or_else(|| last_is(4));
            let found = detect.scores.clone().or_else(|| last_is(scores));
            Ok(vec![
                boxes.ok_or_else(|| missing("boxes"))?,
                found.ok_or_else(|| missing("scores"))?,
            ])
        }
    }
}

#[async_trait]
impl Enricher for Detect {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn prepare(&self) -> Result<()> {
        picture::prepare(&self.model).await
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let findings = |detections| self.model.findings(detections);
        picture::enrich(&self.model, &self.spec, batch, findings).await
    }
}
