//! From a picture's bytes to pixels, once for all models that want them.

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

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

/// The pixels that an enricher wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PixelRequest {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How the picture is made to fit.
    pub fit: Fit,
}

impl PixelRequest {
    /// RGB pixels of this size.
    pub fn new(width: u32, height: u32, fit: Fit) -> Self {
        Self { width, height, fit }
    }
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
    /// Scaled so that it fits inside, the rest filled with black.
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
}
