//! What object stores say, as this project's errors.

use std::path::Path as FilePath;

use heurpipe_core::{Error, ErrorKind, Retry};
use object_store::path::Path;

use crate::os::io_error;

/// An error of an object store on a path.
pub(crate) fn failure(operation: &'static str, path: &Path, error: object_store::Error) -> Error {
    use object_store::Error as Store;
    let io = io_kind(&error);
    if io.is_some_and(is_about_connection) {
        return Error::new(ErrorKind::Unavailable, operation)
            .message("the server of the bucket does not answer")
            .with("file", path)
            .cause(error);
    }
    if let Some(io) = io {
        let base = io_error(operation, FilePath::new(path.as_ref()), io.into());
        return Error::new(base.kind(), operation)
            .retryable(base.retry())
            .with("file", path)
            .cause(error);
    }
    let kind = match &error {
        Store::NotFound { .. } => ErrorKind::NotFound,
        Store::AlreadyExists { .. } | Store::Precondition { .. } => ErrorKind::Conflict,
        Store::PermissionDenied { .. } => ErrorKind::PermissionDenied,
        Store::Unauthenticated { .. } => ErrorKind::Unauthenticated,
        Store::NotSupported { .. } | Store::NotImplemented { .. } => ErrorKind::Unsupported,
        other => match status(other) {
            Some(401) => ErrorKind::Unauthenticated,
            Some(403) => ErrorKind::PermissionDenied,
            Some(404) => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        },
    };
    let base = Error::new(kind, operation).with("file", path);
    let base = match kind {
        // Where the bytes lie elsewhere, the network may be back in a moment.
        ErrorKind::Io => base.retryable(Retry::Temporary),
        _ => base,
    };
    base.cause(error)
}

/// The operating system's word, where it lies beneath.
fn io_kind(error: &object_store::Error) -> Option<std::io::ErrorKind> {
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}

fn is_about_connection(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind as Io;
    matches!(
        kind,
        Io::ConnectionRefused | Io::ConnectionReset | Io::ConnectionAborted | Io::TimedOut
    )
}

/// The status of an answer for which the store has no error of its own: only its text tells.
fn status(error: &object_store::Error) -> Option<u16> {
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if let Some((_, rest)) = text.rsplit_once("status code: ") {
            return rest.get(..3)?.parse().ok();
        }
        next = error.source();
    }
    None
}
