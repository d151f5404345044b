//! Operates heurpipe pipelines; see `heurpipe --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    heurpipe::cli::main()
}
