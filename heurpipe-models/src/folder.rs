//! A model's folder, opened: what it says of itself, and its files, checked against their digests.

use std::path::{Path, PathBuf};

use heurpipe_core::{Cost, EnricherSpec, Error, ErrorKind, Fingerprint, Result};
use sha2::{Digest, Sha256};

use crate::manifest::{Manifest, Task};
use crate::source::ModelBytes;

/// A manifest with the bytes that it speaks of.
#[derive(Debug, Clone)]
pub(crate) struct ModelFolder {
    pub(crate) manifest: Manifest,
    pub(crate) model: ModelBytes,
    /// SHA-256 of the model, in hexadecimal.
    pub(crate) digest: String,
    /// Where other files lie; none for what is compiled in.
    folder: Option<PathBuf>,
}

impl ModelFolder {
    /// # Errors
    /// `NotFound` or `Io` for files that cannot be read, `Config` for a manifest that cannot be, `Corrupt` for a digest that differs.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let open = || {
            let manifest = Manifest::read(folder)?;
            let model = ModelBytes::File(folder.join(&manifest.file.path));
            Self::of(manifest, model, Some(folder.to_owned()))
        };
        open().map_err(|error: Error| error.with("folder", folder.display()))
    }

    /// What is compiled in.
    pub(crate) fn embedded(
        name: &'static str,
        manifest: &str,
        model: &'static [u8],
    ) -> Result<Self> {
        let manifest = Manifest::parse(manifest)?;
        Self::of(manifest, ModelBytes::Embedded(name, model), None)
    }

    fn of(manifest: Manifest, model: ModelBytes, folder: Option<PathBuf>) -> Result<Self> {
        let digest = checked_digest(&model, manifest.file.digest.as_deref())?;
        Ok(Self {
            manifest,
            model,
            digest,
            folder,
        })
    }

    /// The model of texts of a pair, with its digest.
    pub(crate) fn text_model(&self) -> Result<(ModelBytes, String)> {
        let text = self.manifest.text_input()?;
        let Some(path) = &text.path else {
            return Ok((self.model.clone(), self.digest.clone()));
        };
        let model = ModelBytes::File(self.path(path)?);
        let digest = checked_digest(&model, text.digest.as_deref())?;
        Ok((model, digest))
    }

    /// A file of the folder.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Config, "model.load")
                .message("a model that is compiled in has no other files")
                .with("model", &self.manifest.name)
                .with("file", name)
        })?;
        Ok(folder.join(name))
    }

    /// Refuses a model of another task.
    ///
    /// # Errors
    /// `Config`, which names both.
    pub(crate) fn expect(&self, tasks: &[Task]) -> Result<()> {
        if tasks.contains(&self.manifest.task) {
            return Ok(());
        }
        let wanted: Vec<String> = tasks.iter().map(ToString::to_string).collect();
        Err(Error::new(ErrorKind::Config, "model.load")
            .message("the model is for another task")
            .with("model", &self.manifest.name)
            .with("task", self.manifest.task)
            .with("wanted", wanted.join(" or ")))
    }
}

/// The spec of an enricher that is made of a model. Whatever its results depend on is in the fingerprint: the manifest less what is for people and
/// planners, and the digests of all files.
pub(crate) fn spec_of(
    manifest: &Manifest,
    gives: &[String],
    digests: &[&str],
    guessed_cost: f64,
) -> EnricherSpec {
    let mut counts = manifest.clone();
    counts.cost_ms = None;
    counts.licence = None;
    // As it is written, where what is left out says nothing: so a key that a later version adds leaves old fingerprints as they are.
    let counts = counts.to_toml().unwrap_or_else(|_| format!("{counts:?}"));
    let parts = std::iter::once(counts.as_str()).chain(digests.iter().copied());
    let mut spec = EnricherSpec::new(&manifest.name, &manifest.version)
        .gives(gives.iter().map(String::as_str))
        .cost(Cost::CpuMs(manifest.cost_ms.unwrap_or(guessed_cost)))
        .fingerprint(Fingerprint::of(parts));
    spec.threshold = manifest.threshold;
    if let Some(input) = &manifest.input {
        spec = spec.pixels(input.pixels());
        if let Some(attribute) = &input.regions_of {
            spec = spec.regions_of(attribute);
        }
    }
    spec
}

/// As a MobileNet of this input size would cost: 9 ms at 224 x 224.
pub(crate) fn guessed_cost(manifest: &Manifest) -> f64 {
    let pixels = manifest.input.as_ref().map_or(0.0, |input| {
        f64::from(input.width) * f64::from(input.height)
    });
    9.0 * pixels / (224.0 * 224.0)
}

fn checked_digest(bytes: &ModelBytes, wanted: Option<&str>) -> Result<String> {
    let digest = hex::encode(Sha256::digest(bytes.read()?));
    let Some(wanted) = wanted else {
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
