#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| heurpipe_sources_fuzz::read("posts.zip", bytes));
