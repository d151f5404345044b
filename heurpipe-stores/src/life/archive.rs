//! From documents to the warehouse.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use heurpipe_core::filter::{Predicate, TimeField};
use heurpipe_core::{DayCount, Documents, Error, ErrorKind, Filter, PostId, Record, Result, Scan};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::warehouse::Warehouse;

/// Records moved at a time unless told otherwise.
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
    at_a_time: usize,
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

impl ArchivedDay {
    fn begin(day: Option<Date>) -> Self {
        Self {
            day,
            archived: 0,
            kept: 0,
        }
    }
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
            at_a_time: MOVED_AT_A_TIME,
        }
    }

    /// How many records are moved at a time, of one day or of several; 10,000 unless told otherwise, and a page of documents at least. They are in memory, and become
    /// one segment a day, which compaction merges.
    pub fn at_a_time(mut self, records: usize) -> Self {
        self.at_a_time = records;
        self
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
        let mut days = Days::new();
        let mut gathered = Vec::new();
        for DayCount { day, .. } in self.survey().await? {
            days.insert(day, ArchivedDay::begin(day));
            let posts = match day {
                Some(day) => within(day)?,
                None => self.undated()?,
            };
            let mut next = Some(Scan::matching(posts).settled());
            while let Some(scan) = next.take() {
                let page = self.documents.scan(&scan).await?;
                gathered.extend(page.records);
                next = page.next.map(|id| scan.after(Some(id)));
                if gathered.len() >= self.at_a_time {
                    let records = std::mem::take(&mut gathered);
                    self.move_records(records, &mut days).await?;
                }
            }
        }
        self.move_records(gathered, &mut days).await?;
        let days: Vec<ArchivedDay> = days.into_values().collect();
        Ok(ArchiveReport {
            manifest: self.warehouse.coverage().await?.manifest,
            archived: days.iter().map(|day| day.archived).sum(),
            kept: days.iter().map(|day| day.kept).sum(),
            days,
        })
    }

    async fn move_records(&self, records: Vec<Record>, days: &mut Days) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        self.warehouse.append(records.clone()).await?;
        let ids: Vec<PostId> = records.iter().map(|record| record.id().clone()).collect();
        let read_back = self.warehouse.get(&ids).await?;
        let mut held = Vec::with_capacity(records.len());
        for (record, read_back) in records.iter().zip(read_back) {
            if read_back.as_ref() == Some(record) {
                held.push(record);
            } else {
                tracing::warn!(post = %record.id(), "the warehouse holds something else of a post, which stays in documents");
                counted(days, record).kept += 1;
            }
        }
        let revisions: Vec<(PostId, u64)> = held
            .iter()
            .map(|record| (record.id().clone(), record.revision))
            .collect();
        let outcomes = self.documents.remove(&revisions).await?;
        for (record, outcome) in held.into_iter().zip(outcomes) {
            match outcome {
                Ok(()) => counted(days, record).archived += 1,
                // Somebody has changed it since it was read: the next run finds it again.
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    counted(days, record).kept += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The days of a run, in order; first what does not say on which it was published.
type Days = BTreeMap<Option<Date>, ArchivedDay>;

/// What is counted of the day of a record.
fn counted<'a>(days: &'a mut Days, record: &Record) -> &'a mut ArchivedDay {
    let day = record.post.day();
    days.entry(day).or_insert_with(|| ArchivedDay::begin(day))
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
