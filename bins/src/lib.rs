//! What the two binaries are made of: configuration, use cases, commands.
//!
//! `heurpipe` operates pipelines, `heurpipe-api` serves what they made. A use case is a file in `use_cases`.

pub mod cli;
pub mod config;
pub mod use_cases;
pub mod workbench;

/// The README's example is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
