//! Writing to the index.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use heurpipe_core::{ItemResult, Result};
use tantivy::columnar::Column;
use tantivy::schema::IndexRecordOption;
use tantivy::{
    DocSet, Index, IndexReader, IndexWriter, SegmentReader, TERMINATED, TantivyDocument,
    TantivyError,
};

use super::failure::{failure, lost};
use super::fields::{Fields, name};
use super::live::Opened;
use crate::lock::WriterLock;

/// How much may be gathered in memory before a segment is written, in bytes.
const MEMORY: usize = 64 << 20;

/// A record made ready for the index.
pub(super) struct Prepared {
    pub(super) id: String,
    pub(super) revision: u64,
    pub(super) document: TantivyDocument,
}

/// The one writer of an index. The lock comes last: it is let go of when the writer is gone.
pub(super) struct Writer {
    tantivy: IndexWriter,
    /// What was written or removed (none) since the last flush, by id.
    pending: HashMap<String, Option<u64>>,
    /// What it writes to.
    opened: Arc<Opened>,
    _lock: WriterLock,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Becomes the writer of an index, by the lock of its folder.
    pub(super) fn new(opened: Arc<Opened>, path: &Path, lock: WriterLock) -> Result<Self> {
        let tantivy =
            alone(&opened.index).map_err(|error| failure("tantivy.write", path, error))?;
        Ok(Self {
            tantivy,
            pending: HashMap::new(),
            opened,
            _lock: lock,
        })
    }

    /// Writes what is not older than what the index has.
    pub(super) fn write(
        &mut self,
        fields: &Fields,
        prepared: Vec<Result<Prepared>>,
    ) -> tantivy::Result<Vec<ItemResult<()>>> {
        let flushed = Flushed::open(&self.opened.reader)?;
        let mut outcomes = Vec::with_capacity(prepared.len());
        for item in prepared {
            match item {
                Ok(item) => {
                    self.write_one(&flushed, fields, item)?;
                    outcomes.push(Ok(()));
                }
                Err(error) => outcomes.push(Err(error)),
            }
        }
        Ok(outcomes)
    }

    fn write_one(
        &mut self,
        flushed: &Flushed,
        fields: &Fields,
        item: Prepared,
    ) -> tantivy::Result<()> {
        let stored = match self.pending.get(&item.id) {
            Some(pending) => *pending,
            None => flushed.revision(fields, &item.id)?,
        };
        if stored.is_some_and(|stored| stored > item.revision) {
            return Ok(());
        }
        self.tantivy.delete_term(fields.key(&item.id));
        self.tantivy.add_document(item.document)?;
        self.pending.insert(item.id, Some(item.revision));
        Ok(())
    }

    /// Why a thread of tantivy failed, where the error says only that one did.
    fn cause(&mut self, error: TantivyError) -> TantivyError {
        match error {
            TantivyError::ErrorInThread(_) => self.tantivy.prepare_commit().err().unwrap_or(error),
            other => other,
        }
    }

    /// Removes a post.
    pub(super) fn remove(&mut self, fields: &Fields, id: String) {
        self.tantivy.delete_term(fields.key(&id));
        self.pending.insert(id, None);
    }

    /// Makes durable and visible what was written.
    pub(super) fn flush(&mut self) -> tantivy::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.tantivy.commit()?;
        self.opened.reader.reload()?;
        self.pending.clear();
        Ok(())
    }
}

/// The writer of an index that nobody else writes to. A writer that was killed before its commit leaves files behind, and this one, which counts on from the
/// same commit, would give its own the same names: so they go first.
fn alone(index: &Index) -> tantivy::Result<IndexWriter> {
    let writer: IndexWriter = index.writer_with_num_threads(1, MEMORY)?;
    writer.garbage_collect_files().wait()?;
    Ok(writer)
}

/// Who writes, of those that share an index in one process.
#[derive(Debug, Default)]
pub(super) enum Writing {
    /// Nobody yet.
    #[default]
    Nobody,
    /// This one.
    By(Box<Writer>),
    /// Somebody who failed, with the reason. What was written since the last flush went with a thread of tantivy, whose next commit would succeed without
    /// it: so nobody writes here any more, and no later flush claims to have made durable what was lost.
    Failed(String),
}

impl Writing {
    /// Lets the writer work, who begins where there is none. When it fails, whoever opens the index anew may be its writer.
    pub(super) fn attempt<T>(
        &mut self,
        operation: &'static str,
        path: &Path,
        begin: impl FnOnce() -> Result<Writer>,
        work: impl FnOnce(&mut Writer) -> tantivy::Result<T>,
    ) -> Result<T> {
        let mut writer = match std::mem::take(self) {
            Self::Nobody => Box::new(begin()?),
            Self::By(writer) => writer,
            Self::Failed(reason) => {
                let error = lost(operation, path, &reason);
                *self = Self::Failed(reason);
                return Err(error);
            }
        };
        // Should the work panic, it has failed.
        *self = Self::Failed("writing was interrupted".to_owned());
        match work(&mut writer) {
            Ok(done) => {
                *self = Self::By(writer);
                Ok(done)
            }
            Err(error) => {
                let error = failure(operation, path, writer.cause(error));
                *self = Self::Failed(error.to_string());
                Err(error)
            }
        }
    }
}

/// The revisions in the index as last flushed.
struct Flushed(Vec<(SegmentReader, Column<u64>)>);

impl Flushed {
    /// Looks at the index as last flushed.
    fn open(reader: &IndexReader) -> tantivy::Result<Self> {
        let mut segments = Vec::new();
        for segment in reader.searcher().segment_readers() {
            let revisions = segment.fast_fields().u64(name::REVISION)?;
            segments.push((segment.clone(), revisions));
        }
        Ok(Self(segments))
    }

    fn revision(&self, fields: &Fields, id: &str) -> tantivy::Result<Option<u64>> {
        let key = fields.key(id);
        for (segment, revisions) in &self.0 {
            let terms = segment.inverted_index(fields.id)?;
            let Some(mut postings) = terms.read_postings(&key, IndexRecordOption::Basic)? else {
                continue;
            };
            while postings.doc() != TERMINATED {
                if !segment.is_deleted(postings.doc()) {
                    return Ok(revisions.first(postings.doc()));
                }
                postings.advance();
            }
        }
        Ok(None)
    }
}
