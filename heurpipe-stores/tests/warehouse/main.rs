//! The Parquet warehouse: what is stored, what a query sees, and what happens when something breaks.
#![cfg(feature = "warehouse")]
#![allow(clippy::unwrap_used)]

mod embedded;
mod fixture;
mod folder;
mod querying;
mod reading;
mod writing;
