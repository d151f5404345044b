//! PNG, WebP and GIF.

use std::io::Cursor;

use heurpipe_core::{Error, ErrorKind, Result};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{Header, Orientation, Plane};

/// A picture whose header was read.
pub(super) struct Still<'a> {
    bytes: &'a [u8],
    format: ImageFormat,
    header: Header,
    decoder: Box<dyn ImageDecoder + 'a>,
}

impl<'a> Still<'a> {
    /// Decoders get no more than `max_memory` bytes, whatever the file says of itself.
    pub(super) fn open(bytes: &'a [u8], format: ImageFormat, max_memory: u64) -> Result<Self> {
        let failed = |error| damaged(bytes, format, error);
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut limits = Limits::default();
        limits.max_alloc = Some(max_memory);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(failed)?;
        let (width, height) = decoder.dimensions();
        let orientation = match decoder.exif_metadata() {
            Ok(Some(exif)) => Orientation::of_exif(&exif),
            _ => Orientation::default(),
        };
        // A profile that cannot be read is as good as none.
        let profile = decoder.icc_profile().unwrap_or_default();
        Ok(Self {
            bytes,
            format,
            header: Header {
                width,
                height,
                orientation,
                profile,
            },
            decoder: Box::new(decoder),
        })
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The most bytes that decoding needs: the pixels as stored, what the decoder holds besides, and the copies on the way to RGB.
    pub(super) fn memory(&self) -> u64 {
        let colour = self.decoder.color_type();
        let held = match self.format {
            ImageFormat::WebP => 8,
            ImageFormat::Gif => 4,
            _ => 0,
        };
        let narrowed = if colour.bytes_per_pixel() > 4 { 4 } else { 0 };
        let per_pixel = u64::from(colour.bytes_per_pixel()) + held + narrowed + 3;
        self.header.pixels().saturating_mul(per_pixel)
    }

    pub(super) fn decode(self) -> Result<Plane> {
        let picture = DynamicImage::from_decoder(self.decoder)
            .map_err(|error| damaged(self.bytes, self.format, error))?;
        let (width, height) = (self.header.width, self.header.height);
        Ok(Plane::in_full(width, height, on_white(picture)))
    }
}

/// RGB rows; lays a transparent picture on white, as shops show cut-out garments.
fn on_white(picture: DynamicImage) -> Vec<u8> {
    if !picture.color().has_alpha() {
        return picture.into_rgb8().into_raw();
    }
    let rgba = picture.into_rgba8();
    let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
    for pixel in rgba.as_raw().chunks_exact(4) {
        let alpha = u32::from(pixel[3]);
        let over = |value: u8| ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        rgb.extend([over(pixel[0]), over(pixel[1]), over(pixel[2])]);
    }
    rgb
}

fn damaged(bytes: &[u8], format: ImageFormat, error: ImageError) -> Error {
    let (kind, message) = match &error {
        ImageError::Limits(_) => (
            ErrorKind::TooLarge,
            "the picture needs more memory than allowed",
        ),
        ImageError::Unsupported(_) => (ErrorKind::Unsupported, "this kind of picture is not read"),
        _ => (ErrorKind::Corrupt, "the picture is damaged or cut off"),
    };
    Error::new(kind, "picture.decode")
        .message(message)
        .with("format", format_args!("{format:?}"))
        .with("bytes", bytes.len())
        .cause(error)
}
