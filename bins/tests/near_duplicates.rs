//! `near_duplicates` in a use case's settings: a copy of a picture takes over what was found in the picture.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

use image::imageops::FilterType;
use image::{DynamicImage, Rgb, RgbImage};
use serde_json::Value;

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    /// With a use case `looks` of these settings, a picture, and a smaller copy of it.
    fn new(settings: &str) -> Self {
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let settings = format!("[use_cases.looks]\nenrichers = [\"pattern\"]\n{settings}\n");
        std::fs::write(bench.path("heurpipe.toml"), settings).unwrap();
        let picture = DynamicImage::from(RgbImage::from_fn(400, 500, |x, y| {
            let inside = (80..300).contains(&x) && (60..420).contains(&y);
            let light = 40 - u8::try_from(x / 10).unwrap();
            Rgb(match inside {
                true => [180, 30 + light, 40],
                false => [200 - light, 200, 190],
            })
        }));
        let copy = picture.resize(200, 250, FilterType::Triangle);
        for (name, picture) in [("first", picture), ("second", copy)] {
            std::fs::create_dir(bench.path(name)).unwrap();
            picture.save(bench.path(name).join("picture.jpg")).unwrap();
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn heurpipe(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_heurpipe"))
            .current_dir(self.dir.path())
            .env("HEURPIPE_MODELS__RUNTIME", "tract")
            .args(arguments)
            .output()
            .unwrap()
    }

    /// What a command that succeeds prints.
    fn printed(&self, arguments: &[&str]) -> String {
        let output = self.heurpipe(arguments);
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{log}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// How many pictures a run over a folder took over for `pattern`.
    fn reused(&self, folder: &str) -> u64 {
        let printed = self.printed(&["run", "looks", "--from", folder, "--json"]);
        let report: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(report["posts"]["delivered"], 1, "{report}");
        let stages = report["stages"].as_array().unwrap();
        let pattern = stages.iter().find(|stage| stage["name"] == "pattern");
        pattern.unwrap()["reused"].as_u64().unwrap()
    }
}

#[test]
fn a_copy_takes_over_where_it_is_allowed() {
    let bench = Bench::new("near_duplicates = { distance = 3 }");
    let plan = bench.printed(&["plan", "looks", "--from", "first"]);
    assert!(plan.contains("picture_hash within 3 bits"), "{plan}");
    assert_eq!([bench.reused("first"), bench.reused("second")], [0, 1]);
}

#[test]
fn a_copy_is_looked_at_where_it_is_not() {
    for settings in ["", "near_duplicates = { except = [\"pattern\"] }"] {
        let bench = Bench::new(settings);
        assert_eq!([bench.reused("first"), bench.reused("second")], [0, 0]);
    }
}

#[test]
fn a_setting_that_is_none_is_named() {
    for (settings, sentence) in [
        ("near_duplicate = {}", "did you mean `near_duplicates`?"),
        (
            "near_duplicates = { distanc = 3 }",
            "did you mean `distance`?",
        ),
        (
            "near_duplicates = { except = [\"colours\"] }",
            "there is no enricher colours",
        ),
    ] {
        let output = Bench::new(settings).heurpipe(&["config", "check"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_ne!(output.status.code(), Some(0), "{settings}");
        assert!(said.contains(sentence), "{said}");
    }
}
