//! Formats of Weibo.

mod archiver;
mod crawler;
mod html;
mod open_api;
mod parts;
mod saved;
mod search_csv;
mod spider;
mod times;
mod web;
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
        Arc::new(search_csv::WeiboSearchCsv),
        Arc::new(archiver::WeiboArchiver),
        Arc::new(web::WeiboAjax),
        Arc::new(web::WeiboMobile),
        Arc::new(open_api::WeiboOpenApi),
    ]
}
