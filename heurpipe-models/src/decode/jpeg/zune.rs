//! Pixels by zune-jpeg: pure Rust, always in full size.

use heurpipe_core::{Error, ErrorKind, Result};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_jpeg::JpegDecoder;

use super::{Plane, damaged, options};

pub(super) const NAME: &str = "zune-jpeg";

/// It knows no other scale.
pub(super) fn eighths(_wanted: u32) -> u32 {
    8
}

pub(super) fn decode(bytes: &[u8], (width, height): (u32, u32), _eighths: u32) -> Result<Plane> {
    let options = options().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let rgb = decoder.decode().map_err(|error| damaged(bytes, error))?;
    if rgb.len() != width as usize * height as usize * 3 {
        return Err(Error::new(ErrorKind::Unsupported, "picture.decode")
            .message("the jpeg cannot be turned into rgb")
            .with("size", format_args!("{width}x{height}")));
    }
    Ok(Plane::in_full(width, height, rgb))
}
