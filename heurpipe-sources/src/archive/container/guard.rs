//! Bounds on what a reader takes into memory at once.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// What a reader says that was stopped by its guard.
pub(crate) const TOO_LONG: &str = "an item is longer than allowed";

/// Counts the bytes since the last item began, and fails once they are more than an item may have.
///
/// Whoever cuts a stream into items holds one item at a time; this bounds what that takes.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    left: Rc<Cell<u64>>,
    limit: u64,
}

impl Guard {
    /// Items may have so many bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            left: Rc::new(Cell::new(limit)),
            limit,
        }
    }

    /// An item begins.
    pub(crate) fn begin(&self) {
        self.left.set(self.limit);
    }

    /// What follows is passed over, however long it is: none of it is kept.
    pub(crate) fn pass_over(&self) {
        self.left.set(u64::MAX);
    }

    /// The reader, guarded. What it reads ahead counts too, so the buffer should be small beside the limit.
    pub(crate) fn reader<R: Read>(&self, inner: R) -> Guarded<R> {
        Guarded {
            inner,
            guard: self.clone(),
        }
    }
}

/// A reader with a guard.
pub(crate) struct Guarded<R> {
    inner: R,
    guard: Guard,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.guard.left.get().checked_sub(count as u64) {
            Some(left) => self.guard.left.set(left),
            None => return Err(io::Error::new(io::ErrorKind::InvalidData, TOO_LONG)),
        }
        Ok(count)
    }
}
