//! The program and the simulator as processes, and what they take.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use heurpipe_benches::{peak_of, target_folder};
use serde::Deserialize;

use crate::AnyResult;

/// Names another program than that of the release build.
const VARIABLE: &str = "HEURPIPE_PROGRAM";
/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// A tick of `/proc/PID/stat` in milliseconds: Linux counts a hundred a second on every architecture that is in use.
const TICK_MS: f64 = 10.0;

/// The `heurpipe` program.
pub struct Program(PathBuf);

/// What a run did and took.
pub struct Ran {
    pub posts: u64,
    pub seconds: f64,
    pub cpu_ms: f64,
    pub simulator_cpu_ms: f64,
    pub peak_mb: f64,
    /// CPU-milliseconds by stage, as the program's report says.
    pub stages: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Report {
    posts: Posts,
    seconds: f64,
    stages: Vec<Stage>,
}

#[derive(Deserialize)]
struct Posts {
    read: u64,
    dead_lettered: u64,
}

#[derive(Deserialize)]
struct Stage {
    name: String,
    cpu_ms: f64,
}

impl Program {
    /// The program. Nothing, with a printed reason, where there is none.
    pub fn find() -> Option<Self> {
        if !cfg!(target_os = "linux") {
            eprintln!("skipped: what a process takes is read from Linux's /proc");
            return None;
        }
        let built = || target_folder().join("release").join("heurpipe");
        let path = std::env::var_os(VARIABLE).map_or_else(built, PathBuf::from);
        if !path.exists() {
            eprintln!(
                "skipped: there is no {}; build it first: cargo build --release -p heurpipe --features turbojpeg",
                path.display()
            );
            return None;
        }
        path.canonicalize().ok().map(Self)
    }

    /// Starts a simulator of so many posts, with one picture each, drawn before this returns.
    pub fn simulate(&self, posts: usize) -> AnyResult<Simulator> {
        let mut process = Command::new(&self.0)
            .args(["simulate", "--port", "0", "--draw-first"])
            .args(["--picture-size", "1080x1350", "--carousels", "0"])
            .args(["--posts", &posts.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("the simulator has no output")?;
        let mut simulator = Simulator {
            process,
            said: BTreeMap::new(),
        };
        for line in BufReader::new(output).lines() {
            let line = line?;
            let (name, value) = line.split_at(line.len().min(11));
            let name = name.trim().to_owned();
            let is_last = name == "uids";
            simulator.said.insert(name, value.trim().to_owned());
            if is_last {
                return Ok(simulator);
            }
        }
        Err("the simulator ended before it said where it is".into())
    }

    /// Runs a use case from the simulator into new stores in the folder.
    pub fn run(&self, use_case: &str, folder: &Path, simulator: &Simulator) -> AnyResult<Ran> {
        std::fs::write(folder.join("heurpipe.toml"), simulator.configuration()?)?;
        let before = simulator.cpu_ms()?;
        let mut process = Command::new(&self.0)
            .args(["run", use_case, "--json"])
            .current_dir(folder)
            .env("BENCH_TOKEN", simulator.value("token")?)
            .stdout(Stdio::piped())
            .spawn()?;
        let (mut cpu_ms, mut peak_mb) = (0.0_f64, 0.0_f64);
        let status = loop {
            if let Some(status) = process.try_wait()? {
                break status;
            }
            // A process that has just ended tells nothing more; what it said last counts.
            if let (Ok(cpu), Ok(peak)) = (cpu_of(process.id()), peak_of(process.id())) {
                cpu_ms = cpu_ms.max(cpu);
                peak_mb = peak_mb.max(peak as f64 / 1000.0);
            }
            std::thread::sleep(LOOK);
        };
        let mut answer = String::new();
        if let Some(mut output) = process.stdout.take() {
            output.read_to_string(&mut answer)?;
        }
        // Exit code 3: done, with dead letters, which some of the simulator's pictures are meant to be.
        if !matches!(status.code(), Some(0 | 3)) {
            return Err(format!("the run failed: {status}").into());
        }
        let report: Report = serde_json::from_str(&answer)?;
        eprintln!(
            "{use_case}: {} posts read, {} dead-lettered, {:.1} s",
            report.posts.read, report.posts.dead_lettered, report.seconds
        );
        Ok(Ran {
            posts: report.posts.read,
            seconds: report.seconds,
            cpu_ms,
            simulator_cpu_ms: simulator.cpu_ms()? - before,
            peak_mb,
            stages: report
                .stages
                .into_iter()
                .map(|stage| (stage.name, stage.cpu_ms))
                .collect(),
        })
    }
}

/// A simulator, until it is dropped.
pub struct Simulator {
    process: Child,
    said: BTreeMap<String, String>,
}

impl Simulator {
    fn value(&self, name: &str) -> AnyResult<&str> {
        let said = self.said.get(name).map(String::as_str);
        Ok(said.ok_or_else(|| format!("the simulator did not say its {name}"))?)
    }

    fn cpu_ms(&self) -> AnyResult<f64> {
        cpu_of(self.process.id())
    }

    fn configuration(&self) -> AnyResult<String> {
        let list = |name: &str| -> AnyResult<String> {
            let words = self.value(name)?.split_whitespace();
            Ok(words
                .map(|word| format!("{word:?}"))
                .collect::<Vec<_>>()
                .join(", "))
        };
        let sources = format!(
            "[{{ kind = \"instagram\", accounts = [{}] }}, {{ kind = \"weibo\", uids = [{}] }}]",
            list("accounts")?,
            list("uids")?
        );
        Ok(format!(
            "[stores]\ndocuments = \"sqlite:documents.sqlite\"\nsearch = \"tantivy:search\"\nwarehouse = \"file:warehouse\"\nblobs = \"file:blobs\"\n\
             [instagram]\nbase_url = {:?}\nuser_id = {:?}\ntoken = \"env:BENCH_TOKEN\"\n\
             [weibo]\nbase_url = {:?}\ntoken = \"env:BENCH_TOKEN\"\n\
             [media]\nallow_private_hosts = true\n\
             [use_cases.catalog]\nsources = {sources}\n[use_cases.trends]\nsources = {sources}\n",
            self.value("instagram")?,
            self.value("user id")?,
            self.value("weibo")?,
        ))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It serves until it is ended; nothing is left to be done where that fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// CPU-milliseconds that a process has taken so far: fields 14 and 15 of `/proc/PID/stat`, after the name in brackets, which may hold anything.
fn cpu_of(process: u32) -> AnyResult<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = text.rsplit_once(')').ok_or("a stat without a name")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let mut sum = 0.0;
    for ticks in ticks {
        sum += ticks.parse::<f64>()?;
    }
    Ok(sum * TICK_MS)
}
