//! Formats of Weibo.

mod weibospider_jsonl;
