//! The public testkit and the middleware: suites that ready parts pass and broken ones do not, faults, wrappers, the virtual clock.
#![allow(missing_docs, clippy::unwrap_used)]

mod broken_enricher;
mod broken_gate;
mod broken_sink;
mod broken_source;
mod faults;
mod middleware;
mod parts;
mod pipelines;
mod suites;
