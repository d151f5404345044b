//! One of several labels for a picture, by a model from a folder.

mod scores;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use heurpipe_core::{
    Batch, Cost, Enriched, Enricher, EnricherSpec, Error, ErrorKind, Finding, Fingerprint,
    ItemResult, Pixels, Result, compute,
};
use sha2::{Digest, Sha256};

use crate::manifest::Manifest;
use crate::preprocess;
use crate::runtime::SessionPool;
use crate::source::ModelBytes;

pub use scores::Prediction;

/// The most pictures that go through a model at once, where it takes more than one.
const LARGEST_BATCH: usize = 16;

/// An enricher that says which of its labels each picture shows.
///
/// ```
/// use std::sync::Arc;
/// use heurpipe_core::{Enricher, PixelFormat, Pixels};
/// use heurpipe_models::shipped;
///
/// let garment = shipped::garment()?;
/// assert_eq!(garment.spec().gives, ["garment"]);
/// let (width, height) = (garment.manifest().input.width, garment.manifest().input.height);
/// let bytes = vec![128; (width * height * 3) as usize].into();
/// let grey = Pixels { width, height, format: PixelFormat::Rgb8, bytes };
/// let predictions = garment.classify(&[Arc::new(grey)])?;
/// assert!(garment.manifest().labels.contains(&predictions[0].label));
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Classify {
    model: Arc<Model>,
    spec: EnricherSpec,
}

struct Model {
    manifest: Manifest,
    digest: String,
    sessions: SessionPool,
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
        let folder = folder.as_ref();
        let manifest = Manifest::read(folder)?;
        let path = folder.join(&manifest.file.path);
        Self::open(manifest, ModelBytes::File(path))
            .map_err(|error| error.with("folder", folder.display()))
    }

    pub(crate) fn open(manifest: Manifest, bytes: ModelBytes) -> Result<Self> {
        let digest = checked_digest(&manifest, &bytes)?;
        let sessions = SessionPool::open(
            bytes,
            manifest.input.name.as_deref(),
            manifest.output.name.as_deref(),
        )?;
        check_shape(&manifest, sessions.input_shape())?;
        let model = Arc::new(Model {
            manifest,
            digest,
            sessions,
        });
        let spec = spec_of(&model, &model.manifest.version, model.manifest.threshold);
        Ok(Self { model, spec })
    }

    /// The same model under another name, so that two settings of it can run in one pipeline.
    pub fn named(mut self, name: &str) -> Self {
        self.spec.name = name.to_owned();
        self
    }

    /// The same model as another version: what it analysed before is stale.
    pub fn versioned(mut self, version: &str) -> Self {
        let name = self.spec.name;
        self.spec = spec_of(&self.model, version, self.spec.threshold);
        self.spec.name = name;
        self
    }

    /// Another confidence from which its word counts, 0 to 1.
    pub fn threshold(mut self, threshold: f32) -> Self {
        let name = self.spec.name;
        self.spec = spec_of(&self.model, &self.spec.version, Some(threshold));
        self.spec.name = name;
        self
    }

    /// What the model's folder says of it.
    pub fn manifest(&self) -> &Manifest {
        &self.model.manifest
    }

    /// SHA-256 of the model file, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.model.digest
    }

    /// Classifies pictures of the size that the model wants, on the calling thread. One prediction a picture, in order.
    ///
    /// # Errors
    /// `InvalidInput` for pixels of another size; `Internal` where the runtime fails.
    pub fn classify(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Prediction>> {
        self.model.classify(pictures)
    }
}

impl Model {
    fn classify(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Prediction>> {
        let size = self.sessions.fixed_batch().unwrap_or(LARGEST_BATCH);
        let mut predictions = Vec::with_capacity(pictures.len());
        for chunk in pictures.chunks(size) {
            let mut chunk: Vec<&Pixels> = chunk.iter().map(AsRef::as_ref).collect();
            let wanted = chunk.len();
            if let (Some(fixed), Some(&last)) = (self.sessions.fixed_batch(), chunk.last()) {
                chunk.resize(fixed, last); // a model with a fixed batch gets a full one
            }
            predictions.extend(self.classify_chunk(&chunk)?.into_iter().take(wanted));
        }
        Ok(predictions)
    }

    fn classify_chunk(&self, pictures: &[&Pixels]) -> Result<Vec<Prediction>> {
        let tensor = preprocess::tensor(pictures, &self.manifest.input)?;
        let output = self.sessions.run(tensor.shape, &tensor.values)?;
        let labels = self.manifest.labels.len();
        if output.len() != pictures.len() * labels {
            return Err(Error::new(ErrorKind::Config, "model.run")
                .message("the output does not have one number a label")
                .with("model", &self.manifest.name)
                .with("pictures", pictures.len())
                .with("labels", labels)
                .with("numbers", output.len()));
        }
        output
            .chunks_exact(labels)
            .map(|row| scores::prediction(row, &self.manifest))
            .collect()
    }
}

#[async_trait]
impl Enricher for Classify {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let mut outcomes: Vec<ItemResult<Vec<Finding>>> = Vec::with_capacity(batch.len());
        let mut places = Vec::with_capacity(batch.len());
        let mut pictures = Vec::with_capacity(batch.len());
        for (place, item) in batch.items.iter().enumerate() {
            let usable = item.pixels().and_then(|pixels| {
                preprocess::check(pixels, &self.model.manifest.input)?;
                Ok(Arc::clone(pixels))
            });
            outcomes.push(usable.map(|pixels| {
                places.push(place);
                pictures.push(pixels);
                Vec::new()
            }));
        }
        let (predictions, cpu) = self.on_compute_threads(pictures).await?;
        for (place, prediction) in places.into_iter().zip(predictions) {
            outcomes[place] = Ok(vec![
                Finding::label(&self.model.manifest.attribute, prediction.label)
                    .confidence(prediction.confidence),
            ]);
        }
        Ok(Enriched::new(self.spec.fingerprint.clone(), outcomes).cpu(cpu))
    }
}

