//! Reading records by what they are.

use std::collections::BTreeMap;

use heurpipe_core::filter::{Filter, Keyword, Predicate};
use heurpipe_core::{PostId, Record, RecordPage, Scan};
use rusqlite::types::Value;
use rusqlite::{Transaction, params_from_iter};

use super::failure::Failure;
use super::filter::Condition;
use super::records::revive;

/// Up to so many records, beginning at those that have a value is better than going through all in order of their ids.
const RARE: i64 = 5_000;

/// A page of the records that a scan asks for.
pub(super) fn page(tx: &Transaction<'_>, scan: &Scan) -> Result<RecordPage, Failure> {
    let mut query = Condition::default();
    query.push("SELECT r.revision, r.body FROM ");
    push_source(&mut query, tx, scan)?;
    // One more than asked for tells whether there are more.
    let limit = i64::try_from(scan.limit.saturating_add(1)).unwrap_or(i64::MAX);
    query
        .push(" ORDER BY r.platform, r.native LIMIT ")
        .bind(limit);

    let mut statement = tx.prepare_cached(&query.sql)?;
    let mut rows = statement.query(params_from_iter(query.values))?;
    let mut records: Vec<Record> = Vec::new();
    let mut more = false;
    while let Some(row) = rows.next()? {
        if records.len() == scan.limit {
            more = true;
            break;
        }
        records.push(revive(
            row.get(0)?,
            row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?,
        )?);
    }
    let next = records.last().filter(|_| more).map(|r| r.id().clone());
    Ok(RecordPage { records, next })
}

/// How many records a scan asks for, whatever its limit.
pub(super) fn count(tx: &Transaction<'_>, scan: &Scan) -> Result<u64, Failure> {
    let mut query = Condition::default();
    query.push("SELECT count(*) FROM ");
    push_source(&mut query, tx, scan)?;
    let mut statement = tx.prepare_cached(&query.sql)?;
    let count: i64 = statement.query_row(params_from_iter(query.values), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// `records r`, where to begin, and which of them.
fn push_source(query: &mut Condition, tx: &Transaction<'_>, scan: &Scan) -> Result<(), Failure> {
    match rarest(tx, scan)? {
        Some(few) => {
            query.push("(SELECT DISTINCT record FROM ").push(&few.sql);
            query.values.extend(few.values);
            // A cross join is not reordered: the few come first.
            query.push(") few CROSS JOIN records r ON r.seq = few.record");
        }
        None => {
            query.push("records r");
        }
    }
    query.push(" WHERE ").push_filter(&scan.filter);
    if let Some((use_case, state)) = &scan.state {
        query.push(" AND EXISTS (SELECT 1 FROM states s WHERE s.record = r.seq AND s.use_case = ");
        query.bind(use_case.clone()).push(" AND s.state = ");
        query.bind(state.clone()).push(")");
    }
    if let Some(use_case) = &scan.use_case {
        query.push(" AND EXISTS (SELECT 1 FROM states s WHERE s.record = r.seq AND s.use_case = ");
        query.bind(use_case.clone()).push(")");
    }
    if let Some(PostId { platform, native }) = &scan.after {
        query.push(" AND (r.platform, r.native) > (");
        query.bind(platform.as_str().to_owned()).push(", ");
        query.bind(native.to_string()).push(")");
    }
    Ok(())
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
fn candidates(scan: &Scan) -> Vec<Condition> {
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
    candidates
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

/// How many records each set of enrichers made.
pub(super) fn analyses(tx: &Transaction<'_>) -> Result<BTreeMap<String, u64>, Failure> {
    let mut statement =
        tx.prepare_cached("SELECT analysis, count(*) FROM records GROUP BY analysis")?;
    let mut rows = statement.query(())?;
    let mut analyses = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let count: i64 = row.get(1)?;
        analyses.insert(row.get(0)?, count.unsigned_abs());
    }
    Ok(analyses)
}
