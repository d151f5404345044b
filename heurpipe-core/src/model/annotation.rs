//! What was read off a post, by models or by people.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::Fingerprint;

/// What an annotation speaks of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The post as a whole.
    Post,
    /// One of its media, by [`Media::id`](super::Media::id).
    Media(String),
    /// A part of one of its media.
    Region {
        /// The medium.
        media: String,
        /// The part.
        region: Region,
    },
}

impl Target {
    /// The medium that the target is or lies in.
    pub fn media(&self) -> Option<&str> {
        match self {
            Self::Post => None,
            Self::Media(media) | Self::Region { media, .. } => Some(media),
        }
    }
}

impl Target {
    /// What targets are ordered by: the post first, then medium by medium, each before its regions. Of a region's bounds, which are not
    /// negative, the bits have the order of the numbers.
    pub(super) fn place(&self) -> (Option<&str>, Option<[u32; 4]>) {
        let bounds = match self {
            Self::Region { region: r, .. } => Some([r.x, r.y, r.width, r.height].map(f32::to_bits)),
            Self::Post | Self::Media(_) => None,
        };
        (self.media(), bounds)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post => f.write_str("post"),
            Self::Media(media) => write!(f, "media/{media}"),
            Self::Region { media, region } => write!(f, "media/{media}/{region}"),
        }
    }
}

/// A rectangle within a picture, in fractions of its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Left edge, 0 to 1.
    pub x: f32,
    /// Upper edge, 0 to 1.
    pub y: f32,
    /// Width, 0 to 1.
    pub width: f32,
    /// Height, 0 to 1.
    pub height: f32,
}

impl Region {
    /// Whether all its bounds are finite.
    pub fn is_finite(&self) -> bool {
        let bounds = [self.x, self.y, self.width, self.height];
        bounds.into_iter().all(f32::is_finite)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.4},{:.4},{:.4},{:.4}",
            self.x, self.y, self.width, self.height
        )
    }
}

/// The value of an annotation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Value {
    /// One label.
    Label(String),
    /// Several labels at once.
    Labels(Vec<String>),
    /// A number; its unit belongs to the attribute.
    Number(f64),
    /// Free text.
    Text(String),
    /// An embedding.
    Vector(Vec<f32>),
    /// Colours with the share of the target that each covers.
    Colours(Vec<ColourShare>),
}

impl Value {
    /// The labels that filters, facets and trends see: labels, names of colours, numbers as text. Texts and vectors have none.
    pub fn labels(&self) -> Vec<String> {
        match self {
            Self::Label(label) => vec![label.clone()],
            Self::Labels(labels) => labels.clone(),
            Self::Colours(colours) => colours.iter().map(|c| c.name.clone()).collect(),
            Self::Number(number) => vec![number.to_string()],
            Self::Text(_) | Self::Vector(_) => Vec::new(),
        }
    }
}

impl Value {
    /// Whether all its numbers are finite: others cannot be stored or compared.
    pub fn is_finite(&self) -> bool {
        match self {
            Self::Number(number) => number.is_finite(),
            Self::Vector(vector) => vector.iter().all(|x| x.is_finite()),
            Self::Colours(colours) => colours.iter().all(|colour| colour.share.is_finite()),
            Self::Label(_) | Self::Labels(_) | Self::Text(_) => true,
        }
    }
}

/// A named colour and how much of the target it covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColourShare {
    /// Common name, lower case.
    pub name: String,
    /// sRGB.
    pub rgb: [u8; 3],
    /// Share of the target's area, 0 to 1.
    pub share: f32,
}

/// The model that said it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Producer {
    /// The enricher's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The fingerprint it ran with.
    pub fingerprint: Fingerprint,
    /// The confidence from which its word counts; none: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// Runs beside the promoted model for comparison; its word does not count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

/// Who said it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A model.
    Producer(Producer),
    /// A person, by the name that the review knows.
    Person(String),
}

/// A statement about a target: attribute, value, how sure, and who says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Annotation {
    /// What it speaks of.
    pub target: Target,
    /// The attribute, lower case: `garment`, `colour`, `brand`.
    pub attribute: String,
    /// The value.
    pub value: Value,
    /// How sure, 0 to 1; none where the method has no degree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// Who says so.
    pub by: By,
    /// When it was said.
    pub at: Timestamp,
}

impl Annotation {
    /// What a person decided.
    pub fn decided(
        target: Target,
        attribute: &str,
        value: Value,
        person: &str,
        at: Timestamp,
    ) -> Self {
        Self {
            target,
            attribute: attribute.to_owned(),
            value,
            confidence: None,
            by: By::Person(person.to_owned()),
            at,
        }
    }

    /// What a model found.
    pub fn produced(target: Target, finding: Finding, producer: Producer, at: Timestamp) -> Self {
        let target = match (target, finding.region) {
            (Target::Media(media), Some(region)) => Target::Region { media, region },
            (target, _) => target,
        };
        Self {
            target,
            attribute: finding.attribute,
            value: finding.value,
            confidence: finding.confidence,
            by: By::Producer(producer),
            at,
        }
    }

    /// Whether a model said it that runs beside the promoted one, for comparison.
    pub fn is_shadow(&self) -> bool {
        matches!(&self.by, By::Producer(producer) if producer.shadow)
    }

    /// Whether this is a model's word that stands: promoted, and as sure as its producer's threshold asks.
    pub fn stands(&self) -> bool {
        match &self.by {
            By::Person(_) => true,
            By::Producer(producer) => {
                let sure = match (self.confidence, producer.threshold) {
                    (Some(confidence), Some(threshold)) => confidence >= threshold,
                    _ => true,
                };
                sure && !producer.shadow
            }
        }
    }
}

/// What an enricher found on one target, before the executor says which target and producer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The attribute, one of those that the enricher's spec gives.
    pub attribute: String,
    /// The value.
    pub value: Value,
    /// How sure, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// The part of the picture, for detectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
}

impl Finding {
    /// A value without a degree of certainty.
    pub fn new(attribute: impl Into<String>, value: Value) -> Self {
        Self {
            attribute: attribute.into(),
            value,
            confidence: None,
            region: None,
        }
    }

    /// A label.
    pub fn label(attribute: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(attribute, Value::Label(label.into()))
    }

    /// Whether all its numbers are finite.
    pub fn is_finite(&self) -> bool {
        self.confidence.is_none_or(f32::is_finite)
            && self.region.as_ref().is_none_or(Region::is_finite)
            && self.value.is_finite()
    }

    /// Says how sure, 0 to 1.
    pub fn confidence(mut self, confidence: f32) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// Says which part of the picture.
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }
}
