//! Larger models load through the same folder format and give what Python's ONNX Runtime gives for the same pixels.

#![allow(clippy::unwrap_used)]

mod common;

use heurpipe_models::{Classify, Runtime, RuntimeKind};

const SIZE: u32 = common::SIZE;
const PICTURES: u32 = 3;

/// Reads raw RGB pictures, prints the first output of the model for each, as JSON.
const REFERENCE: &str = r#"
import json, sys
import numpy, onnxruntime
model, pixels, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
x = numpy.fromfile(pixels, numpy.uint8).reshape(-1, size, size, 3).astype(numpy.float32)
x = ((x - 127.5) / 127.5).transpose(0, 3, 1, 2)
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
output = session.get_outputs()[0].name
print(json.dumps([session.run([output], {name: x[i:i + 1]})[0][0].tolist() for i in range(len(x))]))
"#;

#[track_caller]
fn equals_the_reference(file: &str, quantised: bool) {
    let Some(shared) = common::shared() else {
        println!("skipped: HEURPIPE_SHARED names no folder with models");
        return;
    };
    if !common::python_has("numpy, onnxruntime") {
        println!("skipped: python3 has no onnxruntime to take the reference from");
        return;
    }
    if quantised && Runtime::get().unwrap().status().kind == RuntimeKind::Tract {
        println!("skipped: quantised activations round differently in tract");
        return;
    }
    let model = shared.join("models").join(file).canonicalize().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pictures = common::pictures(SIZE, PICTURES);
    let pixels = folder.path().join("pixels.rgb");
    let raw: Vec<u8> = pictures.iter().flat_map(|p| p.bytes.to_vec()).collect();
    std::fs::write(&pixels, raw).unwrap();

    let answer = common::python(&[
        "-c".as_ref(),
        REFERENCE.as_ref(),
        model.as_os_str(),
        pixels.as_os_str(),
        SIZE.to_string().as_ref(),
    ]);
    let reference: Vec<Vec<f32>> = serde_json::from_slice(&answer).unwrap();
    common::write_classifier(folder.path(), &model, reference[0].len());
    let predictions = Classify::load(folder.path())
        .unwrap()
        .classify(&pictures)
        .unwrap();
    assert_eq!(predictions.len(), reference.len());
    let mut worst = 0f32;
    for (prediction, reference) in predictions.iter().zip(&reference) {
        for (ours, theirs) in prediction.probabilities.iter().zip(reference) {
            worst = worst.max((ours - theirs).abs());
        }
    }
    println!("{file}: largest difference {worst:e}");
    assert!(worst < 1e-3, "{file}: {worst}");
}

#[test]
fn mobilenet_fp32() {
    equals_the_reference("mobilenetv2_1.0_224_fp32.onnx", false);
}

#[test]
fn mobilenet_int8() {
    equals_the_reference("mobilenetv2_1.0_224_int8_qdq.onnx", true);
}

#[test]
fn garment10_fp32() {
    equals_the_reference("garment10_mnv2_fp32.onnx", false);
}

#[test]
fn garment10_int8() {
    equals_the_reference("garment10_mnv2_int8.onnx", true);
}
