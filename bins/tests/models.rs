//! A model's life from the command line: checked, registered, a better one in its shadow, compared, promoted, rolled back.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use heurpipe_sources::simulator::render::{Colour, Cut, GarmentPicture, Pattern};
use serde_json::Value;

const PICTURES: usize = 6;

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    /// A folder with pictures of t-shirts, labelled by the folder in which they lie, and a use case that reads them.
    fn new() -> Self {
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let shirts = bench.path("pictures/t-shirt");
        std::fs::create_dir_all(&shirts).unwrap();
        for seed in 0..PICTURES {
            let mut picture =
                GarmentPicture::new(Cut::TShirt, Colour::Red, Pattern::Solid, seed as u64);
            (picture.width, picture.height) = (160, 200);
            std::fs::write(shirts.join(format!("{seed}.jpg")), picture.jpeg().unwrap()).unwrap();
        }
        std::fs::write(
            bench.path("heurpipe.toml"),
            "[models]\ndir = \"models\"\nruntime = \"tract\"\n\
             [use_cases.looks]\nenrichers = [\"colour\", \"garment\"]\n\
             sources = [{ kind = \"path\", path = \"pictures\" }]\n",
        )
        .unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The shipped model of garments as a folder of one's own. Version 2 calls t-shirts dresses, and dresses t-shirts.
    fn version(&self, version: &str) -> PathBuf {
        let shipped =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../heurpipe-models/models/garment");
        let folder = self.path(&format!("garment-{version}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(shipped.join("model.onnx"), folder.join("model.onnx")).unwrap();
        let manifest = std::fs::read_to_string(shipped.join("model.toml")).unwrap();
        let mut manifest: toml::Table = manifest.parse().unwrap();
        manifest.insert("version".to_owned(), version.into());
        manifest.remove("threshold");
        if version == "2" {
            let labels = manifest["labels"].as_array_mut().unwrap();
            let place = |label: &str| labels.iter().position(|l| l.as_str() == Some(label));
            let (shirt, dress) = (place("t-shirt").unwrap(), place("dress").unwrap());
            labels.swap(shirt, dress);
        }
        std::fs::write(folder.join("model.toml"), manifest.to_string()).unwrap();
        folder
    }

    #[track_caller]
    fn heurpipe(&self, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_heurpipe"))
            .current_dir(self.dir.path())
            .args(arguments)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {log}");
        output
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.heurpipe(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// How many posts of the use case have this as their garment.
    #[track_caller]
    fn with_garment(&self, garment: &str) -> usize {
        let filter = format!("garment:{garment}");
        let output = self.heurpipe(&["query", &filter, "--format", "ndjson"]);
        output.stdout.split(|byte| *byte == b'\n').count() - 1
    }
}

#[test]
fn who_lacks_the_fast_runtime_is_told_how_to_get_it() {
    let bench = Bench::new();
    let advised = |runtime: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_heurpipe"))
            .current_dir(bench.dir.path())
            .args(["plan", "looks"])
            .env("ORT_DYLIB_PATH", bench.path("no-such-library.so"))
            .env("HEURPIPE_ONNX_RUNTIME", runtime)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{log}");
        log.contains("heurpipe setup")
    };
    assert!(advised("auto"));
    assert!(!advised("tract"));
}

#[test]
fn a_check_is_a_table_an_object_and_a_page() {
    let bench = Bench::new();
    let check = ["models", "check", "garment", "--on", "pictures"];
    let table = bench.heurpipe(&check).stdout;
    let table = String::from_utf8(table).unwrap();
    let report = bench.json(&[&check[..], &["--page", "check.html"]].concat());
    assert_eq!(report["pictures"], PICTURES);
    let right = report["right"].as_u64().unwrap();
    assert!(
        table.contains(&format!("{right} of {PICTURES} pictures")),
        "{table}"
    );
    let mistakes = report["mistakes"].as_array().unwrap();
    assert_eq!(mistakes.len() as u64 + right, PICTURES as u64);
    let page = std::fs::read_to_string(bench.path("check.html")).unwrap();
    for said in [
        format!("{right} of {PICTURES} pictures"),
        "t-shirt said to be t-shirt".to_owned(),
        "Accuracy by confidence".to_owned(),
    ] {
        assert!(page.contains(&said), "{said}: {page}");
    }
    assert_eq!(page.matches("<img").count(), mistakes.len());
    assert!(!page.contains("http"), "a page that needs nothing else");
}

#[test]
fn a_better_model_runs_in_the_shadow_is_compared_promoted_and_rolled_back() {
    let bench = Bench::new();
    for version in ["1", "2"] {
        let folder = bench.version(version);
        bench.heurpipe(&["models", "add", folder.to_str().unwrap()]);
    }
    bench.heurpipe(&["models", "shadow", "garment", "2", "--sample", "1"]);
    let run = bench.json(&["run", "looks"]);
    assert_eq!(run["posts"]["delivered"], PICTURES);
    // What the shadow says does not count.
    let (shirts, dresses) = (bench.with_garment("t-shirt"), bench.with_garment("dress"));
    assert!(shirts > dresses, "{shirts} t-shirts, {dresses} dresses");

    let compared = bench.json(&["models", "compare", "garment"]);
    assert_eq!(compared["targets"], PICTURES);
    let flips = compared["flips"].to_string();
    assert!(
        flips.contains("dress") && flips.contains("t-shirt"),
        "{flips}"
    );
    assert!(compared["shadow"]["cpu_ms"].as_f64().unwrap() > 0.0);

    bench.heurpipe(&["models", "promote", "garment", "2"]);
    let survey = bench.json(&["reanalyse", "--use-case", "looks", "--dry-run"]);
    let stale: Vec<(&str, u64)> = survey["surveys"]["looks"]["enrichers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["name"].as_str().unwrap(), e["records"].as_u64().unwrap()))
        .collect();
    assert_eq!(stale, [("colour", 0), ("garment", PICTURES as u64)]);
    bench.heurpipe(&["reanalyse", "--use-case", "looks"]);
    assert_eq!(bench.with_garment("dress"), shirts);
    assert_eq!(bench.with_garment("t-shirt"), dresses);

    bench.heurpipe(&["models", "rollback", "garment"]);
    bench.heurpipe(&["reanalyse", "--use-case", "looks"]);
    assert_eq!(bench.with_garment("t-shirt"), shirts);
    let listed = bench.json(&["models", "list"]);
    let garment = listed["models"]
        .as_array()
        .unwrap()
        .iter()
        .find(|model| model["name"] == "garment")
        .unwrap();
    assert_eq!(garment["version"], "1");
    assert_eq!(garment["from"], "registry");
}
