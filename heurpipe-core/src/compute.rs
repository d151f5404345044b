//! Where CPU work runs: as many threads at a time as there are cores, apart from tokio's own.

use std::sync::OnceLock;
use std::time::Duration;

use cpu_time::ThreadTime;
use tokio::sync::Semaphore;

use crate::{Error, ErrorKind, Result};

fn slots() -> &'static Semaphore {
    static SLOTS: OnceLock<Semaphore> = OnceLock::new();
    SLOTS.get_or_init(|| Semaphore::new(cores()))
}

/// How many compute jobs run at a time.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs `work` on a compute thread and gives its result with the CPU time it took.
///
/// # Errors
/// `Internal` when the work panics; `Cancelled` when the runtime shuts down.
pub async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<(T, Duration)> {
    let _slot = slots()
        .acquire()
        .await
        .map_err(|error| Error::new(ErrorKind::Internal, "compute.run").cause(error))?;
    tokio::task::spawn_blocking(move || {
        let started = ThreadTime::now();
        let result = work();
        (result, started.elapsed())
    })
    .await
    .map_err(|error| {
        let kind = if error.is_cancelled() {
            ErrorKind::Cancelled
        } else {
            ErrorKind::Internal
        };
        Error::new(kind, "compute.run")
            .message("the work did not end")
            .cause(error)
    })
}
