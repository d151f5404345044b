//! `heurpipe run --from` on archives: what is found is said, pictures within a ZIP are read, what is unknown lists what was looked for.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use zip::write::SimpleFileOptions;

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

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn heurpipe(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_heurpipe"))
            .current_dir(self.dir.path())
            .env("HEURPIPE_MODELS__RUNTIME", "tract")
            .args(arguments)
            .output()
            .unwrap()
    }

    fn run(&self, use_case: &str, from: &str) -> (Value, String) {
        let output = self.heurpipe(&["run", use_case, "--from", from, "--json"]);
        let log = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{log}");
        (serde_json::from_slice(&output.stdout).unwrap(), log)
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn jpeg() -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(64, 80, image::Rgb([180, 30, 40]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

#[test]
fn an_export_is_read_with_the_pictures_in_it() {
    let bench = Bench::new();
    let posts = r#"[{"media":[{"uri":"media/posts/202605/123_n_17912345678901234.jpg","creation_timestamp":1777630000,"title":"red dress"}]}]"#;
    let mut zip = zip::ZipWriter::new(std::fs::File::create(bench.path("export.zip")).unwrap());
    for (name, content) in [
        (
            "your_instagram_activity/content/posts_1.json",
            posts.as_bytes().to_vec(),
        ),
        ("media/posts/202605/123_n_17912345678901234.jpg", jpeg()),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&content).unwrap();
    }
    zip.finish().unwrap();

    let (report, log) = bench.run("catalog", "export.zip");
    assert!(log.contains("found: "), "{log}");
    assert!(log.contains("export.zip"), "{log}");
    assert_eq!(report["posts"]["read"], 1);
    assert_eq!(report["media"]["fetched"], 1, "{report}");
    let (again, _) = bench.run("catalog", "export.zip");
    assert_eq!(again["posts"]["read"], 0, "it has been read");
}

#[test]
fn a_mapping_file_beside_the_data_is_used() {
    let bench = Bench::new();
    bench.write(
        "dump.jsonl",
        "{\"nr\":1,\"words\":\"gucci #ootd\"}\n{\"nr\":2}\n",
    );
    bench.write(
        "dump.mapping.toml",
        "platform = \"instagram\"\nid = \"/nr\"\ntext = \"/words\"\n",
    );
    bench.write(
        "heurpipe.toml",
        "[use_cases.trends]\nrelevant = \"hashtag:ootd\"\n",
    );
    let (report, log) = bench.run("trends", "dump.jsonl");
    assert!(log.contains("found: mapped in "), "{log}");
    assert_eq!(report["posts"]["read"], 2);
    assert_eq!(report["posts"]["delivered"], 1);
}

#[test]
fn what_is_unknown_lists_what_was_looked_for() {
    let bench = Bench::new();
    bench.write("other.json", r#"{"nothing":"known"}"#);
    let output = bench.heurpipe(&["run", "catalog", "--from", "other.json"]);
    assert_eq!(output.status.code(), Some(1));
    let log = stderr(&output);
    for format in [
        "instaloader",
        "weibo-crawler",
        "Apify",
        "mapping file",
        "one a line",
    ] {
        assert!(log.contains(format), "{format} is not in: {log}");
    }
}

#[test]
fn settings_of_sources_are_checked() {
    let bench = Bench::new();
    bench.write(
        "heurpipe.toml",
        r#"
[[use_cases.catalog.sources]]
kind = "recheck"
networks = ["weibo"]
filter = "likes:>="
published_within = "a while"

[[use_cases.catalog.sources]]
kind = "path"
path = "none.zip"
"#,
    );
    let output = bench.heurpipe(&["config", "check"]);
    assert_eq!(output.status.code(), Some(2));
    let log = stderr(&output);
    for told in [
        "none.zip does not exist",
        "14d or 6h",
        "use_cases.catalog.sources",
    ] {
        assert!(log.contains(told), "{told} is not in: {log}");
    }
    bench.write(
        "heurpipe.toml",
        "[[use_cases.catalog.sources]]\nkind = \"instagram\"\nhashtag = [\"a\"]\n",
    );
    let output = bench.heurpipe(&["config", "check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("hashtags"), "{}", stderr(&output));
}
