//! Recorded payloads, for tests.

use std::path::PathBuf;

/// The folder of recorded payloads of the Graph API; none, said on the test's output, where it is missing.
pub(super) fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("HEURPIPE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let folder = shared.join("samples/instagram-graph");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no recorded payloads at {}", folder.display());
    None
}
