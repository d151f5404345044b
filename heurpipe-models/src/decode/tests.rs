#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use heurpipe_core::{Decoder, ErrorKind, Fit, PixelRequest, Retry};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

/// Left half red, right half blue, and a green band at the top, so that every turn shows.
fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        if y < height / 4 {
            Rgb([0, 255, 0])
        } else if x < width / 2 {
            Rgb([255, 0, 0])
        } else {
            Rgb([0, 0, 255])
        }
    })
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn decode(bytes: &[u8], width: u32, height: u32, fit: Fit) -> Result<Pixels> {
    let mut all =
        PictureDecoder::default().decode_now(bytes, &[PixelRequest::new(width, height, fit)])?;
    Ok(all.remove(0))
}

fn at(pixels: &Pixels, x: u32, y: u32) -> [u8; 3] {
    let at = ((y * pixels.width + x) * 3) as usize;
    pixels.bytes[at..at + 3].try_into().unwrap()
}

#[track_caller]
fn close(pixels: &Pixels, x: u32, y: u32, wanted: [u8; 3]) {
    let found = at(pixels, x, y);
    let far = found.iter().zip(wanted).any(|(&a, b)| a.abs_diff(b) > 12);
    assert!(!far, "pixel {x},{y} is {found:?}, not {wanted:?}");
}

/// A JPEG of `picture` that says the camera was held so.
fn held(picture: RgbImage, orientation: u8) -> Vec<u8> {
    let jpeg = encoded(picture, ImageFormat::Jpeg);
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let length = (2 + 6 + tiff.len()) as u16;
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(tiff);
    bytes.extend(&jpeg[2..]);
    bytes
}

#[test]
fn every_format_gives_the_same_picture() {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
    ] {
        let pixels = decode(&encoded(scene(64, 64), format), 16, 16, Fit::Stretch).unwrap();
        assert_eq!((pixels.width, pixels.height), (16, 16), "{format:?}");
        close(&pixels, 8, 1, [0, 255, 0]);
        close(&pixels, 2, 12, [255, 0, 0]);
        close(&pixels, 13, 12, [0, 0, 255]);
    }
}

#[test]
fn several_sizes_come_from_one_decode_in_order() {
    let bytes = encoded(scene(60, 40), ImageFormat::Png);
    let sizes = PictureDecoder::default()
        .decode_now(
            &bytes,
            &[
                PixelRequest::new(30, 30, Fit::Stretch),
                PixelRequest::new(20, 20, Fit::Inside),
                PixelRequest::new(900, 900, Fit::Inside),
            ],
        )
        .unwrap();
    let sizes: Vec<_> = sizes.iter().map(|p| (p.width, p.height)).collect();
    assert_eq!(sizes, [(30, 30), (20, 13), (60, 40)]);
}

#[test]
fn a_crop_keeps_the_centre_and_a_letterbox_keeps_all() {
    let bytes = encoded(
        RgbImage::from_fn(90, 30, |x, _| {
            if (30..60).contains(&x) {
                Rgb([255, 255, 255])
            } else {
                Rgb([200, 0, 0])
            }
        }),
        ImageFormat::Png,
    );
    let cut = decode(&bytes, 30, 30, Fit::Crop).unwrap();
    assert!(cut.bytes.iter().all(|&byte| byte == 255));
    let boxed = decode(&bytes, 30, 30, Fit::Letterbox).unwrap();
    close(&boxed, 15, 2, [0, 0, 0]);
    close(&boxed, 15, 15, [255, 255, 255]);
    close(&boxed, 2, 15, [200, 0, 0]);
    close(&boxed, 15, 28, [0, 0, 0]);
}

#[test]
fn a_picture_taken_sideways_comes_upright() {
    // Turned by a quarter clockwise, the band at the top comes to the right, and red, which was left, to the top.
    let pixels = decode(&held(scene(64, 32), 6), 32, 64, Fit::Stretch).unwrap();
    assert_eq!((pixels.width, pixels.height), (32, 64));
    close(&pixels, 29, 30, [0, 255, 0]);
    close(&pixels, 8, 10, [255, 0, 0]);
    close(&pixels, 8, 54, [0, 0, 255]);
}

