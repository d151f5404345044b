//! "Looks like this picture" as a user comes by it: a model of one's own that gives vectors, a run, a question to the API, and the page of a post.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use heurpipe_sources::simulator::render::{Colour, Cut, GarmentPicture, Pattern};
use image::imageops::FilterType;
use serde_json::Value;

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    /// A use case whose only enricher is a small model that says of each picture which colour it has on average, and pictures of garments.
    fn new() -> Self {
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let model = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../heurpipe-models/tests/fixtures/toys/vectors");
        let settings = format!(
            "[models]\nruntime = \"tract\"\nfolders = {{ vectors = '{}' }}\n\
             [use_cases.looks]\nenrichers = [\"vectors\"]\n\
             sources = [{{ kind = \"path\", path = \"pictures\" }}]\n",
            model.display()
        );
        std::fs::write(bench.path("heurpipe.toml"), settings).unwrap();
        std::fs::create_dir(bench.path("pictures")).unwrap();
        for (name, cut, colour) in [
            ("red-shirt", Cut::TShirt, Colour::Red),
            ("blue-shirt", Cut::TShirt, Colour::Blue),
            ("green-dress", Cut::Dress, Colour::Green),
            ("blue-dress", Cut::Dress, Colour::Blue),
        ] {
            let mut picture = GarmentPicture::new(cut, colour, Pattern::Solid, 7);
            (picture.width, picture.height) = (320, 400);
            bench.save(name, &picture.jpeg().unwrap());
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn save(&self, name: &str, jpeg: &[u8]) {
        std::fs::write(self.path("pictures").join(format!("{name}.jpg")), jpeg).unwrap();
    }

    /// Puts a copy of a picture in half the size beside it.
    fn copy(&self, name: &str, copy: &str) {
        let folder = self.path("pictures");
        let picture = image::open(folder.join(format!("{name}.jpg"))).unwrap();
        let half = picture.resize(160, 200, FilterType::Triangle);
        half.save(folder.join(format!("{copy}.jpg"))).unwrap();
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
}

/// The API, until it is dropped.
struct Api {
    process: Child,
    address: String,
    /// Kept open, since whoever cannot write its log ends.
    _log: BufReader<ChildStderr>,
}

impl Api {
    fn start(bench: &Bench) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_heurpipe-api"))
            .current_dir(bench.dir.path())
            .args(["--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let lines = (&mut log).lines();
        let address = lines.map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("serving http://")?;
            Some(rest.split('/').next()?.to_owned())
        });
        Self {
            process,
            address: address.unwrap(),
            _log: log,
        }
    }

    /// Status and body of what is at a path.
    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(stream, "GET {path} HTTP/1.0\r\nhost: {host}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The path of the post that has this picture.
    fn post(&self, picture: &str) -> String {
        let posts = self.json("/v1/posts");
        let posts = posts["items"].as_array().unwrap();
        let item = posts.iter().find(|item| shown(item) == picture).unwrap();
        let id = item["post"]["id"].as_str().unwrap();
        format!("/{}", id.replacen(':', "/", 1))
    }
}

/// The name of a post's picture.
fn shown(item: &Value) -> &str {
    let medium = &item["post"]["media"][0]["id"];
    medium.as_str().unwrap().trim_end_matches(".jpg")
}

impl Drop for Api {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Pictures and scores of what looks like a post, nearest first.
fn near(answer: &Value) -> Vec<(String, f64)> {
    let items = answer["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| (shown(item).to_owned(), item["score"].as_f64().unwrap()))
        .collect()
}

#[test]
fn the_same_picture_in_another_size_is_the_nearest() {
    let bench = Bench::new();
    bench.copy("red-shirt", "saved-again");
    let run = bench.heurpipe(&["run", "looks", "--json"]);
    let run: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(run["posts"]["delivered"], 5, "{run}");

    let api = Api::start(&bench);
    let (shirt, copy) = (api.post("red-shirt"), api.post("saved-again"));
    let answer = api.json(&format!("/v1/posts{shirt}/similar"));
    assert_eq!(answer["attribute"], "look");
    let found = near(&answer);
    assert_eq!(found.len(), 4, "all but the post itself: {found:?}");
    assert_eq!(found[0].0, "saved-again", "{found:?}");
    assert!(found[0].1 > 0.999 && found[1].1 < found[0].1, "{found:?}");

    let only = api.json(&format!("/v1/posts{copy}/similar?limit=1"));
    assert_eq!(near(&only)[0].0, "red-shirt");
    let (status, page) = api.get(&format!("/posts{copy}"));
    assert_eq!(status, 200);
    let row = page.split("Looks like this</h2>").nth(1).unwrap();
    let row = row.split("</section>").next().unwrap();
    assert_eq!(row.matches("<article").count(), 4);
    let first = row.split("<article").nth(1).unwrap();
    assert!(
        first.contains(&format!("href=\"/posts{shirt}\"")),
        "{first}"
    );

    // An index that is made anew says the same.
    drop(api);
    bench.heurpipe(&["reindex"]);
    let api = Api::start(&bench);
    assert_eq!(near(&api.json(&format!("/v1/posts{shirt}/similar"))), found);
}