impl Classify {
    /// Spreads the pictures over the compute threads.
    async fn on_compute_threads(
        &self,
        pictures: Vec<Arc<Pixels>>,
    ) -> Result<(Vec<Prediction>, Duration)> {
        let share = pictures.len().div_ceil(compute::cores()).max(1);
        let jobs = pictures.chunks(share).map(|chunk| {
            let (model, chunk) = (Arc::clone(&self.model), chunk.to_vec());
            compute::run(move || model.classify(&chunk))
        });
        let mut predictions = Vec::with_capacity(pictures.len());
        let mut cpu = Duration::ZERO;
        for (done, took) in try_join_all(jobs).await? {
            predictions.extend(done?);
            cpu += took;
        }
        Ok((predictions, cpu))
    }
}

/// What the results depend on is in the fingerprint: the model's bytes, how pictures are prepared, what labels mean and when they count.
fn spec_of(model: &Model, version: &str, threshold: Option<f32>) -> EnricherSpec {
    let manifest = &model.manifest;
    let input = format!("{:?}", manifest.input);
    let output = format!("{:?} {}", manifest.output, manifest.temperature);
    let threshold_text = format!("{threshold:?}");
    let labels = manifest.labels.join("\u{1f}");
    let fingerprint = Fingerprint::of([
        manifest.name.as_str(),
        version,
        &manifest.attribute,
        &model.digest,
        &input,
        &output,
        &labels,
        &threshold_text,
    ]);
    let mut spec = EnricherSpec::new(&manifest.name, version)
        .gives([manifest.attribute.as_str()])
        .pixels(manifest.input.pixels())
        .cost(Cost::CpuMs(
            manifest.cost_ms.unwrap_or_else(|| guessed_cost(manifest)),
        ))
        .fingerprint(fingerprint);
    spec.threshold = threshold;
    spec
}

/// As a MobileNet of this input size would cost: 9 ms at 224 x 224.
fn guessed_cost(manifest: &Manifest) -> f64 {
    let pixels = f64::from(manifest.input.width) * f64::from(manifest.input.height);
    9.0 * pixels / (224.0 * 224.0)
}

fn checked_digest(manifest: &Manifest, bytes: &ModelBytes) -> Result<String> {
    let digest = hex::encode(Sha256::digest(bytes.read()?));
    let Some(wanted) = &manifest.file.digest else {
        return Ok(digest);
    };
    if wanted.strip_prefix("sha256:") == Some(digest.as_str()) {
        return Ok(digest);
    }
    Err(Error::new(ErrorKind::Corrupt, "model.load")
        .message("the model is not the one that its manifest names: digests differ")
        .with("model", bytes.name())
        .with("wanted", wanted)
        .with("found", format_args!("sha256:{digest}")))
}

/// Sees at load what would fail at the first picture.
fn check_shape(manifest: &Manifest, shape: &[i64]) -> Result<()> {
    let (width, height) = (
        i64::from(manifest.input.width),
        i64::from(manifest.input.height),
    );
    let wanted = match manifest.input.layout {
        crate::manifest::Layout::Nchw => [3, height, width],
        crate::manifest::Layout::Nhwc => [height, width, 3],
    };
    let fits = match shape {
        [_, rest @ ..] if rest.len() == 3 => rest
            .iter()
            .zip(wanted)
            .all(|(&there, want)| there <= 0 || there == want),
        [] => true,
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, "model.load")
        .message("the manifest's input does not fit the model's")
        .with("model", &manifest.name)
        .with(
            "manifest",
            format_args!("[n, {}, {}, {}]", wanted[0], wanted[1], wanted[2]),
        )
        .with("model_input", format_args!("{shape:?}")))
}

#[cfg(test)]
mod tests;
