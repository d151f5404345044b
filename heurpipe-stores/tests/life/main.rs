//! Archiving and erasing over all stores, whole and interrupted.
#![cfg(all(feature = "warehouse", feature = "sqlite"))]
#![allow(clippy::unwrap_used)]

mod archiving;
mod collecting;
mod copying;
mod faults;
mod forgetting;
mod fuse;
mod killed;
mod retaining;
mod world;
