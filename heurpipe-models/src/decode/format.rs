//! Which format some bytes are in, told from how they begin.

use heurpipe_core::{Error, ErrorKind, Result, media_type};
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
        match media_type(bytes) {
            Some("image/jpeg") => Ok(Self::Jpeg),
            Some("image/png") => Ok(Self::Other(ImageFormat::Png)),
            Some("image/webp") => Ok(Self::Other(ImageFormat::WebP)),
            Some("image/gif") => Ok(Self::Other(ImageFormat::Gif)),
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
