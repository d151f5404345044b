//! From a picture's bytes to pixels, once for all models that want them.

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;
use crate::model::Region;

/// Decodes pictures. The implementation lives with the models; core knows only the outcome.
///
/// What an implementer must uphold: one decode per call, whatever the number of requests; limits on pixels and memory are
/// checked on the header, before anything is allocated; hostile bytes give an error, never a panic.
#[async_trait]
pub trait Decoder: Send + Sync {
    /// Decodes `bytes` and gives the pixels of each request, in order, and the CPU time used on compute threads.
    ///
    /// # Errors
    /// `InvalidInput` for what is no picture, `Corrupt` for a damaged one, `TooLarge` beyond the limits; all permanent.
    async fn decode(&self, bytes: &Bytes, requests: &[PixelRequest]) -> Result<Decoded>;
}

/// What a decoder gives for one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// One per request, in order.
    pub pixels: Vec<Pixels>,
    /// CPU time used on compute threads.
    pub cpu: std::time::Duration,
}

/// The pixels that an enricher wants to see: which part of the picture, at what size, and how it is made to fit.
///
/// ```
/// use heurpipe_core::{Fit, PixelRequest, Resample};
///
/// // As torchvision's `Resize(256, BICUBIC)` and `CenterCrop(224)` do.
/// let request = PixelRequest::new(224, 224, Fit::Crop)
///     .resample(Resample::Bicubic)
///     .shortest_edge(256);
/// assert_eq!(request.resample, Resample::Bicubic);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct PixelRequest {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How the picture is made to fit.
    pub fit: Fit,
    /// How pixels are averaged when the picture is resized.
    pub resample: Resample,
    /// With [`Fit::Crop`]: the length in pixels to which the shorter edge is scaled before the cut; none: just so that the size is covered.
    pub shortest_edge: Option<u32>,
    /// With [`Fit::Letterbox`]: what the rest is filled with.
    pub fill: [u8; 3],
    /// Only this part of the upright picture; none: all of it.
    pub region: Option<Region>,
}

impl PixelRequest {
    /// RGB pixels of this size, of the whole picture, averaged bilinearly.
    pub fn new(width: u32, height: u32, fit: Fit) -> Self {
        Self {
            width,
            height,
            fit,
            resample: Resample::Bilinear,
            shortest_edge: None,
            fill: [0; 3],
            region: None,
        }
    }

    /// How pixels are averaged when the picture is resized.
    pub fn resample(mut self, resample: Resample) -> Self {
        self.resample = resample;
        self
    }

    /// With [`Fit::Crop`]: the length in pixels to which the shorter edge is scaled before the cut.
    pub fn shortest_edge(mut self, pixels: u32) -> Self {
        self.shortest_edge = Some(pixels);
        self
    }

    /// With [`Fit::Letterbox`]: what the rest is filled with.
    pub fn fill(mut self, rgb: [u8; 3]) -> Self {
        self.fill = rgb;
        self
    }

    /// Only this part of the picture.
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }
}

/// How pixels are averaged when a picture is resized; each as Pillow does it, with anti-aliasing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Resample {
    /// A triangle over two pixels.
    #[default]
    Bilinear,
    /// A cubic over four pixels (a = -0.5), sharper.
    Bicubic,
    /// A windowed sine over six pixels, the sharpest.
    Lanczos,
    /// The nearest pixel: no averaging, no anti-aliasing.
    Nearest,
}

/// How a picture is made to fit the size asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fit {
    /// Stretched to exactly that size.
    Stretch,
    /// Scaled so that it covers the size, then cut to it around the centre.
    Crop,
    /// Scaled so that it fits inside, the rest filled.
    Letterbox,
    /// Scaled down so that it fits inside, keeping its shape: the result may be smaller than asked for.
    Inside,
}

/// The layout of a pixel's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Three bytes: red, green, blue (sRGB).
    Rgb8,
}

/// A decoded picture: rows from the top, without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The layout of `bytes`.
    pub format: PixelFormat,
    /// `width * height` pixels.
    pub bytes: Bytes,
    /// Width and height, in pixels, of what these show: of the upright picture, or of the region that was asked for.
    pub source: (u32, u32),
}

impl Pixels {
    /// RGB pixels that show a picture in its own size.
    pub fn rgb(width: u32, height: u32, bytes: impl Into<Bytes>) -> Self {
        Self {
            width,
            height,
            format: PixelFormat::Rgb8,
            bytes: bytes.into(),
            source: (width, height),
        }
    }
}
