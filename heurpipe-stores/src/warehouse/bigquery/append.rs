//! Writing: rows are loaded beside the table, and enter it by one statement.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::TryStreamExt;
use heurpipe_core::{Record, Result, Retry};
use jiff::SignedDuration;

use super::change::Change;
use super::job;
use super::parameter::Statement;
use super::query::{ask, cell};
use super::service::Service;
use super::staging::{Staging, encoded};
use crate::warehouse::Appended;
use crate::warehouse::store::{MAX_RACES, newest_by_id, too_many_races};

const OPERATION: &str = "warehouse.append";

/// Ids that one question asks for. A request may have 10 MB.
const IDS_AT_A_TIME: usize = 10_000;

/// After so long the server removes rows on their way, whose process was killed.
const STAGED_LIVES: SignedDuration = SignedDuration::from_hours(24);

/// Stores records.
pub(super) async fn append(service: &Arc<Service>, records: Vec<Record>) -> Result<Appended> {
    let given = records.len() as u64;
    let newest = newest_by_id(records);
    for _ in 0..MAX_RACES {
        let latest = Change::latest(&service.bucket).await?;
        latest.settle(service, OPERATION).await?;
        let known = revisions(service, &newest).await?;
        let fresh: Vec<Record> = newest
            .iter()
            .filter(|(id, record)| known.get(*id).is_none_or(|known| *known < record.revision))
            .map(|(_, record)| record.clone())
            .collect();
        let mut appended = Appended {
            manifest: latest.number,
            written: fresh.len() as u64,
            superseded: 0,
            unchanged: given - fresh.len() as u64,
        };
        if fresh.is_empty() {
            return Ok(appended);
        }
        let replaced = fresh
            .iter()
            .filter(|r| known.contains_key(&r.id().to_string()));
        appended.superseded = replaced.count() as u64;
        if let Some(number) = enter(service, &latest, fresh).await? {
            appended.manifest = number;
            return Ok(appended);
        }
    }
    Err(too_many_races(OPERATION))
}

/// Brings rows in as the change after the latest, and gives its number; none when somebody else's change came first, or when the server could not
/// carry it out for the moment.
async fn enter(service: &Service, latest: &Change, rows: Vec<Record>) -> Result<Option<u64>> {
    let files = encoded(OPERATION, rows).await?;
    let staging = Staging::of(service, &format!("append after {}", latest.number), files);
    staging.load(service, OPERATION, STAGED_LIVES).await?;
    let Some(change) = latest.next(&service.bucket, staging.table()).await? else {
        // Another writer of the same rows has staged them in the same place, and needs them still.
        let winner = Change::latest(&service.bucket).await?;
        if !winner.brings_in(staging.table()) {
            staging.discard(service, OPERATION).await?;
        }
        return Ok(None);
    };
    let number = match change.carry_out(service, OPERATION).await {
        Ok(()) => Some(change.number),
        Err(error) if job::has_failed(&error) && error.retry() == Retry::Temporary => None,
        // Where it cannot be told whether the job has ended, it may need the rows still; the server removes them later.
        Err(error) => return Err(error),
    };
    staging.discard(service, OPERATION).await?;
    Ok(number)
}

/// The revision of each of these posts that is there.
async fn revisions(
    service: &Arc<Service>,
    records: &BTreeMap<String, Record>,
) -> Result<HashMap<String, u64>> {
    let ids: Vec<&str> = records.keys().map(String::as_str).collect();
    let mut found = HashMap::new();
    for some in ids.chunks(IDS_AT_A_TIME) {
        let mut statement = Statement::new(format!(
            "SELECT id, revision FROM {} WHERE id IN UNNEST(",
            service.posts()
        ));
        statement.bind_texts(some.iter().copied()).push(")");
        let mut pages = ask(service, OPERATION, &statement, None).await?.pages();
        while let Some(rows) = pages.try_next().await? {
            found.extend(rows.iter().filter_map(|row| {
                let revision = cell(row, 1)?.parse().ok()?;
                Some((cell(row, 0)?.to_owned(), revision))
            }));
        }
    }
    Ok(found)
}
