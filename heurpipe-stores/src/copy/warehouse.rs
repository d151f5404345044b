//! The warehouse: rows.

use std::sync::Arc;

use futures::TryStreamExt;
use heurpipe_core::{Filter, PostId, Record, Result};

use super::{Doing, Part, Progress, Report, Sum, Watch, different, occupied};
use crate::warehouse::Warehouse as Rows;

/// Records appended at a time: they are in memory, and become one segment of each of their days. Compaction merges segments.
const APPENDED_AT_A_TIME: usize = 10_000;

/// The one part that a warehouse has.
const PART: &str = "rows";

/// Copies all rows from one warehouse into another.
///
/// A row is known by its post and revision, so that those which are there are not written again. What an erased post has left in files that no longer count
/// is not read, and stays behind.
pub struct Warehouse {
    source: Arc<dyn Rows>,
    target: Arc<dyn Rows>,
}

impl Warehouse {
    /// From one warehouse into another, which nobody else writes to.
    pub fn between(source: Arc<dyn Rows>, target: Arc<dyn Rows>) -> Self {
        Self { source, target }
    }

    /// What there is to copy; changes nothing.
    ///
    /// # Errors
    /// Those of the stores; `Conflict` when the target holds a row that the source has not.
    pub async fn survey(&self, watch: &Watch) -> Result<Vec<Part>> {
        self.check_target().await?;
        let sum = sum(&*self.source, watch).await?;
        Ok(vec![Part { part: PART, sum }])
    }

    /// Copies what the target has not, and compares both sides.
    ///
    /// # Errors
    /// `Conflict` when the target holds a row that the source has not, and when the two sides are not the same in the end; else those of the stores. What was
    /// copied before stays copied.
    pub async fn run(&self, watch: &Watch) -> Result<Report> {
        self.check_target().await?;
        let mut copied = 0;
        let mut gathered: Vec<Record> = Vec::new();
        let mut read = 0;
        let mut pages = self.source.scan(&Filter::All).await?;
        while let Some(page) = pages.try_next().await? {
            read += page.len() as u64;
            gathered.extend(page);
            if gathered.len() >= APPENDED_AT_A_TIME {
                let some = std::mem::take(&mut gathered);
                copied += self.target.append(some).await?.written;
            }
            watch(&Progress {
                doing: Doing::Copying,
                part: PART,
                entries: read,
            });
        }
        if !gathered.is_empty() {
            copied += self.target.append(gathered).await?.written;
        }
        let ours = sum(&*self.source, watch).await?;
        let theirs = sum(&*self.target, watch).await?;
        let posts = |coverage: crate::warehouse::Coverage| (coverage.posts, coverage.undated);
        let covered = posts(self.source.coverage().await?) == posts(self.target.coverage().await?);
        if ours != theirs || !covered {
            return Err(different(PART, &ours, &theirs));
        }
        let parts = vec![Part {
            part: PART,
            sum: ours,
        }];
        Ok(Report { copied, parts })
    }

    /// Whether all that the target holds is of the source, so that what is copied into it gets into nobody's way.
    async fn check_target(&self) -> Result<()> {
        let mut pages = self.target.scan(&Filter::All).await?;
        while let Some(page) = pages.try_next().await? {
            let ids: Vec<PostId> = page.iter().map(|record| record.id().clone()).collect();
            let ours = self.source.get(&ids).await?;
            for (theirs, ours) in page.iter().zip(ours) {
                if ours.as_ref() != Some(theirs) {
                    return Err(occupied(
                        "the target holds rows that are not of this warehouse; copy into a new one",
                    )
                    .with("post", theirs.id()));
                }
            }
        }
        Ok(())
    }
}

async fn sum(warehouse: &dyn Rows, watch: &Watch) -> Result<Sum> {
    let mut sum = Sum::default();
    let mut pages = warehouse.scan(&Filter::All).await?;
    while let Some(page) = pages.try_next().await? {
        for record in &page {
            sum.add_value(record)?;
        }
        watch(&Progress {
            doing: Doing::Comparing,
            part: PART,
            entries: sum.entries,
        });
    }
    Ok(sum)
}
