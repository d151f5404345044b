//! `heurpipe archive`: settled posts into the warehouse.

use std::collections::BTreeMap;

use clap::Args;
use heurpipe_core::DayCount;
use heurpipe_stores::life::{Archive as Archiving, ArchiveReport, Retention};
use heurpipe_stores::warehouse::Compacted;
use heurpipe_stores::{Mode, search};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Done, Exit, Stop, print_json};
use crate::config::{Loaded, duration};
use crate::workbench::{
    Workbench, documents_to_read, documents_to_write, store_url, warehouse_to_read,
    warehouse_to_write,
};

/// For so long a file that nothing needs is kept by compaction: somebody may be reading it.
const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// Arguments of `heurpipe archive`.
#[derive(Debug, Args)]
pub struct Archive {
    /// Posts published before this day (UTC), e.g. 2026-01-01; those that do not say when: last seen before it.
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
        let limits = limits(loaded)?;
        if self.dry_run {
            let documents = documents_to_read(loaded).await?;
            let warehouse = warehouse_to_read(loaded).await?;
            let days = Archiving::before(documents, warehouse, before)
                .survey()
                .await?;
            let past = match limits.is_empty() {
                true => None,
                false => {
                    let search = Workbench::open_to_read(loaded).await?.search;
                    let retention = Retention::of(search, limits);
                    Some(retention.survey(Timestamp::now()).await?)
                }
            };
            return self.print_survey(before, &days, past);
        }
        let documents = documents_to_write(loaded).await?;
        let warehouse = warehouse_to_write(loaded).await?;
        // Before anything is moved it is known whether all of it can be done.
        let retention = match limits.is_empty() {
            true => None,
            false => {
                let url = store_url(&loaded.config.stores.search, &loaded.base);
                let search = search::open(&url, Mode::ReadWrite).await?;
                Some(Retention::of(search, limits))
            }
        };
        let archiving = Archiving::before(documents, warehouse.clone(), before);
        let report = archiving.run().await?;
        let past = match &retention {
            Some(retention) => Some(retention.run(Timestamp::now()).await?),
            None => None,
        };
        let compacted = match self.compact {
            true => Some(warehouse.compact(GRACE).await?),
            false => None,
        };
        self.print(before, &report, past, compacted.as_ref())
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

    fn print_survey(&self, before: Date, days: &[DayCount], past: Option<u64>) -> Done {
        let posts: u64 = days.iter().map(|count| count.records).sum();
        if self.json {
            let mut printed =
                json!({"dry_run": true, "before": before, "posts": posts, "days": days});
            if let Some(past) = past {
                printed["past_retention"] = json!(past);
            }
            print_json(&printed)?;
            return Ok(Exit::Done);
        }
        for DayCount { day, records } in days {
            println!("{}  {records}", named(*day));
        }
        println!("{posts} settled posts published before {before} would go to the warehouse");
        if let Some(past) = past {
            println!("{past} posts are past their retention and would go from the search index");
        }
        Ok(Exit::Done)
    }

    fn print(
        &self,
        before: Date,
        report: &ArchiveReport,
        past: Option<u64>,
        compacted: Option<&Compacted>,
    ) -> Done {
        if self.json {
            let mut printed = json!({
                "before": before,
                "archived": report.archived,
                "kept": report.kept,
                "manifest": report.manifest,
                "days": report.days,
            });
            if let Some(past) = past {
                printed["past_retention"] = json!(past);
            }
            if let Some(compacted) = compacted {
                printed["compacted"] = json!(compacted);
            }
            print_json(&printed)?;
            return Ok(Exit::Done);
        }
        for day in &report.days {
            println!("{}  {}", named(day.day), day.archived);
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
        if let Some(past) = past {
            println!("{past} posts were past their retention and went from the search index");
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

/// A day as it is printed; one that is not known as long as the others.
fn named(day: Option<Date>) -> String {
    day.map_or_else(|| "undated   ".to_owned(), |day| day.to_string())
}

/// For how long use cases keep posts in the search index, those that say so.
pub(super) fn limits(loaded: &Loaded) -> Result<BTreeMap<String, SignedDuration>, Stop> {
    let mut limits = BTreeMap::new();
    for (name, settings) in &loaded.config.use_cases {
        let Some(text) = &settings.retention else {
            continue;
        };
        let wrong =
            |why: &dyn std::fmt::Display| Stop::Usage(format!("use_cases.{name}.retention: {why}"));
        let length = duration(text).map_err(|error| wrong(&error))?;
        let length = SignedDuration::try_from(length).map_err(|error| wrong(&error))?;
        limits.insert(name.clone(), length);
    }
    Ok(limits)
}
