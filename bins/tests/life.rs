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
        (&json!(11), 4)
    );
    assert_eq!(
        survey["days"][0],
        json!({"day": null, "records": 1}),
        "one does not say when"
    );
    let report = bench.json(&before);
    assert_eq!(
        (&report["archived"], &report["kept"]),
        (&json!(11), &json!(0))
    );
    assert_eq!(bench.seen(), (12, "12".to_owned()));
    let tiers = "SELECT tier, count(*) AS n FROM posts GROUP BY tier ORDER BY tier";
    let tiers = bench.run(&["query", "--sql", tiers, "--format", "csv"]);
    assert_eq!(tiers, "tier,n\ncold,11\nhot,1\n");

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
    assert_eq!(files, 4, "nothing lies beside the segments that count");
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
    let expected = json!({"dry_run": true, "documents": 1, "warehouse": 11, "past_retention": 0});
    assert_eq!(survey, expected);
    let report = bench.json(&["reindex"]);
    let expected =
        json!({"documents": 1, "warehouse": 11, "past_retention": 0, "again": 0, "refused": []});
    assert_eq!(report, expected);
    bench.run(&["forget", "--post", "instagram:1"]);
    assert_eq!(bench.json(&["reindex"])["warehouse"], 10);
    let told = bench.run(&["reindex"]);
    assert!(
        told.contains("1 posts of documents and 10 of the warehouse"),
        "{told}"
    );

    // What is past its retention does not come back.
    let settings = "[use_cases.trends]\nretention = \"2d\"\n";
    std::fs::write(bench.dir.path().join("heurpipe.toml"), settings).unwrap();
    let kept = bench.json(&["reindex"]);
    let counts = ["documents", "warehouse", "past_retention"].map(|name| kept[name].clone());
    assert_eq!(counts, [json!(1), json!(0), json!(10)], "{kept}");
}

/// Says which store is used from now on, instead of the one under `heurpipe-data`.
fn use_store(bench: &Bench, role: &str, url: &str) {
    let path = bench.dir.path().join("heurpipe.toml");
    let before = std::fs::read_to_string(&path).unwrap_or_else(|_| "[stores]\n".to_owned());
    std::fs::write(path, format!("{before}{role} = \"{url}\"\n")).unwrap();
}

