//! `heurpipe reanalyse`: what is stale on stored posts, and nothing else.

use clap::Args;
use heurpipe_core::{Filter, RunOptions};

use super::run::{finish, run_shown};
use super::{Done, Exit, Stop, print_json};
use crate::config::Loaded;
use crate::use_cases::{ALL, UseCase, reanalysis};
use crate::workbench::Workbench;

/// Arguments of `heurpipe reanalyse`.
#[derive(Debug, Args)]
pub struct Reanalyse {
    /// Only this use case; without it, all.
    #[arg(long, value_name = "U")]
    use_case: Option<String>,
    /// Only posts on which this enricher has something to do.
    #[arg(long, value_name = "NAME")]
    enricher: Option<String>,
    /// Only posts that match this filter.
    #[arg(long = "where", value_name = "FILTER", default_value = "")]
    filter: String,
    /// Count what would run, and run nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object a use case.
    #[arg(long)]
    json: bool,
}

impl Reanalyse {
    /// Surveys or runs the re-analysis of each use case.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        let filter: Filter = self
            .filter
            .parse()
            .map_err(|error: heurpipe_core::Error| Stop::Usage(format!("--where: {error}")))?;
        let use_cases = match &self.use_case {
            Some(name) => vec![UseCase::named(name).map_err(Stop::Usage)?],
            None => ALL.to_vec(),
        };
        let bench = match self.dry_run {
            true => Workbench::open_to_read(loaded).await?,
            false => Workbench::open(loaded).await?,
        };
        let mut exit = Exit::Done;
        for use_case in &use_cases {
            let ended = self.one(&bench, use_case, &filter).await?;
            exit = exit.worse(ended);
        }
        Ok(exit)
    }

    async fn one(&self, bench: &Workbench, use_case: &UseCase, filter: &Filter) -> Done {
        let pipeline = reanalysis(bench, use_case, filter.clone())?;
        let pipeline = match &self.enricher {
            Some(name) => pipeline.only_enricher(name)?,
            None => pipeline,
        };
        if self.dry_run {
            let survey = pipeline.survey(filter).await?;
            if self.json {
                print_json(&survey)?;
            } else {
                print!("{}: {survey}", use_case.name);
            }
            return Ok(Exit::Done);
        }
        let report = run_shown(&pipeline, RunOptions::default(), None).await?;
        finish(bench, &report, self.json).await
    }
}
