//! Work that would block, away from tokio's own threads.

use heurpipe_core::{Error, ErrorKind, Result};

/// Runs `work` on a blocking thread. Dropping the future does not stop work that has begun.
///
/// # Errors
/// Those of `work`; `Internal` when it panics; `Cancelled` when the runtime shuts down.
pub(crate) async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            let kind = if error.is_cancelled() {
                ErrorKind::Cancelled
            } else {
                ErrorKind::Internal
            };
            Err(Error::new(kind, operation)
                .message("the work did not end")
                .cause(error))
        })
}
