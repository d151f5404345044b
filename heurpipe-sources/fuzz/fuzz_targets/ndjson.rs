#![no_main]

use heurpipe_core::Incoming;
use heurpipe_sources::ndjson;

libfuzzer_sys::fuzz_target!(|line: &str| {
    if let Ok(Incoming::Post(post)) = ndjson::from_line(line) {
        heurpipe_sources_fuzz::check(*post);
    }
});
