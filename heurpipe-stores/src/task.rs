//! Work that goes on by itself: on threads for what would block, and in tasks.

use heurpipe_core::{Error, ErrorKind, Result};
use tokio::task::JoinError;

/// Runs `work` on a blocking thread. Dropping the future does not stop work that has begun.
///
/// # Errors
/// Those of `work`; `Internal` when it panics; `Cancelled` when the runtime shuts down.
pub(crate) async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    ended(operation, tokio::task::spawn_blocking(work).await)
}

/// Runs `work` as a task that goes on while whoever waits for it is not polled, and ends when he is dropped.
///
/// # Errors
/// As [`blocking`].
#[cfg(feature = "sqlite")]
pub(crate) async fn of_its_own<T: Send + 'static>(
    operation: &'static str,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let task = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(work));
    ended(operation, task.await)
}

fn ended<T>(operation: &'static str, outcome: Result<Result<T>, JoinError>) -> Result<T> {
    outcome.unwrap_or_else(|error| {
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
