//! Reading records by what they are.

use std::ops::Bound;

use heurpipe_core::filter::{Filter, Keyword, Predicate, TimeField};
use heurpipe_core::{DayCount, Error, ErrorKind, PostId, Record, RecordPage, Scan};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::types::Value;
use rusqlite::{Transaction, params_from_iter};

use super::analyses;
use super::failure::Failure;
use super::filter::Condition;
use super::progress::{row_limit, written};
use super::records::revive;
use crate::instant::nanoseconds;

/// Up to so many records, beginning at those that have a value is better than going through all in order of their ids.
const RARE: i64 = 5_000;

const NANOSECONDS_A_DAY: i64 = 86_400_000_000_000;

/// A page of the records that a scan asks for.
pub(super) fn page(tx: &Transaction<'_>, scan: &Scan) -> Result<RecordPage, Failure> {
    // One more than asked for tells whether there are more.
    let most = scan.limit.saturating_add(1);
    let mut found = match (rarest(tx, scan)?, &scan.analyses) {
        (None, Some(analyses)) => analyses::first(tx, scan, analyses, most)?,
        (few, _) => first(tx, scan, few, most)?,
    };
    let more = found.len() > scan.limit;
    found.truncate(scan.limit);
    let records: Vec<Record> = found
        .into_iter()
        .map(|seq| read(tx, seq))
        .collect::<Result<_, _>>()?;
    let next = records.last().filter(|_| more).map(|r| r.id().clone());
    Ok(RecordPage { records, next })
}

