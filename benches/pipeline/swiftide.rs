//! swiftide, an indexing pipeline in Rust, with the same records and as many stages that do nothing.
//!
//! It runs in a process of its own, which takes its turns on request: its package (`benches/peers`) is not in the workspace, whose crates
//! it would make to be built with other features.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use heurpipe_benches::{Effort, Sample, target_folder};

use crate::AnyResult;

/// The process and the ways to it.
pub struct Swiftide {
    process: Child,
    /// Closed to end the process.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    name: String,
}

impl Swiftide {
    /// Starts the peer with so many posts. Nothing, with a printed reason, where it cannot be had. The full effort builds it.
    ///
    /// # Errors
    /// When the peer is there and does not work.
    pub fn start(effort: Effort, posts: usize) -> AnyResult<Option<Self>> {
        let folder = target_folder().join("peers");
        let program = folder.join("release").join("heurpipe-peers");
        if effort == Effort::Full && !build(&folder)? {
            eprintln!("swiftide is skipped: it cannot be built here");
            return Ok(None);
        }
        if !program.exists() {
            eprintln!("swiftide is skipped: only the full effort builds it");
            return Ok(None);
        }
        Self::launch(program, posts).map(Some)
    }

    fn launch(program: PathBuf, posts: usize) -> AnyResult<Self> {
        let mut process = Command::new(program)
            .arg(posts.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let requests = process.stdin.take();
        let answers = process.stdout.take().ok_or("the peer has no output")?;
        let mut peer = Self {
            process,
            requests,
            answers: BufReader::new(answers),
            name: String::new(),
        };
        peer.name = peer.answer()?.trim().to_owned();
        Ok(peer)
    }

    /// What rows call this peer: name, version, settings.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Passes all posts through once, timed by the peer itself.
    ///
    /// # Errors
    /// When the peer fails.
    pub fn turn(&mut self) -> AnyResult<Sample> {
        let requests = self.requests.as_mut().ok_or("the peer was told to end")?;
        writeln!(requests, "turn")?;
        Ok(serde_json::from_str(&self.answer()?)?)
    }

    fn answer(&mut self) -> AnyResult<String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err("the peer ended before it answered".into()),
            _ => Ok(line),
        }
    }
}

impl Drop for Swiftide {
    fn drop(&mut self) {
        drop(self.requests.take());
        // It ends by itself now; nothing is left to be done where it does not.
        let _ = self.process.wait();
    }
}

/// Builds the peer; whether that worked. What cargo says goes to stderr.
fn build(folder: &Path) -> AnyResult<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/Cargo.toml");
    let status = Command::new(cargo)
        .args(["build", "--release", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(folder)
        .status()?;
    Ok(status.success())
}
