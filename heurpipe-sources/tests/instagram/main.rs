//! The client of Instagram's Graph API against the simulator, and against replies that no simulator would give.
#![allow(clippy::unwrap_used)]

mod allowance;
mod look_up;
mod odd_replies;
mod streams;
mod support;
