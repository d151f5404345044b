//! `heurpipe run`: a use case over its sources.

use std::path::PathBuf;

use clap::Args;
use heurpipe_core::{
    BudgetReport, Force, Pipeline, Plan, RunOptions, RunReport, Scan, stop_signal,
};
use jiff::Timestamp;

use super::{Done, Exit, Stop, print_json, progress};
use crate::config::Loaded;
use crate::use_cases::UseCase;
use crate::workbench::{Input, Workbench};

/// Arguments of `heurpipe run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The use case: catalog or trends.
    use_case: String,
    /// A folder of pictures or a file of records; instead of the configured sources.
    #[arg(long, value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Read at most so many posts.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Take only posts published on or after this day (YYYY-MM-DD) or time.
    #[arg(long, value_name = "D", value_parser = time)]
    since: Option<Timestamp>,
    /// Take only posts published before this day (YYYY-MM-DD) or time.
    #[arg(long, value_name = "D", value_parser = time)]
    until: Option<Timestamp>,
    /// Run every enricher, also where the ledger says that it is done.
    #[arg(long)]
    force: bool,
    /// Print the run's report as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Run {
    /// Runs the use case and reports.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        let use_case = UseCase::named(&self.use_case, &loaded.config).map_err(Stop::Usage)?;
        let bench = Workbench::open(loaded).await?;
        let input = match self.from.is_empty() {
            true => Input::Configured,
            false => Input::Paths(self.from),
        };
        let pipeline = use_case.build(&bench, &input)?;
        let mut options = RunOptions::default();
        options.limit = self.limit;
        options.since = self.since;
        options.until = self.until;
        if self.force {
            options.force = Force::Everything;
        }
        let report = run_shown(&pipeline, options, None).await?;
        match self.json {
            true => print_json(&report)?,
            false => print_report(&report, Some(pipeline.plan())),
        }
        tell_further(&bench, &report).await?;
        Ok(Exit::of(&report))
    }
}

/// Runs a pipeline with progress on stderr. Ctrl-C drains it; a second one stops it, and a third one ends the program.
pub(super) async fn run_shown(
    pipeline: &Pipeline,
    mut options: RunOptions,
    expected: Option<u64>,
) -> Result<RunReport, Stop> {
    let (switch, signal) = stop_signal();
    options.stop = Some(signal);
    options.progress = Some(progress::shown(expected));
    let listener = tokio::spawn(async move {
        for tells in [
            "stopping: what is on its way is settled first; once more stops at once",
            "stopped: what was on its way is pending, and the next run takes it up",
        ] {
            if tokio::signal::ctrl_c().await.is_ok() {
                eprintln!("{tells}");
                switch.press();
            }
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    let report = pipeline.run(options).await;
    listener.abort();
    Ok(report?)
}

/// Says on stderr what ended early and what to look at next.
pub(super) async fn tell_further(bench: &Workbench, report: &RunReport) -> Result<(), Stop> {
    for error in &report.errors {
        eprintln!("ended early: {error}");
    }
    if report.posts.held > 0 {
        let held = Scan::default().in_state(&report.use_case, "held");
        let held = heurpipe_core::Documents::count(bench.documents.as_ref(), &held).await?;
        eprintln!("{held} posts wait for a person");
    }
    if report.posts.dead_lettered > 0 {
        eprintln!(
            "look at what failed: heurpipe dead-letters --use-case {}",
            report.use_case
        );
    }
    Ok(())
}

/// What a run did; stage by stage beside its plan, where that is known.
pub(super) fn print_report(report: &RunReport, plan: Option<&Plan>) {
    let posts = &report.posts;
    println!(
        "{} {}: {} read = {} delivered + {} filtered + {} held + {} rejected + {} dead-lettered",
        report.run,
        status(report),
        posts.read,
        posts.delivered,
        posts.filtered,
        posts.held,
        posts.rejected,
        posts.dead_lettered
    );
    println!(
        "pictures: {} fetched, {} reused, {} gone; {:.1} s, {:.0} posts/s",
        report.media.fetched,
        report.media.reused,
        report.media.failed,
        report.seconds,
        report.posts_per_second
    );
    if let Some(budget) = &report.budget {
        print_budget(budget);
    }
    if let Some(plan) = plan {
        print!("{}", plan.explain(report));
        return;
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["stage", "in", "out", "skipped", "failed", "cpu-ms", "busy"]);
    for stage in &report.stages {
        table.add_row([
            stage.name.clone(),
            stage.entered.to_string(),
            stage.left.to_string(),
            stage.skipped.to_string(),
            stage.failed.to_string(),
            format!("{:.0}", stage.cpu_ms),
            format!("{:.0} %", stage.busy * 100.0),
        ]);
    }
    println!("{table}");
    if let Some(bottleneck) = &report.bottleneck {
        println!("busiest: {bottleneck}");
    }
}

fn print_budget(budget: &BudgetReport) {
    println!(
        "budget: {:.0} of {:.0} cpu-ms a thousand posts",
        budget.spent_per_thousand, budget.allowed_per_thousand
    );
    for (name, governed) in &budget.enrichers {
        println!(
            "  {name}: {} targets analysed, {} skipped",
            governed.chosen, governed.skipped
        );
    }
}

fn status(report: &RunReport) -> String {
    let name = serde_json::to_value(report.status).unwrap_or_default();
    name.as_str().unwrap_or("unknown").to_owned()
}

/// A day at midnight UTC, or a full time.
fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp);
    }
    let day: jiff::civil::Date = text
        .parse()
        .map_err(|_| "a day is written YYYY-MM-DD, a time 2026-01-31T12:00:00Z".to_owned())?;
    day.to_zoned(jiff::tz::TimeZone::UTC)
        .map(|zoned| zoned.timestamp())
        .map_err(|error| error.to_string())
}
