//! The binary with its warehouse on BigQuery: `scripts/services/services.sh install|start gcs bigquery`, then `eval "$(scripts/services/services.sh env)"`.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use serde_json::{Value, json};

/// A folder with posts that were gathered, and a configuration whose warehouse is a table of the test's own.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Option<Self> {
        let Ok(server) = std::env::var("HEURPIPE_TEST_BQ_URL") else {
            println!("skipped: HEURPIPE_TEST_BQ_URL is not set; see scripts/services/services.sh");
            return None;
        };
        let variable = |name| std::env::var(name).unwrap();
        let url = format!(
            "bigquery://{}/{}/bins_{}_{}?bucket={}/bins&endpoint={server}&bucket_endpoint={}",
            variable("HEURPIPE_TEST_BQ_PROJECT"),
            variable("HEURPIPE_TEST_BQ_DATASET"),
            std::process::id(),
            jiff::Timestamp::now().as_millisecond(),
            variable("HEURPIPE_TEST_BUCKET"),
            variable("HEURPIPE_TEST_GCS_URL"),
        );
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        bench.write(
            "heurpipe.toml",
            &format!("[stores]\nwarehouse = \"{url}\"\n"),
        );
        let today = jiff::Timestamp::now().to_string();
        let mut lines = String::new();
        for number in 1..=6 {
            let published = match number {
                6 => today.clone(),
                _ => format!("2026-01-0{number}T10:00:00Z"),
            };
            let post = json!({
                "id": format!("instagram:{number}"),
                "text": format!("a coat, number {number}"),
                "collected_at": "2026-01-20T00:00:00Z",
                "published_at": published,
                "author": {"id": format!("90{}", number % 2)},
            });
            lines.push_str(&format!("{}\n", json!({ "post": post })));
        }
        bench.write("posts.ndjson", &lines);
        Some(bench)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_heurpipe"))
            .current_dir(self.dir.path())
            .env("HEURPIPE_MODELS__RUNTIME", "tract")
            .env("HEURPIPE_USE_CASES__TRENDS__ENRICHERS", "[\"brand\"]")
            .env("HEURPIPE_USE_CASES__TRENDS__RELEVANT", "")
            .args(arguments)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {log}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat())).unwrap()
    }

    fn by_tier(&self) -> String {
        let sql = "SELECT tier, count(*) AS n FROM posts GROUP BY tier ORDER BY tier";
        self.run(&["query", "--sql", sql, "--format", "csv"])
    }
}

#[test]
fn posts_are_archived_queried_and_forgotten() {
    let Some(bench) = Bench::new() else { return };
    bench.run(&["run", "trends", "--from", "posts.ndjson"]);
    let report = bench.json(&["archive", "--before", "2026-02-01"]);
    assert_eq!(
        (&report["archived"], &report["kept"]),
        (&json!(5), &json!(0)),
        "{report}"
    );
    assert_eq!(bench.by_tier(), "tier,n\ncold,5\nhot,1\n");
    let rows = bench.run(&[
        "query",
        "coat published:[2026-01-02 TO 2026-01-04]",
        "--format",
        "ndjson",
    ]);
    assert_eq!(rows.lines().count(), 3, "{rows}");

    let receipt = bench.json(&["forget", "--author", "instagram:901"]);
    assert_eq!(receipt["removed"]["warehouse"], 3, "{receipt}");
    assert_eq!(bench.by_tier(), "tier,n\ncold,2\nhot,1\n");
    let told = bench.run(&["archive", "--older-than", "20d", "--compact"]);
    assert!(told.contains("0 posts published before"), "{told}");
}
