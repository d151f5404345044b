//! Pictures on this machine, beneath folders that were named.

use std::path::{Path, PathBuf};

use heurpipe_core::{Error, ErrorKind, Result};
use tokio::io::AsyncReadExt;
use url::Url;

/// What came of reading.
pub(super) enum Read {
    Bytes(Vec<u8>),
    Gone(String),
    /// The URL names a file within this one, which may be read.
    #[cfg(feature = "archive")]
    Within {
        zip: PathBuf,
        name: String,
    },
}

/// Reads a file beneath one of the folders.
///
/// The path is judged after all links in it were followed, so that none leads out of the folders.
pub(super) async fn read(url: &Url, folders: &[PathBuf], limit: usize) -> Result<Read> {
    let Ok(path) = url.to_file_path() else {
        return Ok(Read::Gone("refused: the URL names no file".to_owned()));
    };
    let place = match tokio::fs::canonicalize(&path).await {
        Ok(place) => place,
        Err(error) => return missing(&path, error),
    };
    if !folders.iter().any(|folder| place.starts_with(folder)) {
        return Ok(Read::Gone(
            "refused: the file lies outside of the folders that may be read".to_owned(),
        ));
    }
    #[cfg(feature = "archive")]
    if let Some((_, name)) = url
        .query_pairs()
        .find(|(key, _)| key == crate::archive::IN_ZIP)
    {
        return Ok(Read::Within {
            zip: place,
            name: name.into_owned(),
        });
    }
    let file = match tokio::fs::File::open(&place).await {
        Ok(file) => file,
        Err(error) => return missing(&path, error),
    };
    let about = file
        .metadata()
        .await
        .map_err(|error| failed(&path, error))?;
    // A device or a pipe has no end.
    if !about.is_file() {
        return Ok(Read::Gone("refused: no ordinary file".to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| failed(&path, error))?;
    if bytes.len() > limit {
        return Ok(Read::Gone(format!("larger than {limit} bytes")));
    }
    Ok(Read::Bytes(bytes))
}

fn missing(path: &Path, error: std::io::Error) -> Result<Read> {
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            Ok(Read::Gone("there is no such file".to_owned()))
        }
        _ => Err(failed(path, error)),
    }
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        _ => ErrorKind::Io,
    };
    Error::new(kind, "media.read")
        .message("the file cannot be read")
        .with("file", path.display())
        .cause(error)
}
