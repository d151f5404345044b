//! What a model of pictures wants to see.

use heurpipe_core::{Fit, PixelRequest, Resample};
use serde::{Deserialize, Serialize};

/// What a model wants to see: the tensor is `(pixel - mean) / std`, with pixels from 0 to 255.
///
/// Recipes that speak of pixels from 0 to 1 are the same with mean and std times 255: ImageNet's mean 0.485 is 123.675, its std 0.229 is 58.395.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InputSpec {
    /// The input's name; none: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    /// With `fit = "crop"`: the length of the shorter edge before the cut, in pixels; none: just so that the size is covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortest_edge: Option<u32>,
    /// With `fit = "letterbox"`: what the rest is filled with: red, green, blue.
    #[serde(default)]
    pub fill: [u8; 3],
    /// The order of the tensor's dimensions.
    #[serde(default)]
    pub layout: Layout,
    /// The order of a pixel's channels.
    #[serde(default)]
    pub channels: Channels,
    /// Subtracted, per channel: red, green, blue.
    #[serde(default)]
    pub mean: [f32; 3],
    /// Divides, per channel.
    #[serde(default = "ones")]
    pub std: [f32; 3],
    /// Instead of whole pictures: the parts of them that another enricher found, by the attribute that it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regions_of: Option<String>,
}

impl InputSpec {
    /// What the pipeline's decoder is asked for.
    pub fn pixels(&self) -> PixelRequest {
        let request = PixelRequest::new(self.width, self.height, self.fit)
            .resample(self.filter)
            .fill(self.fill);
        match self.shortest_edge {
            Some(pixels) => request.shortest_edge(pixels),
            None => request,
        }
    }

    /// What is wrong with it, in words.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let (width, height) = (self.width, self.height);
        if width == 0 || height == 0 {
            return Some("the input's width and height must not be zero");
        }
        if self.std.contains(&0.0) {
            return Some("the input's std must not be zero");
        }
        if self.mean.iter().chain(&self.std).any(|x| !x.is_finite()) {
            return Some("the input's mean and std must be finite");
        }
        if self.fit == Fit::Inside {
            return Some("a model has pictures of one size: fit is stretch, crop or letterbox");
        }
        match self.shortest_edge {
            Some(_) if self.fit != Fit::Crop => Some("shortest_edge goes with fit = \"crop\""),
            Some(edge) if edge < width.max(height) => {
                Some("shortest_edge must not be below width and height")
            }
            _ => None,
        }
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

/// The order of a pixel's channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Channels {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red, as OpenCV has them; mean and std are still told red first.
    Bgr,
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

fn stretch() -> Fit {
    Fit::Stretch
}
