//! `heurpipe runs` and `heurpipe dead-letters`: what happened.

use std::collections::BTreeMap;

use clap::Args;
use heurpipe_core::{DeadLetter, DeadLetterScan, RunRecord};

use super::run::print_report;
use super::{Done, Exit, Stop, print_json};
use crate::config::Loaded;
use crate::workbench::documents_to_read;

/// Arguments of `heurpipe runs`.
#[derive(Debug, Args)]
pub struct Runs {
    /// Show this run.
    id: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Arguments of `heurpipe dead-letters`.
#[derive(Debug, Args)]
pub struct DeadLetters {
    /// Only those of this use case.
    #[arg(long, value_name = "U")]
    use_case: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: usize,
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
                    false => print_report(&run.report),
                }
            }
            None if self.json => print_json(&BTreeMap::from([("runs", &runs)]))?,
            None => print_runs(&runs),
        }
        Ok(Exit::Done)
    }
}

impl DeadLetters {
    /// Lists dead letters, oldest first.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        let documents = documents_to_read(loaded).await?;
        let mut scan = DeadLetterScan::all().limit(self.limit);
        scan.use_case = self.use_case;
        let letters = documents.dead_letters(&scan).await?;
        if self.json {
            print_json(&BTreeMap::from([("dead_letters", &letters)]))?;
            return Ok(Exit::Done);
        }
        letters.iter().for_each(print_letter);
        if letters.is_empty() {
            println!("no dead letters");
        }
        Ok(Exit::Done)
    }
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

fn print_letter(letter: &DeadLetter) {
    println!("{}  {} at {}", letter.post, letter.cause, letter.stage);
    for sentence in &letter.chain {
        println!("    {sentence}");
    }
}
