//! The servers that the environment names.

use std::sync::atomic::{AtomicUsize, Ordering};

static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// A database of one's own on MongoDB.
pub fn mongodb() -> Option<String> {
    let uri = named("HEURPIPE_TEST_MONGO_URI")?;
    let (place, options) = uri.split_once('?').unwrap_or((&uri, ""));
    Some(format!(
        "{}/{}?{options}",
        place.trim_end_matches('/'),
        name()
    ))
}

/// Elasticsearch, and indices of one's own on it.
pub fn elasticsearch() -> Option<(String, String)> {
    let server = named("HEURPIPE_TEST_ES_URL")?;
    Some((server.trim_end_matches('/').to_owned(), name()))
}

fn name() -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("bench-{}-{number}", std::process::id())
}

fn named(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    if found.is_none() {
        eprintln!(
            "rows with a server are left out: {variable} is not set; see scripts/services/services.sh"
        );
    }
    found
}
