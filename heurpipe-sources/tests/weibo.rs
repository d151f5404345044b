//! The Weibo client against a server that answers as scripted, and against the simulator.
#![allow(clippy::unwrap_used)]

#[path = "weibo/completing.rs"]
mod completing;
#[path = "weibo/limits.rs"]
mod limits;
#[path = "weibo/look_up.rs"]
mod look_up;
#[path = "weibo/payloads.rs"]
mod payloads;
#[path = "weibo/replies.rs"]
mod replies;
#[path = "weibo/simulated.rs"]
mod simulated;
#[path = "weibo/support.rs"]
mod support;
