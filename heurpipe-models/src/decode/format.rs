//! Which format some bytes are in, told from how they begin.

use heurpipe_core::{Error, ErrorKind, Result};
use image::ImageFormat;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    /// PNG, WebP or GIF.
    Other(ImageFormat),
}

impl Format {
    pub(super) fn of(bytes: &[u8]) -> Result<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Ok(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => {
                Ok(Self::Other(ImageFormat::Png))
            }
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Ok(Self::Other(ImageFormat::WebP)),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Self::Other(ImageFormat::Gif)),
            _ => Err(refusal(bytes)),
        }
    }
}

fn refusal(bytes: &[u8]) -> Error {
    if let Some(name) = known_but_not_read(bytes) {
        return Error::new(ErrorKind::Unsupported, "picture.decode")
            .message("this picture format is not read")
            .with("format", name);
    }
    let error = Error::new(ErrorKind::InvalidInput, "picture.decode");
    if bytes.is_empty() {
        return error.message("the file is empty");
    }
    let start = &bytes[..bytes.len().min(32)];
    let is_text = start
        .iter()
        .all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e));
    let shown = if is_text {
        format!("{:?}", String::from_utf8_lossy(start))
    } else {
        hex::encode(&start[..start.len().min(8)])
    };
    error
        .message(if is_text {
            "this is text, not a picture"
        } else {
            "this is no picture"
        })
        .with("begins", shown)
}

fn known_but_not_read(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [b'B', b'M', ..] if bytes.len() > 26 && bytes[6..10] == [0; 4] => Some("bmp"),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some("tiff"),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4) {
            Some(b"avif" | b"avis") => Some("avif"),
            Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"hevc") => Some("heic"),
            _ => Some("mp4"),
        },
        _ => None,
    }
}
