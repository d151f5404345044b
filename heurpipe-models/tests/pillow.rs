//! Resizing equals Pillow's (and torchvision's on top of it) on the same decoded pixels.
//!
//! Needs Python with Pillow (`HEURPIPE_TEST_PYTHON`, else `python3`) and the photographs of `HEURPIPE_SHARED`; skipped with a reason without them.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use heurpipe_core::{Fit, PixelRequest, Region, Resample};
use heurpipe_models::PictureDecoder;
use serde_json::{Value, json};

const PHOTOGRAPHS: usize = 40;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/pillow.py");

/// Every way to fit with every resampling, smaller and larger, whole and in part.
fn requests() -> Vec<PixelRequest> {
    let region = Region {
        x: 0.13,
        y: 0.21,
        width: 0.55,
        height: 0.61,
    };
    let mut all = Vec::new();
    for resample in [
        Resample::Bilinear,
        Resample::Bicubic,
        Resample::Lanczos,
        Resample::Nearest,
    ] {
        let request = |width, height, fit| PixelRequest::new(width, height, fit).resample(resample);
        all.extend([
            request(96, 96, Fit::Stretch),
            request(333, 401, Fit::Stretch),
            request(200, 30, Fit::Stretch),
            request(30, 200, Fit::Stretch),
            request(100, 64, Fit::Stretch).region(region),
            request(112, 112, Fit::Crop),
            request(61, 90, Fit::Crop).region(region),
            request(112, 112, Fit::Crop).shortest_edge(128),
            request(64, 80, Fit::Crop).shortest_edge(71).fill([9, 8, 7]),
            request(128, 128, Fit::Letterbox).fill([114, 113, 112]),
            request(77, 131, Fit::Letterbox).region(region),
            request(96, 96, Fit::Inside),
            request(128, 50, Fit::Inside).region(region),
        ]);
    }
    all
}

fn case(path: &Path, request: &PixelRequest) -> Value {
    json!({
        "path": path,
        "fit": request.fit,
        "width": request.width,
        "height": request.height,
        "resample": request.resample,
        "shortest_edge": request.shortest_edge,
        "fill": request.fill,
        "region": request.region.map(|r| [r.x, r.y, r.width, r.height].map(f64::from)),
    })
}

/// Runs the script; gives width, height and bytes of each case.
fn reference(cases: &[Value], folder: &Path) -> Vec<(u32, u32, Vec<u8>)> {
    let list = folder.join("cases.json");
    std::fs::write(&list, serde_json::to_vec(cases).unwrap()).unwrap();
    let answer = common::python(&[SCRIPT.as_ref(), list.as_os_str(), folder.as_os_str()]);
    let sizes: Vec<(u32, u32)> = serde_json::from_slice(&answer).unwrap();
    sizes
        .into_iter()
        .enumerate()
        .map(|(number, (width, height))| {
            let bytes = std::fs::read(folder.join(format!("{number}.rgb"))).unwrap();
            (width, height, bytes)
        })
        .collect()
}

fn photographs(shared: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = std::fs::read_dir(shared.join("data/clothing/images"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    all.sort();
    let step = (all.len() / PHOTOGRAPHS).max(1);
    all.into_iter().step_by(step).take(PHOTOGRAPHS).collect()
}

#[test]
fn every_fit_and_resampling_equals_pillow() {
    let Some(shared) = common::shared() else {
        println!("skipped: HEURPIPE_SHARED names no folder with photographs");
        return;
    };
    if !common::python_has("PIL") {
        println!("skipped: python has no Pillow");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let requests = requests();
    for (number, photograph) in photographs(&shared).iter().enumerate() {
        // As PNG both sides decode the same pixels.
        let path = folder.path().join(format!("{number}.png"));
        image::open(photograph)
            .unwrap()
            .to_rgb8()
            .save(&path)
            .unwrap();
        let ours = PictureDecoder::default()
            .decode_now(&std::fs::read(&path).unwrap(), &requests)
            .unwrap();
        let cases: Vec<_> = requests
            .iter()
            .map(|request| case(&path, request))
            .collect();
        let theirs = reference(&cases, folder.path());
        for ((ours, theirs), request) in ours.iter().zip(theirs).zip(&requests) {
            let (width, height, bytes) = theirs;
            assert_eq!((ours.width, ours.height), (width, height), "{request:?}");
            let differing = ours.bytes.iter().zip(&bytes).filter(|(a, b)| a != b);
            assert_eq!(
                differing.count(),
                0,
                "{} differs for {request:?}",
                photograph.display()
            );
        }
    }
}
