//! Formats of Instagram.

mod apify;
mod behold;
mod capture;
mod contacts;
mod export;
mod gallery_dl;
mod graph;
mod instagrapi;
mod instaloader;
mod json;
mod medium;
mod node;
mod parts;
mod scraper;
mod walk;

use std::sync::Arc;

use super::format::Formats;

/// Those that are known by the most telling signs first.
pub(super) fn formats() -> Formats {
    let mut formats = crawlers();
    formats.push(Arc::new(capture::Captures));
    formats.push(Arc::new(export::Export));
    formats.push(Arc::new(graph::Answers));
    formats
}

/// What crawlers and services write: each leaves signs of its own.
fn crawlers() -> Formats {
    vec![
        Arc::new(instaloader::Instaloader),
        Arc::new(scraper::Scraper),
        Arc::new(gallery_dl::GalleryDl),
        Arc::new(instagrapi::Instagrapi),
        Arc::new(apify::Apify),
        Arc::new(behold::Behold),
    ]
}

#[cfg(test)]
mod tests;
