//! The command line of `heurpipe`.

mod archive;
mod check_page;
mod collect;
mod config;
mod copy;
mod dead_letters;
mod demo;
mod doctor;
mod forget;
mod models;
mod plan;
mod progress;
mod query;
mod reanalyse;
mod reindex;
mod run;
mod runs;
mod serve;
mod setup;
mod simulate;
mod stdout;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use heurpipe_core::{Error, ErrorKind, RunReport, RunStatus};
use heurpipe_models::runtime::Runtime;

use crate::config::{ConfigError, Loaded, load};

pub use serve::Serve;

/// Gather, enrich, check, search and keep social-media posts.
#[derive(Debug, Parser)]
#[command(name = "heurpipe", version, about, max_term_width = 100)]
pub struct Cli {
    /// The configuration; without it, heurpipe.toml in the current folder.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Gather a simulated world into embedded stores and serve its pages.
    Demo(demo::Demo),
    /// Run a use case.
    Run(run::Run),
    /// Show what a use case consists of and what it would do; runs nothing.
    Plan(plan::PlanArgs),
    /// Run what is stale on stored posts, without gathering them again.
    Reanalyse(reanalyse::Reanalyse),
    /// List runs, or show one.
    Runs(runs::Runs),
    /// List posts that could not be processed, by cause, or drop them.
    DeadLetters(dead_letters::DeadLetters),
    /// Move settled posts of old days from documents into the warehouse.
    Archive(archive::Archive),
    /// Erase a post, or all posts of an author, everywhere and for good; prints a receipt.
    Forget(forget::Forget),
    /// Build the search index anew from documents and the warehouse; the one in use serves until then.
    Reindex(reindex::Reindex),
    /// Delete pictures that no post refers to any more.
    Collect(collect::Collect),
    /// Copy all of a store into a new one of the same role, e.g. from SQLite to MongoDB.
    Copy(copy::Copy),
    /// Print posts that match a filter, or rows by SQL.
    Query(query::Query),
    /// Serve the simulator's Instagram and Weibo APIs on loopback.
    Simulate(simulate::Simulate),
    /// Look at models.
    #[command(subcommand)]
    Models(models::Models),
    /// Fetch ONNX Runtime's library through pip, for models several times faster.
    Setup(setup::Setup),
    /// Look whether everything that is needed is there.
    Doctor(doctor::Doctor),
    /// Show or check the configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

/// How a command ended: 0 done, 1 failed, 2 wrong use, 3 done with dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done.
    Done,
    /// Something failed.
    Failed,
    /// Done, and some posts lie among the dead letters.
    DeadLetters,
}

impl Exit {
    /// How a run ended.
    fn of(report: &RunReport) -> Self {
        match report.status {
            RunStatus::Failed | RunStatus::Partial => Self::Failed,
            _ if report.posts.dead_lettered > 0 => Self::DeadLetters,
            _ => Self::Done,
        }
    }

    /// The worse of two: a failure, then dead letters.
    fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::DeadLetters, _) | (_, Self::DeadLetters) => Self::DeadLetters,
            _ => Self::Done,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::from(1),
            Exit::DeadLetters => Self::from(3),
        }
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub enum Stop {
    /// It was used wrongly: exit 2.
    Usage(String),
    /// It failed: exit 1.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Config => Self::Usage(error.chain().join(": ")),
            _ => Self::Failed(error),
        }
    }
}

impl From<ConfigError> for Stop {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.0)
    }
}

impl Stop {
    /// A failure of reading or writing something outside of the stores.
    fn io(what: &str, error: std::io::Error) -> Self {
        Self::Failed(
            Error::new(ErrorKind::Io, "cli")
                .message(what.to_owned())
                .cause(error),
        )
    }
}

/// What a command gives back.
pub type Done = Result<Exit, Stop>;

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    init_logs();
    stdout::end_where_nobody_reads();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(cli.run());
            // A read from a terminal or a hung fetch must not keep a finished command from ending.
            runtime.shutdown_timeout(std::time::Duration::from_secs(1));
            done
        }
        Err(error) => Err(Stop::io("the async runtime does not start", error)),
    };
    report(done)
}

/// Prints why a command ended early and gives the exit code.
pub fn report(done: Done) -> ExitCode {
    match done {
        Ok(exit) => exit.into(),
        Err(Stop::Usage(sentence)) => {
            eprintln!("error: {sentence}");
            ExitCode::from(2)
        }
        Err(Stop::Failed(error)) => {
            for (depth, sentence) in error.chain().iter().enumerate() {
                let label = if depth == 0 { "error" } else { "  because" };
                eprintln!("{label}: {sentence}");
            }
            ExitCode::from(1)
        }
    }
}

/// Logs on stderr, by `HEURPIPE_LOG` or warnings only.
pub fn init_logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("HEURPIPE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr);
    // Where a subscriber is set already (in tests), that one stays.
    let _ = logs.try_init();
}

impl Cli {
    async fn run(self) -> Done {
        let loaded = || load(self.config.as_deref(), std::env::vars());
        match self.command {
            Command::Demo(demo) => demo.run().await,
            Command::Run(run) => run.run(&with_runtime(loaded()?)?).await,
            Command::Plan(plan) => plan.run(&with_runtime(loaded()?)?).await,
            Command::Reanalyse(again) => again.run(&with_runtime(loaded()?)?).await,
            Command::Runs(runs) => runs.run(&loaded()?).await,
            Command::DeadLetters(letters) => letters.run(&loaded()?).await,
            Command::Archive(archive) => archive.run(&loaded()?).await,
            Command::Forget(forget) => forget.run(&loaded()?).await,
            Command::Reindex(reindex) => reindex.run(&loaded()?).await,
            Command::Collect(collect) => collect.run(&loaded()?).await,
            Command::Copy(copy) => copy.run().await,
            Command::Query(query) => query.run(&loaded()?).await,
            Command::Simulate(simulate) => simulate.run().await,
            Command::Models(models) => models.run(&with_runtime(loaded()?)?).await,
            Command::Setup(setup) => setup.run().await,
            Command::Doctor(doctor) => doctor.run(loaded()).await,
            Command::Config(command) => command.run(loaded()?),
        }
    }
}

/// Chooses the model runtime that the configuration names, before any model is loaded, and says what would make it faster.
fn with_runtime(loaded: Loaded) -> Result<Loaded, Stop> {
    let choice = loaded.config.models.runtime.parse()?;
    let runtime = Runtime::choose(&choice)?;
    if let Some(advice) = runtime.status().advice {
        eprintln!("{advice}");
    }
    Ok(loaded)
}

/// Prints one JSON object on stdout.
fn print_json(value: &impl serde::Serialize) -> Result<(), Stop> {
    let text = serde_json::to_string(value)
        .map_err(|error| Stop::Failed(Error::new(ErrorKind::Internal, "cli.json").cause(error)))?;
    println!("{text}");
    Ok(())
}
