//! What becomes of calls over HTTP.

use heurpipe_core::{Error, ErrorKind};

/// The error of a call that got no answer. The server's address is told once, and without what stands in its path.
pub(crate) fn unanswered(
    operation: &'static str,
    service: &str,
    server: &str,
    error: reqwest::Error,
) -> Error {
    let (kind, happened) = if error.is_timeout() {
        (ErrorKind::Timeout, "does not answer in time")
    } else if error.is_connect() {
        (ErrorKind::Unavailable, "cannot be reached")
    } else {
        (ErrorKind::Unavailable, "breaks off")
    };
    Error::new(kind, operation)
        .message(format!("{service} {happened}"))
        .with("server", server)
        .cause(error.without_url())
}
