//! The same job in Python.

use std::path::Path;
use std::process::Command;

use heurpipe_benches::Peer;

use crate::AnyResult;

/// Decode pictures in full.
pub const FULL: &str = "full";
/// Decode pictures in Pillow's draft mode: libjpeg's scaled decoding, at least as large as what is wanted.
pub const DRAFT: &str = "draft";

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/inference/reference.py");

/// Starts the peer. Nothing, with a printed reason, where Python lacks something.
///
/// # Errors
/// When Python has all it needs and the job fails.
pub fn start(job: &Path) -> AnyResult<Option<Peer>> {
    let interpreter =
        std::env::var("HEURPIPE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let needs = "import numpy, onnxruntime, PIL, tokenizers";
    let asked = Command::new(&interpreter).args(["-c", needs]).output();
    match asked {
        Ok(answer) if answer.status.success() => {
            Peer::launch(Command::new(interpreter).arg(SCRIPT).arg(job)).map(Some)
        }
        Ok(answer) => {
            let said = String::from_utf8_lossy(&answer.stderr);
            let last = said.lines().last().unwrap_or_default();
            eprintln!("Python is skipped: {last}");
            Ok(None)
        }
        Err(error) => {
            eprintln!("Python is skipped: {interpreter} does not start: {error}");
            Ok(None)
        }
    }
}
