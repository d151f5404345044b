//! What a pipeline promises, part by part, as its user sees it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod backpressure;
mod budget;
mod building;
mod cache;
mod calls;
mod dead_letters;
mod failures;
mod ledger;
mod meeting;
mod near;
mod outputs;
mod pausing;
mod plan;
mod recovery;
mod regions;
mod retries;
mod routes;
mod shadows;
mod stale;
mod stopping;
mod support;
mod survey;
mod timeouts;
