//! From a picture's bytes to the pixels that models ask for.
//!
//! The format is told from the first bytes, never from a name. JPEG goes through zune-jpeg, PNG, WebP and GIF (its first frame) through the image
//! crate. Limits are checked on the header, before anything is allocated. Grey, CMYK and transparent pictures become RGB (transparent parts
//! white); the orientation that a camera noted is applied.

mod fit;
mod format;
mod jpeg;
mod orientation;
mod raster;

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use bytes::Bytes;
use heurpipe_core::{Decoded, Decoder, Error, ErrorKind, PixelRequest, Pixels, Result, compute};

use format::Format;
use orientation::Orientation;

/// How large a picture may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// Most pixels, width times height.
    pub max_pixels: u64,
    /// Most bytes of the file.
    pub max_bytes: u64,
}

impl Default for DecodeLimits {
    /// 64 million pixels in 64 MiB: more than any network keeps of a picture.
    fn default() -> Self {
        Self {
            max_pixels: 64_000_000,
            max_bytes: 64 << 20,
        }
    }
}

/// The [`Decoder`] of all pipelines: one decode a picture, whatever the number of sizes asked for.
///
/// ```
/// use heurpipe_core::{Fit, PixelRequest};
/// use heurpipe_models::PictureDecoder;
///
/// # fn picture() -> Vec<u8> {
/// #     let mut bytes = std::io::Cursor::new(Vec::new());
/// #     image::RgbImage::from_pixel(8, 4, image::Rgb([200, 10, 10]))
/// #         .write_to(&mut bytes, image::ImageFormat::Png).unwrap();
/// #     bytes.into_inner()
/// # }
/// let decoder = PictureDecoder::default();
/// let pixels = decoder.decode_now(&picture(), &[PixelRequest::new(2, 2, Fit::Stretch)])?;
/// assert_eq!(pixels[0].bytes[..3], [200, 10, 10]);
/// # Ok::<(), heurpipe_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct PictureDecoder {
    limits: DecodeLimits,
}

/// A decoded picture as it lies in the file: RGB rows from the top, not turned yet.
struct Raster {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
    orientation: Orientation,
}

impl PictureDecoder {
    /// A decoder with other limits.
    pub fn new(limits: DecodeLimits) -> Self {
        Self { limits }
    }

    /// Decodes on the calling thread.
    ///
    /// # Errors
    /// `InvalidInput` for what is no picture, `Unsupported` for a format that is not read, `Corrupt` for a damaged picture, `TooLarge` beyond
    /// the limits; all permanent.
    pub fn decode_now(&self, bytes: &[u8], requests: &[PixelRequest]) -> Result<Vec<Pixels>> {
        // Decoders of hostile bytes are the one place where a panic of another crate must not become ours.
        let attempt = AssertUnwindSafe(|| {
            let raster = self.raster(bytes)?;
            requests
                .iter()
                .map(|request| fit::fit(&raster, request))
                .collect()
        });
        catch_unwind(attempt).unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Corrupt, "picture.decode")
                .message("the picture makes its decoder fail")
                .with("bytes", bytes.len()))
        })
    }

    /// Decodes on the calling thread and gives the whole picture, upright, in its own size.
    ///
    /// # Errors
    /// As [`decode_now`](Self::decode_now).
    pub fn decode_full(&self, bytes: &[u8]) -> Result<Pixels> {
        let size = self.limits.max_pixels.min(u64::from(u32::MAX)) as u32;
        let request = PixelRequest::new(size, size, heurpipe_core::Fit::Inside);
        self.decode_now(bytes, &[request])?
            .pop()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "picture.decode"))
    }

    fn raster(&self, bytes: &[u8]) -> Result<Raster> {
        if bytes.len() as u64 > self.limits.max_bytes {
            return Err(Error::new(ErrorKind::TooLarge, "picture.decode")
                .message("the file is larger than allowed")
                .with("bytes", bytes.len())
                .with("allowed", self.limits.max_bytes));
        }
        match Format::of(bytes)? {
            Format::Jpeg => jpeg::decode(bytes, self),
            Format::Other(format) => raster::decode(bytes, format, self),
        }
    }

    fn check_size(&self, width: u64, height: u64) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(Error::new(ErrorKind::Corrupt, "picture.decode")
                .message("the picture has no pixels")
                .with("size", format_args!("{width}x{height}")));
        }
        if width.saturating_mul(height) > self.limits.max_pixels {
            return Err(Error::new(ErrorKind::TooLarge, "picture.decode")
                .message("the picture has more pixels than allowed")
                .with("size", format_args!("{width}x{height}"))
                .with("allowed", self.limits.max_pixels));
        }
        Ok(())
    }
}

#[async_trait]
impl Decoder for PictureDecoder {
    async fn decode(&self, bytes: &Bytes, requests: &[PixelRequest]) -> Result<Decoded> {
        let (decoder, bytes, requests) = (*self, bytes.clone(), requests.to_vec());
        let (pixels, cpu) = compute::run(move || decoder.decode_now(&bytes, &requests)).await?;
        Ok(Decoded {
            pixels: pixels?,
            cpu,
        })
    }
}

#[cfg(test)]
mod tests;
