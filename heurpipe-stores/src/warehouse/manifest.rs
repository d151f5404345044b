//! Which segments there are: numbered files of which the highest number wins.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use heurpipe_core::{Digest, Error, ErrorKind, Result};
use jiff::Timestamp;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::Coverage;
use super::bucket::Bucket;

/// The version of the manifest's own form.
const FORMAT: u32 = 1;

const FOLDER: &str = "manifests";

/// How often the newest manifest is looked for again since it was retired in between.
const MAX_RETIRED: usize = 5;

/// The state of a warehouse: all that counts, nothing that does not.
///
/// A manifest is written once under the number after the one it was made from. Of two writers that make the same number one finds it
/// taken, and begins again from what the other made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The version of the manifest's form.
    pub format: u32,
    /// Its number, from 1; 0 stands for a warehouse in which nothing was ever stored.
    pub number: u64,
    /// The segments, by path.
    pub segments: Vec<Segment>,
    /// Whether it has given up what it held, because that was erased: only its number is taken still.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

/// A Parquet file of rows published on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Segment {
    /// Where it lies, from the warehouse's root.
    pub path: String,
    /// The day of publication in UTC (`2026-03-01`), or `unknown`.
    pub day: String,
    /// Rows in the file, superseded and removed ones included.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// First and last publication; none where no post says when.
    pub published: Option<(Timestamp, Timestamp)>,
    /// Least and greatest id.
    pub ids: (String, String),
    /// The version of the rows' schema.
    pub schema_version: u32,
    /// The deletion vector: ids whose row here no longer counts, since it was superseded or removed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deleted: BTreeSet<String>,
}

impl Segment {
    /// Rows that count.
    pub fn live(&self) -> u64 {
        self.rows.saturating_sub(self.deleted.len() as u64)
    }
}

impl Manifest {
    /// The state of a warehouse in which nothing was ever stored.
    pub(super) fn empty() -> Self {
        Self {
            format: FORMAT,
            number: 0,
            segments: Vec::new(),
            retired: false,
        }
    }

    /// The newest manifest.
    pub(super) async fn latest(bucket: &Bucket) -> Result<Self> {
        for _ in 0..MAX_RETIRED {
            let Some((number, path)) = numbered(bucket).await?.pop() else {
                return Ok(Self::empty());
            };
            let manifest = Self::read(bucket, number, &path).await?;
            // It was retired after it was listed: there is a newer one.
            if !manifest.retired {
                return Ok(manifest);
            }
        }
        Err(Error::new(ErrorKind::Corrupt, "warehouse.manifest")
            .message("the newest manifest has given up what it held"))
    }

    /// Makes manifests before this one give up what they held, and gives how many did. Their numbers stay taken: a writer that is late by several
    /// manifests must not find one of them free.
    ///
    /// `older_than`: only those written before this time.
    pub(super) async fn retire_earlier(
        &self,
        bucket: &Bucket,
        older_than: Option<Timestamp>,
    ) -> Result<u64> {
        let mut retired = 0;
        for object in bucket.objects(&Path::from(FOLDER)).await? {
            let Some(number) = number_of(&object.path).filter(|n| *n < self.number) else {
                continue;
            };
            let stub = Self {
                number,
                retired: true,
                ..Self::empty()
            };
            let bytes = stub.encode()?;
            let is_stub = object.bytes <= bytes.len() as u64;
            if is_stub || older_than.is_some_and(|limit| object.written >= limit) {
                continue;
            }
            bucket.replace(&object.path, bytes).await?;
            retired += 1;
        }
        Ok(retired)
    }

    fn encode(&self) -> Result<Bytes> {
        serde_json::to_vec_pretty(self)
            .map(Bytes::from)
            .map_err(|error| Error::new(ErrorKind::Internal, "warehouse.manifest").cause(error))
    }

    async fn read(bucket: &Bucket, number: u64, path: &Path) -> Result<Self> {
        let damaged = |message: &str| {
            Error::new(ErrorKind::Corrupt, "warehouse.manifest")
                .message(message)
                .with("file", path)
        };
        let bytes = bucket.get(path).await?;
        let manifest: Self = serde_json::from_slice(&bytes)
            .map_err(|error| damaged("a manifest cannot be read").cause(error))?;
        if manifest.format > FORMAT {
            return Err(Error::new(ErrorKind::Unsupported, "warehouse.manifest")
                .message("the warehouse was written by a newer version of this program")
                .with("file", path)
                .with("format", manifest.format));
        }
        if manifest.number != number {
            return Err(damaged("a manifest has another number than its name says"));
        }
        Ok(manifest)
    }

    /// The manifest after this one: with these rows no longer counting (ids by segment) and these segments added.
    pub(super) fn next(
        &self,
        deleted: &BTreeMap<String, BTreeSet<String>>,
        added: Vec<Segment>,
    ) -> Self {
        let mut segments = self.segments.clone();
        for segment in &mut segments {
            if let Some(ids) = deleted.get(&segment.path) {
                segment.deleted.extend(ids.iter().cloned());
            }
        }
        self.with(segments, added)
    }

    /// The manifest after this one: with segments of these paths replaced by those.
    pub(super) fn replacing(&self, paths: &BTreeSet<String>, by: Vec<Segment>) -> Self {
        let kept = self.segments.iter().filter(|s| !paths.contains(&s.path));
        self.with(kept.cloned().collect(), by)
    }

    fn with(&self, mut segments: Vec<Segment>, added: Vec<Segment>) -> Self {
        segments.retain(|segment| segment.live() > 0);
        segments.extend(added);
        segments.sort_by(|a, b| a.path.cmp(&b.path));
        Self {
            format: FORMAT,
            number: self.number + 1,
            segments,
            retired: false,
        }
    }

    /// Makes this the newest manifest; false when its number is taken.
    pub(super) async fn commit(&self, bucket: &Bucket) -> Result<bool> {
        let path = Path::from(format!("{FOLDER}/{:08}.json", self.number));
        bucket.create(&path, self.encode()?).await
    }

    /// What it holds.
    pub fn coverage(&self) -> Coverage {
        let bounds = || self.segments.iter().filter_map(|s| s.published);
        let undated = self.segments.iter().filter(|s| s.published.is_none());
        Coverage {
            manifest: self.number,
            segments: self.segments.len() as u64,
            posts: self.segments.iter().map(Segment::live).sum(),
            undated: undated.map(Segment::live).sum(),
            from: bounds().map(|(first, _)| first).min(),
            to: bounds().map(|(_, last)| last).max(),
            bytes: self.segments.iter().map(|s| s.bytes).sum(),
        }
    }
}

/// The manifests there are, by number.
async fn numbered(bucket: &Bucket) -> Result<Vec<(u64, Path)>> {
    let objects = bucket.objects(&Path::from(FOLDER)).await?;
    let paths = objects.into_iter().map(|object| object.path);
    let mut numbered: Vec<(u64, Path)> = paths
        .filter_map(|path| number_of(&path).map(|number| (number, path)))
        .collect();
    numbered.sort();
    Ok(numbered)
}

fn number_of(path: &Path) -> Option<u64> {
    path.filename()?.strip_suffix(".json")?.parse().ok()
}
