//! config.example.toml as a new user runs it, on the servers of `scripts/services/services.sh install|start mongo es`.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use serde_json::Value;

const POSTS: &str = r#"{"post":{"id":"weibo:1","text":"a zara coat","collected_at":"2026-01-01T00:00:00Z","published_at":"2026-01-01T00:00:00Z"}}
{"post":{"id":"weibo:2","text":"nothing of note","collected_at":"2026-01-02T00:00:00Z","published_at":"2026-01-02T00:00:00Z"}}
"#;

fn server(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    if found.is_none() {
        println!("skipped: {variable} is not set; see scripts/services/services.sh");
    }
    found
}

#[test]
fn the_example_runs_on_its_servers() {
    let (Some(mongo), Some(search)) = (
        server("HEURPIPE_TEST_MONGO_URI"),
        server("HEURPIPE_TEST_ES_URL"),
    ) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../config.example.toml");
    std::fs::copy(example, dir.path().join("heurpipe.toml")).unwrap();
    std::fs::write(dir.path().join("posts.ndjson"), POSTS).unwrap();
    // The ports and names of the test's own; all else is as the example has it.
    let (place, options) = mongo.split_once('?').unwrap_or((&mongo, ""));
    let place = place.trim_end_matches('/');
    let own = std::process::id();
    let heurpipe = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_heurpipe"))
            .current_dir(dir.path())
            .env("HEURPIPE_MODELS__RUNTIME", "tract")
            .env(
                "HEURPIPE_STORES__DOCUMENTS",
                format!("{place}/test-example-{own}?{options}"),
            )
            .env(
                "HEURPIPE_STORES__SEARCH",
                format!("{}/test-example-{own}", search.trim_end_matches('/')),
            )
            .args(arguments)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{log}");
        String::from_utf8(output.stdout).unwrap()
    };
    let report = heurpipe(&["run", "tendencies", "--from", "posts.ndjson", "--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["posts"]["delivered"], 1, "{report}");
    assert_eq!(report["posts"]["filtered"], 1, "{report}");
    heurpipe(&["run", "evening", "--from", "posts.ndjson"]);
    for _ in 0..2 {
        let report: Value = serde_json::from_str(&heurpipe(&["reindex", "--json"])).unwrap();
        assert_eq!(report["documents"], 1, "{report}");
    }
    let rows = heurpipe(&["query", "zara", "--format", "ndjson"]);
    assert_eq!(rows.lines().count(), 1);
}
