//! Classes, tokens and vectors equal those of Python's ONNX Runtime, Pillow and tokenizers.
//!
//! Needs Python with onnxruntime, pillow, numpy and tokenizers (`HEURPIPE_TEST_PYTHON`, else `python3`), and the photographs and models of
//! `HEURPIPE_SHARED`; skipped with a reason without them.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{python, python_has, shared};
use heurpipe_core::Pixels;
use heurpipe_models::{Classify, EmbedText, PictureDecoder, Prediction};
use serde::Deserialize;

const PHOTOGRAPHS: usize = 200;
const TEXTS: usize = 1_000;
const MAX_TOKENS: usize = 128;
/// How far a probability may be from Python's where both see the same decoded pixels.
const NEAR: f32 = 1e-3;
/// The share of photographs on which decoding at a smaller scale must leave the likeliest label as it is.
const ALIKE: f64 = 0.98;

/// Photographs, evenly over the folder.
fn photographs(shared: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(shared.join("data/clothing/images")).unwrap();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    all.sort();
    let step = (all.len() / PHOTOGRAPHS).max(1);
    all.into_iter().step_by(step).take(PHOTOGRAPHS).collect()
}

/// What a model says of the same photographs decoded as JPEG, and as PNG of the same pixels; and what Python says of the latter.
struct Judged {
    jpeg: Vec<Prediction>,
    png: Vec<Prediction>,
    python: Vec<Vec<f32>>,
}

fn judged(shared: &Path, model: &Classify, network: &Path) -> Judged {
    let decoder = PictureDecoder::default();
    let input = model.manifest().picture_input().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut jpeg, mut png) = (Vec::new(), Vec::new());
    for (number, path) in photographs(shared).iter().enumerate() {
        let bytes = std::fs::read(path).unwrap();
        let full = decoder.decode_full(&bytes).unwrap();
        let lossless = folder.path().join(format!("{number:04}.png"));
        image::RgbImage::from_raw(full.width, full.height, full.bytes.to_vec())
            .unwrap()
            .save(&lossless)
            .unwrap();
        let pixels = |bytes: &[u8]| -> Arc<Pixels> {
            let mut pixels = decoder.decode_now(bytes, &[input.pixels()]).unwrap();
            Arc::new(pixels.remove(0))
        };
        jpeg.push(pixels(&bytes));
        png.push(pixels(&std::fs::read(&lossless).unwrap()));
    }
    let answer = python(&[
        script("classify.py").as_os_str(),
        network.as_os_str(),
        folder.path().as_os_str(),
        input.width.to_string().as_ref(),
    ]);
    Judged {
        jpeg: model.classify(&jpeg).unwrap(),
        png: model.classify(&png).unwrap(),
        python: serde_json::from_slice(&answer).unwrap(),
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference")
        .join(name)
}

fn best(row: &[f32]) -> usize {
    let ranked = row.iter().enumerate();
    ranked.max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0
}

/// The share of pairs whose likeliest label is the same.
fn agreement(ours: &[Prediction], theirs: &[&[f32]]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.iter().zip(theirs);
    let same = pairs.filter(|(a, b)| best(&a.probabilities) == best(b));
    same.count() as f64 / ours.len() as f64
}

fn ready(modules: &str) -> Option<PathBuf> {
    let Some(shared) = shared() else {
        println!("skipped: HEURPIPE_SHARED names no folder with photographs and models");
        return None;
    };
    if !python_has(modules) {
        println!("skipped: python cannot import {modules}");
        return None;
    }
    Some(shared)
}

fn equals_python(labels: usize, file: &str) {
    let Some(shared) = ready("numpy, onnxruntime, PIL") else {
        return;
    };
    let network = shared.join("models").join(file).canonicalize().unwrap();
    let folder = tempfile::tempdir().unwrap();
    common::write_classifier(folder.path(), &network, labels);
    let judged = judged(&shared, &Classify::load(folder.path()).unwrap(), &network);
    let python: Vec<&[f32]> = judged.python.iter().map(Vec::as_slice).collect();
    let same = agreement(&judged.png, &python);
    let pairs = judged.png.iter().zip(&python);
    let far = pairs.map(|(ours, theirs)| {
        let numbers = ours.probabilities.iter().zip(*theirs);
        numbers.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    });
    let worst = far.fold(0.0, f32::max);
    let png: Vec<&[f32]> = judged
        .png
        .iter()
        .map(|p| p.probabilities.as_slice())
        .collect();
    let scaled = agreement(&judged.jpeg, &png);
    println!(
        "{file}: top-1 as Python's on {same:.3} of {} photographs, probabilities within {worst:.1e}; \
         by the jpeg decoder's own scaling on {scaled:.3}",
        python.len()
    );
    assert_eq!(same, 1.0);
    assert!(worst <= NEAR, "{worst}");
    assert!(scaled >= ALIKE, "{scaled}");
}

#[test]
fn mobilenet_on_photographs() {
    equals_python(1001, "mobilenetv2_1.0_224_fp32.onnx");
}

#[test]
fn garment10_on_photographs() {
    equals_python(10, "garment10_mnv2_fp32.onnx");
}

