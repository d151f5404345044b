//! Building the index anew.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use heurpipe_core::{Result, SearchIndex, Sink, SinkSpec};

use super::folder::{self, Made};
use super::live::Opened;
use super::writer::{Writer, Writing};
use super::{Fields, Inner, Place, TantivyIndex};
use crate::os::io_error;
use crate::search::Rebuild;
use crate::{Mode, task};

/// An index in a folder beside the one in use. Whoever writes to the one in use meanwhile is refused; see [`TantivyIndex::rebuild`].
#[derive(Debug)]
pub struct TantivyRebuild {
    path: PathBuf,
    staged: Made,
    index: Arc<TantivyIndex>,
}

impl TantivyIndex {
    /// Begins to build the index of a folder anew, whichever version of this program made the one in use. Until the rebuild is published or dropped nobody else
    /// writes to the index.
    ///
    /// # Errors
    /// `Conflict`, naming the process that is writing; `Corrupt` when the folder holds something else; `PermissionDenied` or `Io` when the folder refuses.
    pub async fn rebuild(path: impl Into<PathBuf>) -> Result<TantivyRebuild> {
        let path = path.into();
        task::blocking("tantivy.rebuild", move || TantivyRebuild::begin(path)).await
    }
}

impl TantivyRebuild {
    fn begin(path: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&path).map_err(|e| io_error("tantivy.rebuild", &path, e))?;
        let lock = Inner::lock(&path)?;
        let (staged, index) = folder::stage(&path)?;
        let opened = Opened::new((staged.clone(), index), &path, Mode::ReadWrite)?;
        let writer = Writer::new(Arc::clone(&opened), &path, lock)?;
        let inner = Inner {
            path: path.clone(),
            mode: Mode::ReadWrite,
            place: Place::Staged(opened),
            fields: Fields::schema().1,
            writing: Mutex::new(Writing::By(Box::new(writer))),
        };
        Ok(Self {
            path,
            staged,
            index: Arc::new(TantivyIndex {
                spec: SinkSpec::new("search").durable_at_flush(),
                inner: Arc::new(inner),
            }),
        })
    }
}

#[async_trait]
impl Rebuild for TantivyRebuild {
    fn index(&self) -> Arc<dyn SearchIndex> {
        Arc::clone(&self.index) as _
    }

    async fn publish(&self) -> Result<()> {
        self.index.flush().await?;
        let (path, staged) = (self.path.clone(), self.staged.clone());
        task::blocking("tantivy.publish", move || folder::publish(&path, &staged)).await
    }
}
