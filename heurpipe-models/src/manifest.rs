//! What a model folder's `model.toml` says.

use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Fit, PixelRequest, Resample, Result};
use serde::{Deserialize, Serialize};

/// What a model is, what it wants and what it gives: the `model.toml` beside it. Unknown keys are errors.
///
/// ```
/// let manifest = heurpipe_models::Manifest::parse(r#"
///     name = "garment"
///     version = "1.0.0"
///     task = "classify"
///     attribute = "garment"
///     labels = ["dress", "hat"]
///     licence = "CC0-1.0"
///     threshold = 0.5
///     [input]
///     width = 224
///     height = 224
///     mean = [127.5, 127.5, 127.5]
///     std = [127.5, 127.5, 127.5]
///     [output]
///     kind = "logits"
/// "#)?;
/// assert_eq!(manifest.labels.len(), 2);
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// The model's name; enrichers made of it have it too.
    pub name: String,
    /// Its version, for people; part of the fingerprint.
    pub version: String,
    /// What it does.
    pub task: Task,
    /// The attribute that its labels are values of.
    pub attribute: String,
    /// The labels, in the order of the output.
    pub labels: Vec<String>,
    /// The confidence from which its word counts, 0 to 1; none: always.
    #[serde(default)]
    pub threshold: Option<f32>,
    /// Divides the logits, so that confidences are honest; 1 leaves them as they are.
    #[serde(default = "one")]
    pub temperature: f32,
    /// About so many CPU-milliseconds a picture; plans put the cheap before the dear.
    #[serde(default)]
    pub cost_ms: Option<f64>,
    /// The licence, as an SPDX expression.
    #[serde(default)]
    pub licence: Option<String>,
    /// Where the model lies.
    #[serde(default)]
    pub file: ModelFile,
    /// What it wants to see.
    pub input: InputSpec,
    /// What it gives.
    #[serde(default)]
    pub output: OutputSpec,
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Task {
    /// One of several labels for the whole picture.
    Classify,
}

/// Where a model lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelFile {
    /// The file, relative to the folder of the manifest.
    #[serde(default = "model_file")]
    pub path: String,
    /// `sha256:` and 64 hexadecimal digits; checked on load. None: not checked.
    #[serde(default)]
    pub digest: Option<String>,
}

impl Default for ModelFile {
    fn default() -> Self {
        Self {
            path: model_file(),
            digest: None,
        }
    }
}

/// What a model wants to see: the tensor is `(pixel - mean) / std`, with pixels from 0 to 255.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InputSpec {
    /// The input's name; none: the first.
    #[serde(default)]
    pub name: Option<String>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How a picture is made to fit.
    #[serde(default = "stretch")]
    pub fit: Fit,
    /// How pixels are averaged when a picture is resized.
    #[serde(default)]
    pub filter: Resample,
    /// The order of the tensor's dimensions.
    #[serde(default)]
    pub layout: Layout,
    /// Subtracted, per channel: red, green, blue.
    #[serde(default)]
    pub mean: [f32; 3],
    /// Divides, per channel.
    #[serde(default = "ones")]
    pub std: [f32; 3],
}

impl InputSpec {
    /// What the pipeline's decoder is asked for.
    pub fn pixels(&self) -> PixelRequest {
        PixelRequest::new(self.width, self.height, self.fit).resample(self.filter)
    }
}

/// The order of the input tensor's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layout {
    /// Batch, channels, height, width.
    #[default]
    Nchw,
    /// Batch, height, width, channels.
    Nhwc,
}

/// What a model gives.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OutputSpec {
    /// The output's name; none: the first.
    #[serde(default)]
    pub name: Option<String>,
    /// What its numbers are.
    #[serde(default)]
    pub kind: OutputKind,
}

/// What the numbers of a classifier's output are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutputKind {
    /// Probabilities that add up to one.
    #[default]
    Probabilities,
    /// Logits, to be put through a softmax.
    Logits,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// `Config`, with the line, for what is not TOML, has an unknown or missing key, or says what cannot be.
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            Error::new(ErrorKind::Config, "manifest.parse")
                .message(error.message().trim().to_owned())
                .with(
                    "line",
                    error.span().map_or(0, |span| line_of(text, span.start)),
                )
        })?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Reads the manifest of a model folder.
    ///
    /// # Errors
    /// `NotFound` where there is none, else as [`parse`](Self::parse).
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("model.toml");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| crate::source::unreadable(&path, error))?;
        Self::parse(&text).map_err(|error| error.with("file", path.display()))
    }

    fn check(&self) -> Result<()> {
        let wrong = |message: &str| {
            Err(Error::new(ErrorKind::Config, "manifest.parse")
                .message(message.to_owned())
                .with("model", &self.name))
        };
        if self.name.is_empty() || self.attribute.is_empty() {
            return wrong("name and attribute must not be empty");
        }
        if self.labels.len() < 2 {
            return wrong("a classifier has at least two labels");
        }
        if self.input.width == 0 || self.input.height == 0 {
            return wrong("the input's width and height must not be zero");
        }
        if self.input.std.contains(&0.0) {
            return wrong("the input's std must not be zero");
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return wrong("the temperature must be above zero");
        }
        if self
            .threshold
            .is_some_and(|threshold| !(0.0..=1.0).contains(&threshold))
        {
            return wrong("the threshold must be from 0 to 1");
        }
        Ok(())
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

fn one() -> f32 {
    1.0
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

fn stretch() -> Fit {
    Fit::Stretch
}

fn model_file() -> String {
    "model.onnx".to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GOOD: &str = "name = 'm'\nversion = '1'\ntask = 'classify'\nattribute = 'a'\n\
        labels = ['x', 'y']\n[input]\nwidth = 8\nheight = 8\n";

    #[test]
    fn defaults_are_plain() {
        let manifest = Manifest::parse(GOOD).unwrap();
        assert_eq!(manifest.file.path, "model.onnx");
        assert_eq!(manifest.input.std, [1.0; 3]);
        assert_eq!(manifest.temperature, 1.0);
        assert_eq!(manifest.output.kind, OutputKind::Probabilities);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_known_ones() {
        let text = GOOD.replace("width = 8", "width = 8\nmeen = [1.0, 1.0, 1.0]");
        let error = Manifest::parse(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let said = error.to_string();
        assert!(said.contains("`meen`") && said.contains("`mean`"), "{said}");
        assert!(said.contains("line=8"), "{said}");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (from, to, why) in [
            ("['x', 'y']", "['x']", "at least two labels"),
            ("width = 8", "width = 0", "width and height"),
            ("name = 'm'", "name = 'm'\ntemperature = 0.0", "temperature"),
            ("name = 'm'", "name = 'm'\nthreshold = 2.0", "threshold"),
            ("height = 8", "height = 8\nstd = [1.0, 0.0, 1.0]", "std"),
        ] {
            let error = Manifest::parse(&GOOD.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
