//! How much memory a process has taken.

use std::fs;
use std::io;

/// The greatest resident set of this process so far, in kB. Linux tells it.
///
/// # Errors
/// Where `/proc` does not.
pub fn peak() -> io::Result<u64> {
    peak_in("/proc/self/status")
}

/// As [`peak`], of another process.
///
/// # Errors
/// Where `/proc` does not tell, as of a process that has ended.
pub fn peak_of(process: u32) -> io::Result<u64> {
    peak_in(&format!("/proc/{process}/status"))
}

fn peak_in(path: &str) -> io::Result<u64> {
    let status = fs::read_to_string(path)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|value| value.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| io::Error::other(format!("{path} has no VmHWM")))
}