/// Where the first records that a scan asks for are, in order of their ids.
fn first(
    tx: &Transaction<'_>,
    scan: &Scan,
    few: Option<Condition>,
    most: usize,
) -> Result<Vec<i64>, Failure> {
    let mut query = Condition::default();
    query.push("SELECT r.seq FROM ");
    push_source(&mut query, scan, few)?;
    query.push(" ORDER BY r.platform, r.native LIMIT ");
    query.bind(row_limit(most));
    let mut statement = tx.prepare_cached(&query.sql)?;
    let found = statement.query_map(params_from_iter(query.values), |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn read(tx: &Transaction<'_>, seq: i64) -> Result<Record, Failure> {
    let mut statement = tx.prepare_cached("SELECT revision, body FROM records WHERE seq = ?")?;
    let mut rows = statement.query([seq])?;
    let Some(row) = rows.next()? else {
        return Err(rusqlite::Error::QueryReturnedNoRows.into());
    };
    let body = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(revive(row.get(0)?, body)?)
}

/// How many records a scan asks for, whatever its limit.
pub(super) fn count(tx: &Transaction<'_>, scan: &Scan) -> Result<u64, Failure> {
    let query = count_query(scan, rarest(tx, scan)?)?;
    let mut statement = tx.prepare_cached(&query.sql)?;
    let count: i64 = statement.query_row(params_from_iter(query.values), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

pub(super) fn count_query(scan: &Scan, few: Option<Condition>) -> Result<Condition, Failure> {
    let mut query = Condition::default();
    query.push("SELECT count(*) FROM ");
    push_source(&mut query, scan, few)?;
    Ok(query)
}

/// How many records a scan asks for, by day of publication.
pub(super) fn days(tx: &Transaction<'_>, scan: &Scan) -> Result<Vec<DayCount>, Failure> {
    let mut query = Condition::default();
    // The first moment of the day: what was published before 1970 is negative, and its remainder is made positive.
    query.push("SELECT r.published - ((r.published % ?1) + ?1) % ?1 AS day, count(*) FROM ");
    query.values.push(NANOSECONDS_A_DAY.into());
    push_source(&mut query, scan, rarest(tx, scan)?)?;
    query.push(" GROUP BY day ORDER BY day");
    let mut statement = tx.prepare_cached(&query.sql)?;
    let mut rows = statement.query(params_from_iter(query.values))?;
    let mut days = Vec::new();
    while let Some(row) = rows.next()? {
        let (start, records): (Option<i64>, i64) = (row.get(0)?, row.get(1)?);
        days.push(DayCount {
            day: start.map(day_of).transpose()?,
            records: records.unsigned_abs(),
        });
    }
    Ok(days)
}

fn day_of(nanoseconds: i64) -> Result<Date, Failure> {
    let start = Timestamp::from_nanosecond(i128::from(nanoseconds))
        .map_err(|error| Error::new(ErrorKind::Corrupt, "sqlite.days").cause(error))?;
    Ok(start.to_zoned(TimeZone::UTC).date())
}

/// `records r`, where to begin, and which of them.
fn push_source(query: &mut Condition, scan: &Scan, few: Option<Condition>) -> Result<(), Failure> {
    match (few, &scan.analyses) {
        (Some(few), _) => {
            query.push("(SELECT DISTINCT record FROM ").push(&few.sql);
            query.values.extend(few.values);
            // A cross join is not reordered: the few come first.
            query.push(") few CROSS JOIN records r ON r.seq = few.record");
        }
        (None, Some(_)) => {
            query.push("records r INDEXED BY records_by_analysis");
        }
        (None, None) => {
            query.push("records r");
        }
    }
    query.push(" WHERE ");
    if let Some(analyses) = &scan.analyses {
        query.push("r.analysis IN (SELECT value FROM json_each(");
        query.bind(written(analyses)?).push(")) AND ");
    }
    push_conditions(query, scan);
    Ok(())
}

/// What a scan asks of `records r`, apart from their analyses.
pub(super) fn push_conditions(query: &mut Condition, scan: &Scan) {
    query.push_filter(&scan.filter);
    if let Some((use_case, state)) = &scan.state {
        query.push(" AND EXISTS (SELECT 1 FROM states s WHERE s.record = r.seq AND s.use_case = ");
        query.bind(use_case.clone()).push(" AND s.state = ");
        query.bind(state.clone()).push(")");
    }
    if let Some(use_case) = &scan.use_case {
        query.push(" AND EXISTS (SELECT 1 FROM states s WHERE s.record = r.seq AND s.use_case = ");
        query.bind(use_case.clone()).push(")");
    }
    if scan.settled {
        query.push(
            " AND NOT EXISTS (SELECT 1 FROM states s WHERE s.record = r.seq AND s.state IN ('pending', 'held'))",
        );
    }
    if let Some(PostId { platform, native }) = &scan.after {
        query.push(" AND (r.platform, r.native) > (");
        query.bind(platform.as_str().to_owned()).push(", ");
        query.bind(native.to_string()).push(")");
    }
}

/// Of the conditions that every result must meet and that have an index by value, the one that fewest records meet, if they are few.
fn rarest(tx: &Transaction<'_>, scan: &Scan) -> Result<Option<Condition>, Failure> {
    let mut best: Option<(i64, Condition)> = None;
    for candidate in candidates(scan) {
        let bar = best.as_ref().map_or(RARE, |(count, _)| *count);
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} LIMIT ?)",
            candidate.sql
        );
        let mut values = candidate.values.clone();
        values.push(Value::Integer(bar));
        let count: i64 = tx
            .prepare_cached(&sql)?
            .query_row(params_from_iter(values), |row| row.get(0))?;
        if count < bar {
            best = Some((count, candidate));
        }
    }
    Ok(best.map(|(_, condition)| condition))
}

/// Tables with conditions that every result of a scan meets.
pub(super) fn candidates(scan: &Scan) -> Vec<Condition> {
    let conjuncts = match &scan.filter {
        Filter::And(all) => all.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut candidates: Vec<Condition> = conjuncts.iter().filter_map(by_keyword).collect();
    if let Some((use_case, state)) = &scan.state {
        let mut condition = Condition::default();
        condition
            .push("states WHERE use_case = ")
            .bind(use_case.clone());
        condition.push(" AND state = ").bind(state.clone());
        candidates.push(condition);
    }
    candidates.extend(conjuncts.iter().filter_map(by_day));
    candidates
}

/// Records of a range of time that has two ends.
fn by_day(filter: &Filter) -> Option<Condition> {
    let Filter::Test(Predicate::Time {
        field: TimeField::Published,
        lower,
        upper,
    }) = filter
    else {
        return None;
    };
    if matches!(lower, Bound::Unbounded) || matches!(upper, Bound::Unbounded) {
        return None;
    }
    let mut condition = Condition::default();
    condition.push("(SELECT seq AS record FROM records WHERE TRUE");
    condition.push_bounds("published", lower.map(nanoseconds), upper.map(nanoseconds));
    condition.push(")");
    Some(condition)
}

fn by_keyword(filter: &Filter) -> Option<Condition> {
    let Filter::Test(Predicate::Keyword { field, any_of }) = filter else {
        return None;
    };
    // Everything that has the field at all is never few.
    if any_of.contains(&Keyword::Prefix(String::new())) {
        return None;
    }
    let mut condition = Condition::default();
    condition
        .push("keywords k WHERE k.field = ")
        .bind(field.clone());
    condition.push(" AND ").push_keywords(any_of);
    Some(condition)
}
