//! What a pipeline promises, part by part, as its user sees it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod backpressure;
mod building;
mod calls;
mod dead_letters;
mod failures;
mod outputs;
mod retries;
mod routes;
use support::pictures;

mod support;
mod timeouts;
