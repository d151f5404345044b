//! Reading records by what they are.

use std::collections::BTreeMap;

use heurpipe_core::{DayCount, Error, ErrorKind, Filter, Flat, Record, RecordPage, Result, Scan};
use jiff::civil::Date;
use mongodb::bson::{Document, doc};
use mongodb::options::FindOptions;

use super::database::{Database, integer};
use super::filter::{Query, joined, query};
use super::records::{body, key, revive};
use super::server::RECORDS;
use crate::task;

/// A page of the records that a scan asks for.
pub(super) async fn page(database: &Database, scan: &Scan) -> Result<RecordPage> {
    const OPERATION: &str = "mongodb.scan";
    if scan.limit == 0 {
        return Ok(RecordPage::default());
    }
    let query = of(scan)?;
    // One more than asked for tells whether there are more.
    let most = scan.limit.saturating_add(1);
    let mut records = if query.is_exact {
        let options = in_order(Some(most));
        let found = database
            .find(OPERATION, RECORDS, query.document, options)
            .await?;
        task::blocking(OPERATION, move || found.iter().map(revive).collect()).await?
    } else {
        decided(database, query.document, &scan.filter, most).await?
    };
    let more = records.len() > scan.limit;
    records.truncate(scan.limit);
    let next = records.last().filter(|_| more).map(|r| r.id().clone());
    Ok(RecordPage { records, next })
}

/// How many records a scan asks for, whatever its limit.
pub(super) async fn count(database: &Database, scan: &Scan) -> Result<u64> {
    let query = of(scan)?;
    if query.is_exact {
        return database
            .count("mongodb.count", RECORDS, query.document)
            .await;
    }
    let mut rows = Candidates::of(database, query.document).await?;
    let mut count = 0;
    while let Some(record) = rows.next().await? {
        count += u64::from(scan.filter.matches(&Flat::of(&record)));
    }
    Ok(count)
}

/// How many records a scan asks for, by day of publication.
pub(super) async fn days(database: &Database, scan: &Scan) -> Result<Vec<DayCount>> {
    const OPERATION: &str = "mongodb.days";
    let query = of(scan)?;
    let mut days: BTreeMap<Option<Date>, u64> = BTreeMap::new();
    if query.is_exact {
        let pipeline = vec![
            doc! {"$match": query.document},
            doc! {"$group": {"_id": "$day", "records": {"$sum": 1}}},
        ];
        for found in database.aggregate(OPERATION, RECORDS, pipeline).await? {
            let day = found.get_str("_id").ok().map(day_of).transpose()?;
            *days.entry(day).or_default() += integer(&found, "records").unwrap_or(0).unsigned_abs();
        }
    } else {
        let mut rows = Candidates::of(database, query.document).await?;
        while let Some(record) = rows.next().await? {
            if scan.filter.matches(&Flat::of(&record)) {
                *days.entry(record.post.day()).or_default() += 1;
            }
        }
    }
    let days = days.into_iter();
    Ok(days
        .map(|(day, records)| DayCount { day, records })
        .collect())
}

fn day_of(text: &str) -> Result<Date> {
    text.parse().map_err(|error: jiff::Error| {
        Error::new(ErrorKind::Corrupt, "mongodb.days")
            .message("a stored day is none")
            .cause(error)
    })
}

/// The first so many of the records that a query finds and core takes.
async fn decided(
    database: &Database,
    query: Document,
    filter: &Filter,
    most: usize,
) -> Result<Vec<Record>> {
    let mut rows = Candidates::of(database, query).await?;
    let mut taken = Vec::new();
    while taken.len() < most
        && let Some(record) = rows.next().await?
    {
        if filter.matches(&Flat::of(&record)) {
            taken.push(record);
        }
    }
    Ok(taken)
}

/// The records that a query finds, in order of their ids.
struct Candidates<'a> {
    database: &'a Database,
    rows: mongodb::Cursor<Document>,
}

impl<'a> Candidates<'a> {
    async fn of(database: &'a Database, query: Document) -> Result<Self> {
        let rows = database
            .rows("mongodb.scan", RECORDS, query, in_order(None))
            .await?;
        Ok(Self { database, rows })
    }

    async fn next(&mut self) -> Result<Option<Record>> {
        let found = self.database.next("mongodb.scan", &mut self.rows).await?;
        found.as_ref().map(revive).transpose()
    }
}

fn in_order(most: Option<usize>) -> FindOptions {
    let mut options = FindOptions::builder()
        .sort(doc! {"_id": 1})
        .projection(body())
        .build();
    options.limit = most.map(limit);
    options
}

/// A limit as the server takes it.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// The query of a scan.
fn of(scan: &Scan) -> Result<Query> {
    let filter = query(&scan.filter);
    // What remains of records that were let go of is no record.
    let mut wanted = vec![doc! {"live": true}, filter.document];
    if let Some(analyses) = &scan.analyses {
        let analyses: Vec<&str> = analyses.iter().map(|a| a.as_str()).collect();
        wanted.push(doc! {"analysis": {"$in": analyses}});
    }
    if let Some((use_case, state)) = &scan.state {
        let state = doc! {"use_case": use_case, "state": state};
        wanted.push(doc! {"states": {"$elemMatch": state}});
    }
    if let Some(use_case) = &scan.use_case {
        wanted.push(doc! {"states.use_case": use_case});
    }
    if scan.settled {
        wanted.push(doc! {"states.state": {"$nin": ["pending", "held"]}});
    }
    if let Some(after) = &scan.after {
        wanted.push(doc! {"_id": {"$gt": key(after)?}});
    }
    Ok(Query {
        document: joined(wanted),
        is_exact: filter.is_exact,
    })
}
