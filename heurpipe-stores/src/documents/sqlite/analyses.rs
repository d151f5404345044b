//! Records by the set of enrichers that made them.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use heurpipe_core::{AnalysisGroup, Fingerprint, Platform, PostId, Scan};
use rusqlite::{Rows, Transaction, params_from_iter};

use super::failure::Failure;
use super::filter::Condition;
use super::progress::read;
use super::scan::push_conditions;

/// Counts and samples come from the index alone.
pub(super) const GROUPS: &str = "
SELECT g.analysis, g.records, r.platform, r.native FROM (
    SELECT analysis, count(*) AS records, min(record) AS sample FROM states INDEXED BY states_by_analysis
    WHERE use_case = ? GROUP BY analysis
) g CROSS JOIN records r ON r.seq = g.sample ORDER BY g.analysis";

/// The analyses among the records that a use case knows.
pub(super) fn groups(tx: &Transaction<'_>, use_case: &str) -> Result<Vec<AnalysisGroup>, Failure> {
    let mut statement = tx.prepare_cached(GROUPS)?;
    let mut rows = statement.query([use_case])?;
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        let (records, platform): (i64, String) = (row.get(1)?, row.get(2)?);
        let native: String = row.get(3)?;
        groups.push(AnalysisGroup {
            analysis: fingerprint(row.get(0)?)?,
            records: records.unsigned_abs(),
            sample: PostId::new(Platform::new(&platform), native),
        });
    }
    Ok(groups)
}

/// Where the first records of some analyses are that a scan asks for, in order of their ids.
///
/// The index gives those of each analysis in this order. They are merged here, so that no more of them are read than a page has.
pub(super) fn first(
    tx: &Transaction<'_>,
    scan: &Scan,
    analyses: &[Fingerprint],
    most: usize,
) -> Result<Vec<i64>, Failure> {
    let analyses: BTreeSet<&Fingerprint> = analyses.iter().collect();
    let mut statements = Vec::new();
    for analysis in analyses {
        let query = of_one(scan, analysis);
        statements.push((tx.prepare_cached(&query.sql)?, query.values));
    }
    let mut streams: Vec<Rows<'_>> = Vec::new();
    for (statement, values) in &mut statements {
        streams.push(statement.query(params_from_iter(values.iter()))?);
    }

    let mut heads = BinaryHeap::new();
    for (stream, rows) in streams.iter_mut().enumerate() {
        heads.extend(head(rows, stream)?);
    }
    let mut found = Vec::new();
    while found.len() < most
        && let Some(Reverse(Head { seq, stream, .. })) = heads.pop()
    {
        found.push(seq);
        heads.extend(head(&mut streams[stream], stream)?);
    }
    Ok(found)
}

/// The next record of a stream.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    platform: String,
    native: String,
    seq: i64,
    stream: usize,
}

fn head(rows: &mut Rows<'_>, stream: usize) -> Result<Option<Reverse<Head>>, Failure> {
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Reverse(Head {
        platform: row.get(0)?,
        native: row.get(1)?,
        seq: row.get(2)?,
        stream,
    })))
}

/// The records of one analysis that a scan asks for.
pub(super) fn of_one(scan: &Scan, analysis: &Fingerprint) -> Condition {
    let mut query = Condition::default();
    query.push("SELECT r.platform, r.native, r.seq FROM records r INDEXED BY records_by_analysis WHERE r.analysis = ");
    query.bind(analysis.as_str().to_owned()).push(" AND ");
    push_conditions(&mut query, scan);
    query.push(" ORDER BY r.platform, r.native");
    query
}

fn fingerprint(text: String) -> Result<Fingerprint, Failure> {
    Ok(read(&serde_json::Value::String(text).to_string())?)
}
