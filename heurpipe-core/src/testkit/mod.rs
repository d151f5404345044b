//! Parts for tests: posts from a list, a sink that collects, and the canonical form in which records are compared.

mod canonical;
mod clock;
mod parts;

pub use canonical::canonical;
pub use clock::VirtualClock;
pub use parts::{Collect, Posts};
