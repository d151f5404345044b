//! Pixels by zune-jpeg: pure Rust. It decodes in full size; where fewer pixels are wanted, each is made of 2x2 or 4x4 of the picture's at once, which
//! leaves resizing less to do.

use heurpipe_core::{Error, ErrorKind, Result};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_jpeg::JpegDecoder;

use super::{Plane, damaged, options};

pub(super) const NAME: &str = "zune-jpeg";

/// A half or a quarter, with at least twice the pixels that are wanted along each edge: squares blur more than a filter does, and a colour that fills less than
/// one would be lost.
pub(super) fn eighths(wanted: u32) -> u32 {
    (2 * wanted).min(8).next_power_of_two()
}

/// The picture in full, and what it is made smaller to.
pub(super) fn held(eighths: u32) -> u64 {
    match eighths {
        8 => 64,
        _ => 64 + u64::from(eighths * eighths),
    }
}

pub(super) fn decode(bytes: &[u8], (width, height): (u32, u32), eighths: u32) -> Result<Plane> {
    let options = options().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let rgb = decoder.decode().map_err(|error| damaged(bytes, error))?;
    if rgb.len() != width as usize * height as usize * 3 {
        return Err(Error::new(ErrorKind::Unsupported, "picture.decode")
            .message("the jpeg cannot be turned into rgb")
            .with("size", format_args!("{width}x{height}")));
    }
    if eighths == 8 {
        return Ok(Plane::in_full(width, height, rgb));
    }
    let side = 8 / eighths;
    Ok(Plane {
        width: width.div_ceil(side),
        height: height.div_ceil(side),
        eighths,
        rgb: means(&rgb, width as usize, side as usize),
    })
}

/// The mean of each square of `side` x `side` pixels, at the right and lower edge of what is there of it. `side` is at most 8.
fn means(rgb: &[u8], width: usize, side: usize) -> Vec<u8> {
    let row = width * 3;
    let mut means = Vec::with_capacity(rgb.len().div_ceil(side * side) + row);
    let mut sums = vec![0u16; row];
    for rows in rgb.chunks(row * side) {
        sums.fill(0);
        for row in rows.chunks_exact(row) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += u16::from(value);
            }
        }
        for square in sums.chunks(side * 3) {
            let mut sum = [0u32; 3];
            for pixel in square.as_chunks::<3>().0 {
                for (sum, &value) in sum.iter_mut().zip(pixel) {
                    *sum += u32::from(value);
                }
            }
            let pixels = (square.len() / 3 * (rows.len() / row)) as u32;
            means.extend(sum.map(|sum| mean(sum, pixels)));
        }
    }
    means
}

/// Rounded half up. Nearly every square has a power of two pixels, and shifting is much faster than dividing.
fn mean(sum: u32, pixels: u32) -> u8 {
    let sum = sum + pixels / 2;
    let mean = match pixels.is_power_of_two() {
        true => sum >> pixels.trailing_zeros(),
        false => sum / pixels,
    };
    mean as u8 // the mean of bytes is one
}

#[cfg(test)]
mod tests {
    use super::means;

    fn grey(values: &[u8]) -> Vec<u8> {
        values.iter().flat_map(|&v| [v, v / 2, 255 - v]).collect()
    }

    #[test]
    fn squares_become_their_means_and_edges_those_of_what_is_there() {
        let picture = grey(&[
            0, 10, 20, 30, 200, //
            4, 14, 24, 34, 100, //
            8, 8, 9, 9, 77,
        ]);
        assert_eq!(means(&picture, 5, 2), {
            let mut expected = Vec::new();
            for (value, half, rest) in [
                (7, 4, 248),
                (27, 14, 228),
                (150, 75, 105),
                (8, 4, 247),
                (9, 4, 246),
                (77, 38, 178),
            ] {
                expected.extend([value, half, rest]);
            }
            expected
        });
        assert_eq!(means(&picture, 5, 8).len(), 3);
    }
}
