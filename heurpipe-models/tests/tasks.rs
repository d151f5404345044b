//! Every task, on toy models whose answers one can foresee (`fixtures/make_toys.py`), on whichever runtime is there.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use heurpipe_core::{
    Batch, Enricher, EnricherExt, ErrorKind, Finding, Granularity, Input, Item, Pixels, Post, Value,
};
use heurpipe_models::{Detect, EmbedImage, HotSwap, Model, ZeroShot, load, shipped};

const SIDE: u32 = 8;

fn toy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/toys")
        .join(name)
}

/// A picture whose pixels are what `paint` says of their place.
fn painted(paint: impl Fn(u32, u32) -> [u8; 3]) -> Pixels {
    let places = (0..SIDE * SIDE).map(|i| (i % SIDE, i / SIDE));
    let bytes: Vec<u8> = places.flat_map(|(x, y)| paint(x, y)).collect();
    Pixels::rgb(SIDE, SIDE, bytes)
}

fn plain(colour: [u8; 3]) -> Pixels {
    painted(|_, _| colour)
}

/// White in two quarters: right above, and left below.
fn two_lamps() -> Pixels {
    let half = SIDE / 2;
    painted(|x, y| match (x < half) != (y < half) {
        true => [255; 3],
        false => [0; 3],
    })
}

async fn found(folder: &str, pixels: Pixels) -> Vec<Finding> {
    let model = load(toy(folder)).unwrap().into_enricher();
    model.prepare().await.unwrap();
    model.enrich_one(pixels).await.unwrap()
}

fn labels(findings: &[Finding]) -> Vec<String> {
    findings.iter().flat_map(|f| f.value.labels()).collect()
}

#[tokio::test]
async fn a_pair_tells_what_no_model_learnt() {
    for (colour, label) in [
        ([250, 10, 10], "red"),
        ([10, 250, 10], "green"),
        ([0, 0, 200], "blue"),
        ([240, 240, 0], "sunny"),
    ] {
        let found = found("pair", plain(colour)).await;
        assert_eq!(labels(&found), [label]);
        assert_eq!(found[0].attribute, "shade");
        assert!(found[0].confidence.unwrap() > 0.9, "{found:?}");
    }
}

#[test]
fn a_pairs_prompts_and_labels_are_in_its_fingerprint() {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(toy("pair")).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let original = ZeroShot::load(toy("pair")).unwrap();
    let same = ZeroShot::load(copy.path()).unwrap();
    assert_eq!(original.spec().fingerprint, same.spec().fingerprint);
    let manifest = copy.path().join("model.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(
        &manifest,
        text.replace("\"{} clothes\"", "\"clothes in {}\""),
    )
    .unwrap();
    let other = ZeroShot::load(copy.path()).unwrap();
    assert_ne!(original.spec().fingerprint, other.spec().fingerprint);
    std::fs::write(
        &manifest,
        text.replace("[text]", "[text]\ndigest = 'sha256:00'"),
    )
    .unwrap();
    let error = ZeroShot::load(copy.path()).unwrap_err();
    assert!(error.to_string().contains("text.onnx"), "{error}");
}

#[tokio::test]
async fn several_labels_are_there_or_not_each_by_itself() {
    // Red is sure, green is just there, blue is likely and not as sure as its own threshold asks.
    let found_here = found("several", plain([255, 140, 170])).await;
    assert_eq!(labels(&found_here), ["red", "green"]);
    assert!(found_here[0].confidence > found_here[1].confidence);
    assert!(found("several", plain([0; 3])).await.is_empty());
}

#[tokio::test]
async fn a_picture_gets_a_vector_of_length_one() {
    let found = found("vectors", plain([255, 0, 0])).await;
    let Value::Vector(vector) = &found[0].value else {
        unreachable!("{found:?}")
    };
    let length: f32 = vector.iter().map(|x| x * x).sum();
    assert!(
        (length - 1.0).abs() < 1e-5 && vector[0] > 0.99,
        "{vector:?}"
    );
    let pictures = [Arc::new(plain([9, 9, 9])), Arc::new(plain([200, 200, 200]))];
    let vectors = EmbedImage::load(toy("vectors"))
        .unwrap()
        .embed(&pictures)
        .unwrap();
    assert_eq!(vectors.len(), 2);
}

#[tokio::test]
async fn things_are_found_and_counted() {
    let found_here = found("boxes", two_lamps()).await;
    assert_eq!(found_here[0], Finding::new("lamps", Value::Number(2.0)));
    let places: Vec<(f32, f32)> = found_here[1..]
        .iter()
        .map(|f| f.region.unwrap())
        .map(|region| (region.x, region.y))
        .collect();
    assert_eq!(places, [(0.5, 0.0), (0.0, 0.5)]);
    let none = found("boxes", plain([0; 3])).await;
    assert_eq!(none, [Finding::new("lamps", Value::Number(0.0))]);
}

#[tokio::test]
async fn faces_and_people_may_be_counted_without_being_kept() {
    let model = Detect::load(toy("joined")).unwrap();
    assert_eq!(model.spec().gives, ["lamps"]);
    let counted = model.enrich_one(two_lamps()).await.unwrap();
    assert_eq!(counted, [Finding::new("lamps", Value::Number(2.0))]);
    // Of a picture twice as wide as high the letterbox shows a half: the upper quarters are filling for the most part.
    let wide = Pixels {
        source: (200, 100),
        ..two_lamps()
    };
    let regions = model.detect(&[Arc::new(wide)]).unwrap().remove(0);
    assert_eq!(regions.len(), 2);
    assert_eq!((regions[0].region.y, regions[0].region.height), (0.0, 0.5));
}