/// The shipped model has small inputs, which is where the jpeg decoder scales most.
#[test]
fn scaled_decoding_hardly_changes_what_the_shipped_model_says() {
    let Some(shared) = ready("numpy, onnxruntime, PIL") else {
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/garment");
    let model = Classify::load(&folder).unwrap();
    let judged = judged(&shared, &model, &folder.join("model.onnx"));
    let png: Vec<&[f32]> = judged
        .png
        .iter()
        .map(|p| p.probabilities.as_slice())
        .collect();
    let python: Vec<&[f32]> = judged.python.iter().map(Vec::as_slice).collect();
    let (scaled, same) = (
        agreement(&judged.jpeg, &png),
        agreement(&judged.png, &python),
    );
    println!("garment: scaled {scaled:.3}, as Python's {same:.3}");
    assert!(scaled >= ALIKE, "{scaled}");
    assert_eq!(same, 1.0);
}

/// Captions in several languages, with emoji; each made into two.
fn captions() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/brand_captions.csv");
    let mut reader = csv::Reader::from_path(file).unwrap();
    let column = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "text")
        .unwrap();
    let texts: Vec<String> = reader
        .records()
        .map(|row| row.unwrap()[column].to_owned())
        .collect();
    let emoji = [
        "👗",
        "🧥✨",
        "❤️‍🔥",
        "👩🏽‍🎤",
        "🇫🇷",
        "",
        "😍😍😍",
        "①②",
        "ﬁne ｆｕｌｌ",
        "e\u{301}té",
    ];
    let second = texts.iter().enumerate().map(|(n, text)| {
        let other = &texts[(n * 7 + 3) % texts.len()];
        format!(
            "{} {text}{}{other}",
            emoji[n % emoji.len()],
            emoji[(n + 4) % emoji.len()]
        )
    });
    let second: Vec<String> = second.collect();
    texts
        .into_iter()
        .chain(second)
        .cycle()
        .take(TEXTS)
        .collect()
}

#[derive(Deserialize)]
struct Texts {
    ids: Vec<Vec<i64>>,
    vectors: Vec<Vec<f32>>,
}

fn embedder(folder: &Path, network: &Path, tokenizer: &Path) -> EmbedText {
    std::fs::copy(tokenizer, folder.join("tokenizer.json")).unwrap();
    std::fs::write(
        folder.join("model.toml"),
        format!(
            "name = 'sentence'\nversion = '1'\ntask = 'embed-text'\nattribute = 'text_vector'\n\
             [file]\npath = '{}'\n[text]\nmax_tokens = {MAX_TOKENS}\noutput = 'sentence_embedding'\n",
            network.display()
        ),
    )
    .unwrap();
    EmbedText::load(folder).unwrap()
}

#[test]
fn texts_are_tokenised_as_python_does() {
    let Some(shared) = ready("numpy, tokenizers") else {
        return;
    };
    let models = shared.join("models").canonicalize().unwrap();
    let network = find(&models.join("minilm-l6-v2"), "onnx");
    let texts = captions();
    assert_eq!(texts.len(), TEXTS);
    let mut tokenizers = vec![models.join("minilm-l6-v2/tokenizer.json")];
    let more = std::fs::read_dir(models.join("tokenizers")).unwrap();
    tokenizers.extend(more.map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            path.join("tokenizer.json")
        } else {
            path
        }
    }));
    for tokenizer in tokenizers
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
    {
        let folder = tempfile::tempdir().unwrap();
        let model = embedder(folder.path(), &network, tokenizer);
        let reference = python_texts(folder.path(), &texts, tokenizer, None);
        for (text, theirs) in texts.iter().zip(&reference.ids) {
            assert_eq!(
                &model.token_ids(text).unwrap(),
                theirs,
                "{}: {text}",
                tokenizer.display()
            );
        }
        println!("{}: {} texts alike", tokenizer.display(), texts.len());
    }
}

#[test]
fn sentences_get_the_vectors_that_python_gives_them() {
    let Some(shared) = ready("numpy, onnxruntime, tokenizers") else {
        return;
    };
    let models = shared.join("models").canonicalize().unwrap();
    let network = find(&models.join("minilm-l6-v2"), "onnx");
    let tokenizer = models.join("minilm-l6-v2/tokenizer.json");
    let folder = tempfile::tempdir().unwrap();
    let model = embedder(folder.path(), &network, &tokenizer);
    let texts: Vec<String> = captions().into_iter().step_by(10).collect();
    let reference = python_texts(folder.path(), &texts, &tokenizer, Some(&network));
    let asked: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ours = model.embed(&asked).unwrap();
    let mut worst = 0_f32;
    for (ours, theirs) in ours.iter().zip(&reference.vectors) {
        let far = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
        worst = far.fold(worst, f32::max);
    }
    println!(
        "vectors of {} texts within {worst:.1e} of Python's",
        texts.len()
    );
    assert!(worst < 1e-3, "{worst}");
}

fn python_texts(
    folder: &Path,
    texts: &[String],
    tokenizer: &Path,
    network: Option<&Path>,
) -> Texts {
    let file = folder.join("texts.json");
    std::fs::write(&file, serde_json::to_vec(texts).unwrap()).unwrap();
    let max = MAX_TOKENS.to_string();
    let script = script("texts.py");
    let mut arguments = vec![
        script.as_os_str(),
        tokenizer.as_os_str(),
        max.as_ref(),
        file.as_os_str(),
    ];
    arguments.extend(network.map(Path::as_os_str));
    serde_json::from_slice(&python(&arguments)).unwrap()
}

fn find(folder: &Path, extension: &str) -> PathBuf {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.extension().is_some_and(|e| e == extension))
        .unwrap()
}
