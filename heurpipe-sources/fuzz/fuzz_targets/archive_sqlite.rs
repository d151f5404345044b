#![no_main]

use heurpipe_core::Incoming;
use heurpipe_sources::archive::Archive;

// A database is opened by its path.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("heurpipe-fuzz-{}.db", std::process::id()));
    if std::fs::write(&path, bytes).is_err() {
        return;
    }
    let items = Archive::open(&path).and_then(|archive| archive.items());
    for item in items.unwrap_or_default() {
        if let Incoming::Post(post) = item {
            heurpipe_sources_fuzz::check(*post);
        }
    }
});
