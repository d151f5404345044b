//! What tantivy says, in core's words.

use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Retry};
use tantivy::TantivyError;
use tantivy::directory::error::{OpenDirectoryError, OpenReadError, OpenWriteError};

use crate::os::io_error;

/// An error of the index, with the folder that it is about.
pub(super) fn failure(operation: &'static str, path: &Path, error: TantivyError) -> Error {
    if let Some(io) = of_the_disk(&error) {
        return io_error(operation, path, io).cause(error);
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

/// What the operating system said, where it was that.
fn of_the_disk(error: &TantivyError) -> Option<std::io::Error> {
    match error {
        TantivyError::IoError(io)
        | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error: io, .. })
        | TantivyError::OpenReadError(OpenReadError::IoError { io_error: io, .. })
        | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: io, .. }) => {
            let text = io.to_string();
            Some(told_in(&text).unwrap_or_else(|| std::io::Error::new(io.kind(), text)))
        }
        TantivyError::InternalError(text)
        | TantivyError::SystemError(text)
        | TantivyError::ErrorInThread(text) => told_in(text),
        _ => None,
    }
}

/// The operating system's error that a text ends in: some parts of tantivy hand on no more than that.
fn told_in(text: &str) -> Option<std::io::Error> {
    let (_, rest) = text.rsplit_once("(os error ")?;
    let number = rest.split_once(')')?.0.parse().ok()?;
    Some(std::io::Error::from_raw_os_error(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_however_tantivy_tells_it() {
        let text = "No space left on device (os error 28)";
        let full = || std::io::Error::from_raw_os_error(28);
        for told in [
            TantivyError::InternalError(text.to_owned()),
            TantivyError::ErrorInThread(format!("a worker failed: {text}")),
            TantivyError::from(std::io::Error::other(text)),
            TantivyError::from(full()),
        ] {
            let error = failure("tantivy.flush", Path::new("/index"), told);
            assert_eq!(
                (error.kind(), error.retry()),
                (ErrorKind::Io, Retry::NeedsOperator),
                "{error}"
            );
            assert!(error.to_string().contains("the disk is full"), "{error}");
        }
        let other = TantivyError::InternalError("of its own".to_owned());
        let error = failure("tantivy.flush", Path::new("/index"), other);
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
}
