//! `heurpipe reanalyse`: what is stale on stored posts, and nothing else.

use std::collections::BTreeMap;

use clap::Args;
use heurpipe_core::{Filter, Force, Pipeline, RunOptions};

use super::run::{print_report, run_shown, tell_further};
use super::{Done, Exit, Stop, print_json};
use crate::config::Loaded;
use crate::use_cases::{UseCase, reanalysis};
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
    /// Run also what the ledger says is done: that enricher, or all.
    #[arg(long)]
    force: bool,
    /// Count what would run, and run nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
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
            Some(name) => vec![UseCase::named(name, &loaded.config).map_err(Stop::Usage)?],
            None => UseCase::all(&loaded.config),
        };
        let bench = match self.dry_run {
            true => Workbench::open_to_read(loaded).await?,
            false => Workbench::open(loaded).await?,
        };
        let pipelines = self.pipelines(&bench, &use_cases, &filter)?;
        match self.dry_run {
            true => self.survey(&pipelines, &filter).await,
            false => self.reanalyse(&bench, &pipelines).await,
        }
    }

    /// The pipelines of the use cases that have the enricher asked for.
    fn pipelines(
        &self,
        bench: &Workbench,
        use_cases: &[UseCase],
        filter: &Filter,
    ) -> Result<Vec<Pipeline>, Stop> {
        let mut pipelines = Vec::new();
        let mut without = None;
        for use_case in use_cases {
            let pipeline = reanalysis(bench, use_case, filter.clone())?;
            match &self.enricher {
                None => pipelines.push(pipeline),
                Some(name) => match pipeline.only_enricher(name) {
                    Ok(pipeline) => pipelines.push(pipeline),
                    Err(error) => without = Some(error),
                },
            }
        }
        match (pipelines.is_empty(), without) {
            (true, Some(error)) => Err(error.into()),
            _ => Ok(pipelines),
        }
    }

    fn forced(&self) -> Force {
        match (self.force, &self.enricher) {
            (false, _) => Force::Nothing,
            (true, Some(name)) => Force::Enrichers([name.clone()].into()),
            (true, None) => Force::Everything,
        }
    }

    async fn survey(&self, pipelines: &[Pipeline], filter: &Filter) -> Done {
        let mut surveys = BTreeMap::new();
        for pipeline in pipelines {
            surveys.insert(
                pipeline.name(),
                pipeline.survey(filter, &self.forced()).await?,
            );
        }
        if self.json {
            print_json(&BTreeMap::from([("surveys", surveys)]))?;
        } else {
            for (use_case, survey) in &surveys {
                print!("{use_case}: {survey}");
            }
        }
        Ok(Exit::Done)
    }

    async fn reanalyse(&self, bench: &Workbench, pipelines: &[Pipeline]) -> Done {
        let mut runs = Vec::new();
        for pipeline in pipelines {
            let mut options = RunOptions::default();
            options.force = self.forced();
            runs.push(run_shown(pipeline, options, None).await?);
        }
        match self.json {
            true => print_json(&BTreeMap::from([("runs", &runs)]))?,
            false => {
                for (report, pipeline) in runs.iter().zip(pipelines) {
                    print_report(report, Some(pipeline.plan()));
                }
            }
        }
        for report in &runs {
            tell_further(bench, report).await?;
        }
        Ok(runs.iter().map(Exit::of).fold(Exit::Done, Exit::worse))
    }
}
