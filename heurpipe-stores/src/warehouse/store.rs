//! The warehouse on Parquet files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use heurpipe_core::{Error, ErrorKind, Filter, Flat, PostId, Record, Result};
use jiff::SignedDuration;
use object_store::ObjectStore;

use super::bucket::Bucket;
use super::hot::HotRows;
use super::manifest::{Manifest, Segment};
use super::manifests::Manifests;
use super::rows::{numbers, records, strings};
use super::{
    Appended, Compacted, Coverage, Purged, RecordStream, SqlAnswer, Warehouse, prune, query,
    reading, rewrite, segment,
};
use crate::{Mode, task};

/// How often a commit begins again since another writer was faster.
pub(super) const MAX_RACES: usize = 50;
/// Segments looked into at a time.
const LOOKUPS: usize = 4;

/// Segments of rows by day of publication (`segments/day=2026-03-01/….parquet`) and numbered manifests that say which of them count
/// (`manifests/00000001.json`), on any [`ObjectStore`].
///
/// A commit is a new manifest, put under a number that must be free. Nothing is ever overwritten, copied or renamed: whoever reads goes on
/// reading what he began with, a writer that is killed leaves at most segments that no manifest lists, and several writers may
/// work at once.
#[derive(Debug, Clone)]
pub struct ParquetWarehouse {
    bucket: Bucket,
    manifests: Manifests,
    mode: Mode,
}

impl ParquetWarehouse {
    /// The warehouse in a folder.
    ///
    /// # Errors
    /// `NotFound` when it is to be read and is not there; `PermissionDenied` or `Io` when it cannot be written.
    pub async fn open(folder: &Path, mode: Mode) -> Result<Self> {
        Ok(Self::within(Bucket::folder(folder, mode).await?, mode))
    }

    /// The warehouse in a bucket, by URL.
    ///
    /// # Errors
    /// `Config` for a URL that cannot be read; `NotFound` when there is no such bucket; `Unauthenticated` or `PermissionDenied` when it refuses.
    #[cfg(any(feature = "gcs", feature = "s3"))]
    pub async fn open_bucket(url: &str, mode: Mode) -> Result<Self> {
        let store = crate::objects::open_there(url, "warehouse.open").await?;
        Ok(Self::on(store, mode))
    }

    /// A warehouse that begins empty and ends with the process.
    pub fn in_memory() -> Self {
        Self::within(Bucket::in_memory(), Mode::ReadWrite)
    }

    /// The warehouse on an object store, which must support creating an object only where there is none.
    pub fn on(store: Arc<dyn ObjectStore>, mode: Mode) -> Self {
        Self::within(Bucket::new(store), mode)
    }

    fn within(bucket: Bucket, mode: Mode) -> Self {
        Self {
            manifests: Manifests::of(bucket.clone()),
            bucket,
            mode,
        }
    }

    /// The newest manifest.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be read; `Unsupported` when a newer version of this program wrote it.
    pub async fn manifest(&self) -> Result<Manifest> {
        let newest = self.manifests.newest().await?;
        Ok(Arc::unwrap_or_clone(newest))
    }

    /// Reads every segment of the newest manifest and compares counts and digests.
    ///
    /// # Errors
    /// `Corrupt`, naming the file, for the first that is damaged; `NotFound` for one that is missing.
    pub async fn verify(&self) -> Result<Coverage> {
        let manifest = self.manifests.newest().await?;
        for segment in &manifest.segments {
            segment::verify(&self.bucket, segment).await?;
        }
        Ok(manifest.coverage())
    }

    pub(super) fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    pub(super) fn manifests(&self) -> &Manifests {
        &self.manifests
    }

    pub(super) fn check_writable(&self, operation: &'static str) -> Result<()> {
        self.mode.check_writable(operation)
    }

