//! Where a model's bytes come from.

use std::borrow::Cow;
use std::path::PathBuf;

use heurpipe_core::{Error, ErrorKind, Result};

/// A model's bytes: compiled in, or in a file that is read when a session is made.
#[derive(Debug, Clone)]
pub(crate) enum ModelBytes {
    /// Compiled in; the name is for error messages.
    Embedded(&'static str, &'static [u8]),
    /// A file.
    File(PathBuf),
}

impl ModelBytes {
    pub(crate) fn read(&self) -> Result<Cow<'static, [u8]>> {
        match self {
            Self::Embedded(_, bytes) => Ok(Cow::Borrowed(bytes)),
            Self::File(path) => std::fs::read(path)
                .map(Cow::Owned)
                .map_err(|error| unreadable(path, error)),
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Embedded(name, _) => format!("{name} (compiled in)"),
            Self::File(path) => path.display().to_string(),
        }
    }
}

/// The error of a file that cannot be read.
pub(crate) fn unreadable(path: &std::path::Path, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        _ => ErrorKind::Io,
    };
    Error::new(kind, "model.read")
        .message("the file cannot be read")
        .with("file", path.display())
        .cause(error)
}
