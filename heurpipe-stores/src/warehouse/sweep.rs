//! Files that no manifest needs.

use std::collections::BTreeSet;

use heurpipe_core::Result;
use jiff::Timestamp;
use object_store::path::Path;

use super::bucket::{Bucket, Object};
use super::manifest::Manifest;
use super::segment;

/// Deletes files outside a manifest that hold rows of these ids, and whatever is unfinished; how many there were.
pub(super) async fn holding(
    bucket: &Bucket,
    manifest: &Manifest,
    ids: &BTreeSet<String>,
) -> Result<u64> {
    let mut deleted = bucket.delete_drafts().await?;
    for object in unneeded(bucket, manifest).await? {
        let held = segment::ids_in_file(bucket, &object.path).await?;
        // What cannot be read may hold anything, and nobody needs it.
        if held.is_empty() || !held.is_disjoint(ids) {
            deleted += u64::from(bucket.delete(&object.path).await?);
        }
    }
    Ok(deleted)
}

/// Deletes files outside a manifest that were written before a time; how many there were.
pub(super) async fn older(bucket: &Bucket, manifest: &Manifest, limit: Timestamp) -> Result<u64> {
    let mut deleted = 0;
    for object in unneeded(bucket, manifest).await? {
        if object.written < limit {
            deleted += u64::from(bucket.delete(&object.path).await?);
        }
    }
    Ok(deleted)
}

async fn unneeded(bucket: &Bucket, manifest: &Manifest) -> Result<Vec<Object>> {
    let needed: BTreeSet<&str> = manifest.segments.iter().map(|s| s.path.as_str()).collect();
    let mut objects = bucket.objects(&Path::from(segment::FOLDER)).await?;
    objects.retain(|object| !needed.contains(object.path.as_ref()));
    Ok(objects)
}
