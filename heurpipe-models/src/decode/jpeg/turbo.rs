//! Pixels by libjpeg-turbo, which makes only as many as are wanted: at a scale of so many eighths, part of the work is never done.
//!
//! What libjpeg merely warns of (damaged data, of which it makes up the rest) is an error here: turbojpeg's calls fail on warnings.

use heurpipe_core::{Error, ErrorKind, Result};
use turbojpeg::{Colorspace, Decompressor, Image, PixelFormat, ScalingFactor};

use super::Plane;

pub(super) const NAME: &str = "libjpeg-turbo";

/// More scans than any encoder writes. Each costs a pass over all coefficients, so a small file of many scans could keep a core for minutes.
const MAX_SCANS: u32 = 200;

/// Four eighths cost no more than three, for which there are no vector instructions, and show more.
pub(super) fn eighths(wanted: u32) -> u32 {
    match wanted {
        3 => 4,
        other => other,
    }
}

/// It makes no more pixels than those.
pub(super) fn held(eighths: u32) -> u64 {
    u64::from(eighths * eighths)
}

pub(super) fn decode(bytes: &[u8], size: (u32, u32), eighths: u32) -> Result<Plane> {
    match attempt(bytes, size, eighths) {
        // A broken profile is as good as none, also where it comes in segments that do not fit together.
        Err(error) if is_about_profile(&error) => attempt(&without_profile(bytes), size, eighths),
        outcome => outcome,
    }
}

fn is_about_profile(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.to_string().contains("ICC"))
}

/// The file without the segments of its profile.
fn without_profile(bytes: &[u8]) -> Vec<u8> {
    let mut kept = bytes[..bytes.len().min(2)].to_vec();
    let mut at = kept.len();
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4) {
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        let Some(segment) = bytes.get(at..end) else {
            break;
        };
        if marker == 0xda {
            break; // picture data
        }
        if !(marker == 0xe2
            && segment
                .get(4..)
                .is_some_and(|content| content.starts_with(b"ICC_PROFILE")))
        {
            kept.extend_from_slice(segment);
        }
        at = end;
    }
    kept.extend_from_slice(&bytes[at..]);
    kept
}

fn attempt(bytes: &[u8], (width, height): (u32, u32), eighths: u32) -> Result<Plane> {
    let failed = |error| damaged(bytes, error);
    let mut decompressor = Decompressor::new().map_err(failed)?;
    decompressor.set_scan_limit(MAX_SCANS).map_err(failed)?;
    let header = decompressor.read_header(bytes).map_err(failed)?;
    if (header.width, header.height) != (width as usize, height as usize) {
        return Err(Error::new(ErrorKind::Corrupt, "picture.decode")
            .message("the jpeg has several sizes")
            .with("size", format_args!("{width}x{height}"))
            .with("other", format_args!("{}x{}", header.width, header.height)));
    }
    let eighths = if header.is_lossless { 8 } else { eighths };
    let factor = ScalingFactor::new(eighths as usize, 8);
    decompressor.set_scaling_factor(factor).map_err(failed)?;
    let scaled = header.scaled(factor);
    let is_cmyk = matches!(header.colorspace, Colorspace::CMYK | Colorspace::YCCK);
    let format = if is_cmyk {
        PixelFormat::CMYK
    } else {
        PixelFormat::RGB
    };
    let pitch = scaled.width * format.size();
    let mut image = Image {
        pixels: vec![0; pitch * scaled.height],
        width: scaled.width,
        pitch,
        height: scaled.height,
        format,
    };
    decompressor
        .decompress(bytes, image.as_deref_mut())
        .map_err(failed)?;
    Ok(Plane {
        width: scaled.width as u32,
        height: scaled.height as u32,
        eighths,
        rgb: if is_cmyk {
            of_cmyk(&image.pixels)
        } else {
            image.pixels
        },
    })
}

/// As Adobe stores it, with 255 for no ink: each colour is darkened by black.
fn of_cmyk(pixels: &[u8]) -> Vec<u8> {
    let darkened =
        |colour: u8, black: u8| ((u32::from(colour) * u32::from(black) + 127) / 255) as u8;
    pixels
        .chunks_exact(4)
        .flat_map(|pixel| {
            let black = pixel[3];
            [
                darkened(pixel[0], black),
                darkened(pixel[1], black),
                darkened(pixel[2], black),
            ]
        })
        .collect()
}

fn damaged(bytes: &[u8], error: turbojpeg::Error) -> Error {
    let reason = error.to_string();
    let is_unsupported =
        reason.contains("Unsupported JPEG") || reason.contains("Unsupported color");
    let (kind, message) = if is_unsupported {
        (ErrorKind::Unsupported, "this kind of jpeg is not read")
    } else {
        (ErrorKind::Corrupt, "the jpeg is damaged or cut off")
    };
    Error::new(kind, "picture.decode")
        .message(message)
        .with("bytes", bytes.len())
        .cause(error)
}
