//! `heurpipe runs`: what happened.

use std::collections::BTreeMap;

use clap::Args;
use heurpipe_core::{Filter, Plan, RunRecord};

use super::run::print_report;
use super::{Done, Exit, Stop, print_json};
use crate::config::Loaded;
use crate::use_cases::UseCase;
use crate::workbench::{Input, Workbench, documents_to_read};

/// Arguments of `heurpipe runs`.
#[derive(Debug, Args)]
pub struct Runs {
    /// Show this run.
    id: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Runs {
    /// Lists runs, newest first, or shows one.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        let documents = documents_to_read(loaded).await?;
        let runs = documents.runs(1000).await?;
        match &self.id {
            Some(id) => {
                let found = runs.iter().find(|run| run.report.run == *id);
                let run = found.ok_or_else(|| Stop::Usage(format!("there is no run {id}")))?;
                match self.json {
                    true => print_json(run)?,
                    false => print_report(&run.report, plan_of(loaded, run).await.as_ref()),
                }
            }
            None if self.json => print_json(&BTreeMap::from([("runs", &runs)]))?,
            None => print_runs(&runs),
        }
        Ok(Exit::Done)
    }
}

/// The plan of a run's use case as it is configured now, where it can be made.
async fn plan_of(loaded: &Loaded, run: &RunRecord) -> Option<Plan> {
    let use_case = UseCase::named(&run.report.use_case, &loaded.config).ok()?;
    let bench = Workbench::open_to_read(loaded).await.ok()?;
    let inputs = [Input::Configured, Input::Stored(Filter::All)];
    let mut pipelines = inputs.iter().map(|input| use_case.build(&bench, input));
    let pipeline = pipelines.find_map(Result::ok)?;
    Some(pipeline.plan().clone())
}

fn print_runs(runs: &[RunRecord]) {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header([
        "run",
        "status",
        "read",
        "delivered",
        "held",
        "dead",
        "seconds",
    ]);
    for run in runs {
        let report = &run.report;
        let status = serde_json::to_value(report.status).unwrap_or_default();
        table.add_row([
            report.run.clone(),
            status.as_str().unwrap_or_default().to_owned(),
            report.posts.read.to_string(),
            report.posts.delivered.to_string(),
            report.posts.held.to_string(),
            report.posts.dead_lettered.to_string(),
            format!("{:.1}", report.seconds),
        ]);
    }
    println!("{table}");
}
