//! Larger models load through the same folder format and give what Python's ONNX Runtime gives for the same pixels.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use heurpipe_models::{Classify, Runtime, RuntimeKind};

const SIZE: u32 = 224;
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

fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("HEURPIPE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    folder.join("models").is_dir().then_some(folder)
}

fn python_has_onnxruntime() -> bool {
    Command::new("python3")
        .args(["-c", "import numpy, onnxruntime"])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn manifest(model: &Path, labels: usize, kind: &str) -> String {
    let labels: Vec<_> = (0..labels).map(|i| format!("\"label-{i}\"")).collect();
    format!(
        "name = 'larger'\nversion = '1'\ntask = 'classify'\nattribute = 'label'\nlabels = [{}]\n\
         [file]\npath = '{}'\n[input]\nwidth = {SIZE}\nheight = {SIZE}\n\
         mean = [127.5, 127.5, 127.5]\nstd = [127.5, 127.5, 127.5]\n[output]\nkind = '{kind}'\n",
        labels.join(", "),
        model.display()
    )
}

#[track_caller]
fn equals_the_reference(file: &str, quantised: bool) {
    let Some(shared) = shared() else {
        println!("skipped: HEURPIPE_SHARED names no folder with models");
        return;
    };
    if !python_has_onnxruntime() {
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

    let answer = Command::new("python3")
        .args(["-c", REFERENCE])
        .args([&model, &pixels])
        .arg(SIZE.to_string())
        .output()
        .unwrap();
    assert!(
        answer.status.success(),
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    let reference: Vec<Vec<f32>> = serde_json::from_slice(&answer.stdout).unwrap();
    let sum: f32 = reference[0].iter().sum();
    let kind = if (sum - 1.0).abs() < 1e-3 {
        "probabilities"
    } else {
        "logits"
    };

    std::fs::write(
        folder.path().join("model.toml"),
        manifest(&model, reference[0].len(), kind),
    )
    .unwrap();
    let predictions = Classify::load(folder.path())
        .unwrap()
        .classify(&pictures)
        .unwrap();
    assert_eq!(predictions.len(), reference.len());
    let mut worst = 0f32;
    for (prediction, reference) in predictions.iter().zip(&reference) {
        let reference = if kind == "logits" {
            softmax(reference)
        } else {
            reference.clone()
        };
        for (ours, theirs) in prediction.probabilities.iter().zip(&reference) {
            worst = worst.max((ours - theirs).abs());
        }
    }
    println!("{file}: largest difference {worst:e}");
    assert!(worst < 1e-3, "{file}: {worst}");
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|x| (x - most).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.iter().map(|e| e / sum).collect()
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
