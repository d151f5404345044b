//! What a user may throw at it: each gets a clear error or a dead letter, and the run goes on where it can.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn heurpipe(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_heurpipe"))
            .current_dir(self.dir.path())
            .env("HEURPIPE_MODELS__RUNTIME", "tract")
            .args(arguments)
            .output()
            .unwrap()
    }

    fn dead_letters(&self) -> Vec<Value> {
        let listed = self.json(&["dead-letters"]);
        listed["dead_letters"].as_array().unwrap().clone()
    }

    /// What a command that succeeds prints with `--json`.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.heurpipe(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        report(&output)
    }

    /// Leaves three dead letters: two lines that are no JSON, and a picture that is cut off.
    fn with_dead_letters() -> Self {
        let bench = Self::new();
        let whole = jpeg();
        bench.write("pictures/truncated.jpg", &whole[..whole.len() / 2]);
        let post = r#"{"post": {"id": "test:1", "collected_at": "2026-01-01T00:00:00Z"}}"#;
        let lines = format!("{post}\n{{oops\n{{again\n");
        bench.write("posts.ndjson", lines.as_bytes());
        for (use_case, from) in [("trends", "posts.ndjson"), ("catalog", "pictures")] {
            let output = bench.heurpipe(&["run", use_case, "--from", from]);
            assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        }
        bench
    }
}

fn report(output: &Output) -> Value {
    let log = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}\n{log}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A plain garment-coloured picture.
fn jpeg() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(160, 200, |x, y| {
        let inside = (40..120).contains(&x) && (40..160).contains(&y);
        image::Rgb(if inside {
            [200, 30, 40]
        } else {
            [235, 235, 230]
        })
    });
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 85)
        .encode_image(&picture)
        .unwrap();
    bytes
}