#[test]
fn stores_are_copied_and_used_from_then_on() {
    let bench = Bench::with_posts();
    bench.run(&["archive", "--before", "2026-02-01"]);
    bench.json(&["forget", "--author", "instagram:901"]);
    assert_eq!(bench.seen(), (8, "8".to_owned()));

    let documents = [
        "copy",
        "--from",
        "sqlite:heurpipe-data/documents.sqlite",
        "--to",
        "sqlite:moved.sqlite",
    ];
    let survey = bench.json(&[&documents[..], &["--dry-run"]].concat());
    assert_eq!(
        (&survey["dry_run"], &survey["role"]),
        (&json!(true), &json!("documents"))
    );
    assert!(
        !bench.dir.path().join("moved.sqlite").exists(),
        "a dry run makes nothing"
    );
    let report = bench.json(&documents);
    assert_eq!(report["verified"], true);
    assert_eq!(report["parts"], survey["parts"]);
    let parts = report["parts"].as_array().unwrap();
    let count = |name: &str| parts.iter().find(|p| p["part"] == name).unwrap()["entries"].clone();
    assert_eq!(
        (count("records"), count("archived")),
        (json!(1), json!(7)),
        "{report}"
    );
    assert_eq!(
        bench.json(&documents)["copied"],
        0,
        "there is nothing left to do"
    );

    let data = |name: &str| format!("file:heurpipe-data/{name}");
    let warehouse = data("warehouse");
    let rows = [
        "copy",
        "--role",
        "warehouse",
        "--from",
        &warehouse,
        "--to",
        "file:moved/warehouse",
    ];
    let copied = bench.json(&rows);
    assert_eq!(
        (&copied["copied"], &copied["parts"][0]["entries"]),
        (&json!(7), &json!(7))
    );
    let pictures = data("blobs");
    let blobs = [
        "copy",
        "--role",
        "blobs",
        "--from",
        &pictures,
        "--to",
        "file:moved/blobs",
    ];
    assert_eq!(
        bench.json(&blobs)["copied"],
        0,
        "these posts have no pictures"
    );
    let told = bench.run(&documents);
    assert!(
        told.contains("write documents = \"sqlite:moved.sqlite\" under [stores]"),
        "{told}"
    );

    use_store(&bench, "documents", "sqlite:moved.sqlite");
    use_store(&bench, "warehouse", "file:moved/warehouse");
    use_store(&bench, "blobs", "file:moved/blobs");
    assert_eq!(bench.seen(), (8, "8".to_owned()));
    let again = bench.gather_again();
    assert_eq!(
        (&again["posts"]["read"], &again["posts"]["filtered"]),
        (&json!(12), &json!(12)),
        "{again}"
    );
    assert_eq!(
        bench.seen(),
        (8, "8".to_owned()),
        "nothing is doubled, and who was erased stays away"
    );
    let same = bench.json(&["run", "trends", "--from", "posts.ndjson"]);
    assert_eq!(
        same["posts"]["read"], 0,
        "how far the source had come is known: {same}"
    );

    // From here on the two are different stores.
    let output = bench.heurpipe(&documents);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("one of them was written to since"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_copy_that_cannot_be_is_told_in_a_sentence() {
    let bench = Bench::with_posts();
    let from = "sqlite:heurpipe-data/documents.sqlite";
    let data = bench.dir.path().join("heurpipe-data");
    let same = format!("sqlite:{}", data.join("documents.sqlite").display());
    for (from, to, further, expected) in [
        (from, &*same, vec![], "name the same store"),
        (from, "tantivy:x", vec![], "only stores of one role"),
        (
            from,
            "sqlite:x",
            vec!["--role", "blobs"],
            "names a store of the role documents",
        ),
        (
            "file:x",
            "file:y",
            vec![],
            "say --role warehouse or --role blobs",
        ),
        (from, "memory:", vec![], "ends with the command"),
        (
            "tantivy:heurpipe-data/search",
            "tantivy:x",
            vec![],
            "a search index holds nothing that",
        ),
        (
            from,
            "sqlite:x",
            vec!["--role", "everything"],
            "invalid value",
        ),
        (from, "sqlite:", vec![], "names no path"),
    ] {
        let told = bench.refusal(&[&["copy", "--from", from, "--to", to], &further[..]].concat());
        assert!(told.contains(expected), "{from} {to}: {told}");
    }
    let failure = |arguments: &[&str]| {
        let output = bench.heurpipe(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        stderr(&output)
    };
    let absent = failure(&["copy", "--from", "sqlite:absent", "--to", "sqlite:x"]);
    assert!(absent.contains("absent"), "{absent}");

    // Somebody else's posts are there.
    let other = Bench::with_posts();
    let theirs = format!(
        "sqlite:{}",
        other
            .dir
            .path()
            .join("heurpipe-data/documents.sqlite")
            .display()
    );
    let occupied = failure(&["copy", "--from", from, "--to", &theirs]);
    assert!(occupied.contains("the target is not empty"), "{occupied}");

    let lock = std::fs::File::open(data.join("documents.sqlite.lock")).unwrap();
    lock.lock().unwrap();
    let running = failure(&["copy", "--from", from, "--to", "sqlite:x"]);
    assert!(running.contains("is writing to this store"), "{running}");
    assert!(!bench.dir.path().join("x").exists());
}

#[test]
fn the_search_index_keeps_posts_as_long_as_the_use_case_says() {
    let bench = Bench::with_posts();
    std::fs::write(
        bench.dir.path().join("heurpipe.toml"),
        "[use_cases.trends]\nretention = \"60d\"\n",
    )
    .unwrap();
    let before = ["archive", "--before", "2026-01-02"];
    let survey = bench.json(&[&before[..], &["--dry-run"]].concat());
    assert_eq!(survey["past_retention"], 11, "{survey}");
    assert_eq!(bench.seen().0, 12);
    let report = bench.json(&before);
    assert_eq!(
        (&report["archived"], &report["past_retention"]),
        (&json!(3), &json!(11)),
        "{report}"
    );
    assert_eq!(bench.seen(), (12, "12".to_owned()), "both tiers keep them");
    let told = bench.run(&before);
    assert!(told.contains("0 posts were past their retention"), "{told}");

    std::fs::write(
        bench.dir.path().join("heurpipe.toml"),
        "[use_cases.trends]\nretention = \"a while\"\n",
    )
    .unwrap();
    for command in [vec!["config", "check"], vec!["archive", "--dry-run"]] {
        let told = bench.refusal(&command);
        assert!(told.contains("use_cases.trends.retention"), "{told}");
        assert!(
            told.contains("a length of time is written as 14d or 6h"),
            "{told}"
        );
    }
}

#[test]
fn pictures_that_nothing_refers_to_are_collected() {
    let bench = Bench::with_posts();
    let name = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let folder = bench.dir.path().join("heurpipe-data/blobs/ba/78");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, "abc").unwrap();
    let young = bench.json(&["collect"]);
    assert_eq!(
        (&young["blobs"], &young["recent"], &young["unreferenced"]),
        (&json!(1), &json!(1), &json!(0))
    );

    let file = std::fs::File::options().append(true).open(&path).unwrap();
    let week = std::time::Duration::from_secs(8 * 24 * 3600);
    file.set_modified(std::time::SystemTime::now() - week)
        .unwrap();
    let survey = bench.json(&["collect", "--dry-run"]);
    assert_eq!(
        (
            &survey["unreferenced"],
            &survey["bytes"],
            &survey["dry_run"]
        ),
        (&json!(1), &json!(3), &json!(true))
    );
    assert!(path.exists());
    let told = bench.run(&["collect"]);
    assert!(
        told.contains("1 of 1 pictures, 3 bytes, were deleted"),
        "{told}"
    );
    assert!(!path.exists());

    let told = bench.refusal(&["collect", "--grace", "soon"]);
    assert!(told.contains("a length of time is written as"), "{told}");
    // Documents that are not those of the pictures.
    std::fs::write(&path, "abc").unwrap();
    use_store(&bench, "documents", "sqlite:slip.sqlite");
    let output = bench.heurpipe(&["collect", "--grace", "0s"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no post at all"),
        "{}",
        stderr(&output)
    );
    assert!(path.exists());
}
