//! The traits that sources, models and stores implement.

pub mod analyses;
pub mod blobs;
pub mod decoder;
pub mod documents;
pub mod enricher;
pub mod erasure;
pub mod gate;
pub mod media;
pub mod portable;
pub mod review;
pub mod search;
mod shared;
pub mod similar;
pub mod sink;
pub mod source;