#[test]
fn regions_are_what_another_model_looks_at() {
    let copy = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/garment");
    std::fs::copy(shipped.join("model.onnx"), copy.path().join("model.onnx")).unwrap();
    let text = std::fs::read_to_string(shipped.join("model.toml")).unwrap();
    let text = text.replace("[input]", "[input]\nregions_of = \"lamp\"");
    std::fs::write(copy.path().join("model.toml"), text).unwrap();
    let model = load(copy.path()).unwrap().into_enricher();
    let spec = model.spec();
    assert_eq!(spec.granularity, Granularity::Region);
    assert_eq!(spec.needs, ["lamp"]);
    assert!(matches!(spec.input, Input::Pixels(_)));
}

#[test]
fn a_model_with_an_operator_that_nobody_knows_is_refused_by_name() {
    let error = load(toy("strange")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let said = error.to_string();
    for part in ["model.onnx", "org.example 3", "Embroider"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn what_is_no_model_is_said_to_be_none() {
    let copy = tempfile::tempdir().unwrap();
    std::fs::write(copy.path().join("model.onnx"), b"PK\x03\x04 a ZIP").unwrap();
    let manifest = toy("vectors").join("model.toml");
    std::fs::copy(manifest, copy.path().join("model.toml")).unwrap();
    let error = load(copy.path()).unwrap_err().to_string();
    assert!(error.contains("this is no onnx model"), "{error}");
}

#[test]
fn a_folder_is_opened_as_what_it_is() {
    let is = |name: &str| match load(toy(name)).unwrap() {
        Model::Classify(_) => "classify",
        Model::ZeroShot(_) => "zero-shot",
        Model::EmbedImage(_) => "embed-image",
        Model::Detect(_) => "detect",
        other => unreachable!("{other:?}"),
    };
    let all = ["several", "pair", "vectors", "boxes", "joined"].map(is);
    assert_eq!(
        all,
        ["classify", "zero-shot", "embed-image", "detect", "detect"]
    );
    let error = Detect::load(toy("pair")).unwrap_err();
    assert!(error.to_string().contains("wanted=detect"), "{error}");
}

#[tokio::test]
async fn a_model_is_exchanged_between_batches() {
    let swapped = HotSwap::new(shipped::garment().unwrap());
    let input = shipped::garment().unwrap();
    let input = input.manifest().picture_input().unwrap();
    let grey = Pixels::rgb(
        input.width,
        input.height,
        vec![128; (input.width * input.height * 3) as usize],
    );
    let batch = || Batch::new(vec![Item::from(grey.clone())]);
    let before = swapped.enrich(&batch()).await.unwrap();
    let second = shipped::garment().unwrap().versioned("2");
    let fingerprint = second.spec().fingerprint.clone();
    swapped.replace(second).await.unwrap();
    let after = swapped.enrich(&batch()).await.unwrap();
    assert_ne!(before.fingerprint, after.fingerprint);
    assert_eq!(after.fingerprint, fingerprint);
    let other = shipped::pattern().unwrap();
    let error = swapped.replace(other).await.unwrap_err();
    assert!(error.to_string().contains("differs=name"), "{error}");
}

#[tokio::test]
async fn a_post_without_text_has_no_vector() {
    let pair = ZeroShot::load(toy("pair")).unwrap();
    assert_eq!(pair.manifest().labels.len(), 4);
    // The pair's model of texts, by itself.
    let folder = tempfile::tempdir().unwrap();
    for file in ["text.onnx", "tokenizer.json"] {
        std::fs::copy(toy("pair").join(file), folder.path().join(file)).unwrap();
    }
    let manifest = "name = 'words'\nversion = '1'\ntask = 'embed-text'\nattribute = 'words'\n\
        [file]\npath = 'text.onnx'\n[text]\nmax_tokens = 4\n";
    std::fs::write(folder.path().join("model.toml"), manifest).unwrap();
    let model = load(folder.path()).unwrap().into_enricher();
    let post = |text: &str| {
        let mut post = Post::new("weibo:1".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
        post.text = text.to_owned();
        Item::from(post)
    };
    let texts = [
        "red red",
        "  ",
        "a blue thing",
        "red red red red blue blue blue blue blue",
    ];
    let batch = Batch::new(texts.map(post).to_vec());
    let enriched = model.enrich(&batch).await.unwrap();
    let vectors: Vec<_> = enriched.outcomes.into_iter().map(Result::unwrap).collect();
    let strongest = |findings: &[Finding]| match &findings[0].value {
        Value::Vector(v) => (0..3).max_by(|a, b| v[*a].total_cmp(&v[*b])).unwrap(),
        other => unreachable!("{other:?}"),
    };
    assert!(vectors[1].is_empty());
    assert_eq!(strongest(&vectors[0]), 0);
    assert_eq!(strongest(&vectors[2]), 2);
    assert_eq!(
        strongest(&vectors[3]),
        0,
        "what is beyond four tokens is cut off"
    );
}

/// What the documentation tells people to write is read.
#[test]
fn the_manifests_of_the_documentation_are_manifests() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/models.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page
        .split("```")
        .filter_map(|block| block.strip_prefix("toml\n"));
    let manifests: Vec<&str> = blocks
        .filter(|block| block.starts_with("name = "))
        .collect();
    assert_eq!(manifests.len(), 3);
    for manifest in manifests {
        heurpipe_models::Manifest::parse(manifest).unwrap();
    }
}
