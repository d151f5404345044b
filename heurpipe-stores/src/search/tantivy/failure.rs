//! What tantivy says, in core's words.

use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Retry};
use tantivy::TantivyError;
use tantivy::directory::error::{OpenDirectoryError, OpenReadError, OpenWriteError};

use crate::os::io_error;

/// An error of the index, with the folder that it is about.
pub(super) fn failure(operation: &'static str, path: &Path, error: TantivyError) -> Error {
    if let Some(io) = of_the_disk(&error) {
        return io_error(
            operation,
            path,
            std::io::Error::new(io.kind(), io.to_string()),
        )
        .cause(error);
    }
    let base = match &error {
        TantivyError::DataCorruption(_)
        | TantivyError::OpenReadError(_)
        | TantivyError::IncompatibleIndex(_)
        | TantivyError::SchemaError(_) => Error::new(ErrorKind::Corrupt, operation)
            .message("the index is damaged or is not one of this program")
            .retryable(Retry::NeedsOperator),
        TantivyError::LockFailure(..) => Error::new(ErrorKind::Conflict, operation)
            .message("another process is writing to this index")
            .retryable(Retry::NeedsOperator),
        TantivyError::ErrorInThread(_) => Error::new(ErrorKind::Io, operation)
            .message("the index could not be written; what was not flushed is lost")
            .retryable(Retry::NeedsOperator),
        _ => Error::new(ErrorKind::Internal, operation),
    };
    base.with("path", path.display()).cause(error)
}

/// The error for an index whose writer failed before.
pub(super) fn lost(operation: &'static str, path: &Path, reason: &str) -> Error {
    Error::new(ErrorKind::Io, operation)
        .retryable(Retry::NeedsOperator)
        .message("the index could not be written before, and what was not flushed then is lost; open it anew")
        .with("path", path.display())
        .with("reason", reason)
}

fn of_the_disk(error: &TantivyError) -> Option<&std::io::Error> {
    match error {
        TantivyError::IoError(io)
        | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error: io, .. })
        | TantivyError::OpenReadError(OpenReadError::IoError { io_error: io, .. })
        | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: io, .. }) => Some(io),
        _ => None,
    }
}
