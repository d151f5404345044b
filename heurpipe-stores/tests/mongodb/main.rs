//! Documents on MongoDB: on a server that the environment names, through a proxy that cuts connections, and without a server.
//!
//! The server of `scripts/services` is mongo-java-server, which speaks MongoDB's protocol and keeps everything in memory. What is tried on it says nothing of
//! transactions (it has none), of durability (its writes are gone with it, whatever the write concern), of passwords (it asks for none), of replica sets, or of
//! whether an index is used (it keeps unique ones only). What it does otherwise than a real server stands in `LACKS`.
#![allow(clippy::unwrap_used)]

mod copying;
mod faults;
mod server;
mod without;
