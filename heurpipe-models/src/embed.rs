//! Vectors for pictures and for texts: for looking up what is alike.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{
    Batch, Enriched, Enricher, EnricherSpec, Finding, Pixels, Result, Value, compute,
};

use crate::folder::{self, ModelFolder};
use crate::manifest::{Manifest, Task};
use crate::picture::{self, PictureModel, PictureTask};
use crate::text::TextModel;
use crate::vector::normalised;

/// An enricher that gives each picture a vector of length one (`task = "embed-image"`).
#[derive(Clone)]
pub struct EmbedImage {
    model: Arc<ImageModel>,
    spec: EnricherSpec,
}

struct ImageModel {
    name: String,
    attribute: String,
    network: PictureModel,
}

impl EmbedImage {
    /// Loads a model folder.
    ///
    /// # Errors
    /// As [`Classify::load`](crate::Classify::load).
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open(ModelFolder::open(folder.as_ref())?)
    }

    pub(crate) fn open(folder: ModelFolder) -> Result<Self> {
        folder.expect(&[Task::EmbedImage])?;
        let manifest = &folder.manifest;
        let network = PictureModel::open(&folder, &[manifest.output.name.as_deref()])?;
        Ok(Self {
            spec: spec_of(manifest, &[&folder.digest], folder::guessed_cost(manifest)),
            model: Arc::new(ImageModel {
                name: manifest.name.clone(),
                attribute: manifest.attribute.clone(),
                network,
            }),
        })
    }

    /// One vector a picture of the size that the model wants, of length one, in order; on the calling thread.
    ///
    /// # Errors
    /// `InvalidInput` for pixels of another size; `Internal` where the runtime fails.
    pub fn embed(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Vec<f32>>> {
        self.model.look(pictures)
    }
}

impl PictureTask for ImageModel {
    type Found = Vec<f32>;

    fn network(&self) -> &PictureModel {
        &self.network
    }

    fn look(&self, pictures: &[Arc<Pixels>]) -> Result<Vec<Vec<f32>>> {
        vectors(&self.network, pictures, &self.name)
    }
}

/// The vectors that a network gives pictures.
pub(crate) fn vectors(
    network: &PictureModel,
    pictures: &[Arc<Pixels>],
    model: &str,
) -> Result<Vec<Vec<f32>>> {
    network.run(pictures, |outputs, _| {
        let rows = outputs.iter().take(1).flat_map(|output| output.rows());
        rows.map(|row| normalised(row.to_vec(), model)).collect()
    })
}

#[async_trait]
impl Enricher for EmbedImage {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn prepare(&self) -> Result<()> {
        picture::prepare(&self.model).await
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let findings = |vector| vec![Finding::new(&self.model.attribute, Value::Vector(vector))];
        picture::enrich(&self.model, &self.spec, batch, findings).await
    }
}

/// An enricher that gives each post's text a vector of length one (`task = "embed-text"`). A post without text gets none.
#[derive(Clone)]
pub struct EmbedText {
    model: Arc<TextModel>,
    attribute: String,
    spec: EnricherSpec,
}

impl EmbedText {
    /// Loads a model folder: the network, `model.toml` and the tokenizer.
    ///
    /// # Errors
    /// As [`Classify::load`](crate::Classify::load); `Corrupt` for a tokenizer that cannot be read.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open(ModelFolder::open(folder.as_ref())?)
    }

    pub(crate) fn open(folder: ModelFolder) -> Result<Self> {
        /// As a sentence model of six layers costs for a caption.
        const GUESSED_COST_MS: f64 = 5.0;
        folder.expect(&[Task::EmbedText])?;
        let model = TextModel::open(&folder)?;
        let digests: Vec<&str> = model.digests.iter().map(String::as_str).collect();
        Ok(Self {
            spec: spec_of(&folder.manifest, &digests, GUESSED_COST_MS),
            attribute: folder.manifest.attribute.clone(),
            model: Arc::new(model),
        })
    }

    /// One vector a text, of length one, in order; on the calling thread.
    ///
    /// # Errors
    /// `InvalidInput` for a text that cannot be tokenised; `Internal` where the runtime fails.
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        self.model.embed(texts)
    }

    /// The numbers of a text's tokens, special ones included, cut off at the manifest's `max_tokens`.
    ///
    /// # Errors
    /// `InvalidInput` for a text that cannot be tokenised.
    pub fn token_ids(&self, text: &str) -> Result<Vec<i64>> {
        self.model.token_ids(text)
    }
}

#[async_trait]
impl Enricher for EmbedText {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn prepare(&self) -> Result<()> {
        let model = Arc::clone(&self.model);
        compute::run(move || model.warm_up()).await?.0
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        let with_text: Vec<usize> = (0..batch.len())
            .filter(|index| !batch.items[*index].post().text.trim().is_empty())
            .collect();
        let items: Vec<_> = with_text.iter().map(|i| batch.items[*i].clone()).collect();
        let model = Arc::clone(&self.model);
        let embed = move |items: &[heurpipe_core::Item]| {
            let texts: Vec<&str> = items.iter().map(|item| item.post().text.as_str()).collect();
            model.embed(&texts)
        };
        let (vectors, cpu) = crate::spread::spread(items, embed).await?;
        let mut outcomes: Vec<_> = batch.items.iter().map(|_| Ok(Vec::new())).collect();
        for (index, vector) in with_text.into_iter().zip(vectors) {
            outcomes[index] = Ok(vec![Finding::new(&self.attribute, Value::Vector(vector))]);
        }
        Ok(Enriched::new(self.spec.fingerprint.clone(), outcomes).cpu(cpu))
    }
}

fn spec_of(manifest: &Manifest, digests: &[&str], cost: f64) -> EnricherSpec {
    let gives = std::slice::from_ref(&manifest.attribute);
    folder::spec_of(manifest, gives, digests, cost)
}

macro_rules! debug_by_spec {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("spec", &self.spec).finish_non_exhaustive()
            }
        }
    )*};
}
debug_by_spec!(EmbedImage, EmbedText);
