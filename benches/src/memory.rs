//! How much memory a process has taken.

use std::fs;
use std::io;

/// The greatest resident set of this process so far, in kB. Linux tells it.
///
/// # Errors
/// Where `/proc` does not.
pub fn peak() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|value| value.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| io::Error::other("/proc/self/status has no VmHWM"))
}
