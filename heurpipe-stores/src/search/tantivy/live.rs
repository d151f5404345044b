//! The index in use, and a look at whether another has taken its place.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use heurpipe_core::{Result, compute};
use tantivy::{Executor, Index, IndexReader, ReloadPolicy};

use super::failure::failure;
use super::folder::{self, Made};
use crate::Mode;

/// What looks through the segments of an index side by side; shared by all indices of the process.
static SEARCHERS: LazyLock<Executor> = LazyLock::new(|| {
    Executor::multi_thread(compute::cores(), "search-").unwrap_or(Executor::SingleThread)
});

/// An index that is open.
pub(super) struct Opened {
    pub(super) made: Made,
    pub(super) index: Index,
    pub(super) reader: IndexReader,
}

impl Opened {
    pub(super) fn new(
        (made, mut index): (Made, Index),
        path: &Path,
        mode: Mode,
    ) -> Result<Arc<Self>> {
        index.set_executor(SEARCHERS.clone());
        // Our own flushes reload the reader at once; those of another process are noticed by watching the folder.
        let policy = match mode {
            Mode::ReadWrite => ReloadPolicy::Manual,
            Mode::ReadOnly => ReloadPolicy::OnCommitWithDelay,
        };
        let reader = index
            .reader_builder()
            .reload_policy(policy)
            .try_into()
            .map_err(|error| failure("tantivy.open", path, error))?;
        Ok(Arc::new(Self {
            made,
            index,
            reader,
        }))
    }
}

/// The index of a folder that is in use.
pub(super) struct Live {
    path: PathBuf,
    mode: Mode,
    opened: Mutex<Arc<Opened>>,
}

impl Live {
    /// Opens it; makes it when it is to be written and there is none. Blocks.
    pub(super) fn open(path: &Path, mode: Mode) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            mode,
            opened: Mutex::new(Self::open_in_use(path, mode)?),
        })
    }

    /// The index that is in use now. Blocks.
    ///
    /// # Errors
    /// `NotFound` when the index is gone; those of opening it, where another has taken its place.
    pub(super) fn get(&self) -> Result<Arc<Opened>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let made = folder::in_use(&self.path)?.ok_or_else(|| folder::missing(&self.path))?;
        if made != opened.made {
            *opened = Self::open_in_use(&self.path, self.mode)?;
        }
        Ok(Arc::clone(&opened))
    }

    fn open_in_use(path: &Path, mode: Mode) -> Result<Arc<Opened>> {
        let found = match mode {
            Mode::ReadWrite => folder::open_or_create(path)?,
            Mode::ReadOnly => folder::open(path)?,
        };
        Opened::new(found, path, mode)
    }
}
