//! Any model folder, opened as what it is.

use std::path::Path;
use std::sync::Arc;

use heurpipe_core::{Enricher, Result};

use crate::classify::Classify;
use crate::detect::Detect;
use crate::embed::{EmbedImage, EmbedText};
use crate::folder::ModelFolder;
use crate::manifest::Task;
use crate::zero_shot::ZeroShot;

/// A model folder, opened as the enricher that its task asks for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Model {
    /// `task = "classify"` or `"multi-label"`.
    Classify(Classify),
    /// `task = "zero-shot"`.
    ZeroShot(ZeroShot),
    /// `task = "embed-image"`.
    EmbedImage(EmbedImage),
    /// `task = "embed-text"`.
    EmbedText(EmbedText),
    /// `task = "detect"`.
    Detect(Detect),
}

impl Model {
    /// The enricher.
    pub fn into_enricher(self) -> Arc<dyn Enricher> {
        match self {
            Self::Classify(model) => Arc::new(model),
            Self::ZeroShot(model) => Arc::new(model),
            Self::EmbedImage(model) => Arc::new(model),
            Self::EmbedText(model) => Arc::new(model),
            Self::Detect(model) => Arc::new(model),
        }
    }
}

/// Loads a model folder of any task.
///
/// # Errors
/// `NotFound` or `Io` for files that cannot be read, `Config` for a manifest that cannot be or does not fit the model, `Corrupt` for a digest that does
/// not match or a model that the runtime refuses. The error names the folder and the file.
pub fn load(folder: impl AsRef<Path>) -> Result<Model> {
    let folder = folder.as_ref();
    let opened = ModelFolder::open(folder)?;
    let model = match opened.manifest.task {
        Task::Classify | Task::MultiLabel => Classify::open(opened).map(Model::Classify),
        Task::ZeroShot => ZeroShot::open(opened).map(Model::ZeroShot),
        Task::EmbedImage => EmbedImage::open(opened).map(Model::EmbedImage),
        Task::EmbedText => EmbedText::open(opened).map(Model::EmbedText),
        Task::Detect => Detect::open(opened).map(Model::Detect),
    };
    model.map_err(|error| error.with("folder", folder.display()))
}
