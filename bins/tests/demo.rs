//! The demo as a user runs it: counted, the same for the same seed, and none the worse for being killed.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use heurpipe_core::testkit::canonical;
use heurpipe_core::{Filter, Record, Scan, SearchRequest};
use heurpipe_stores::{Mode, documents, search};
use serde_json::Value;

const POSTS: u64 = 120;

fn heurpipe() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heurpipe"));
    // One runtime for all runs that are compared.
    command.env("HEURPIPE_MODELS__RUNTIME", "tract");
    command
}

fn demo(dir: &Path) -> Command {
    let mut command = heurpipe();
    command
        .args([
            "demo",
            "--no-serve",
            "--json",
            "--posts",
            &POSTS.to_string(),
            "--dir",
        ])
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}\n{log}"))
}

/// 0 or 3: done, perhaps with dead letters (the simulated world has a few broken pictures).
fn ended_well(output: &Output) {
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{:?}\n{log}",
        output.status
    );
}

/// What a demo leaves behind.
#[derive(Debug, PartialEq)]
struct Stores {
    /// Records of documents in canonical form, by id.
    kept: BTreeMap<String, String>,
    /// Records of the search index in canonical form, by id.
    found: BTreeMap<String, String>,
    /// Digests of the pictures.
    pictures: BTreeSet<String>,
}

fn stores(dir: &Path) -> Stores {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", dir.join("documents.sqlite").display());
        let documents = documents::open(&url, Mode::ReadOnly).await.unwrap();
        let scan = Scan::matching(Filter::All).limit(100_000);
        let kept = documents.scan(&scan).await.unwrap().records;
        let url = format!("tantivy:{}", dir.join("search").display());
        let index = search::open(&url, Mode::ReadOnly).await.unwrap();
        let request = SearchRequest::new(Filter::All).limit(100_000);
        let found = index.search(&request).await.unwrap().items;
        Stores {
            kept: by_id(&kept),
            found: by_id(&found),
            pictures: pictures(&dir.join("blobs")),
        }
    })
}

/// The names of blobs: files named by 64 hexadecimal digits, in whatever folder.
fn pictures(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            names.extend(pictures(&path));
        } else if name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit()) {
            names.insert(name);
        }
    }
    names
}

fn by_id(records: &[Record]) -> BTreeMap<String, String> {
    let by_id: BTreeMap<String, String> = records
        .iter()
        .map(|r| (r.id().to_string(), canonical(r)))
        .collect();
    assert_eq!(by_id.len(), records.len(), "a record is there twice");
    by_id
}

#[test]
fn the_demo_accounts_for_every_post_and_repeats_itself() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let outputs = [&first, &second].map(|dir| demo(dir.path()).output().unwrap());
    outputs.iter().for_each(ended_well);
    let [one, two] = outputs.each_ref().map(json);
    for (a, b) in one["runs"]
        .as_array()
        .unwrap()
        .iter()
        .zip(two["runs"].as_array().unwrap())
    {
        let posts = |key: &str| a["posts"][key].as_u64().unwrap();
        let settled: u64 = ["delivered", "filtered", "held", "rejected", "dead_lettered"]
            .map(posts)
            .iter()
            .sum();
        assert_eq!(posts("read"), settled, "{a}");
        assert!(posts("read") > 0 && posts("delivered") > 0, "{a}");
        assert_eq!(a["status"], "done", "{a}");
        assert_eq!(a["posts"], b["posts"]);
        assert_eq!(a["media"], b["media"]);
    }
    let catalog = &one["runs"][0];
    assert!(
        catalog["media"]["fetched"].as_u64().unwrap() > POSTS / 2,
        "{catalog}"
    );
    let left = stores(first.path());
    assert_eq!(
        left.kept.len() as u64,
        POSTS,
        "every post of the world is there"
    );
    assert!(!left.found.is_empty() && !left.pictures.is_empty());
    assert_eq!(left, stores(second.path()));

    let again = demo(first.path()).output().unwrap();
    let log = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(log.contains("is finished"), "{log}");
    assert_eq!(json(&again)["runs"][0]["run"], catalog["run"]);

    let other = heurpipe()
        .args(["demo", "--no-serve", "--posts", "7", "--dir"])
        .arg(first.path())
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(2));
}

#[test]
fn a_demo_killed_at_any_moment_ends_as_an_unbroken_one() {
    let unbroken = tempfile::tempdir().unwrap();
    let started = Instant::now();
    ended_well(&demo(unbroken.path()).output().unwrap());
    let whole = started.elapsed();
    let expected = stores(unbroken.path());

    for share in [0.15, 0.35, 0.55, 0.75, 0.95] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = demo(dir.path()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * share));
        // On unix this is SIGKILL: nothing is flushed, nothing is said.
        child.kill().unwrap();
        child.wait().unwrap();
        let resumed = demo(dir.path()).output().unwrap();
        ended_well(&resumed);
        let left = stores(dir.path());
        assert_eq!(
            left.kept, expected.kept,
            "documents, killed at {share} of the run"
        );
        assert_eq!(
            left.found, expected.found,
            "search, killed at {share} of the run"
        );
        assert_eq!(
            left.pictures, expected.pictures,
            "pictures, killed at {share} of the run"
        );
    }
}

#[test]
fn a_new_model_version_is_reanalysed_without_touching_a_source() {
    let dir = tempfile::tempdir().unwrap();
    ended_well(&demo(dir.path()).output().unwrap());
    let model = dir.path().join("garment");
    std::fs::create_dir(&model).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../heurpipe-models/models/garment");
    std::fs::copy(shipped.join("model.onnx"), model.join("model.onnx")).unwrap();
    let manifest = std::fs::read_to_string(shipped.join("model.toml")).unwrap();
    let bumped: String = manifest
        .lines()
        .map(|line| match line.starts_with("version") {
            true => "version = \"99.0.0\"\n".to_owned(),
            false => format!("{line}\n"),
        })
        .collect();
    assert_ne!(manifest, bumped);
    std::fs::write(model.join("model.toml"), bumped).unwrap();

    let reanalyse = |arguments: &[&str]| {
        let output = heurpipe()
            .current_dir(dir.path())
            .env("HEURPIPE_MODELS__FOLDERS__GARMENT", &model)
            .args(["reanalyse", "--use-case", "catalog", "--json"])
            .args(arguments)
            .output()
            .unwrap();
        ended_well(&output);
        json(&output)
    };
    let kept = stores(dir.path()).kept;
    let with_garment = kept
        .values()
        .filter(|r| r.contains("\"enricher\":\"garment\""))
        .count();
    let survey = &reanalyse(&["--dry-run"])["surveys"]["catalog"];
    assert_eq!(
        survey["stale"].as_u64().unwrap() as usize,
        with_garment,
        "{survey}"
    );

    // No simulator is running: whoever asked a source would fail.
    let report = &reanalyse(&[])["runs"][0];
    assert_eq!(report["status"], "done", "{report}");
    assert_eq!(report["media"]["fetched"], 0);
    for stage in report["stages"].as_array().unwrap() {
        let entered = stage["in"].as_u64().unwrap();
        match stage["name"].as_str().unwrap() {
            "garment" => assert!(entered > 0, "{report}"),
            "brand" | "language" | "colour" | "pattern" => assert_eq!(entered, 0, "{report}"),
            _ => {}
        }
    }
    assert_eq!(reanalyse(&["--dry-run"])["surveys"]["catalog"]["stale"], 0);
}
