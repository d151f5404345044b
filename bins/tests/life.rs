//! `heurpipe archive` and `heurpipe forget`, as an operator runs them.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    /// Twelve posts of three authors, delivered: ten of January 2026, one of today, one that does not say when.
    fn with_posts() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let today = jiff::Timestamp::now().to_string();
        let mut lines = String::new();
        for number in 1..=12 {
            let mut post = json!({
                "id": format!("instagram:{number}"),
                "text": format!("a coat, number {number}"),
                "collected_at": "2026-01-20T00:00:00Z",
                "author": {"id": format!("90{}", number % 3), "handle": format!("maison.{}", number % 3)},
            });
            match number {
                11 => post["published_at"] = json!(today),
                12 => {}
                _ => {
                    post["published_at"] = json!(format!("2026-01-{:02}T10:00:00Z", 1 + number / 4))
                }
            }
            lines.push_str(&json!({ "post": post }).to_string());
            lines.push('\n');
        }
        std::fs::write(dir.path().join("posts.ndjson"), lines).unwrap();
        let bench = Self { dir };
        bench.run(&["run", "trends", "--from", "posts.ndjson"]);
        bench
    }

    fn heurpipe(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_heurpipe"))
            .current_dir(self.dir.path())
            .env("HEURPIPE_MODELS__RUNTIME", "tract")
            .env("HEURPIPE_USE_CASES__TRENDS__ENRICHERS", "[\"brand\"]")
            .env("HEURPIPE_USE_CASES__TRENDS__RELEVANT", "")
            .args(arguments)
            .output()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = self.heurpipe(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// The same posts from another file: one that was read is not read again.
    fn gather_again(&self) -> Value {
        let at = |name: &str| self.dir.path().join(name);
        std::fs::copy(at("posts.ndjson"), at("again.ndjson")).unwrap();
        self.json(&["run", "trends", "--from", "again.ndjson"])
    }

    /// How many posts queries see by filter, and by SQL.
    fn seen(&self) -> (usize, String) {
        let posts = self.run(&["query", "", "--format", "ndjson"]);
        let rows = self.run(&[
            "query",
            "--sql",
            "SELECT count(*) AS n FROM posts",
            "--format",
            "csv",
        ]);
        (posts.lines().count(), rows.trim().replace("n\n", ""))
    }

    /// The sentence of a command that was used wrongly.
    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.heurpipe(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        stderr(&output)
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn count_files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { count_files(&path) } else { 1 })
        .sum()
}

#[test]
fn old_posts_are_archived_and_all_queries_see_each_once() {
    let bench = Bench::with_posts();
    assert_eq!(bench.seen(), (12, "12".to_owned()));
    let before = ["archive", "--before", "2026-02-01"];
    let survey = bench.json(&[&before[..], &["--dry-run"]].concat());
    assert_eq!(
        (&survey["posts"], survey["days"].as_array().unwrap().len()),
        (&json!(10), 3)
    );
    let report = bench.json(&before);
    assert_eq!(
        (&report["archived"], &report["kept"]),
        (&json!(10), &json!(0))
    );
    assert_eq!(bench.seen(), (12, "12".to_owned()));
    let tiers = "SELECT tier, count(*) AS n FROM posts GROUP BY tier ORDER BY tier";
    let tiers = bench.run(&["query", "--sql", tiers, "--format", "csv"]);
    assert_eq!(tiers, "tier,n\ncold,10\nhot,2\n");

    let told = bench.run(&["archive", "--older-than", "20d", "--compact"]);
    assert!(told.contains("0 posts published before"), "{told}");
    assert!(told.contains("files were merged"), "{told}");

    // The same posts once more: each is recognised, in whichever store it is.
    let again = bench.gather_again();
    assert_eq!(again["posts"]["filtered"], 12, "{again}");
    assert_eq!(bench.seen(), (12, "12".to_owned()));
}

#[test]
fn an_author_is_forgotten_with_a_receipt() {
    let bench = Bench::with_posts();
    bench.run(&["archive", "--before", "2026-02-01"]);
    let author = ["forget", "--author", "instagram:901"];
    let survey = bench.json(&[&author[..], &["--dry-run"]].concat());
    assert_eq!(
        (&survey["posts"], &survey["warehouse"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(bench.seen().0, 12);
    let receipt = bench.json(&author);
    assert_eq!(receipt["subject"], json!({"author": "instagram:901"}));
    assert_eq!(receipt["posts"], 4);
    assert_eq!(receipt["removed"]["search"], 4, "{receipt}");
    assert_eq!(bench.seen(), (8, "8".to_owned()));
    let told = bench.run(&author);
    assert!(told.contains("author instagram:901: erased"), "{told}");

    let again = bench.gather_again();
    assert_eq!(again["posts"]["filtered"], 12, "{again}");
    assert_eq!(bench.seen(), (8, "8".to_owned()));

    let one = bench.json(&["forget", "--post", "instagram:11"]);
    assert_eq!(one["removed"]["documents"], 1);
    assert_eq!(bench.seen(), (7, "7".to_owned()));
    let files = count_files(&bench.dir.path().join("heurpipe-data/warehouse/segments"));
    assert_eq!(files, 3, "nothing lies beside the segments that count");
}

#[test]
fn wrong_use_is_told_in_a_sentence() {
    let bench = Bench::with_posts();
    for (arguments, expected) in [
        (
            vec!["archive", "--before", "2999-01-01"],
            "that day has not come",
        ),
        (
            vec!["archive", "--before", "yesterday"],
            "a day is written as 2026-01-31",
        ),
        (
            vec!["archive", "--before", "2026-01-01", "--older-than", "9d"],
            "cannot be used with",
        ),
        (
            vec!["archive", "--older-than", "soon"],
            "a length of time is written as",
        ),
        (vec!["forget"], "--author <P:ID>"),
        (
            vec!["forget", "--author", "instagram:1", "--post", "instagram:1"],
            "cannot be used with",
        ),
        (
            vec!["forget", "--author", "maison"],
            "platform:id or platform:@handle",
        ),
        (vec!["forget", "--post", "7"], "platform:id"),
        (
            vec!["forget", "--author", "instagram:nobody"],
            "nothing is known of the author instagram:nobody",
        ),
        (
            vec!["forget", "--author", "instagram:maison.1"],
            "did you mean instagram:@maison.1?",
        ),
        (
            vec!["forget", "--post", "instagram:77"],
            "nothing is known of the post instagram:77",
        ),
    ] {
        let told = bench.refusal(&arguments);
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
    let unseen = bench.json(&["forget", "--post", "instagram:77", "--unseen"]);
    assert_eq!(unseen["posts"], 0);
    assert_eq!(bench.seen().0, 12);

    // Another process writes to the store.
    let lock = bench.dir.path().join("heurpipe-data/documents.sqlite.lock");
    let lock = std::fs::File::open(lock).unwrap();
    lock.lock().unwrap();
    for arguments in [vec!["archive"], vec!["forget", "--author", "instagram:901"]] {
        let output = bench.heurpipe(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            stderr(&output).contains("is writing to this store"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn the_search_index_is_built_anew_from_both_stores() {
    let bench = Bench::with_posts();
    bench.run(&["archive", "--before", "2026-02-01"]);
    // What documents hold is relevant still, and the index has lost everything.
    std::fs::remove_dir_all(bench.dir.path().join("heurpipe-data/search")).unwrap();
    let survey = bench.json(&["reindex", "--dry-run"]);
    assert_eq!(
        survey,
        json!({"dry_run": true, "documents": 2, "warehouse": 10})
    );
    let report = bench.json(&["reindex"]);
    let expected = json!({"documents": 2, "warehouse": 10, "again": 0, "refused": []});
    assert_eq!(report, expected);
    bench.run(&["forget", "--post", "instagram:1"]);
    assert_eq!(bench.json(&["reindex"])["warehouse"], 9);
    assert!(
        bench
            .run(&["reindex"])
            .contains("2 posts of documents and 9 of the warehouse")
    );
}