    /// Where these posts lie, of those that are there.
    pub(super) async fn locate(
        &self,
        manifest: &Manifest,
        ids: &BTreeSet<String>,
    ) -> Result<HashMap<String, Place>> {
        let candidates = manifest.segments.iter();
        // Owned, since a future that borrows both the closure's argument and its surroundings is too general for the compiler.
        let lookups: Vec<_> = candidates
            .filter(|segment| segment.may_hold(ids))
            .map(|segment| self.locate_in(segment, ids))
            .collect();
        let found: Vec<Vec<(String, Place)>> = stream::iter(lookups)
            .buffer_unordered(LOOKUPS)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn locate_in(
        &self,
        segment: &Segment,
        ids: &BTreeSet<String>,
    ) -> Result<Vec<(String, Place)>> {
        let mut batches = reading::read(&self.bucket, segment, &["id", "revision"]).await?;
        let mut found = Vec::new();
        let mut before = 0;
        while let Some(batch) = batches.try_next().await? {
            let revisions = numbers(&batch, "revision")?.values().iter();
            let rows = strings(&batch, "id")?.iter().zip(revisions).enumerate();
            for (row, (id, revision)) in rows {
                let id = id.unwrap_or_default();
                if ids.contains(id) && !segment.deleted.contains(id) {
                    let place = Place {
                        segment: segment.path.clone(),
                        row: before + row,
                        revision: u64::try_from(*revision).unwrap_or_default(),
                    };
                    found.push((id.to_owned(), place));
                }
            }
            before += batch.num_rows();
        }
        Ok(found)
    }

    /// Writes records as segments that no manifest lists yet.
    pub(super) async fn write_segments(&self, records: Vec<Record>) -> Result<Vec<Segment>> {
        let mut segments = Vec::new();
        for (day, part) in segment::divide(records) {
            segments.push(segment::write(&self.bucket, day, part).await?);
        }
        Ok(segments)
    }
}

/// Where a post lies.
pub(super) struct Place {
    segment: String,
    row: usize,
    revision: u64,
}

#[async_trait]
impl Warehouse for ParquetWarehouse {
    async fn append(&self, records: Vec<Record>) -> Result<Appended> {
        const OPERATION: &str = "warehouse.append";
        self.check_writable(OPERATION)?;
        let given = records.len() as u64;
        let newest = newest_by_id(records);
        let ids: BTreeSet<String> = newest.keys().cloned().collect();
        // What an attempt that lost the race has written serves the next one, if that has to write the same.
        let mut earlier: Option<(BTreeSet<&str>, Vec<Segment>)> = None;
        for _ in 0..MAX_RACES {
            let manifest = self.manifests.newest().await?;
            let known = self.locate(&manifest, &ids).await?;
            let fresh: BTreeMap<&str, &Record> = newest
                .iter()
                .filter(|(id, record)| {
                    known
                        .get(*id)
                        .is_none_or(|place| place.revision < record.revision)
                })
                .map(|(id, record)| (id.as_str(), record))
                .collect();
            let mut appended = Appended {
                manifest: manifest.number,
                written: fresh.len() as u64,
                superseded: 0,
                unchanged: given - fresh.len() as u64,
            };
            if fresh.is_empty() {
                return Ok(appended);
            }
            let keys: BTreeSet<&str> = fresh.keys().copied().collect();
            let segments = match earlier.take() {
                Some((same, segments)) if same == keys => segments,
                _ => {
                    let fresh = fresh.values().map(|record| (*record).clone()).collect();
                    self.write_segments(fresh).await?
                }
            };
            let superseded = known
                .iter()
                .filter(|(id, _)| keys.contains(id.as_str()))
                .map(|(id, place)| (id.clone(), place));
            let (deleted, count) = by_segment(superseded);
            let next = manifest.next(&deleted, segments.clone());
            if self.manifests.commit(&next).await? {
                appended.manifest = next.number;
                appended.superseded = count;
                return Ok(appended);
            }
            earlier = Some((keys, segments));
        }
        Err(too_many_races(OPERATION))
    }

    async fn remove(&self, ids: &[PostId]) -> Result<u64> {
        const OPERATION: &str = "warehouse.remove";
        self.check_writable(OPERATION)?;
        let ids: BTreeSet<String> = ids.iter().map(PostId::to_string).collect();
        for _ in 0..MAX_RACES {
            let manifest = self.manifests.newest().await?;
            let known = self.locate(&manifest, &ids).await?;
            if known.is_empty() {
                return Ok(0);
            }
            let (deleted, count) = by_segment(known.iter().map(|(id, place)| (id.clone(), place)));
            let next = manifest.next(&deleted, Vec::new());
            if self.manifests.commit(&next).await? {
                return Ok(count);
            }
        }
        Err(too_many_races(OPERATION))
    }

