//! What SQLite says, in core's words.

use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Retry};
use rusqlite::ffi::ErrorCode;

/// What may go wrong while a connection is at work: SQLite's errors and our own.
#[derive(Debug)]
pub(super) enum Failure {
    Sqlite(rusqlite::Error),
    Ours(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Failure {
    /// The error as callers see it, with the file that it is about.
    pub(super) fn into_error(self, operation: &'static str, path: &Path) -> Error {
        let error = match self {
            Self::Ours(error) => error,
            Self::Sqlite(error) => {
                let (kind, retry, message) = classify(&error);
                Error::new(kind, operation)
                    .retryable(retry)
                    .message(message)
                    .cause(error)
            }
        };
        error.with("path", path.display())
    }
}

fn classify(error: &rusqlite::Error) -> (ErrorKind, Retry, &'static str) {
    use Retry::{NeedsOperator, Permanent, Temporary};
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => (
            ErrorKind::Corrupt,
            NeedsOperator,
            "the file is not a database",
        ),
        Some(ErrorCode::DatabaseCorrupt) => {
            (ErrorKind::Corrupt, NeedsOperator, "the database is damaged")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            ErrorKind::Unavailable,
            Temporary,
            "another process is using the database",
        ),
        Some(ErrorCode::DiskFull) => (ErrorKind::Io, NeedsOperator, "the disk is full"),
        Some(ErrorCode::CannotOpen) => (
            ErrorKind::Io,
            NeedsOperator,
            "the database file cannot be opened",
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
            ErrorKind::PermissionDenied,
            NeedsOperator,
            "the database is not writable",
        ),
        Some(ErrorCode::SystemIoFailure) => (
            ErrorKind::Io,
            NeedsOperator,
            "the disk refused to read or write the database",
        ),
        Some(ErrorCode::TooBig) => (
            ErrorKind::TooLarge,
            Permanent,
            "a value is larger than a database can hold",
        ),
        _ => (ErrorKind::Internal, Permanent, "the database refused"),
    }
}
