//! A detector finds the same faces in photographs as Python's ONNX Runtime with a suppression written by hand.
//!
//! Needs Python with onnxruntime and numpy, and the photographs and models of `HEURPIPE_SHARED`; skipped with a reason without them.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use heurpipe_core::Pixels;
use heurpipe_models::{Detect, Detection, PictureDecoder};

const SIZE: (u32, u32) = (320, 240);
const THRESHOLD: f32 = 0.7;
const OVERLAP: f32 = 0.5;
/// Every so-manieth photograph is looked at.
const STEP: usize = 20;
/// Most show garments without anybody in them; these at least do.
const FACES: usize = 8;

fn detector(folder: &std::path::Path, network: &std::path::Path) -> Detect {
    let manifest = format!(
        "name = 'faces'\nversion = '1'\ntask = 'detect'\nattribute = 'face'\nlabels = ['face']\nthreshold = {THRESHOLD}\n\
         [file]\npath = '{}'\n[input]\nwidth = {}\nheight = {}\nmean = [127.0, 127.0, 127.0]\nstd = [128.0, 128.0, 128.0]\n\
         [detect]\nbackground = true\niou = {OVERLAP}\ncount = 'faces'\n",
        network.display(),
        SIZE.0,
        SIZE.1
    );
    std::fs::write(folder.join("model.toml"), manifest).unwrap();
    Detect::load(folder).unwrap()
}

/// Left, top, right, bottom, score.
fn numbers(detection: &Detection) -> [f32; 5] {
    let region = detection.region;
    [
        region.x,
        region.y,
        region.x + region.width,
        region.y + region.height,
        detection.confidence,
    ]
}

#[test]
fn faces_are_where_python_finds_them() {
    let Some(shared) = common::shared() else {
        println!("skipped: HEURPIPE_SHARED names no folder with photographs and models");
        return;
    };
    if !common::python_has("numpy, onnxruntime") {
        println!("skipped: python cannot import numpy and onnxruntime");
        return;
    }
    let network = shared.join("models/ultraface_rfb_320.onnx");
    let network = network.canonicalize().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let detector = detector(folder.path(), &network);
    let request = detector.manifest().picture_input().unwrap().pixels();
    let decoder = PictureDecoder::default();
    let entries = std::fs::read_dir(shared.join("data/clothing/images")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let pictures: Vec<Arc<Pixels>> = paths
        .iter()
        .step_by(STEP)
        .map(|path| {
            let bytes = std::fs::read(path).unwrap();
            Arc::new(decoder.decode_now(&bytes, &[request]).unwrap().remove(0))
        })
        .collect();
    let pixels = folder.path().join("pixels.rgb");
    let raw: Vec<u8> = pictures.iter().flat_map(|p| p.bytes.to_vec()).collect();
    std::fs::write(&pixels, raw).unwrap();
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/boxes.py");
    let [width, height, threshold, overlap] = [
        SIZE.0.to_string(),
        SIZE.1.to_string(),
        THRESHOLD.to_string(),
        OVERLAP.to_string(),
    ];
    let answer = common::python(&[
        script.as_os_str(),
        network.as_os_str(),
        pixels.as_os_str(),
        width.as_ref(),
        height.as_ref(),
        "127".as_ref(),
        "128".as_ref(),
        threshold.as_ref(),
        overlap.as_ref(),
    ]);
    let theirs: Vec<Vec<[f32; 5]>> = serde_json::from_slice(&answer).unwrap();
    let ours = detector.detect(&pictures).unwrap();
    assert_eq!(ours.len(), theirs.len());
    let mut faces = 0;
    let mut worst = 0_f32;
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.len(), theirs.len(), "{ours:?} {theirs:?}");
        for (face, theirs) in ours.iter().zip(theirs) {
            let far = numbers(face)
                .into_iter()
                .zip(theirs)
                .map(|(a, b)| (a - b).abs());
            worst = far.fold(worst, f32::max);
            faces += 1;
        }
    }
    println!(
        "{faces} faces in {} photographs, within {worst:.1e} of Python's",
        pictures.len()
    );
    assert!(faces >= FACES, "{faces}");
    assert!(worst < 1e-3, "{worst}");
}
