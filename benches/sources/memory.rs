//! How much memory the reading of one large file takes, in a process of its own, so that no other case counts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use heurpipe_benches::{Effort, Row, peak};
use heurpipe_sources::detect;
use tokio::runtime::Runtime;

use crate::{AnyResult, lines};

/// The argument that makes this program the child; the path of the file follows.
const CHILD: &str = "--memory-child";
/// What it may take, in MB.
const LIMIT: f64 = 200.0;

pub fn rows(_runtime: &Runtime, effort: Effort) -> AnyResult<Vec<Row>> {
    if !cfg!(target_os = "linux") {
        eprintln!("memory is skipped: the peak of a process is read from Linux's /proc");
        return Ok(Vec::new());
    }
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tweets.jsonl");
    let megabytes = effort.choose(500, 5_000);
    lines::write(&path, megabytes * 1_000_000, |number| {
        Ok(lines::crawled(number))
    })?;
    let child = Command::new(std::env::current_exe()?)
        .arg(CHILD)
        .arg(&path)
        .stderr(Stdio::inherit())
        .output()?;
    if !child.status.success() {
        return Err(format!(
            "the reading in a process of its own failed: {}",
            child.status
        )
        .into());
    }
    let kilobytes: f64 = String::from_utf8(child.stdout)?.trim().parse()?;
    let case = format!("JSON Lines of {megabytes} MB");
    let row = Row::cost(
        &case,
        "peak MB",
        kilobytes / 1000.0,
        "what it may take",
        LIMIT,
    );
    Ok(vec![row.goal(LIMIT)])
}

/// The file that this process is to read as the child; none: it is not.
pub fn asked_of_child() -> Option<PathBuf> {
    let mut arguments = std::env::args_os().skip_while(|argument| argument != CHILD);
    arguments.nth(1).map(PathBuf::from)
}

/// Reads the file and prints the peak.
///
/// # Errors
/// When the file cannot be read.
pub async fn child(path: &Path) -> AnyResult<()> {
    lines::count(detect::open(path)?.as_ref()).await?;
    println!("{}", peak()?);
    Ok(())
}
