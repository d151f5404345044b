//! Formats of Instagram.

use super::format::Formats;

/// Those that are known by the most telling signs first.
pub(super) fn formats() -> Formats {
    vec![]
}
