//! Formats of Weibo.

mod parts;
mod weibospider_jsonl;

use std::sync::Arc;

use super::format::Formats;

/// Those that are known by the most telling signs first.
pub(super) fn formats() -> Formats {
    vec![Arc::new(weibospider_jsonl::WeiboSpiderJsonl)]
}