/// A PNG whose header promises 40,000 x 40,000 pixels, and little more than the header.
fn huge_png() -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(40_000_u32.to_be_bytes());
    header.extend(40_000_u32.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [
        (b"IHDR", header),
        (b"IDAT", vec![0x78, 0x9c, 0x63, 0x00]),
        (b"IEND", vec![]),
    ] {
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(kind);
        bytes.extend(&data);
        let mut summed = kind.to_vec();
        summed.extend(&data);
        bytes.extend(crc32(&summed).to_be_bytes());
    }
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[test]
fn broken_pictures_are_dead_letters_and_the_rest_goes_on() {
    let bench = Bench::new();
    let whole = jpeg();
    bench.write("pictures/good.jpg", &whole);
    bench.write("pictures/truncated.jpg", &whole[..whole.len() / 2]);
    bench.write("pictures/huge.png", &huge_png());
    bench.write("pictures/text.jpg", b"this is no picture at all");
    let output = bench.heurpipe(&["run", "catalog", "--from", "pictures", "--json"]);
    let report = report(&output);
    let posts = &report["posts"];
    assert_eq!(posts["read"], 4, "{report}");
    let settled: u64 = ["delivered", "filtered", "held", "rejected", "dead_lettered"]
        .map(|key| posts[key].as_u64().unwrap())
        .iter()
        .sum();
    assert_eq!(settled, 4, "{report}");
    assert_eq!(report["status"], "done", "{report}");

    let chains: Vec<String> = bench
        .dead_letters()
        .iter()
        .map(|l| l["chain"].to_string())
        .collect();
    assert_eq!(chains.len(), 2, "{chains:?}");
    assert_eq!(output.status.code(), Some(3));
    assert!(chains.iter().any(|c| c.contains("too_large")), "{chains:?}");
    assert!(chains.iter().any(|c| c.contains("corrupt")), "{chains:?}");
    // What is not even a picture by its first bytes is gone, as a web page in place of a picture would be.
    assert_eq!(report["media"]["failed"], 1, "{report}");
}

#[test]
fn unreadable_lines_are_dead_letters_that_name_the_line() {
    let bench = Bench::new();
    let caption = "a red dress ".repeat(90_000);
    let post = |id: &str, text: &str| {
        serde_json::json!({"post": {"id": format!("test:{id}"), "text": text, "collected_at": "2026-01-01T00:00:00Z"}}).to_string()
    };
    let lines = [
        post("1", "fine"),
        String::new(),
        "{oops".to_owned(),
        post("2", &caption),
        post("3", "also fine"),
    ];
    bench.write("posts.ndjson", lines.join("\n").as_bytes());
    let output = bench.heurpipe(&["run", "trends", "--from", "posts.ndjson", "--json"]);
    let report = report(&output);
    assert_eq!(report["posts"]["read"], 5, "{report}");
    assert_eq!(report["posts"]["dead_lettered"], 2, "{report}");
    let places: Vec<String> = bench
        .dead_letters()
        .iter()
        .map(|l| l["post"].to_string())
        .collect();
    assert!(
        places
            .iter()
            .any(|p| p.contains("posts.ndjson") && p.contains('2')),
        "{places:?}"
    );
    let found = bench.heurpipe(&["query", "\"also fine\"", "--format", "ndjson"]);
    let line: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(line["post"]["id"], "test:3");
}

#[test]
fn dead_letters_are_listed_by_cause() {
    let bench = Bench::with_dead_letters();
    let listed = bench.json(&["dead-letters"]);
    let of_catalog = serde_json::json!({"use_case": "catalog", "stage": "colour", "cause": "corrupt", "letters": 1});
    let of_trends = serde_json::json!({"use_case": "trends", "stage": "source", "cause": "invalid_input", "letters": 2});
    assert_eq!(
        listed["counts"],
        serde_json::json!([of_catalog, of_trends]),
        "{listed}"
    );
    for (selection, letters, counts) in [
        (&["--use-case", "trends"][..], 2, vec![&of_trends]),
        (&["--stage", "colour"], 1, vec![&of_catalog]),
        (&["--cause", "corrupt"], 1, vec![&of_catalog]),
        (&["--cause", "corrupt", "--use-case", "trends"], 0, vec![]),
        (&["--where", "platform:folder"], 1, vec![&of_catalog]),
        (&["--where=-platform:folder"], 0, vec![]),
        (&["--limit", "1"], 1, vec![&of_catalog, &of_trends]),
    ] {
        let listed = bench.json(&[&["dead-letters"], selection].concat());
        let found = listed["dead_letters"].as_array().unwrap().len();
        assert_eq!(found, letters, "{selection:?}: {listed}");
        assert_eq!(listed["counts"], serde_json::json!(counts), "{selection:?}");
    }
    let output = bench.heurpipe(&["dead-letters", "--limit", "1"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(at("invalid_input") < at("posts.ndjson:2"), "{text}");
    assert!(text.contains("and 2 more"), "{text}");

    let output = bench.heurpipe(&["dead-letters", "--where", "likes:>abc"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--where"), "{}", stderr(&output));
}

#[test]
fn only_the_dead_letters_that_are_named_are_dropped() {
    let bench = Bench::with_dead_letters();
    let everything = ["dead-letters", "drop"];
    for arguments in [&everything[..], &["dead-letters", "drop", "--where", ""]] {
        let output = bench.heurpipe(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("--all"), "{}", stderr(&output));
    }
    let output = bench.heurpipe(&["dead-letters", "drop", "--all", "--cause", "corrupt"]);
    assert_eq!(output.status.code(), Some(2), "one or the other");
    assert_eq!(bench.dead_letters().len(), 3);

    for (selection, dropped, left) in [
        (&["--cause", "absent"][..], 0, 3),
        (&["--where=-platform:folder"], 0, 3),
        (&["--use-case", "trends", "--limit", "1"], 1, 2),
        (&["--where", "platform:folder"], 1, 1),
        (&["--all"], 1, 0),
    ] {
        let said = bench.json(&[&["dead-letters", "drop"], selection].concat());
        assert_eq!(
            said,
            serde_json::json!({"dropped": dropped}),
            "{selection:?}"
        );
        assert_eq!(bench.dead_letters().len(), left, "{selection:?}");
    }
    let output = bench.heurpipe(&["dead-letters", "drop", "--all"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.trim(), "0 dead letters dropped");
    let output = bench.heurpipe(&["dead-letters"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.trim(), "no dead letters");
}

#[test]
fn an_unknown_key_is_named_with_a_suggestion() {
    let bench = Bench::new();
    bench.write("heurpipe.toml", b"[stores]\ndocumets = \"sqlite:x\"\n");
    let output = bench.heurpipe(&["run", "catalog"]);
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(
        text.contains("heurpipe.toml") && text.contains("did you mean `documents`?"),
        "{text}"
    );
}

#[test]
fn whoever_stops_reading_ends_the_program_quietly() {
    let bench = Bench::new();
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_heurpipe"))
        .current_dir(bench.dir.path())
        .env("HEURPIPE_MODELS__RUNTIME", "tract")
        .arg("doctor")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(doctor.stdout.take());
    let output = doctor.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
}

#[test]
fn wrong_names_are_wrong_use() {
    let bench = Bench::new();
    let output = bench.heurpipe(&["run", "catalogue"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("did you mean catalog?"),
        "{}",
        stderr(&output)
    );
    let output = bench.heurpipe(&["query", "likes:>abc"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    for sql in ["DROP TABLE posts", "SELECT colur FROM posts", "SELEC 1"] {
        let output = bench.heurpipe(&["query", "--sql", sql]);
        assert_eq!(output.status.code(), Some(2), "{sql}: {}", stderr(&output));
    }
    let output = bench.heurpipe(&["run", "catalog", "--from", "nowhere"]);
    assert!(matches!(output.status.code(), Some(1 | 2)));
    assert!(stderr(&output).contains("nowhere"), "{}", stderr(&output));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let bench = Bench::new();
    // A file where a folder should be stops every user, root included.
    bench.write("occupied", b"");
    bench.write(
        "heurpipe.toml",
        b"[stores]\ndocuments = \"sqlite:occupied/documents.sqlite\"\n",
    );
    bench.write("pictures/good.jpg", &jpeg());
    let output = bench.heurpipe(&["run", "catalog", "--from", "pictures"]);
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{:?}",
        output.status
    );
    assert!(stderr(&output).contains("occupied"), "{}", stderr(&output));
}

#[test]
fn an_unknown_format_says_what_was_looked_for() {
    let bench = Bench::new();
    let mut file = std::fs::File::create(bench.path("what.bin")).unwrap();
    file.write_all(&[0, 1, 2, 3]).unwrap();
    let output = bench.heurpipe(&["run", "catalog", "--from", "what.bin"]);
    assert!(matches!(output.status.code(), Some(1 | 2)));
    let text = stderr(&output);
    assert!(
        text.contains("what.bin") && text.to_lowercase().contains("ndjson"),
        "{text}"
    );
}

/// The photographs that the garment model was measured on lie beside the repository where they are to be had.
#[test]
fn real_photographs_go_through() {
    let shared = std::env::var_os("HEURPIPE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let photographs = shared.join("data/clothing");
    if !photographs.is_dir() {
        println!(
            "skipped: there are no photographs at {}",
            photographs.display()
        );
        return;
    }
    let bench = Bench::new();
    let from = photographs.canonicalize().unwrap();
    let output = bench.heurpipe(&[
        "run",
        "catalog",
        "--limit",
        "40",
        "--json",
        "--from",
        from.to_str().unwrap(),
    ]);
    let report = report(&output);
    assert_eq!(report["posts"]["read"], 40, "{report}");
    assert_eq!(report["status"], "done", "{report}");
    assert!(
        report["posts"]["delivered"].as_u64().unwrap() > 10,
        "{report}"
    );
}
