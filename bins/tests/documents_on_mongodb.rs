//! The binary with its documents on MongoDB: `scripts/services/services.sh install|start mongo`, then `eval "$(scripts/services/services.sh env)"`.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use heurpipe_core::{Filter, Scan, Subject};
use heurpipe_stores::{Mode, documents};
use serde_json::Value;

/// A folder with posts to read, and a configuration whose documents are in a database of the test's own.
struct Bench {
    dir: tempfile::TempDir,
    url: String,
}

impl Bench {
    fn new() -> Option<Self> {
        let Ok(uri) = std::env::var("HEURPIPE_TEST_MONGO_URI") else {
            println!(
                "skipped: HEURPIPE_TEST_MONGO_URI is not set; see scripts/services/services.sh"
            );
            return None;
        };
        let (place, options) = uri.split_once('?').unwrap_or((&uri, ""));
        let place = place.trim_end_matches('/');
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
            url: format!("{place}/test-bins-{}?{options}", std::process::id()),
        };
        let configuration = format!("[stores]\ndocuments = \"{}\"\n", bench.url);
        bench.write("heurpipe.toml", &configuration);
        let mut lines = String::new();
        for number in 1..=5 {
            let text = ["a zara coat", "nothing of note"][number % 2];
            lines.push_str(&format!(
                "{{\"post\":{{\"id\":\"test:{number}\",\"text\":\"{text}\",\"collected_at\":\"2026-01-0{number}T00:00:00Z\",\"published_at\":\"2026-01-0{number}T00:00:00Z\"}}}}\n"
            ));
        }
        lines.push_str("{half a post\n");
        bench.write("posts.ndjson", &lines);
        Some(bench)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn heurpipe(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_heurpipe"))
            .current_dir(self.dir.path())
            .env("HEURPIPE_MODELS__RUNTIME", "tract")
            .args(arguments)
            .output()
            .unwrap()
    }

    /// What a command prints that ends with this code.
    fn printed(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.heurpipe(arguments);
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{log}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let printed = self.printed(code, &[arguments, &["--json"]].concat());
        serde_json::from_str(&printed).unwrap()
    }
}

#[test]
fn a_use_case_is_run_looked_at_and_analysed_again() {
    let Some(bench) = Bench::new() else { return };
    let doctor = bench.heurpipe(&["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(
        said.contains("the first run makes its collections"),
        "{said}"
    );

    // Reading makes nothing, and what is not there is empty.
    assert_eq!(bench.json(0, &["runs"])["runs"], Value::Array(vec![]));

    let report = bench.json(3, &["run", "catalog", "--from", "posts.ndjson"]);
    assert_eq!(report["posts"]["read"], 6, "{report}");
    assert_eq!(report["posts"]["dead_lettered"], 1, "{report}");
    let settled = |report: &Value| {
        let posts = &report["posts"];
        let count = |name: &str| posts[name].as_u64().unwrap();
        count("delivered") + count("filtered") + count("held") + count("rejected")
    };
    assert_eq!(settled(&report), 5, "{report}");
    let run = report["run"].as_str().unwrap().to_owned();

    let again = bench.json(0, &["run", "catalog", "--from", "posts.ndjson"]);
    assert_eq!(again["posts"]["delivered"], 0, "nothing is new: {again}");

    let runs = bench.json(0, &["runs"]);
    let names: Vec<&Value> = runs["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["report"]["run"])
        .collect();
    assert_eq!(names.len(), 2);
    assert_eq!(names[1], run.as_str(), "the newest first");

    let letters = bench.json(0, &["dead-letters"]);
    assert_eq!(letters["dead_letters"].as_array().unwrap().len(), 1);
    assert_eq!(letters["counts"][0]["letters"], 1, "{letters}");

    let rows = bench.printed(0, &["query", "coat -platform:weibo", "--format", "ndjson"]);
    let found: Vec<Value> = rows
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    let ids: Vec<&Value> = found.iter().map(|row| &row["post"]["id"]).collect();
    assert_eq!(ids, ["test:2", "test:4"], "{rows}");

    let survey = bench.json(0, &["reanalyse", "--use-case", "catalog", "--dry-run"]);
    assert!(survey["surveys"]["catalog"].is_object(), "{survey}");
    let nothing = bench.json(0, &["reanalyse", "--use-case", "catalog"]);
    assert!(nothing["runs"].is_array(), "{nothing}");

    let dropped = bench.json(0, &["dead-letters", "drop", "--all"]);
    assert_eq!(dropped["dropped"], 1, "{dropped}");
    let letters = bench.json(0, &["dead-letters"]);
    assert_eq!(letters["dead_letters"], Value::Array(vec![]));

    let doctor = bench.heurpipe(&["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(said.contains("mongodb://"), "{said}");
    clear(&bench.url, 5);
}

/// A user who began on SQLite and moves to the server.
#[test]
fn documents_are_moved_from_sqlite_to_the_server() {
    let Some(bench) = Bench::new() else { return };
    let url = bench.url.replace("test-bins-", "test-moved-");
    bench.write("heurpipe.toml", "[stores]\n");
    bench.json(3, &["run", "catalog", "--from", "posts.ndjson"]);
    bench.json(0, &["forget", "--post", "test:3"]);

    let copy = [
        "copy",
        "--from",
        "sqlite:heurpipe-data/documents.sqlite",
        "--to",
        &url,
    ];
    let survey = bench.json(0, &[&copy[..], &["--dry-run"]].concat());
    let report = bench.json(0, &copy);
    assert_eq!(report["parts"], survey["parts"], "{report}");
    assert_eq!(report["parts"][1]["entries"], 4, "{report}");
    assert_eq!(bench.json(0, &copy)["copied"], 0);

    bench.write(
        "heurpipe.toml",
        &format!("[stores]\ndocuments = \"{url}\"\n"),
    );
    let rows = bench.printed(0, &["query", "coat", "--format", "ndjson"]);
    assert_eq!(rows.lines().count(), 2, "{rows}");
    assert_eq!(
        bench.json(0, &["runs"])["runs"].as_array().map(Vec::len),
        Some(1)
    );
    let letters = bench.json(0, &["dead-letters"]);
    assert_eq!(letters["counts"][0]["letters"], 1, "{letters}");
    let same = bench.json(0, &["run", "catalog", "--from", "posts.ndjson"]);
    assert_eq!(same["posts"]["read"], 0, "{same}");
    let posts = std::fs::read_to_string(bench.dir.path().join("posts.ndjson")).unwrap();
    let whole = posts.replace("{half a post\n", "");
    bench.write("again.ndjson", &whole);
    let again = bench.json(0, &["run", "catalog", "--from", "again.ndjson"]);
    assert_eq!(
        again["posts"]["filtered"], 5,
        "the erased post stays away: {again}"
    );

    // Back into a file.
    let back = ["copy", "--from", &url, "--to", "sqlite:back.sqlite"];
    assert_eq!(bench.json(0, &back)["verified"], true);
    clear(&url, 4);
}

/// Removes what the test left of posts.
fn clear(url: &str, posts: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let documents = documents::open(url, Mode::ReadWrite).await.unwrap();
        let page = documents.scan(&Scan::matching(Filter::All)).await.unwrap();
        let ids: Vec<_> = page.records.iter().map(|r| r.id().clone()).collect();
        let subjects: Vec<Subject> = ids.iter().cloned().map(Subject::Post).collect();
        assert_eq!(documents.refuse(&subjects).await.unwrap(), ids);
        let erased = documents.erase(&ids).await.unwrap();
        assert_eq!(erased.records, posts);
    });
}
