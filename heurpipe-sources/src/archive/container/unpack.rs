//! Files that are packed one by one, and bombs among them.

use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;
use heurpipe_core::Result;
use lzma_rust2::XzReader;

use super::Entry;

/// Extensions of packings.
pub(super) const PACKED: [&str; 2] = [".gz", ".xz"];

/// What text of posts is packed to is a tenth or a twentieth; a file that is all the same byte packs to a thousandth. So what unpacks to
/// more than this many times its size is a bomb …
const HIGHEST_RATIO: u64 = 250;
/// … once it has come so far that the ratio means something.
const ALLOWANCE: u64 = 64 * 1024 * 1024;

/// Hands on what a file unpacks to; a file that is not packed as it is.
pub(super) fn unpacked<R>(
    entry: &Entry,
    file: impl Read,
    reading: impl FnOnce(&mut dyn Read) -> Result<R>,
) -> Result<R> {
    let name = entry.file_name().to_lowercase();
    let file = BufReader::with_capacity(64 * 1024, file);
    if name.ends_with(".gz") {
        reading(&mut Bounded::new(MultiGzDecoder::new(file), entry.length))
    } else if name.ends_with(".xz") {
        reading(&mut Bounded::new(XzReader::new(file, true), entry.length))
    } else {
        let mut file = file;
        reading(&mut file)
    }
}

/// A reader that fails once it has given more than its source can honestly hold.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    /// A reader of what so many bytes unpack to.
    pub(super) fn new(inner: R, packed: u64) -> Self {
        Self {
            inner,
            left: packed.saturating_mul(HIGHEST_RATIO).max(ALLOWANCE),
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "the file unpacks to more than it can honestly hold",
            )
        })?;
        Ok(count)
    }
}
