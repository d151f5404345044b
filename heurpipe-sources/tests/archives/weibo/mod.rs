//! Formats of Weibo.

mod crawler;
mod spider;
mod weibospider_jsonl;
