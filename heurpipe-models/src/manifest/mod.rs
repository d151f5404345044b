//! What a model folder's `model.toml` says.

mod detect;
mod input;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

pub use detect::{BoxFormat, DetectSpec, Heads};
pub use input::{Channels, InputSpec, Layout};
pub use text::{Pad, Pool, TextSpec};

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
    /// The attribute that it gives.
    pub attribute: String,
    /// The labels, in the order of the output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// A file of labels, one a line, instead of `labels`; relative to the folder. Empty lines and those that begin with `#` do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels_file: Option<String>,
    /// With `task = "zero-shot"`: sentences in which `{}` stands for the label; a label's vector is the mean over them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<String>,
    /// With `task = "zero-shot"`: what the label is called in the prompts, where that is not the label itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub descriptions: BTreeMap<String, String>,
    /// With `task = "zero-shot"`: the factor that makes logits of cosines; CLIP has learnt 100.
    #[serde(default = "hundred")]
    pub scale: f32,
    /// The confidence from which its word counts, 0 to 1; none: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// With `task = "multi-label"`: other thresholds for single labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, f32>,
    /// Divides the logits, so that confidences are honest; 1 leaves them as they are. `heurpipe models check` finds it.
    #[serde(default = "one")]
    pub temperature: f32,
    /// About so many CPU-milliseconds an item; plans put the cheap before the dear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_ms: Option<f64>,
    /// The licence, as an SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Where the model lies.
    #[serde(default)]
    pub file: ModelFile,
    /// What it wants to see; none for models of texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<InputSpec>,
    /// What it gives.
    #[serde(default)]
    pub output: OutputSpec,
    /// What it reads; for models of texts and for pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextSpec>,
    /// How boxes are read; for detectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detect: Option<DetectSpec>,
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Task {
    /// One of several labels for the whole picture, or for a region of it.
    Classify,
    /// Each of several labels by itself: none, one or more are there.
    MultiLabel,
    /// The label whose description is likest to the picture, by a pair of models of pictures and of texts.
    ZeroShot,
    /// A vector for a picture.
    EmbedImage,
    /// A vector for a post's text.
    EmbedText,
    /// Boxes around things, with a label each.
    Detect,
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Classify => "classify",
            Self::MultiLabel => "multi-label",
            Self::ZeroShot => "zero-shot",
            Self::EmbedImage => "embed-image",
            Self::EmbedText => "embed-text",
            Self::Detect => "detect",
        })
    }
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

