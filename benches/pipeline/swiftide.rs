//! swiftide, an indexing pipeline in Rust, with the same records and as many stages that do nothing.
//!
//! It runs in a process of its own, which takes its turns on request: its package (`benches/peers`) is not in the workspace, whose crates
//! it would make to be built with other features.

use std::path::Path;
use std::process::Command;

use heurpipe_benches::{Effort, Peer, target_folder};

use crate::AnyResult;

/// Starts the peer with so many posts. Nothing, with a printed reason, where it cannot be had. The full effort builds it.
///
/// # Errors
/// When the peer is there and does not work.
pub fn start(effort: Effort, posts: usize) -> AnyResult<Option<Peer>> {
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
    Peer::launch(Command::new(program).arg(posts.to_string())).map(Some)
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
