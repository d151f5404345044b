//! Labels for a picture, by a model from a folder: one of several, or each by itself.

mod scores;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{Batch, Enriched, Enricher, EnricherSpec, Finding, Pixels, Result};

use crate::folder::{self, ModelFolder};
use crate::manifest::{Manifest, Task};
use crate::picture::{self, PictureModel, PictureTask};
use crate::runtime::{Tuned, Tuning};

pub use scores::Prediction;
pub(crate) use scores::Scores;

/// An enricher that says which of its labels each picture shows: one (`task = "classify"`), or as many as are there (`task = "multi-label"`).
///
/// With `regions_of` in the manifest's input it looks at the parts of pictures that a detector found, instead of whole ones.
///
/// ```
/// use std::sync::Arc;
/// use heurpipe_core::{Enricher, Pixels};
/// use heurpipe_models::shipped;
///
/// let garment = shipped::garment()?;
/// assert_eq!(garment.spec().gives, ["garment"]);
/// let input = garment.manifest().picture_input()?;
/// let (width, height) = (input.width, input.height);
/// let grey = Pixels::rgb(width, height, vec![128; (width * height * 3) as usize]);
/// let predictions = garment.classify(&[Arc::new(grey)])?;
/// assert!(garment.manifest().labels.contains(&predictions[0].label));
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Classify {
    model: Arc<Model>,
    spec: EnricherSpec,
    threshold: Option<f32>,
}

struct Model {
    folder: ModelFolder,
    scores: Scores,
    network: PictureModel,
}

impl std::fmt::Debug for Classify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Classify")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl Classify {
    /// Loads a model folder: `model.toml` and the model it names.
    ///
    /// # Errors
    /// `NotFound` or `Io` for files that cannot be read, `Config` for a manifest that does not fit the model, `Corrupt` for a digest that
    /// does not match or a model that the runtime refuses. The error names the file.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open(ModelFolder::open(folder.as_ref())?)
    }

    pub(crate) fn open(folder: ModelFolder) -> Result<Self> {
        folder.expect(&[Task::Classify, Task::MultiLabel])?;
        let network = PictureModel::open(&folder, &[folder.manifest.output.name.as_deref()])?;
        let model = Model::of(folder, network);
        Ok(Self {
            spec: spec_of(&model, &model.folder.manifest),
            threshold: model.folder.manifest.threshold,
            model,
        })
    }

    /// Finds out which batch size and how many threads are fastest for this model on this machine, and remembers it for whoever loads the model next.
    /// The fastest setting comes first. Takes some seconds.
    ///
    /// # Errors
    /// As [`load`](Self::load); `Io` where the finding cannot be kept.
    pub fn tune(&self) -> Result<Vec<Tuning>> {
        let folder = &self.model.folder;
        picture::tune(folder, &[folder.manifest.output.name.as_deref()])
    }

    /// The same model with so many items a call and threads a session, whatever was measured on this machine. A model whose batch is fixed keeps that.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn tuned(mut self, setting: Tuned) -> Result<Self> {
        let folder = self.model.folder.clone();
        let output = folder.manifest.output.name.as_deref();
        let network = PictureModel::open_tuned(&folder, &[output], setting)?;
        self.model = Model::of(folder, network);
        Ok(self)
    }

    /// The same model under another name, so that two settings of it can run in one pipeline.
    pub fn named(mut self, name: &str) -> Self {
        self.spec.name = name.to_owned();
        self
    }

    /// The same model as another version: what it analysed before is stale.
    pub fn versioned(self, version: &str) -> Self {
        let mut manifest = self.as_set();
        manifest.version = version.to_owned();
        self.with(&manifest)
    }

    /// Another confidence from which its word counts, 0 to 1.
    pub fn threshold(self, threshold: f32) -> Self {
        let mut manifest = self.as_set();
        manifest.threshold = Some(threshold);
        self.with(&manifest)
    }

    /// The manifest with what was set since.
    fn as_set(&self) -> Manifest {
        let mut manifest = self.model.folder.manifest.clone();
        manifest.version.clone_from(&self.spec.version);
        manifest.threshold = self.threshold;
        manifest
    }

    fn with(mut self, manifest: &Manifest) -> Self {
        let name = self.spec.name;
        self.spec = spec_of(&self.model, manifest);
        self.threshold = manifest.threshold;
        self.spec.name = name;
        self
    }

    /// What the model's folder says of it.
    pub fn manifest(&self) -> &Manifest {
        &self.model.folder.manifest
    }

    /// SHA-256 of the model file, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.model.folder.digest
    }

    /// Classifies pictures of the size that the model wants, on the calling thread. One prediction a picture, in order.
    ///
    /// # Errors
    /// `InvalidInput` for pixels of another size; `Internal` where the runtime fails.
    pub fn classify(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Prediction>> {
        self.model.look(pictures)
    }
}

/// A model that says which of its labels a picture has.
pub trait Classifier: Enricher {
    /// What the model's folder says of it.
    fn manifest(&self) -> &Manifest;

    /// Classifies pictures of the size that the model wants, on the calling thread. One prediction a picture, in order.
    ///
    /// # Errors
    /// `InvalidInput` for pixels of another size; `Internal` where the runtime fails.
    fn classify(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Prediction>>;
}

impl Classifier for Classify {
    fn manifest(&self) -> &Manifest {
        self.manifest()
    }

    fn classify(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Prediction>> {
        self.classify(pictures)
    }
}

impl Model {
    fn of(folder: ModelFolder, network: PictureModel) -> Arc<Self> {
        Arc::new(Self {
            scores: Scores::of(&folder.manifest),
            folder,
            network,
        })
    }
}

impl PictureTask for Model {
    type Found = Prediction;

    fn network(&self) -> &PictureModel {
        &self.network
    }

    fn look(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Prediction>> {
        self.network.run(pictures, |outputs, pictures| {
            let numbers = outputs.first().map_or(&[][..], |output| &output.values);
            self.scores.predictions(numbers, pictures)
        })
    }
}

#[async_trait]
impl Enricher for Classify {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn prepare(&self) -> Result<()> {
        picture::prepare(&self.model).await
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let findings = |prediction| self.findings(prediction);
        picture::enrich(&self.model, &self.spec, batch, findings).await
    }
}

impl Classify {
    fn findings(&self, prediction: Prediction) -> Vec<Finding> {
        let manifest = self.manifest();
        let attribute = &manifest.attribute;
        match manifest.task {
            Task::MultiLabel => {
                let threshold = |label: &String| {
                    let own = manifest.thresholds.get(label).copied();
                    own.or(self.threshold).unwrap_or(0.5)
                };
                let all = manifest.labels.iter().zip(prediction.probabilities);
                all.filter(|(label, probability)| *probability >= threshold(label))
                    .map(|(label, probability)| {
                        Finding::label(attribute, label).confidence(probability)
                    })
                    .collect()
            }
            _ => {
                vec![Finding::label(attribute, prediction.label).confidence(prediction.confidence)]
            }
        }
    }
}

fn spec_of(model: &Model, manifest: &Manifest) -> EnricherSpec {
    let digests = [model.folder.digest.as_str()];
    let guess = folder::guessed_cost(manifest);
    let gives = std::slice::from_ref(&manifest.attribute);
    let mut spec = folder::spec_of(manifest, gives, &digests, guess);
    if manifest.task == Task::MultiLabel {
        // Labels may have thresholds of their own, which are applied when findings are made.
        spec.threshold = None;
    }
    spec
}

#[cfg(test)]
mod tests;
