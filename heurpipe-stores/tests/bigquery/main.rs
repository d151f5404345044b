//! The warehouse on BigQuery, as goccy's emulator serves it before fake-gcs-server: `scripts/services/services.sh install|start gcs bigquery`, then
//! `eval "$(scripts/services/services.sh env)"`.
//!
//! Not to be seen on the emulator, and therefore on recorded replies within the crate: that a job's name is taken for ever, that jobs go on after the call that
//! began them, errors that a job ends in, and that a dry run reads nothing.
#![allow(clippy::unwrap_used)]

mod conforming;
mod emulator;
#[path = "../warehouse/fixture.rs"]
mod fixture;
mod server;
