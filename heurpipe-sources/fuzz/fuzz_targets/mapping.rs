#![no_main]

use heurpipe_core::Incoming;
use heurpipe_sources::archive::{Archive, Mapping};

// A mapping, an empty line, and what it is to be applied to.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let (mapping, items) = text.split_once("\n\n").unwrap_or((text, ""));
    let Ok(mapping) = mapping.parse::<Mapping>() else {
        return;
    };
    let archive = Archive::in_memory("posts.jsonl", items.as_bytes()).mapping(mapping);
    let items = archive.build().and_then(|archive| archive.items());
    for item in items.unwrap_or_default() {
        if let Incoming::Post(post) = item {
            heurpipe_sources_fuzz::check(*post);
        }
    }
});
