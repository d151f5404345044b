//! Kinds of pictures that encoders at hand do not write, and files made to harm: an error or a picture within the limits, never a panic.
//!
//! The same with either JPEG decoder. The fixtures were made for this test, of plain colours.

#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use heurpipe_core::{ErrorKind, Fit, PixelRequest, Pixels, Region, Resample, Result};
use heurpipe_models::{DecodeLimits, PictureDecoder};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder};
use moxcms::ColorProfile;

const FORMATS: [ImageFormat; 4] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Gif,
];

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn plain(width: u32, height: u32, colour: [u8; 3]) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb(colour))
}

/// Shapes at every scale, so that all parts of a format are used.
fn busy(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 7;
        Rgb([(x * 3) as u8, (y * 2) as u8 ^ 0x55, noise as u8])
    })
}

fn requests() -> Vec<PixelRequest> {
    let region = Region {
        x: 0.3,
        y: 0.2,
        width: 0.4,
        height: 0.5,
    };
    vec![
        PixelRequest::new(32, 32, Fit::Stretch),
        PixelRequest::new(16, 24, Fit::Crop).resample(Resample::Bicubic),
        PixelRequest::new(20, 20, Fit::Letterbox).resample(Resample::Nearest),
        PixelRequest::new(9, 7, Fit::Inside)
            .resample(Resample::Lanczos)
            .region(region),
    ]
}

/// Decodes for all requests, and checks what every result must be.
fn decode(bytes: &[u8]) -> Result<Vec<Pixels>> {
    let all = PictureDecoder::default().decode_now(bytes, &requests())?;
    for (pixels, request) in all.iter().zip(requests()) {
        assert!(pixels.width <= request.width && pixels.height <= request.height);
        let length = pixels.width as usize * pixels.height as usize * 3;
        assert_eq!(pixels.bytes.len(), length);
    }
    Ok(all)
}

#[track_caller]
fn shows(bytes: &[u8], colour: [u8; 3]) {
    let pixels = decode(bytes).unwrap().remove(0);
    let found = &pixels.bytes[..3];
    let near = found.iter().zip(colour).all(|(&a, b)| a.abs_diff(b) <= 3);
    assert!(near, "{found:?} is not {colour:?}");
}

/// With a segment after the start marker.
fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, marker]);
    bytes.extend(((content.len() + 2) as u16).to_be_bytes());
    bytes.extend(content);
    bytes.extend(&jpeg[2..]);
    bytes
}

fn with_profile(jpeg: &[u8], profile: &[u8]) -> Vec<u8> {
    let mut content = b"ICC_PROFILE\0\x01\x01".to_vec();
    content.extend(profile);
    with_segment(jpeg, 0xe2, &content)
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[test]
fn unusual_kinds_are_read() {
    shows(include_bytes!("fixtures/cmyk.jpg"), [183, 46, 92]);
    shows(include_bytes!("fixtures/progressive.jpg"), [200, 30, 40]);
    shows(include_bytes!("fixtures/palette.png"), [120, 60, 240]);
    let deep = image::ImageBuffer::from_pixel(9, 9, Rgb([40_000u16, 1_000, 65_535]));
    let deep = encoded(DynamicImage::ImageRgb16(deep), ImageFormat::Png);
    shows(&deep, [156, 4, 255]);
}

/// Inks as Adobe's programs keep them: as they are (CMYK), or three of them as brightness and colours (YCCK).
#[test]
fn four_inks_are_read_in_both_forms() {
    let inks = [72u8, 209, 163, 51].repeat(40 * 24);
    for form in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let mut jpeg = Vec::new();
        let encoder = Encoder::new(&mut jpeg, 95);
        encoder.encode(&inks, 40, 24, form).unwrap();
        shows(&jpeg, [146, 37, 74]);
    }
}

#[test]
fn an_interlaced_png_shows_what_a_plain_one_does() {
    for (width, height) in [(64, 40), (33, 17), (5, 1), (1, 9), (1, 1)] {
        let picture = busy(width, height);
        let interlaced = interlaced_png(&picture);
        assert_ne!(
            interlaced[28], 0,
            "the header's last byte says how it is interlaced"
        );
        let shown = decode(&interlaced).unwrap();
        let plain = decode(&encoded(picture, ImageFormat::Png)).unwrap();
        assert_eq!(shown, plain, "{width}x{height}");
    }
}

/// A PNG of seven passes, each with more of the pixels than the one before (Adam7, §8.2 of the specification of PNG), without filters.
fn interlaced_png(picture: &RgbImage) -> Vec<u8> {
    /// First column and row of a pass, and the steps from there.
    const PASSES: [(usize, usize, usize, usize); 7] = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ];
    let (width, height) = picture.dimensions();
    let mut lines = Vec::new();
    for (left, top, across, down) in PASSES {
        let columns: Vec<u32> = (left as u32..width).step_by(across).collect();
        if columns.is_empty() {
            continue;
        }
        for y in (top as u32..height).step_by(down) {
            lines.push(0); // no filter
            lines.extend(columns.iter().flat_map(|&x| picture.get_pixel(x, y).0));
        }
    }
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&lines).unwrap();
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 1]); // bits, RGB, deflate, the usual filters, Adam7
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in [
        (b"IHDR", header),
        (b"IDAT", packed.finish().unwrap()),
        (b"IEND", Vec::new()),
    ] {
        let named = [&name[..], &content].concat();
        png.extend((content.len() as u32).to_be_bytes());
        png.extend(&named);
        png.extend(crc32(&named).to_be_bytes());
    }
    png
}

