//! PNG, WebP and GIF.

use std::io::Cursor;

use heurpipe_core::{Error, ErrorKind, Result};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use super::{Orientation, PictureDecoder, Raster};

/// Room for the widest pixels that PNG knows (16 bit RGBA), and for a copy while they are narrowed.
const BYTES_PER_PIXEL: u64 = 16;

pub(super) fn decode(bytes: &[u8], format: ImageFormat, limits: &PictureDecoder) -> Result<Raster> {
    let failed = |error| damaged(bytes, format, error);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = Limits::default();
    allowed.max_alloc = Some(limits.limits.max_pixels.saturating_mul(BYTES_PER_PIXEL));
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    limits.check_size(width.into(), height.into())?;
    let orientation = match decoder.exif_metadata() {
        Ok(Some(exif)) => Orientation::of_exif(&exif),
        _ => Orientation::default(),
    };
    let picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
    Ok(Raster {
        width,
        height,
        rgb: on_white(picture).into_raw(),
        orientation,
    })
}

/// Lays a transparent picture on white, as shops show cut-out garments.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let rgba = picture.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, alpha] = rgba.get_pixel(x, y).0;
        let over = |value: u8| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        image::Rgb([over(r), over(g), over(b)])
    })
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
