//! Labels that no model was trained on: the label whose description is likest to the picture, by a pair of models such as CLIP.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{Batch, Enriched, Enricher, EnricherSpec, Finding, Pixels, Result};

use crate::classify::{Classifier, Prediction, Scores};
use crate::embed::vectors;
use crate::folder::{self, ModelFolder};
use crate::manifest::{Manifest, OutputKind, Task};
use crate::picture::{self, PictureModel, PictureTask};
use crate::text::TextModel;
use crate::vector::{dot, normalised};

/// An enricher that says which of some descriptions a picture is likest to (`task = "zero-shot"`).
///
/// The labels are texts of the user's own; `prompts` puts each into sentences, and the label's vector is the mean over them, as the authors of CLIP
/// recommend (Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 3.1.4). The cosines of picture and labels times
/// `scale` are logits, calibrated by `temperature`.
#[derive(Clone)]
pub struct ZeroShot {
    model: Arc<Pair>,
    spec: EnricherSpec,
}

struct Pair {
    manifest: Manifest,
    network: PictureModel,
    scores: Scores,
    /// One a label, of length one.
    labels: Vec<Vec<f32>>,
}

impl std::fmt::Debug for ZeroShot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZeroShot")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl ZeroShot {
    /// Loads a model folder: `model.toml`, both networks and the tokenizer. The labels' vectors are computed here, once.
    ///
    /// # Errors
    /// As [`Classify::load`](crate::Classify::load); `Corrupt` for a tokenizer that cannot be read.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open(ModelFolder::open(folder.as_ref())?)
    }

    pub(crate) fn open(folder: ModelFolder) -> Result<Self> {
        folder.expect(&[Task::ZeroShot])?;
        let mut manifest = folder.manifest.clone();
        manifest.output.kind = OutputKind::Logits;
        let network = PictureModel::open(&folder, &[manifest.output.name.as_deref()])?;
        let texts = TextModel::open(&folder)?;
        let labels = manifest
            .labels
            .iter()
            .map(|label| label_vector(&manifest, label, &texts))
            .collect::<Result<Vec<_>>>()?;
        let [text_digest, tokenizer] = &texts.digests;
        let digests = [folder.digest.as_str(), text_digest, tokenizer];
        let gives = std::slice::from_ref(&manifest.attribute);
        let cost = folder::guessed_cost(&manifest);
        Ok(Self {
            spec: folder::spec_of(&folder.manifest, gives, &digests, cost),
            model: Arc::new(Pair {
                scores: Scores::of(&manifest),
                manifest,
                network,
                labels,
            }),
        })
    }

    /// What the model's folder says of it.
    pub fn manifest(&self) -> &Manifest {
        &self.model.manifest
    }

    /// Classifies pictures of the size that the model wants, on the calling thread. One prediction a picture, in order.
    ///
    /// # Errors
    /// `InvalidInput` for pixels of another size; `Config` where the pair's vectors differ in size; `Internal` where the runtime fails.
    pub fn classify(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Prediction>> {
        self.model.look(pictures)
    }
}

impl Classifier for ZeroShot {
    fn manifest(&self) -> &Manifest {
        self.manifest()
    }

    fn classify(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Prediction>> {
        self.classify(pictures)
    }
}

impl PictureTask for Pair {
    type Found = Prediction;

    fn network(&self) -> &PictureModel {
        &self.network
    }

    fn look(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Prediction>> {
        let vectors = vectors(&self.network, pictures, &self.manifest.name)?;
        let mut predictions = Vec::with_capacity(vectors.len());
        for vector in vectors {
            if self.labels.iter().any(|label| label.len() != vector.len()) {
                return Err(heurpipe_core::Error::new(
                    heurpipe_core::ErrorKind::Config,
                    "model.run",
                )
                .message("the two models are no pair: their vectors differ in size")
                .with("model", &self.manifest.name)
                .with("picture", vector.len())
                .with("text", self.labels.first().map_or(0, Vec::len)));
            }
            let cosines = self.labels.iter().map(|label| dot(label, &vector));
            let logits: Vec<f32> = cosines.map(|cosine| cosine * self.manifest.scale).collect();
            predictions.extend(self.scores.predictions(&logits, 1)?);
        }
        Ok(predictions)
    }
}

/// The mean over all prompts.
fn label_vector(manifest: &Manifest, label: &str, texts: &TextModel) -> Result<Vec<f32>> {
    let called = manifest
        .descriptions
        .get(label)
        .map_or(label, String::as_str);
    let sentences: Vec<String> = match manifest.prompts.is_empty() {
        true => vec![called.to_owned()],
        false => {
            let prompts = manifest.prompts.iter();
            prompts.map(|prompt| prompt.replace("{}", called)).collect()
        }
    };
    let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
    let vectors = texts.embed(&sentences)?;
    let mut sum = vec![0.0; vectors.first().map_or(0, Vec::len)];
    for vector in &vectors {
        for (sum, x) in sum.iter_mut().zip(vector) {
            *sum += x;
        }
    }
    normalised(sum, &manifest.name)
}

#[async_trait]
impl Enricher for ZeroShot {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn prepare(&self) -> Result<()> {
        picture::prepare(&self.model).await
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let attribute = &self.model.manifest.attribute;
        let findings = |prediction: Prediction| {
            vec![Finding::label(attribute, prediction.label).confidence(prediction.confidence)]
        };
        picture::enrich(&self.model, &self.spec, batch, findings).await
    }
}
