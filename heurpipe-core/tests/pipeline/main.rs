//! What a pipeline promises, part by part, as its user sees it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod building;
mod outputs;
mod routes;
mod support;
