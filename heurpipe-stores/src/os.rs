//! What the operating system says.

use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Retry};

/// An error of the operating system on a path.
pub(crate) fn io_error(operation: &'static str, path: &Path, error: std::io::Error) -> Error {
    refusal(operation, error.kind())
        .with("path", path.display())
        .cause(error)
}

/// What the operating system refused, and whether it may do it later; about nothing in particular.
pub(crate) fn refusal(operation: &'static str, kind: std::io::ErrorKind) -> Error {
    use std::io::ErrorKind as Os;
    match kind {
        Os::NotFound => Error::new(ErrorKind::NotFound, operation).message("there is no such path"),
        Os::PermissionDenied | Os::ReadOnlyFilesystem => {
            Error::new(ErrorKind::PermissionDenied, operation).message("permission is refused")
        }
        Os::StorageFull | Os::QuotaExceeded => Error::new(ErrorKind::Io, operation)
            .message("the disk is full")
            .retryable(Retry::NeedsOperator),
        _ => Error::new(ErrorKind::Io, operation),
    }
}
