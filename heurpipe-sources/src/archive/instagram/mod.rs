//! Formats of Instagram.

mod capture;
mod contacts;
mod json;
mod medium;
mod node;
mod parts;
mod walk;

use std::sync::Arc;

use super::format::Formats;

/// Those that are known by the most telling signs first.
pub(super) fn formats() -> Formats {
    let mut formats = crawlers();
    formats.push(Arc::new(capture::Captures));
    formats
}

/// What crawlers write: each leaves signs of its own.
fn crawlers() -> Formats {
    vec![]
}
