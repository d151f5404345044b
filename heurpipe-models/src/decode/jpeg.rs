//! JPEG, strictly: a damaged or cut-off file is an error, not a picture with a grey half.

use heurpipe_core::{Error, ErrorKind, Result};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::{Orientation, PictureDecoder, Raster};

/// The format's own limit.
const MAX_SIDE: usize = 65_535;

pub(super) fn decode(bytes: &[u8], limits: &PictureDecoder) -> Result<Raster> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|error| damaged(bytes, error))?;
    let (width, height) = decoder
        .info()
        .map(|info| (u32::from(info.width), u32::from(info.height)))
        .unwrap_or_default();
    limits.check_size(width.into(), height.into())?;
    if !is_whole(bytes) {
        return Err(Error::new(ErrorKind::Corrupt, "picture.decode")
            .message("the jpeg is cut off: its end marker is missing")
            .with("bytes", bytes.len()));
    }
    let orientation = decoder
        .exif()
        .map_or(Orientation::default(), |exif| Orientation::of_exif(exif));
    let rgb = decoder.decode().map_err(|error| damaged(bytes, error))?;
    if rgb.len() != width as usize * height as usize * 3 {
        return Err(Error::new(ErrorKind::Unsupported, "picture.decode")
            .message("the jpeg cannot be turned into rgb")
            .with("size", format_args!("{width}x{height}")));
    }
    Ok(Raster {
        width,
        height,
        rgb,
        orientation,
    })
}

/// Whether an end marker follows the first scan. The decoder itself does not mind a file cut within its last rows.
fn is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        if marker == 0xff {
            at += 1; // fill byte
            continue;
        }
        let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
            return false;
        };
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == 0xda {
            break;
        }
    }
    // Within a scan 0xff is always followed by zero or a restart marker, so this pair cannot be picture data.
    bytes
        .get(at..)
        .is_some_and(|rest| rest.windows(2).any(|pair| pair == [0xff, 0xd9]))
}

fn damaged(bytes: &[u8], error: DecodeErrors) -> Error {
    let (kind, message) = match &error {
        DecodeErrors::Unsupported(_) => (ErrorKind::Unsupported, "this kind of jpeg is not read"),
        DecodeErrors::LargeDimensions(_) => (ErrorKind::TooLarge, "the jpeg is too large"),
        _ => (ErrorKind::Corrupt, "the jpeg is damaged or cut off"),
    };
    Error::new(kind, "picture.decode")
        .message(message)
        .with("bytes", bytes.len())
        .with("reason", format_args!("{error:?}"))
}
