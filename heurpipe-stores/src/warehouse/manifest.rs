//! What a manifest says: which segments count, and which of their rows.

use std::collections::{BTreeMap, BTreeSet};

use heurpipe_core::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Coverage;
use super::ids::{IdRanges, any_within};

/// The version of the manifest's own form.
pub(super) const FORMAT: u32 = 1;

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
    /// Where between these its ids lie; a manifest of an earlier version does not say.
    #[serde(default, skip_serializing_if = "IdRanges::is_unknown")]
    pub id_ranges: IdRanges,
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

    /// Whether the file may hold a row of one of these ids.
    pub(super) fn may_hold(&self, ids: &BTreeSet<String>) -> bool {
        any_within(ids, &self.ids) && self.id_ranges.may_hold(ids)
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

    /// What stands under a number whose manifest has given up what it held.
    pub(super) fn stub(number: u64) -> Self {
        Self {
            number,
            retired: true,
            ..Self::empty()
        }
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