#[test]
fn grey_and_transparent_pictures_become_rgb() {
    let grey = DynamicImage::from(scene(16, 16)).into_luma8();
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let pixels = decode(&encoded(grey.clone(), format), 16, 16, Fit::Stretch).unwrap();
        let [r, g, b] = at(&pixels, 8, 1);
        assert!(r == g && g == b && r > 100, "{format:?}: {r} {g} {b}");
    }
    let glass = RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 0]));
    let pixels = decode(&encoded(glass, ImageFormat::Png), 8, 8, Fit::Stretch).unwrap();
    assert_eq!(at(&pixels, 3, 3), [255, 255, 255]);
}

#[test]
fn a_truncated_jpeg_is_an_error_wherever_it_is_cut() {
    let whole = encoded(scene(200, 200), ImageFormat::Jpeg);
    for end in [
        whole.len() - 1,
        whole.len() - 20,
        whole.len() / 2,
        300,
        20,
        4,
    ] {
        let error = decode(&whole[..end], 16, 16, Fit::Stretch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "cut at {end}: {error}");
        assert_eq!(error.retry(), Retry::Permanent);
    }
}

#[test]
fn a_thumbnail_does_not_make_a_cut_off_jpeg_whole() {
    let whole = encoded(scene(200, 200), ImageFormat::Jpeg);
    let thumbnail = encoded(scene(16, 16), ImageFormat::Jpeg);
    let mut bytes = whole[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend(((thumbnail.len() + 2) as u16).to_be_bytes());
    bytes.extend(&thumbnail);
    bytes.extend(&whole[2..whole.len() - 2]);
    let error = decode(&bytes, 16, 16, Fit::Stretch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_header_of_40000_by_40000_is_refused_before_anything_is_allocated() {
    let mut png = encoded(scene(4, 4), ImageFormat::Png);
    png[16..20].copy_from_slice(&40_000u32.to_be_bytes());
    png[20..24].copy_from_slice(&40_000u32.to_be_bytes());
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let error = decode(&png, 16, 16, Fit::Stretch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");

    let mut jpeg = encoded(scene(8, 8), ImageFormat::Jpeg);
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&40_000u16.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&40_000u16.to_be_bytes());
    let error = decode(&jpeg, 16, 16, Fit::Stretch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[test]
fn what_is_no_picture_is_called_so() {
    let error = decode(b"Not a picture at all, really.", 8, 8, Fit::Stretch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error.to_string().contains("this is text, not a picture"),
        "{error}"
    );
    assert!(error.to_string().contains("Not a picture"), "{error}");
    let error = decode(b"", 8, 8, Fit::Stretch).unwrap_err();
    assert!(error.to_string().contains("the file is empty"), "{error}");
    let error = decode(b"\0\0\0\x20ftypheic\0\0\0\0", 8, 8, Fit::Stretch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn damaged_bytes_never_panic() {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
    ] {
        let whole = encoded(scene(48, 48), format);
        for at in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x5a;
            if let Ok(pixels) = decode(&bytes, 8, 8, Fit::Stretch) {
                assert_eq!(pixels.bytes.len(), 8 * 8 * 3);
            }
        }
    }
}

#[tokio::test]
async fn the_trait_gives_pixels_and_cpu_time() {
    let bytes = encoded(scene(64, 64), ImageFormat::Jpeg).into();
    let decoded = PictureDecoder::default()
        .decode(&bytes, &[PixelRequest::new(8, 8, Fit::Stretch)])
        .await
        .unwrap();
    assert_eq!(decoded.pixels.len(), 1);
    assert_eq!(decoded.pixels[0].bytes.len(), 8 * 8 * 3);
}
