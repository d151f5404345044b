//! Archiving and erasing over all stores, whole and interrupted.
#![cfg(all(feature = "warehouse", feature = "sqlite", feature = "tantivy"))]
#![allow(clippy::unwrap_used)]

mod archiving;
mod collecting;
mod copying;
mod faults;
mod forgetting;
mod fuse;
mod killed;
mod reindexing;
mod retaining;
mod world;
