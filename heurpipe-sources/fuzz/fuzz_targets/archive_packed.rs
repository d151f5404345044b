#![no_main]

// Both packings: their decoders are others' code, what we make of their errors and of what they give is ours.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    heurpipe_sources_fuzz::read("posts.json.gz", bytes);
    heurpipe_sources_fuzz::read("posts.json.xz", bytes);
});
