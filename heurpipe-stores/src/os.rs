//! What the operating system says.

use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Retry};

/// An error of the operating system on a path.
pub(crate) fn io_error(operation: &'static str, path: &Path, error: std::io::Error) -> Error {
    use std::io::ErrorKind as Os;
    let base = match error.kind() {
        Os::NotFound => Error::new(ErrorKind::NotFound, operation).message("there is no such path"),
        Os::PermissionDenied | Os::ReadOnlyFilesystem => {
            Error::new(ErrorKind::PermissionDenied, operation).message("permission is refused")
        }
        Os::StorageFull | Os::QuotaExceeded => Error::new(ErrorKind::Io, operation)
            .message("the disk is full")
            .retryable(Retry::NeedsOperator),
        _ => Error::new(ErrorKind::Io, operation),
    };
    base.with("path", path.display()).cause(error)
}
