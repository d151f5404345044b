//! Formats of Weibo.

mod archiver;
mod crawler;
mod each_file;
mod open_api;
mod search_csv;
mod spider;
mod web;
mod weibospider_jsonl;
