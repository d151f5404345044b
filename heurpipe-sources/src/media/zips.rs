//! Pictures within ZIPs: archives of posts that were not unpacked.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use heurpipe_core::{Error, ErrorKind, Result};

use super::download::Download;
use crate::archive::ZipFiles;

/// The ZIP that was read last: the pictures of an archive come one after the other, and listing its files takes time.
#[derive(Debug, Default)]
pub(super) struct Zips(Mutex<Option<(PathBuf, Arc<ZipFiles>)>>);

impl Zips {
    /// Reads a file within a ZIP.
    pub(super) async fn read(
        self: Arc<Self>,
        zip: PathBuf,
        name: String,
        limit: usize,
    ) -> Result<Download> {
        let reading = tokio::task::spawn_blocking(move || self.read_here(&zip, &name, limit));
        let failed = |error| Error::new(ErrorKind::Internal, "media.read").cause(error);
        reading.await.map_err(failed)?
    }

    fn read_here(&self, zip: &Path, name: &str, limit: usize) -> Result<Download> {
        let gone = |reason: &str| Ok(Download::Gone(reason.to_owned()));
        let files = match self.files(zip) {
            Ok(Some(files)) => files,
            Ok(None) => return gone("the file is no ZIP"),
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                return gone("the ZIP is broken");
            }
            Err(error) => return Err(error),
        };
        match files.file(name, limit) {
            Ok(Some(bytes)) => Ok(Download::Bytes(bytes)),
            Ok(None) => gone("there is no such file in the ZIP"),
            Err(error) if error.kind() == ErrorKind::TooLarge => {
                gone(&format!("larger than {limit} bytes"))
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                gone("the file in the ZIP is broken")
            }
            Err(error) => Err(error),
        }
    }

    fn files(&self, zip: &Path) -> Result<Option<Arc<ZipFiles>>> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((path, files)) = last.as_ref()
            && path == zip
        {
            return Ok(Some(Arc::clone(files)));
        }
        let files = ZipFiles::open(zip)?.map(Arc::new);
        if let Some(files) = &files {
            *last = Some((zip.to_owned(), Arc::clone(files)));
        }
        Ok(files)
    }
}
