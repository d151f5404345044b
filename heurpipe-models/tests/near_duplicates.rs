//! Pictures that look nearly the same have nearly the same hash, and others have not.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Cursor;
use std::path::PathBuf;

use heurpipe_core::{Enricher, Input, NearDuplicates, PictureHash, PixelRequest};
use heurpipe_models::{DecodeLimits, PerceptualHash, PictureDecoder};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

const DISTANCE: u32 = PerceptualHash::USUAL_DISTANCE;
/// So many photographs are compared, and one of so many is changed: that takes longer than reading it.
const PHOTOGRAPHS: usize = 2000;
const CHANGED: usize = 40;

/// From a picture's file to its hash, as a pipeline does it.
struct Eye {
    hash: PerceptualHash,
    decoder: PictureDecoder,
    request: PixelRequest,
}

impl Eye {
    fn new() -> Self {
        let hash = PerceptualHash::default();
        let Input::Pixels(request) = hash.spec().input else {
            panic!("the hash is made of pixels");
        };
        Self {
            hash,
            decoder: PictureDecoder::new(DecodeLimits::default()),
            request,
        }
    }

    fn hash(&self, file: &[u8]) -> Option<PictureHash> {
        let pixels = self.decoder.decode_now(file, &[self.request]).unwrap();
        self.hash.hash(&pixels[0]).unwrap()
    }

    fn of(&self, picture: &RgbImage) -> Option<PictureHash> {
        self.hash(&jpeg(picture, 90))
    }
}

fn jpeg(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality)
        .encode_image(picture)
        .unwrap();
    file
}

fn png(picture: &RgbImage) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// The same picture as others would save it, each with a name.
fn copies(picture: &RgbImage) -> Vec<(&'static str, Vec<u8>)> {
    let (width, height) = picture.dimensions();
    let half = imageops::resize(picture, width / 2, height / 2, FilterType::Lanczos3);
    let (left, top) = (width / 100, height / 100);
    let cut = imageops::crop_imm(picture, left, top, width - 2 * left, height - 2 * top);
    let cut = cut.to_image();
    let brighter = DynamicImage::from(picture.clone()).brighten(12).to_rgb8();
    vec![
        ("quality 60", jpeg(picture, 60)),
        ("quality 30", jpeg(picture, 30)),
        ("half the size", jpeg(&half, 85)),
        ("brighter", jpeg(&brighter, 85)),
        ("cut by 2 %", jpeg(&cut, 85)),
    ]
}

/// Another colour of what is there, the light unchanged.
fn recoloured(picture: &RgbImage) -> RgbImage {
    DynamicImage::from(picture.clone()).huerotate(120).to_rgb8()
}

/// How much two pictures of one size differ in the middle: the mean over its colours, of 255.
fn difference(one: &RgbImage, other: &RgbImage) -> f64 {
    let (width, height) = one.dimensions();
    let middle = |picture: &RgbImage| {
        imageops::crop_imm(picture, width / 4, height / 4, width / 2, height / 2)
            .to_image()
            .into_raw()
    };
    let (one, other) = (middle(one), middle(other));
    let differences = one
        .iter()
        .zip(&other)
        .map(|(a, b)| f64::from(a.abs_diff(*b)));
    differences.sum::<f64>() / one.len() as f64
}

/// A garment of some shape and colour in a room: a floor, a wall with a window, light from one side.
fn scene(colour: [u8; 3], garment: impl Fn(f32, f32) -> bool, window: (f32, f32)) -> RgbImage {
    RgbImage::from_fn(480, 640, |x, y| {
        let (x, y) = (x as f32 / 480.0, y as f32 / 640.0);
        let light = 0.75 + 0.25 * (1.0 - x) + 0.04 * ((x * 37.0).sin() * (y * 29.0).cos());
        let near = |at: f32, of: f32| (at - of).abs() < 0.13;
        let base = if garment(x, y) {
            colour
        } else if near(x, window.0) && near(y, window.1) {
            [225, 235, 245]
        } else if y > 0.8 {
            [120, 90, 60]
        } else {
            [170, 165, 155]
        };
        Rgb(base.map(|part| (f32::from(part) * light).min(255.0) as u8))
    })
}

fn dress(x: f32, y: f32) -> bool {
    (0.15..0.85).contains(&y) && (x - 0.5).abs() < 0.08 + 0.3 * (y - 0.15)
}

fn trousers(x: f32, y: f32) -> bool {
    (0.3..0.95).contains(&y) && (0.05..0.2).contains(&(x - 0.55).abs())
}

#[test]
fn a_copy_is_near_and_another_picture_is_far() {
    let eye = Eye::new();
    let pictures = [
        scene([190, 30, 40], dress, (0.2, 0.2)),
        scene([190, 30, 40], trousers, (0.2, 0.2)),
        scene(
            [30, 60, 160],
            |x, y| (x - 0.4).hypot(y - 0.5) < 0.25,
            (0.8, 0.3),
        ),
        scene(
            [240, 240, 235],
            |x, y| (0.1..0.6).contains(&x) && y < 0.5,
            (0.8, 0.65),
        ),
    ];
    let hashes: Vec<PictureHash> = pictures.iter().map(|p| eye.of(p).unwrap()).collect();
    for (picture, hash) in pictures.iter().zip(&hashes) {
        assert_eq!(eye.of(picture), Some(*hash));
        for (name, copy) in copies(picture)
            .into_iter()
            .chain([("as PNG", png(picture))])
        {
            let distance = hash.distance(eye.hash(&copy).unwrap());
            println!("{name}: {distance}");
            // What is cut is moved as well.
            let most = if name.starts_with("cut") { 4 } else { DISTANCE };
            assert!(distance <= most, "{name}: {distance}");
        }
    }
    for (index, one) in hashes.iter().enumerate() {
        for other in &hashes[..index] {
            let distance = one.distance(*other);
            println!("another: {distance}");
            assert!(distance > 4 * DISTANCE, "{one} and {other}");
        }
    }
}

