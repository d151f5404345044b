//! What object stores say, as this project's errors.

use heurpipe_core::{Error, ErrorKind, Retry};
use object_store::path::Path;

use crate::os::refusal;

/// An error of an object store on a path.
pub(crate) fn failure(operation: &'static str, path: &Path, error: object_store::Error) -> Error {
    use object_store::Error as Store;
    let io = io_kind(&error);
    if is_of_network(&error) || io.is_some_and(is_about_connection) {
        return Error::new(ErrorKind::Unavailable, operation)
            .message("the server of the bucket does not answer")
            .with("file", path)
            .cause(error);
    }
    if let Some(io) = io {
        return refusal(operation, io).with("file", path).cause(error);
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

/// Whether it came up on the way to a server, whatever the operating system calls it: an answer that ends too early is no damaged file.
fn is_of_network(error: &object_store::Error) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        if error.is::<object_store::client::HttpError>() {
            return true;
        }
        next = error.source();
    }
    false
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
