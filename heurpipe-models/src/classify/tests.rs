#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use heurpipe_core::{Enricher, ErrorKind};

use super::*;
use crate::shipped;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("models")
        .join(name)
}

/// A copy of a shipped folder whose manifest was changed.
fn changed(from: &str, to: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let original = folder("garment");
    std::fs::copy(original.join("model.onnx"), copy.path().join("model.onnx")).unwrap();
    let text = std::fs::read_to_string(original.join("model.toml")).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(copy.path().join("model.toml"), text.replacen(from, to, 1)).unwrap();
    copy
}

fn picture(seed: u32) -> Arc<Pixels> {
    let input = Manifest::read(&folder("garment")).unwrap().input.unwrap();
    let bytes: Vec<u8> = (0..input.width * input.height * 3)
        .map(|i| ((i / 7 * seed) ^ (i >> 5)) as u8)
        .collect();
    Arc::new(Pixels::rgb(input.width, input.height, bytes))
}

#[test]
fn probabilities_add_up_and_do_not_depend_on_the_neighbours() {
    let garment = Classify::load(folder("garment")).unwrap();
    let pictures: Vec<_> = (1..=3).map(picture).collect();
    let together = garment.classify(&pictures).unwrap();
    for (picture, prediction) in pictures.iter().zip(&together) {
        let alone = garment.classify(std::slice::from_ref(picture)).unwrap();
        assert_eq!(&alone[0], prediction);
        let sum: f32 = prediction.probabilities.iter().sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        let most = prediction.probabilities.iter().copied().fold(0.0, f32::max);
        assert_eq!(prediction.confidence, most);
    }
    assert_ne!(together[0].probabilities, together[1].probabilities);
}

#[test]
fn the_model_compiled_in_is_the_one_in_the_folder() {
    let compiled_in = shipped::garment().unwrap();
    let loaded = Classify::load(folder("garment")).unwrap();
    assert_eq!(compiled_in.spec(), loaded.spec());
    assert_eq!(compiled_in.digest(), loaded.digest());
}

#[test]
fn a_model_that_is_not_the_one_named_is_refused() {
    let copy = changed("digest = \"sha256:", "digest = \"sha256:00");
    let error = Classify::load(copy.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("digests differ"), "{error}");
    assert!(error.to_string().contains("model.onnx"), "{error}");
}

#[test]
fn a_missing_file_and_a_damaged_model_are_named() {
    let empty = tempfile::tempdir().unwrap();
    let error = Classify::load(empty.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("model.toml"), "{error}");

    let copy = changed("digest = ", "# digest = ");
    std::fs::write(copy.path().join("model.onnx"), b"no model").unwrap();
    let error = Classify::load(copy.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("model.onnx"), "{error}");
}

#[test]
fn a_manifest_that_does_not_fit_the_model_is_refused_at_load() {
    let copy = changed("width = 1", "width = 2");
    let error = Classify::load(copy.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let copy = changed("name = \"input\"", "name = \"inputs\"");
    let error = Classify::load(copy.path()).unwrap_err();
    assert!(error.to_string().contains("there_are=input"), "{error}");
}

#[test]
fn too_few_labels_are_an_error_not_a_wrong_answer() {
    let copy = changed("\"t-shirt\", ", "");
    let model = Classify::load(copy.path()).unwrap();
    let error = model.classify(&[picture(1)]).unwrap_err();
    assert!(error.to_string().contains("one number a label"), "{error}");
}

#[test]
fn whatever_the_result_depends_on_is_in_the_fingerprint() {
    let fingerprint = |model: &Classify| model.spec().fingerprint.clone();
    let original = Classify::load(folder("garment")).unwrap();
    let again = Classify::load(folder("garment")).unwrap();
    assert_eq!(fingerprint(&original), fingerprint(&again));
    assert_eq!(
        fingerprint(&original),
        fingerprint(&again.clone().named("other"))
    );
    assert_ne!(
        fingerprint(&original),
        fingerprint(&again.clone().versioned("9"))
    );
    assert_ne!(fingerprint(&original), fingerprint(&again.threshold(0.123)));
    for (from, to) in [
        ("fit = \"stretch\"", "fit = \"crop\""),
        ("mean = [127.5", "mean = [127.0"),
        ("\"t-shirt\"", "\"tee\""),
        ("temperature = ", "temperature = 1"),
        ("attribute = \"garment\"", "attribute = \"clothes\""),
    ] {
        let copy = changed(from, to);
        let other = Classify::load(copy.path()).unwrap();
        assert_ne!(fingerprint(&original), fingerprint(&other), "{to}");
    }
}
