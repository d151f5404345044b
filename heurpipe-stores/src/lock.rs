//! One writing process per embedded store.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use heurpipe_core::{Error, ErrorKind, Result, Retry};

use crate::os::io_error;

/// Held while a process writes to a store.
///
/// The operating system lets go of it when the process ends, however it ends, so that a lock file left by a dead process stops nobody. The number
/// in the file only tells people who holds it.
#[derive(Debug)]
pub(crate) struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock, or tells who has it.
    ///
    /// # Errors
    /// `Conflict`, which an operator must resolve, when another writer has it; `Io` or `PermissionDenied` when the file cannot be made.
    pub(crate) fn take(path: &Path, operation: &'static str) -> Result<Self> {
        let io = |error: std::io::Error| io_error(operation, path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(operation, path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        file.flush().map_err(io)?;
        Ok(Self { _file: file })
    }
}

fn taken(operation: &'static str, path: &Path, file: &mut File) -> Error {
    let mut pid = String::new();
    let holder = match file.read_to_string(&mut pid) {
        Ok(_) if !pid.trim().is_empty() => pid.trim(),
        _ => "unknown",
    };
    Error::new(ErrorKind::Conflict, operation)
        .message(format!(
            "process {holder} is writing to this store; only one may"
        ))
        .retryable(Retry::NeedsOperator)
        .with("pid", holder)
        .with("lock", path.display())
}
