//! ONNX Runtime and tract give the same probabilities. A process has one runtime, so this test runs itself twice.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::Command;

use heurpipe_models::runtime::{self, Runtime, RuntimeKind};
use heurpipe_models::shipped;
use serde::{Deserialize, Serialize};

const OUT: &str = "HEURPIPE_TEST_PROBABILITIES";

#[derive(Serialize, Deserialize)]
struct Answers {
    native: bool,
    /// Per model and picture, the probability of each label.
    probabilities: Vec<Vec<f32>>,
}

#[test]
fn native_and_tract_agree_on_the_shipped_models() {
    let Some(library) = runtime::candidates().into_iter().next() else {
        println!("skipped: no ONNX Runtime library is found on this machine");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let native = answers(
        &library.path.to_string_lossy(),
        &folder.path().join("native.json"),
    );
    let tract = answers("tract", &folder.path().join("tract.json"));
    assert!(native.native && !tract.native);
    assert_eq!(native.probabilities.len(), tract.probabilities.len());
    let worst = native
        .probabilities
        .iter()
        .flatten()
        .zip(tract.probabilities.iter().flatten())
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    println!("largest difference of a probability: {worst:e}");
    assert!(worst < 1e-4, "probabilities differ by {worst}");
}

fn answers(runtime: &str, out: &Path) -> Answers {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "answers_of_one_runtime", "--ignored"])
        .env(runtime::VARIABLE, runtime)
        .env(OUT, out)
        .status()
        .unwrap();
    assert!(status.success(), "the run with {runtime} failed");
    serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap()
}

#[test]
#[ignore = "run by native_and_tract_agree_on_the_shipped_models, in a process of its own"]
fn answers_of_one_runtime() {
    let out = std::env::var_os(OUT).expect("the variable that names the output");
    let mut probabilities = Vec::new();
    for name in shipped::names() {
        let model = shipped::load(name).unwrap();
        let pictures = common::pictures(model.manifest().picture_input().unwrap().width, 5);
        probabilities.extend(
            model
                .classify(&pictures)
                .unwrap()
                .into_iter()
                .map(|p| p.probabilities),
        );
    }
    let native = Runtime::get().unwrap().status().kind == RuntimeKind::Native;
    std::fs::write(
        out,
        serde_json::to_vec(&Answers {
            native,
            probabilities,
        })
        .unwrap(),
    )
    .unwrap();
}

#[test]
fn a_library_that_is_not_there_is_a_clear_error() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "answers_of_one_runtime", "--ignored"])
        .env(runtime::VARIABLE, "/no/such/libonnxruntime.so")
        .env(OUT, "/no/such/file")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("library=/no/such/libonnxruntime.so"),
        "{said}"
    );
    assert!(said.contains("runtime.load"), "{said}");
}
