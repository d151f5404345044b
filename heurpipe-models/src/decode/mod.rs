//! From a picture's bytes to the pixels that models ask for.
//!
//! The format is told from the first bytes, never from a name. JPEG goes through libjpeg-turbo (feature `turbojpeg`), at the smallest scale that
//! serves all requests, else through zune-jpeg in full; PNG, WebP and GIF (its first frame) through the image crate. Limits are checked on the
//! header, before anything is allocated. Grey, CMYK and transparent pictures become RGB (transparent parts white), colours with a profile of
//! their own become sRGB, and the orientation that a camera noted is applied.

mod convolve;
mod fit;
mod format;
mod geometry;
mod jpeg;
mod orientation;
mod profile;
mod raster;

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use bytes::Bytes;
use heurpipe_core::{
    Decoded, Decoder, Error, ErrorKind, PixelRequest, Pixels, Resample, Result, compute,
};

use fit::Fitter;
use format::Format;
use geometry::Geometry;
use jpeg::Jpeg;
use orientation::Orientation;
use raster::Still;

/// How large a picture may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// Most pixels, width times height; of the picture and of what is asked for.
    pub max_pixels: u64,
    /// Most bytes of the file.
    pub max_bytes: u64,
    /// Most bytes of memory that one decode may need besides the file, reckoned from the header.
    pub max_memory: u64,
}

