//! Hot records, read once and laid beside the query.
//!
//! A query needs them twice (their ids keep cold rows out, their rows come in), and both times the same ones. They go to a temporary
//! folder as segments, so that memory does not grow with their number and the engine reads only the columns it needs.

use std::sync::Arc;

use futures::TryStreamExt;
use heurpipe_core::{Error, ErrorKind, Record, Result};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use tempfile::TempDir;

use super::super::bucket::Bucket;
use super::super::hot::HotRows;
use super::super::segment;
use super::OPERATION;
use crate::task;

/// Records of a file at most.
const FILE_ROWS: usize = 8192;

/// A file of hot rows.
pub(super) struct SpooledFile {
    /// Within the spool.
    pub(super) path: String,
    /// Size.
    pub(super) bytes: u64,
    /// Rows.
    pub(super) rows: u64,
}

/// The hot records of one query; gone from disk when dropped.
pub(super) struct Spool {
    files: Vec<SpooledFile>,
    place: Option<(TempDir, Bucket)>,
}

impl Spool {
    /// Reads all hot records.
    pub(super) async fn fill(hot: &dyn HotRows) -> Result<Self> {
        let mut spool = Self {
            files: Vec::new(),
            place: None,
        };
        let mut pages = hot.pages();
        let mut waiting = Vec::new();
        while let Some(page) = pages.try_next().await? {
            waiting.extend(page);
            if waiting.len() >= FILE_ROWS {
                spool.add(std::mem::take(&mut waiting)).await?;
            }
        }
        if !waiting.is_empty() {
            spool.add(waiting).await?;
        }
        Ok(spool)
    }

    async fn add(&mut self, records: Vec<Record>) -> Result<()> {
        let bucket = self.open()?;
        let rows = records.len() as u64;
        let bytes = task::blocking(OPERATION, move || segment::encode(&records)).await?;
        let file = SpooledFile {
            path: format!("{:06}.parquet", self.files.len()),
            bytes: bytes.len() as u64,
            rows,
        };
        bucket
            .create(&Path::from(file.path.as_str()), bytes)
            .await?;
        self.files.push(file);
        Ok(())
    }

    fn open(&mut self) -> Result<Bucket> {
        if let Some((_, bucket)) = &self.place {
            return Ok(bucket.clone());
        }
        let fail = |message: &str| Error::new(ErrorKind::Io, OPERATION).message(message);
        let folder = TempDir::with_prefix("heurpipe-hot-")
            .map_err(|error| fail("no temporary folder can be made").cause(error))?;
        let store = LocalFileSystem::new_with_prefix(folder.path())
            .map_err(|error| fail("the temporary folder cannot be used").cause(error))?;
        let bucket = Bucket::new(Arc::new(store));
        self.place = Some((folder, bucket.clone()));
        Ok(bucket)
    }

    /// Where the files lie; none when there are none.
    pub(super) fn bucket(&self) -> Option<&Bucket> {
        self.place.as_ref().map(|(_, bucket)| bucket)
    }

    /// The files.
    pub(super) fn files(&self) -> &[SpooledFile] {
        &self.files
    }

    /// How many records there are.
    pub(super) fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}
