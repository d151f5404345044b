//! From documents to the warehouse.

use std::ops::Bound;
use std::sync::Arc;

use heurpipe_core::filter::{Predicate, TimeField};
use heurpipe_core::{DayCount, Documents, Error, ErrorKind, Filter, PostId, Record, Result, Scan};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::warehouse::Warehouse;

/// Records moved at a time: they are in memory, and become one segment of their day. Compaction merges segments.
const MOVED_AT_A_TIME: usize = 10_000;

/// Moves settled records into the warehouse, day of publication by day.
///
/// Records are appended, which verifies and commits them; then read back; and those that read back as they are in documents go from
/// there, unless they have changed meanwhile. In between a post is in both, and queries over both take it from documents.
///
/// Posts that do not say when they were published go when they were last collected before the day; in the warehouse they lie together, whatever day that was.
pub struct Archive {
    documents: Arc<dyn Documents>,
    warehouse: Arc<dyn Warehouse>,
    before: Date,
}

/// What an archive run moved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ArchiveReport {
    /// The manifest that has it all.
    pub manifest: u64,
    /// Posts that went from documents to the warehouse.
    pub archived: u64,
    /// Posts that stay in documents for now: they changed meanwhile, or the warehouse holds a later revision of them.
    pub kept: u64,
    /// Day by day.
    pub days: Vec<ArchivedDay>,
}

/// What was moved of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ArchivedDay {
    /// The day of publication, UTC; none: the posts do not say.
    pub day: Option<Date>,
    /// Posts that went from documents to the warehouse.
    pub archived: u64,
    /// Posts that stay in documents for now.
    pub kept: u64,
}

impl Archive {
    /// Of posts published before this day (UTC), and of those that do not say when and were collected before it.
    pub fn before(
        documents: Arc<dyn Documents>,
        warehouse: Arc<dyn Warehouse>,
        before: Date,
    ) -> Self {
        Self {
            documents,
            warehouse,
            before,
        }
    }

    /// What there is to move, by day; first what does not say on which.
    ///
    /// # Errors
    /// Those of documents.
    pub async fn survey(&self) -> Result<Vec<DayCount>> {
        let before = Bound::Excluded(start_of(self.before)?);
        let earlier = time(TimeField::Published, Bound::Unbounded, before);
        let mut days = self
            .documents
            .days(&Scan::matching(earlier).settled())
            .await?;
        let undated = Scan::matching(self.undated()?).settled();
        let records = self.documents.count(&undated).await?;
        if records > 0 {
            days.insert(0, DayCount { day: None, records });
        }
        Ok(days)
    }

    /// Posts that do not say when they were published, and were last seen before the day.
    fn undated(&self) -> Result<Filter> {
        let dated = time(TimeField::Published, Bound::Unbounded, Bound::Unbounded);
        let before = Bound::Excluded(start_of(self.before)?);
        let seen = time(TimeField::Collected, Bound::Unbounded, before);
        Ok(dated.negated().and(seen))
    }

    /// Moves it. What a run that was interrupted has moved halfway is moved the rest of the way.
    ///
    /// # Errors
    /// Those of the stores. What was moved before stays moved.
    pub async fn run(&self) -> Result<ArchiveReport> {
        let mut report = ArchiveReport::default();
        for DayCount { day, .. } in self.survey().await? {
            let posts = match day {
                Some(day) => within(day)?,
                None => self.undated()?,
            };
            let moved = self.move_day(day, posts).await?;
            report.archived += moved.archived;
            report.kept += moved.kept;
            report.days.push(moved);
        }
        report.manifest = self.warehouse.coverage().await?.manifest;
        Ok(report)
    }

    async fn move_day(&self, day: Option<Date>, posts: Filter) -> Result<ArchivedDay> {
        let mut moved = ArchivedDay {
            day,
            archived: 0,
            kept: 0,
        };
        let mut next = Some(Scan::matching(posts).settled());
        let mut gathered = Vec::new();
        while let Some(scan) = next.take() {
            let page = self.documents.scan(&scan).await?;
            gathered.extend(page.records);
            next = page.next.map(|id| scan.after(Some(id)));
            if gathered.len() >= MOVED_AT_A_TIME || next.is_none() {
                self.move_records(std::mem::take(&mut gathered), &mut moved)
                    .await?;
            }
        }
        Ok(moved)
    }

    async fn move_records(&self, records: Vec<Record>, moved: &mut ArchivedDay) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        self.warehouse.append(records.clone()).await?;
        let ids: Vec<PostId> = records.iter().map(|record| record.id().clone()).collect();
        let read_back = self.warehouse.get(&ids).await?;
        let mut held = Vec::with_capacity(records.len());
        for (record, read_back) in records.iter().zip(read_back) {
            if read_back.as_ref() == Some(record) {
                held.push((record.id().clone(), record.revision));
            } else {
                tracing::warn!(post = %record.id(), "the warehouse holds something else of a post, which stays in documents");
                moved.kept += 1;
            }
        }
        for outcome in self.documents.remove(&held).await? {
            match outcome {
                Ok(()) => moved.archived += 1,
                // Somebody has changed it since it was read: the next run finds it again.
                Err(error) if error.kind() == ErrorKind::Conflict => moved.kept += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Posts published on a day.
fn within(day: Date) -> Result<Filter> {
    let tomorrow = day
        .tomorrow()
        .map_err(|error| Error::new(ErrorKind::InvalidInput, "archive.day").cause(error))?;
    Ok(time(
        TimeField::Published,
        Bound::Included(start_of(day)?),
        Bound::Excluded(start_of(tomorrow)?),
    ))
}

fn time(field: TimeField, lower: Bound<Timestamp>, upper: Bound<Timestamp>) -> Filter {
    Filter::Test(Predicate::Time {
        field,
        lower,
        upper,
    })
}

/// The first moment of a day.
fn start_of(day: Date) -> Result<Timestamp> {
    let start = day.to_zoned(TimeZone::UTC).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, "archive.day")
            .message("a day is beyond what can be reckoned with")
            .cause(error)
    })?;
    Ok(start.timestamp())
}
