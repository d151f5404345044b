//! For tests of parts and pipelines: posts from a list, a sink that collects, the canonical form in which records are compared,
//! [conformance suites](suite), [faults on demand](faults) and a [virtual clock](VirtualClock).

mod canonical;
mod clock;
pub mod faults;
mod parts;
pub mod suite;

pub use canonical::canonical;
pub use clock::VirtualClock;
pub use parts::{Collect, Posts};