/// What a model gives.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OutputSpec {
    /// The output's name; none: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What a classifier's numbers are.
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
    /// Logits, to be put through a softmax, or with `task = "multi-label"` through a sigmoid.
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

    /// Reads the manifest of a model folder, and its file of labels where it names one.
    ///
    /// # Errors
    /// `NotFound` where there is none, else as [`parse`](Self::parse).
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let text = read_text(&path)?;
        let mut manifest =
            Self::parse(&text).map_err(|error| error.with("file", path.display()))?;
        if let Some(file) = &manifest.labels_file {
            let path = folder.join(file);
            let lines = read_text(&path)?;
            let labels = lines.lines().map(str::trim);
            let labels = labels.filter(|line| !line.is_empty() && !line.starts_with('#'));
            manifest.labels = labels.map(str::to_owned).collect();
            if let Some(fault) = manifest.fault_of_labels() {
                return Err(manifest.wrong(fault).with("file", path.display()));
            }
        }
        Ok(manifest)
    }

    /// As TOML that [`parse`](Self::parse) reads.
    ///
    /// # Errors
    /// None that a manifest which was parsed can cause.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Internal, "manifest.write").cause(error))
    }

    /// What the model wants to see.
    ///
    /// # Errors
    /// `Config` where it is no model of pictures.
    pub fn picture_input(&self) -> Result<&InputSpec> {
        self.input
            .as_ref()
            .ok_or_else(|| self.wrong("a model of pictures needs [input]"))
    }

    /// What the model reads.
    ///
    /// # Errors
    /// `Config` where it is no model of texts.
    pub fn text_input(&self) -> Result<&TextSpec> {
        self.text
            .as_ref()
            .ok_or_else(|| self.wrong("a model of texts needs [text]"))
    }

    fn check(&self) -> Result<()> {
        let fault = self
            .fault()
            .or_else(|| self.fault_of_sections())
            .or_else(|| match self.labels_file {
                // The labels are looked at when the file has been read.
                Some(_) => None,
                None => self.fault_of_labels(),
            })
            .or_else(|| self.input.as_ref().and_then(InputSpec::fault));
        match fault {
            Some(fault) => Err(self.wrong(fault)),
            None => Ok(()),
        }
    }

    fn fault(&self) -> Option<&'static str> {
        let fraction = |x: &f32| (0.0..=1.0).contains(x);
        if self.name.is_empty() || self.attribute.is_empty() {
            return Some("name and attribute must not be empty");
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Some("the temperature must be above zero");
        }
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return Some("the scale must be above zero");
        }
        if self
            .threshold
            .is_some_and(|threshold| !fraction(&threshold))
            || !self.thresholds.values().all(fraction)
        {
            return Some("the threshold must be from 0 to 1");
        }
        if self.labels_file.is_some() && !self.labels.is_empty() {
            return Some("labels and labels_file exclude one another");
        }
        None
    }

    fn fault_of_sections(&self) -> Option<&'static str> {
        let (picture, text) = (self.input.is_some(), self.text.is_some());
        match self.task {
            Task::EmbedText if picture || !text => {
                return Some("task = \"embed-text\" has [text] and no [input]");
            }
            Task::ZeroShot if !(picture && text) => {
                return Some("task = \"zero-shot\" has both [input] and [text]");
            }
            Task::Classify | Task::MultiLabel | Task::EmbedImage | Task::Detect
                if text || !picture =>
            {
                return Some("a model of pictures has [input] and no [text]");
            }
            _ => {}
        }
        if (self.task == Task::Detect) != self.detect.is_some() {
            return Some("[detect] goes with task = \"detect\"");
        }
        if let Some(detect) = &self.detect
            && !(0.0..=1.0).contains(&detect.iou)
        {
            return Some("iou must be from 0 to 1");
        }
        if let Some(text) = &self.text
            && text.max_tokens == 0
        {
            return Some("max_tokens must not be zero");
        }
        if self.task == Task::ZeroShot {
            let named = self.text.as_ref().is_some_and(|text| text.path.is_some());
            if !named {
                return Some("task = \"zero-shot\" names the model of texts: text.path");
            }
            if self.prompts.iter().any(|prompt| !prompt.contains("{}")) {
                return Some("a prompt has {} where the label goes");
            }
        }
        None
    }

    fn fault_of_labels(&self) -> Option<&'static str> {
        let mut seen = std::collections::BTreeSet::new();
        if !self.labels.iter().all(|label| seen.insert(label.as_str())) {
            return Some("a label stands there twice");
        }
        if self.labels.iter().any(|label| label.trim().is_empty()) {
            return Some("a label must not be empty");
        }
        let strange = |label: &String| !seen.contains(label.as_str());
        if self.thresholds.keys().any(strange) || self.descriptions.keys().any(strange) {
            return Some("thresholds and descriptions are of labels that are there");
        }
        match self.task {
            Task::Classify | Task::ZeroShot if self.labels.len() < 2 => {
                Some("a classifier has at least two labels")
            }
            Task::MultiLabel | Task::Detect if self.labels.is_empty() => {
                Some("the model has no labels")
            }
            Task::EmbedImage | Task::EmbedText if !self.labels.is_empty() => {
                Some("a model that gives vectors has no labels")
            }
            _ => None,
        }
    }

    fn wrong(&self, message: &str) -> Error {
        Error::new(ErrorKind::Config, "manifest.parse")
            .message(message.to_owned())
            .with("model", &self.name)
    }
}

/// The name of the file in a model folder.
pub const MANIFEST: &str = "model.toml";

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| crate::source::unreadable(path, error))
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

fn one() -> f32 {
    1.0
}

fn hundred() -> f32 {
    100.0
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
        assert_eq!(manifest.input.unwrap().std, [1.0; 3]);
        assert_eq!(manifest.temperature, 1.0);
        assert_eq!(manifest.output.kind, OutputKind::Probabilities);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let manifest = Manifest::parse(GOOD).unwrap();
        let again = Manifest::parse(&manifest.to_toml().unwrap()).unwrap();
        assert_eq!(again, manifest);
    }

    #[test]
    fn labels_may_lie_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let text = GOOD.replace("labels = ['x', 'y']", "labels_file = 'labels.txt'");
        std::fs::write(folder.path().join(MANIFEST), text).unwrap();
        let error = Manifest::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("labels.txt"), "{error}");
        std::fs::write(folder.path().join("labels.txt"), "# two\nx\n\n y \n").unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap().labels, ["x", "y"]);
        std::fs::write(folder.path().join("labels.txt"), "x\n").unwrap();
        assert!(Manifest::read(folder.path()).is_err());
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
            ("['x', 'y']", "['x', 'x']", "twice"),
            ("height = 8", "height = 8\nfit = 'inside'", "one size"),
            ("height = 8", "height = 8\nshortest_edge = 9", "crop"),
            ("'classify'", "'detect'", "[detect]"),
            ("'classify'", "'embed-text'", "[text]"),
            ("'classify'", "'embed-image'", "no labels"),
            ("'classify'", "'zero-shot'", "both"),
            ("[input]", "[text]\n[input]", "no [text]"),
            (
                "[input]",
                "[thresholds]\nz = 0.5\n[input]",
                "labels that are there",
            ),
        ] {
            let error = Manifest::parse(&GOOD.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