impl Default for DecodeLimits {
    /// 64 million pixels in 64 MiB, decoded in 512 MiB: more than any network keeps of a picture.
    fn default() -> Self {
        Self {
            max_pixels: 64_000_000,
            max_bytes: 64 << 20,
            max_memory: 512 << 20,
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

/// What the header of a file says.
struct Header {
    width: u32,
    height: u32,
    orientation: Orientation,
    /// The ICC profile of its colours.
    profile: Option<Vec<u8>>,
}

/// What a decoder of a format gives: RGB rows from the top, at so many eighths of the picture's size, rounded up.
struct Plane {
    width: u32,
    height: u32,
    eighths: u32,
    rgb: Vec<u8>,
}

/// A decoded picture as it lies in the file, not turned yet.
struct Raster {
    /// The picture's own size.
    full: (u32, u32),
    width: u32,
    height: u32,
    eighths: u32,
    rgb: Bytes,
    orientation: Orientation,
}

/// A picture of which only the header was read.
enum Opened<'a> {
    Jpeg(Jpeg<'a>),
    Still(Still<'a>),
}

impl PictureDecoder {
    /// A decoder with other limits.
    pub fn new(limits: DecodeLimits) -> Self {
        Self { limits }
    }

    /// Which library decodes JPEG in this build, for reports: `libjpeg-turbo` or `zune-jpeg`.
    pub fn jpeg_decoder() -> &'static str {
        jpeg::DECODER
    }

    /// Decodes on the calling thread.
    ///
    /// # Errors
    /// `InvalidInput` for what is no picture, `Unsupported` for a format that is not read, `Corrupt` for a damaged picture, `TooLarge` beyond
    /// the limits; all permanent.
    pub fn decode_now(&self, bytes: &[u8], requests: &[PixelRequest]) -> Result<Vec<Pixels>> {
        // Decoders of hostile bytes are the one place where a panic of another crate must not become ours.
        let attempt = AssertUnwindSafe(|| self.pixels(bytes, requests));
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

    fn pixels(&self, bytes: &[u8], requests: &[PixelRequest]) -> Result<Vec<Pixels>> {
        let opened = self.open(bytes)?;
        let (width, height) = opened.header().upright_size();
        self.check_size(width.into(), height.into())?;
        let geometries = requests
            .iter()
            .map(|request| Geometry::of(request, width, height))
            .collect::<Result<Vec<_>>>()?;
        let eighths = eighths(requests, &geometries);
        self.check_memory(&opened, eighths, &geometries)?;
        let raster = opened.decode(eighths)?;
        let fitter = Fitter::new(&raster);
        geometries
            .iter()
            .zip(requests)
            .map(|(geometry, request)| fitter.fit(geometry, request))
            .collect()
    }

    fn open<'a>(&self, bytes: &'a [u8]) -> Result<Opened<'a>> {
        if bytes.len() as u64 > self.limits.max_bytes {
            return Err(Error::new(ErrorKind::TooLarge, "picture.decode")
                .message("the file is larger than allowed")
                .with("bytes", bytes.len())
                .with("allowed", self.limits.max_bytes));
        }
        match Format::of(bytes)? {
            Format::Jpeg => Jpeg::open(bytes).map(Opened::Jpeg),
            Format::Other(format) => {
                Still::open(bytes, format, self.limits.max_memory).map(Opened::Still)
            }
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

    fn check_memory(
        &self,
        opened: &Opened<'_>,
        eighths: u32,
        geometries: &[Geometry],
    ) -> Result<()> {
        if let Some(most) = geometries.iter().map(Geometry::pixels).max()
            && most > self.limits.max_pixels
        {
            return Err(Error::new(ErrorKind::TooLarge, "picture.fit")
                .message("more pixels are asked for than allowed")
                .with("pixels", most)
                .with("allowed", self.limits.max_pixels));
        }
        let results = geometries.iter().fold(0u64, |sum, geometry| {
            sum.saturating_add(geometry.pixels() * 3)
        });
        let memory = opened.memory(eighths).saturating_add(results);
        if memory > self.limits.max_memory {
            let header = opened.header();
            return Err(Error::new(ErrorKind::TooLarge, "picture.decode")
                .message("the picture needs more memory than allowed")
                .with("size", format_args!("{}x{}", header.width, header.height))
                .with("bytes", memory)
                .with("allowed", self.limits.max_memory));
        }
        Ok(())
    }
}

/// The smallest scale, in eighths, at which the picture still has the pixels that every request needs.
fn eighths(requests: &[PixelRequest], geometries: &[Geometry]) -> u32 {
    let needed = requests.iter().zip(geometries).map(|(request, geometry)| {
        if request.resample == Resample::Nearest {
            return 8; // which pixel is the nearest is a question to the picture itself
        }
        (geometry.scale() * 8.0).ceil().clamp(1.0, 8.0) as u32
    });
    needed.max().unwrap_or(1)
}

impl Opened<'_> {
    fn header(&self) -> &Header {
        match self {
            Self::Jpeg(jpeg) => jpeg.header(),
            Self::Still(still) => still.header(),
        }
    }

    fn memory(&self, eighths: u32) -> u64 {
        match self {
            Self::Jpeg(jpeg) => jpeg.memory(eighths),
            Self::Still(still) => still.memory(),
        }
    }

    fn decode(self, eighths: u32) -> Result<Raster> {
        let header = self.header();
        let profile = header.profile.clone();
        let (full, orientation) = ((header.width, header.height), header.orientation);
        let mut plane = match self {
            Self::Jpeg(jpeg) => jpeg.decode(eighths)?,
            Self::Still(still) => still.decode()?,
        };
        if let Some(profile) = profile {
            profile::to_srgb(&profile, &mut plane.rgb);
        }
        Ok(Raster {
            full,
            width: plane.width,
            height: plane.height,
            eighths: plane.eighths,
            rgb: plane.rgb.into(),
            orientation,
        })
    }
}

impl Header {
    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    fn upright_size(&self) -> (u32, u32) {
        self.orientation.upright((self.width, self.height))
    }
}

impl Plane {
    fn in_full(width: u32, height: u32, rgb: Vec<u8>) -> Self {
        Self {
            width,
            height,
            eighths: 8,
            rgb,
        }
    }
}

impl Raster {
    fn is_in_full(&self) -> bool {
        self.eighths == 8
    }

    fn upright_size(&self) -> (u32, u32) {
        self.orientation.upright(self.full)
    }

    /// A start and a length in pixels of the full picture, in pixels of this one.
    fn scaled(&self, start: u32, length: u32) -> (f64, f64) {
        let scale = f64::from(self.eighths) / 8.0;
        (f64::from(start) * scale, f64::from(length) * scale)
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
