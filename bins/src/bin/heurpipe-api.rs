//! Serves the heurpipe API and its pages over the stores that the configuration names.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use heurpipe::cli;
use heurpipe::config::load;

/// Batches are made on one core and dropped on another, which this allocator does at a third of the system's cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serve the heurpipe API and its pages.
#[derive(Debug, Parser)]
#[command(name = "heurpipe-api", version, about)]
struct Arguments {
    /// The configuration; without it, heurpipe.toml in the current folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    serve: cli::Serve,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli::init_logs();
    let done = match load(arguments.config.as_deref(), std::env::vars()) {
        Ok(loaded) => arguments.serve.run(&loaded).await,
        Err(error) => Err(error.into()),
    };
    cli::report(done)
}