#[test]
fn the_same_in_another_colour_is_another_picture() {
    let eye = Eye::new();
    let in_colour = |colour| eye.of(&scene(colour, dress, (0.2, 0.2))).unwrap();
    let colours = [[190, 30, 40], [30, 60, 160], [60, 130, 60], [230, 190, 40]];
    let hashes = colours.map(in_colour);
    for (index, one) in hashes.iter().enumerate() {
        for other in &hashes[..index] {
            let distance = one.distance(*other);
            assert!(distance > DISTANCE, "{one} and {other}");
        }
    }
}

#[test]
fn what_shows_nothing_has_no_hash() {
    let eye = Eye::new();
    for grey in [0, 20, 128, 255] {
        let flat = RgbImage::from_pixel(300, 400, Rgb([grey, grey, grey / 2]));
        assert_eq!(eye.of(&flat), None);
        assert_eq!(eye.hash(&png(&flat)), None);
    }
    // Neither does the noise of a sensor make a picture.
    let noise = RgbImage::from_fn(300, 400, |x, y| {
        let noise = (x * 7919 + y * 104_729) % 13;
        Rgb([120 + noise as u8; 3])
    });
    assert_eq!(eye.of(&noise), None);
    // Something on it is a picture.
    let spot = RgbImage::from_fn(300, 400, |x, y| {
        let inside = (100..200).contains(&x) && (150..250).contains(&y);
        Rgb([if inside { 60 } else { 128 }; 3])
    });
    assert!(eye.of(&spot).is_some());
}

#[test]
fn pixels_that_are_none_are_refused() {
    let hash = PerceptualHash::default();
    for pixels in [
        heurpipe_core::Pixels::rgb(4, 4, vec![0; 47]),
        heurpipe_core::Pixels::rgb(0, 0, Vec::new()),
    ] {
        assert!(hash.hash(&pixels).is_err());
    }
}

#[test]
fn the_attribute_is_the_one_that_near_duplicates_ask_for() {
    let spec = PerceptualHash::default().spec().clone();
    assert_eq!(spec.gives, [NearDuplicates::ATTRIBUTE]);
}

/// What copies have in common on photographs, and what different photographs have: the figures by which the usual distance was chosen.
#[test]
fn photographs_are_told_apart() {
    let Some(folder) = common::photographs() else {
        println!("skipped: HEURPIPE_SHARED names no folder with data/clothing/images");
        return;
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.truncate(PHOTOGRAPHS);
    let eye = Eye::new();
    let mut hashes = Vec::new();
    let mut kept: Vec<(&str, Vec<u32>)> = Vec::new();
    for (number, path) in files.iter().enumerate() {
        let file = std::fs::read(path).unwrap();
        let Some(hash) = eye.hash(&file) else {
            continue;
        };
        hashes.push(hash);
        if number % CHANGED != 0 {
            continue;
        }
        let picture = image::load_from_memory(&file)
            .unwrap()
            .thumbnail(800, 800)
            .to_rgb8();
        let other = recoloured(&picture);
        // What is grey is grey in another colour too.
        let coloured = (difference(&picture, &other) > 20.0).then(|| jpeg(&other, 85));
        let coloured = coloured.map(|file| ("another colour", file));
        for (name, copy) in copies(&picture).into_iter().chain(coloured) {
            let distance = eye.hash(&copy).map_or(64, |copy| hash.distance(copy));
            match kept.iter_mut().find(|(known, _)| *known == name) {
                Some((_, distances)) => distances.push(distance),
                None => kept.push((name, vec![distance])),
            }
        }
    }
    println!("{} photographs, {} have a hash", files.len(), hashes.len());
    let share = |distances: &[u32], within| {
        let near = distances.iter().filter(|distance| **distance <= within);
        near.count() as f64 / distances.len() as f64
    };
    for (name, distances) in &kept {
        let shares =
            [0, 1, 2, 3, 4, 6].map(|within| format!("{within}: {:.3}", share(distances, within)));
        println!(
            "{name}, of {}, within {}",
            distances.len(),
            shares.join(", ")
        );
        let near = share(distances, DISTANCE);
        match *name {
            "another colour" => assert!(near <= 0.1, "{name}"),
            "cut by 2 %" => assert!(near >= 0.5, "{name}"),
            _ => assert!(near >= 0.9, "{name}"),
        }
    }
    let mut pairs = [0_usize; 13];
    for (index, one) in hashes.iter().enumerate() {
        for other in &hashes[..index] {
            if let Some(pairs) = pairs.get_mut(one.distance(*other) as usize) {
                *pairs += 1;
            }
        }
    }
    let all = hashes.len() * hashes.len().saturating_sub(1) / 2;
    println!("of {all} pairs of photographs so many differ in 0, 1, 2, … bits: {pairs:?}");
    let near: usize = pairs[..=DISTANCE as usize].iter().sum();
    assert!(
        near * 1_000_000 <= all,
        "{near} of {all} pairs are taken for one another"
    );
}
