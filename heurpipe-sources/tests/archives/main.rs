//! Archives: fixtures of every format, and the real payloads of the folder beside the repository.
#![allow(clippy::unwrap_used)]

mod containers;
mod hostile;
mod instagram;
mod mapping;
mod support;
mod weibo;
