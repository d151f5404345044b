//! JPEG, strictly: a damaged or cut-off file is an error, not a picture with a grey half.
//!
//! The header is read by zune-jpeg, whichever decoder makes the pixels, so that both see the same size, orientation and profile.

#[cfg(feature = "turbojpeg")]
#[path = "turbo.rs"]
mod backend;
#[cfg(not(feature = "turbojpeg"))]
#[path = "zune.rs"]
mod backend;

use heurpipe_core::{Error, ErrorKind, Result};
use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::{Header, Orientation, Plane};

/// The decoder that makes the pixels, as reports call it.
pub(super) const DECODER: &str = backend::NAME;

/// The format's own limit.
const MAX_SIDE: usize = 65_535;

/// A JPEG whose header was read.
pub(super) struct Jpeg<'a> {
    bytes: &'a [u8],
    header: Header,
    components: u8,
    is_progressive: bool,
}

impl<'a> Jpeg<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self> {
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options());
        decoder
            .decode_headers()
            .map_err(|error| damaged(bytes, error))?;
        let Some(info) = decoder.info() else {
            return Err(cut_off(bytes));
        };
        let structure = Structure::of(bytes);
        if !structure.has_end {
            return Err(cut_off(bytes));
        }
        Ok(Self {
            bytes,
            header: Header {
                width: info.width.into(),
                height: info.height.into(),
                orientation: decoder
                    .exif()
                    .map_or(Orientation::default(), |exif| Orientation::of_exif(exif)),
                profile: decoder.icc_profile(),
            },
            components: info.components,
            is_progressive: structure.is_progressive,
        })
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The most bytes that decoding at this scale needs: the rows that come out, and the coefficients of all scans where these come one after another.
    pub(super) fn memory(&self, eighths: u32) -> u64 {
        let pixels = self.header.pixels();
        let channels = u64::from(self.components).max(3);
        let rows = pixels * channels * backend::held(backend::eighths(eighths)) / 64;
        let coefficients = if self.is_progressive {
            pixels * u64::from(self.components) * 2
        } else {
            0
        };
        rows + coefficients
    }

    /// Decodes at `eighths` eighths of the size, or larger where the decoder cannot.
    pub(super) fn decode(&self, eighths: u32) -> Result<Plane> {
        backend::decode(
            self.bytes,
            (self.header.width, self.header.height),
            backend::eighths(eighths),
        )
    }
}

fn options() -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
}

/// What the order of a file's segments tells.
#[derive(Default)]
struct Structure {
    is_progressive: bool,
    /// Whether an end marker follows the first scan. Decoders do not mind a file cut within its last rows.
    has_end: bool,
}

impl Structure {
    fn of(bytes: &[u8]) -> Self {
        let mut structure = Self::default();
        let mut at = 2;
        while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
            if marker == 0xff {
                at += 1; // fill byte
                continue;
            }
            let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
                return structure;
            };
            structure.is_progressive |= matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce);
            at += 2 + usize::from(u16::from_be_bytes([high, low]));
            if marker == 0xda {
                break;
            }
        }
        // Within a scan 0xff is always followed by zero or a restart marker, so this pair cannot be picture data. It is nearly always the last.
        structure.has_end = bytes
            .get(at..)
            .is_some_and(|rest| rest.windows(2).rev().any(|pair| pair == [0xff, 0xd9]));
        structure
    }
}

fn cut_off(bytes: &[u8]) -> Error {
    Error::new(ErrorKind::Corrupt, "picture.decode")
        .message("the jpeg is cut off: its end marker is missing")
        .with("bytes", bytes.len())
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
