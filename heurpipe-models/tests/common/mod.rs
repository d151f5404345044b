//! What the tests of models share: pictures that need no file, and the way to Python and to shared photographs and models.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use heurpipe_core::Pixels;

/// Pictures with large and small shapes in them, so that every layer has something to see.
pub fn pictures(size: u32, count: u32) -> Vec<Arc<Pixels>> {
    (1..=count)
        .map(|seed| Arc::new(picture(size, seed)))
        .collect()
}

fn picture(size: u32, seed: u32) -> Pixels {
    let mut bytes = Vec::with_capacity((size * size * 3) as usize);
    for y in 0..size {
        for x in 0..size {
            let (dx, dy) = (x.abs_diff(size / 2), y.abs_diff(size / 2));
            let disc = dx * dx + dy * dy < (size / 4 + seed * 3).pow(2);
            let stripe = ((x + seed * y / 2) / (3 + seed)).is_multiple_of(2);
            let noise = x
                .wrapping_mul(2_654_435_761)
                .wrapping_add(y * 40_503 * seed)
                >> 13
                & 31;
            let base = if disc { 40 * seed } else { 230 - 20 * seed };
            let shade = base + if stripe { 40 } else { 0 } + noise;
            bytes.extend(
                [shade, shade / 2 + 10 * seed, 255 - shade.min(255)].map(|v| v.min(255) as u8),
            );
        }
    }
    Pixels::rgb(size, size, bytes)
}

/// The side of the inputs of the larger models, in pixels.
pub const SIZE: u32 = 224;

/// The folder of photographs and models, where there is one.
pub fn shared() -> Option<PathBuf> {
    let folder = named();
    folder.join("models").is_dir().then_some(folder)
}

/// The folder of photographs of garments, where there is one.
pub fn photographs() -> Option<PathBuf> {
    let folder = named().join("data/clothing/images");
    folder.is_dir().then_some(folder)
}

fn named() -> PathBuf {
    std::env::var_os("HEURPIPE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    )
}

fn interpreter() -> String {
    std::env::var("HEURPIPE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Whether Python can import these modules.
pub fn python_has(modules: &str) -> bool {
    Command::new(interpreter())
        .args(["-c", &format!("import {modules}")])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// What Python prints.
#[track_caller]
pub fn python(arguments: &[&OsStr]) -> Vec<u8> {
    let answer = Command::new(interpreter())
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{said}");
    answer.stdout
}

/// Writes the manifest of a classifier that gives probabilities of so many labels and wants what MobileNets want.
pub fn write_classifier(folder: &Path, network: &Path, labels: usize) {
    let labels: Vec<_> = (0..labels).map(|i| format!("'label-{i}'")).collect();
    let manifest = format!(
        "name = 'larger'\nversion = '1'\ntask = 'classify'\nattribute = 'label'\nlabels = [{}]\n\
         [file]\npath = '{}'\n[input]\nwidth = {SIZE}\nheight = {SIZE}\n\
         mean = [127.5, 127.5, 127.5]\nstd = [127.5, 127.5, 127.5]\n",
        labels.join(", "),
        network.display()
    );
    std::fs::write(folder.join("model.toml"), manifest).unwrap();
}