#[test]
fn of_an_animation_the_first_frame_is_read() {
    shows(include_bytes!("fixtures/animated.gif"), [10, 200, 30]);
    shows(include_bytes!("fixtures/animated.webp"), [10, 200, 30]);
}

#[test]
fn colours_with_a_profile_become_srgb() {
    let jpeg = encoded(plain(32, 32, [234, 51, 35]), ImageFormat::Jpeg);
    shows(&jpeg, [234, 51, 35]);
    let display_p3 = ColorProfile::new_display_p3().encode().unwrap();
    let found = decode(&with_profile(&jpeg, &display_p3)).unwrap().remove(0);
    assert!(
        found.bytes[0] >= 250 && found.bytes[1] <= 12,
        "{:?}",
        &found.bytes[..3]
    );
    let srgb = ColorProfile::new_srgb().encode().unwrap();
    shows(&with_profile(&jpeg, &srgb), [234, 51, 35]);
    for garbage in [&b""[..], b"no profile", &display_p3[..200], &[0xff; 4000]] {
        shows(&with_profile(&jpeg, garbage), [234, 51, 35]);
    }
}

#[test]
fn a_scaled_decode_shows_the_same() {
    let whole = RgbImage::from_fn(803, 1001, |x, y| Rgb([(x / 4) as u8, (y / 4) as u8, 90]));
    let request = [
        PixelRequest::new(96, 96, Fit::Stretch),
        PixelRequest::new(64, 64, Fit::Crop),
    ];
    let decode = |format| {
        PictureDecoder::default()
            .decode_now(&encoded(whole.clone(), format), &request)
            .unwrap()
    };
    for (scaled, full) in decode(ImageFormat::Jpeg)
        .iter()
        .zip(decode(ImageFormat::Png))
    {
        let furthest = scaled
            .bytes
            .iter()
            .zip(&full.bytes)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(furthest <= Some(6), "{furthest:?}");
    }
}

#[test]
fn a_file_cut_anywhere_is_no_picture() {
    for format in FORMATS {
        let whole = encoded(busy(60, 44), format);
        for end in (0..whole.len() - 12).step_by(whole.len() / 150 + 1) {
            let cut = decode(&whole[..end]);
            if format == ImageFormat::Jpeg {
                assert!(cut.is_err(), "cut at {end}");
            }
        }
    }
}

#[test]
fn flipped_bits_and_bytes_do_no_harm() {
    for format in FORMATS {
        let whole = encoded(busy(60, 44), format);
        let head = 0..whole.len().min(700);
        let rest = (head.end..whole.len()).step_by(whole.len() / 60 + 1);
        for at in head.step_by(2).chain(rest) {
            for mask in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= mask;
                let _ = decode(&bytes);
            }
        }
    }
}

#[test]
fn headers_that_lie_about_the_size_are_refused() {
    let mut jpeg = encoded(plain(8, 8, [9; 3]), ImageFormat::Jpeg);
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert_eq!(decode(&jpeg).unwrap_err().kind(), ErrorKind::TooLarge);

    let mut png = encoded(plain(8, 8, [9; 3]), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(decode(&png).unwrap_err().kind(), ErrorKind::TooLarge);

    let mut gif = encoded(plain(8, 8, [9; 3]), ImageFormat::Gif);
    gif[6..10].fill(0xff);
    assert_eq!(decode(&gif).unwrap_err().kind(), ErrorKind::TooLarge);

    // A lossless WebP says its size in 14 bits each, after its chunk's header and a signature.
    let mut webp = encoded(plain(8, 8, [9; 3]), ImageFormat::WebP);
    webp[21..25].copy_from_slice(&(9_999u32 | 9_999 << 14).to_le_bytes());
    assert_eq!(decode(&webp).unwrap_err().kind(), ErrorKind::TooLarge);
}

#[test]
fn a_few_bytes_of_many_pixels_need_their_memory_allowed() {
    let bomb = encoded(plain(2000, 2000, [0; 3]), ImageFormat::Png);
    assert!(bomb.len() < 100_000);
    let mut limits = DecodeLimits::default();
    limits.max_memory = 8_000_000;
    let error = PictureDecoder::new(limits)
        .decode_now(&bomb, &requests())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(decode(&bomb).is_ok());
}

#[test]
fn more_pixels_than_allowed_cannot_be_asked_for() {
    let bytes = encoded(plain(8, 8, [9; 3]), ImageFormat::Png);
    let request = PixelRequest::new(u32::MAX, u32::MAX, Fit::Stretch);
    let error = PictureDecoder::default()
        .decode_now(&bytes, &[request])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn exif_that_points_to_itself_ends() {
    let jpeg = encoded(plain(16, 16, [90, 20, 10]), ImageFormat::Jpeg);
    // One directory at 8 whose EXIF pointer and next directory are that directory again.
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08".to_vec();
    exif.extend([0, 0, 0, 8]);
    shows(&with_segment(&jpeg, 0xe1, &exif), [90, 20, 10]);
}

#[test]
fn segments_of_wrong_lengths_are_errors_or_skipped() {
    let jpeg = encoded(plain(16, 16, [90, 20, 10]), ImageFormat::Jpeg);
    for length in [0u16, 1, 2, 3, 0x7fff, 0xffff] {
        let mut bytes = with_segment(&jpeg, 0xe2, b"abc");
        bytes[4..6].copy_from_slice(&length.to_be_bytes());
        let _ = decode(&bytes);
    }
}
