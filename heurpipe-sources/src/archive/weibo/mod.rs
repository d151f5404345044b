//! Formats of Weibo.

mod crawler;
mod html;
mod parts;
mod saved;
mod spider;
mod times;
mod weibospider_jsonl;

use std::sync::Arc;

use super::format::Formats;

/// Those that are known by the most telling signs first.
pub(super) fn formats() -> Formats {
    vec![
        Arc::new(weibospider_jsonl::WeiboSpiderJsonl),
        Arc::new(crawler::WeiboCrawlerJson),
        Arc::new(crawler::WeiboCrawlerCsv),
        Arc::new(crawler::WeiboCrawlerSqlite),
        Arc::new(spider::WeiboSpiderJson),
        Arc::new(spider::WeiboSpiderCsv),
        Arc::new(spider::WeiboSuperspiderCsv),
        Arc::new(spider::WeiboSpiderTxt),
    ]
}
