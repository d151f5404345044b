//! `heurpipe archive`: settled posts into the warehouse.

use clap::Args;
use heurpipe_core::DayCount;
use heurpipe_stores::life::{Archive as Archiving, ArchiveReport};
use heurpipe_stores::warehouse::Compacted;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Done, Exit, Stop, print_json};
use crate::config::{Loaded, duration};
use crate::workbench::{
    documents_to_read, documents_to_write, warehouse_to_read, warehouse_to_write,
};

/// For so long a file that nothing needs is kept by compaction: somebody may be reading it.
const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// Arguments of `heurpipe archive`.
#[derive(Debug, Args)]
pub struct Archive {
    /// Posts published before this day (UTC), e.g. 2026-01-01.
    #[arg(long, value_name = "DAY", conflicts_with = "older_than")]
    before: Option<String>,
    /// Posts published on days that ended longer ago than this.
    #[arg(long, value_name = "TIME", default_value = "90d")]
    older_than: String,
    /// Then merge small files of the warehouse, and delete those that nothing has needed for a day.
    #[arg(long)]
    compact: bool,
    /// Count what would be moved, and move nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Archive {
    /// Moves, or counts, what is old enough.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        let before = self.day()?;
        if self.dry_run {
            let documents = documents_to_read(loaded).await?;
            let warehouse = warehouse_to_read(loaded).await?;
            let days = Archiving::before(documents, warehouse, before)
                .survey()
                .await?;
            return self.print_survey(before, &days);
        }
        let documents = documents_to_write(loaded).await?;
        let warehouse = warehouse_to_write(loaded).await?;
        let archiving = Archiving::before(documents, warehouse.clone(), before);
        let report = archiving.run().await?;
        let compacted = match self.compact {
            true => Some(warehouse.compact(GRACE).await?),
            false => None,
        };
        self.print(before, &report, compacted.as_ref())
    }

    /// The first day that is not old enough.
    fn day(&self) -> Result<Date, Stop> {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let Some(before) = &self.before else {
            let age = duration(&self.older_than)?;
            let day = SignedDuration::try_from(age)
                .ok()
                .and_then(|age| Timestamp::now().checked_sub(age).ok())
                .map(|at| at.to_zoned(TimeZone::UTC).date());
            let too_long = || {
                Stop::Usage(format!(
                    "--older-than {}: nothing is so old",
                    self.older_than
                ))
            };
            return day.ok_or_else(too_long);
        };
        let day: Date = before.parse().map_err(|_| {
            Stop::Usage(format!("--before {before}: a day is written as 2026-01-31"))
        })?;
        if day > today {
            return Err(Stop::Usage(format!(
                "--before {before}: that day has not come; today is {today}"
            )));
        }
        Ok(day)
    }

    fn print_survey(&self, before: Date, days: &[DayCount]) -> Done {
        let posts: u64 = days.iter().map(|count| count.records).sum();
        if self.json {
            print_json(&json!({"dry_run": true, "before": before, "posts": posts, "days": days}))?;
            return Ok(Exit::Done);
        }
        for DayCount { day, records } in days {
            if let Some(day) = day {
                println!("{day}  {records}");
            }
        }
        println!("{posts} settled posts published before {before} would go to the warehouse");
        Ok(Exit::Done)
    }

    fn print(&self, before: Date, report: &ArchiveReport, compacted: Option<&Compacted>) -> Done {
        if self.json {
            let mut printed = json!({
                "before": before,
                "archived": report.archived,
                "kept": report.kept,
                "manifest": report.manifest,
                "days": report.days,
            });
            if let Some(compacted) = compacted {
                printed["compacted"] = json!(compacted);
            }
            print_json(&printed)?;
            return Ok(Exit::Done);
        }
        for day in &report.days {
            println!("{}  {}", day.day, day.archived);
        }
        println!(
            "{} posts published before {before} went to the warehouse (manifest {})",
            report.archived, report.manifest
        );
        if report.kept > 0 {
            println!(
                "{} stay in documents: they changed meanwhile, or the warehouse has a later revision",
                report.kept
            );
        }
        if let Some(compacted) = compacted {
            println!(
                "{} files were merged into {}, {} deleted",
                compacted.merged, compacted.written, compacted.deleted
            );
        }
        Ok(Exit::Done)
    }
}
