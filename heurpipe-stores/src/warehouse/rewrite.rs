//! Segments written anew: without rows that must go, or together.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use heurpipe_core::{PostId, Result};
use jiff::{SignedDuration, Timestamp};

use super::manifest::{Manifest, Segment};
use super::rows::strings;
use super::store::{MAX_RACES, ParquetWarehouse, too_many_races};
use super::{Compacted, Purged, reading, segment, sweep};

/// A segment with so many rows that count, or more, is as good as a full one: merging it would write much for little.
const ENOUGH_ROWS: u64 = segment::MAX_ROWS as u64 / 2;

/// Takes posts out for good.
pub(super) async fn erase(warehouse: &ParquetWarehouse, ids: &[PostId]) -> Result<Purged> {
    const OPERATION: &str = "warehouse.erase";
    warehouse.check_writable(OPERATION)?;
    let ids: BTreeSet<String> = ids.iter().map(PostId::to_string).collect();
    for _ in 0..MAX_RACES {
        let manifest = warehouse.manifests().newest().await?;
        let Some((manifest, mut purged)) = without(warehouse, &manifest, &ids).await? else {
            continue;
        };
        purged.manifest = manifest.number;
        let bucket = warehouse.bucket();
        purged.deleted = sweep::holding(bucket, &manifest, &ids).await?;
        warehouse
            .manifests()
            .retire_before(manifest.number, None)
            .await?;
        return Ok(purged);
    }
    Err(too_many_races(OPERATION))
}

/// The newest manifest without rows of these ids, whether it was so already or is made here; none when another writer was faster.
async fn without(
    warehouse: &ParquetWarehouse,
    manifest: &Manifest,
    ids: &BTreeSet<String>,
) -> Result<Option<(Manifest, Purged)>> {
    let mut purged = Purged::default();
    let mut replaced = BTreeSet::new();
    let mut written = Vec::new();
    for old in &manifest.segments {
        let rows = rows_of(warehouse, old, ids).await?;
        if rows.is_empty() {
            continue;
        }
        purged.rows += rows.len() as u64;
        purged.posts += rows.iter().filter(|id| !old.deleted.contains(*id)).count() as u64;
        purged.rewritten += 1;
        let kept = segment::without(warehouse.bucket(), old, ids).await?;
        written.extend(warehouse.write_segments(kept).await?);
        replaced.insert(old.path.clone());
    }
    if replaced.is_empty() {
        return Ok(Some((manifest.clone(), purged)));
    }
    let next = manifest.replacing(&replaced, written);
    let committed = warehouse.manifests().commit(&next).await?;
    Ok(committed.then_some((next, purged)))
}

/// The ids of a segment's rows that are among these, rows that do not count included.
async fn rows_of(
    warehouse: &ParquetWarehouse,
    segment: &Segment,
    ids: &BTreeSet<String>,
) -> Result<Vec<String>> {
    if !segment.may_hold(ids) {
        return Ok(Vec::new());
    }
    let mut batches = reading::read(warehouse.bucket(), segment, &["id"]).await?;
    let mut found = Vec::new();
    while let Some(batch) = batches.try_next().await? {
        let among = strings(&batch, "id")?.iter().flatten();
        found.extend(among.filter(|id| ids.contains(*id)).map(str::to_owned));
    }
    Ok(found)
}

/// Merges what is worth it, and deletes what nothing has needed for a while.
pub(super) async fn compact(
    warehouse: &ParquetWarehouse,
    grace: SignedDuration,
) -> Result<Compacted> {
    const OPERATION: &str = "warehouse.compact";
    warehouse.check_writable(OPERATION)?;
    for _ in 0..MAX_RACES {
        let manifest = warehouse.manifests().newest().await?;
        let Some((manifest, mut compacted)) = merged(warehouse, &manifest).await? else {
            continue;
        };
        compacted.manifest = manifest.number;
        let bucket = warehouse.bucket();
        let limit = Timestamp::now()
            .checked_sub(grace)
            .unwrap_or(Timestamp::MIN);
        compacted.deleted = sweep::older(bucket, &manifest, limit).await?;
        warehouse
            .manifests()
            .retire_before(manifest.number, Some(limit))
            .await?;
        return Ok(compacted);
    }
    Err(too_many_races(OPERATION))
}

/// The newest manifest with small segments merged; none when another writer was faster.
async fn merged(
    warehouse: &ParquetWarehouse,
    manifest: &Manifest,
) -> Result<Option<(Manifest, Compacted)>> {
    let mut compacted = Compacted::default();
    let mut replaced = BTreeSet::new();
    let mut written = Vec::new();
    for small in worth_merging(manifest) {
        let mut rows = Vec::new();
        for segment in &small {
            let kept = segment::without(warehouse.bucket(), segment, &BTreeSet::new()).await?;
            rows.extend(kept);
            replaced.insert(segment.path.clone());
        }
        compacted.merged += small.len() as u64;
        let new = warehouse.write_segments(rows).await?;
        compacted.written += new.len() as u64;
        written.extend(new);
    }
    if replaced.is_empty() {
        return Ok(Some((manifest.clone(), compacted)));
    }
    let next = manifest.replacing(&replaced, written);
    let committed = warehouse.manifests().commit(&next).await?;
    Ok(committed.then_some((next, compacted)))
}

/// Segments of one day that fit into one together; and such of which half the rows no longer count.
fn worth_merging(manifest: &Manifest) -> Vec<Vec<&Segment>> {
    let mut days: BTreeMap<&str, Vec<Vec<&Segment>>> = BTreeMap::new();
    for segment in &manifest.segments {
        let wasteful = segment.live() * 2 <= segment.rows;
        if segment.live() >= ENOUGH_ROWS && !wasteful {
            continue;
        }
        let groups = days.entry(&segment.day).or_default();
        let fits = |group: &&mut Vec<&Segment>| {
            let rows: u64 = group.iter().map(|s| s.live()).sum();
            rows + segment.live() <= segment::MAX_ROWS as u64
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(segment),
            None => groups.push(vec![segment]),
        }
    }
    let mut groups: Vec<Vec<&Segment>> = days.into_values().flatten().collect();
    groups.retain(|group| {
        let wasteful = group.iter().any(|s| s.live() * 2 <= s.rows);
        group.len() > 1 || wasteful
    });
    groups
}
