//! The API's calls, one file each.

// utoipa's `path` macro writes the names of parameter types out in full.
#![allow(unused_qualifications)]

pub(crate) mod description;
pub(crate) mod facets;
pub(crate) mod health;
pub(crate) mod media;
pub(crate) mod posts;
pub(crate) mod runs;
pub(crate) mod similar;
pub(crate) mod trends;