    async fn get(&self, ids: &[PostId]) -> Result<Vec<Option<Record>>> {
        let manifest = self.manifests.newest().await?;
        let wanted: BTreeSet<String> = ids.iter().map(PostId::to_string).collect();
        let mut rows: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for place in self.locate(&manifest, &wanted).await?.into_values() {
            rows.entry(place.segment).or_default().insert(place.row);
        }
        let mut found: HashMap<PostId, Record> = HashMap::new();
        for segment in &manifest.segments {
            let Some(rows) = rows.remove(&segment.path) else {
                continue;
            };
            let mut batches = reading::pick(&self.bucket, segment, rows).await?;
            while let Some(batch) = batches.try_next().await? {
                let records =
                    records(&batch).map_err(|error| segment::damaged(segment).cause(error))?;
                found.extend(records.into_iter().map(|r| (r.id().clone(), r)));
            }
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    async fn erase(&self, ids: &[PostId]) -> Result<Purged> {
        rewrite::erase(self, ids).await
    }

    async fn compact(&self, grace: SignedDuration) -> Result<Compacted> {
        rewrite::compact(self, grace).await
    }

    async fn scan(&self, filter: &Filter) -> Result<RecordStream> {
        let manifest = self.manifests.newest().await?;
        let filter = Arc::new(filter.clone());
        let bucket = self.bucket.clone();
        let segments: Vec<Segment> = manifest
            .segments
            .iter()
            .filter(|segment| prune::may_match(&filter, segment.published))
            .cloned()
            .collect();
        let records = stream::iter(segments)
            .then(move |segment| matching(bucket.clone(), segment, Arc::clone(&filter)))
            .try_flatten();
        Ok(records.boxed())
    }

    async fn sql(&self, query: &str, hot: &dyn HotRows) -> Result<SqlAnswer> {
        query::answer(&self.bucket, &self.manifests, query, hot).await
    }

    async fn coverage(&self) -> Result<Coverage> {
        Ok(self.manifests.newest().await?.coverage())
    }
}

/// The records of a segment that count and match.
async fn matching(bucket: Bucket, segment: Segment, filter: Arc<Filter>) -> Result<RecordStream> {
    let batches = reading::read(&bucket, &segment, &["record"]).await?;
    let segment = Arc::new(segment);
    let found = batches.and_then(move |batch| {
        let (segment, filter) = (Arc::clone(&segment), Arc::clone(&filter));
        task::blocking("warehouse.scan", move || {
            let mut found =
                records(&batch).map_err(|error| segment::damaged(&segment).cause(error))?;
            found.retain(|record| {
                !segment.deleted.contains(&record.id().to_string())
                    && filter.matches(&Flat::of(record))
            });
            Ok(found)
        })
    });
    Ok(found
        .try_filter(|found| std::future::ready(!found.is_empty()))
        .boxed())
}

/// One record a post: of several the one with the highest revision.
pub(super) fn newest_by_id(records: Vec<Record>) -> BTreeMap<String, Record> {
    let mut newest: BTreeMap<String, Record> = BTreeMap::new();
    for record in records {
        let id = record.id().to_string();
        if newest
            .get(&id)
            .is_none_or(|other| other.revision < record.revision)
        {
            newest.insert(id, record);
        }
    }
    newest
}

/// Ids by the segment in which they lie, and how many there are.
fn by_segment<'a>(
    places: impl Iterator<Item = (String, &'a Place)>,
) -> (BTreeMap<String, BTreeSet<String>>, u64) {
    let mut segments: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut count = 0;
    for (id, place) in places {
        segments
            .entry(place.segment.clone())
            .or_default()
            .insert(id);
        count += 1;
    }
    (segments, count)
}

pub(super) fn too_many_races(operation: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, operation)
        .message("other writers committed each time before this one")
        .with("attempts", MAX_RACES)
}
