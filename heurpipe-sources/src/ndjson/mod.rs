//! Our own records, one a line: the form in which they are exported, exchanged and read again.
//!
//! ```no_run
//! use heurpipe_sources::ndjson::{NdjsonSink, NdjsonSource};
//!
//! # fn main() -> heurpipe_core::Result<()> {
//! let source = NdjsonSource::open("catalog.ndjson")?;
//! let sink = NdjsonSink::open("copy.ndjson")?;
//! # drop((source, sink));
//! # Ok(())
//! # }
//! ```

mod line;
mod lines;
mod sink;
mod source;

pub use line::{from_line, to_line};
pub use sink::NdjsonSink;
pub use source::{NdjsonSource, looks_like};

#[cfg(test)]
mod tests;
