//! Blobs: bytes by their digest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{StreamExt, TryStreamExt};
use heurpipe_core::{Digest, Result};

use super::{Doing, Part, Progress, Report, Sum, Watch, different};

/// Pictures on their way at a time.
const AT_ONCE: usize = 8;

/// The one part that a blob store has.
const PART: &str = "blobs";

/// Copies all blobs from one store into another.
///
/// The target may hold others: bytes lie under their digest, so those of two stores never get into each other's way. What the target has already is not read
/// again to be copied; in the end every blob of the source is read in the target and compared with its digest.
pub struct Blobs {
    source: Arc<dyn heurpipe_core::Blobs>,
    target: Arc<dyn heurpipe_core::Blobs>,
}

impl Blobs {
    /// From one store into another.
    pub fn between(
        source: Arc<dyn heurpipe_core::Blobs>,
        target: Arc<dyn heurpipe_core::Blobs>,
    ) -> Self {
        Self { source, target }
    }

    /// What there is to copy; changes nothing.
    ///
    /// # Errors
    /// Those of the source.
    pub async fn survey(&self) -> Result<Vec<Part>> {
        let mut sum = Sum::default();
        let mut listed = self.source.list();
        while let Some(blob) = listed.try_next().await? {
            sum.add(&blob.digest);
        }
        Ok(vec![Part { part: PART, sum }])
    }

    /// Copies what the target has not, and compares both sides.
    ///
    /// # Errors
    /// `Corrupt` for bytes that are not those of their digest, on either side; `Conflict` when the two sides are not the same in the end; else those of
    /// the stores. What was copied before stays copied.
    pub async fn run(&self, watch: &Watch) -> Result<Report> {
        let copied = AtomicU64::new(0);
        let dealt_with = AtomicU64::new(0);
        let tell = |doing| {
            let entries = dealt_with.fetch_add(1, Ordering::Relaxed) + 1;
            watch(&Progress {
                doing,
                part: PART,
                entries,
            });
        };
        self.source
            .list()
            .try_for_each_concurrent(AT_ONCE, |blob| {
                let (copied, tell) = (&copied, &tell);
                async move {
                    if self.copy_one(&blob.digest).await? {
                        copied.fetch_add(1, Ordering::Relaxed);
                    }
                    tell(Doing::Copying);
                    Ok(())
                }
            })
            .await?;
        dealt_with.store(0, Ordering::Relaxed);
        let (mut ours, mut theirs) = (Sum::default(), Sum::default());
        let target = &self.target;
        let mut checked = self
            .source
            .list()
            .map_ok(|blob| async move {
                let there = match target.get(&blob.digest).await {
                    Ok(_) => true,
                    Err(error) if error.kind() == heurpipe_core::ErrorKind::NotFound => false,
                    Err(error) => return Err(error),
                };
                Ok((blob.digest, there))
            })
            .try_buffer_unordered(AT_ONCE)
            .boxed();
        while let Some((digest, there)) = checked.try_next().await? {
            ours.add(&digest);
            if there {
                theirs.add(&digest);
            }
            tell(Doing::Comparing);
        }
        if ours != theirs {
            return Err(different(PART, &ours, &theirs));
        }
        let parts = vec![Part {
            part: PART,
            sum: ours,
        }];
        Ok(Report {
            copied: copied.into_inner(),
            parts,
        })
    }

    /// Whether there was anything to do.
    async fn copy_one(&self, digest: &Digest) -> Result<bool> {
        if self.target.contains(digest).await? {
            return Ok(false);
        }
        let bytes = self.source.get(digest).await?;
        self.target.put(bytes).await?;
        Ok(true)
    }
}
