#![no_main]

//! The manifest alone, without the model runtimes.

#[allow(dead_code)]
#[path = "../../src/manifest/mod.rs"]
mod manifest;

#[allow(dead_code)]
#[path = "../../src/source.rs"]
mod source;

use manifest::Manifest;

// What is read is written and read again as the same.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(manifest) = Manifest::parse(text) else {
        return;
    };
    let written = toml::to_string(&manifest).expect("a manifest can be written");
    let again = Manifest::parse(&written).expect("a written manifest can be read");
    assert_eq!(again, manifest, "{written}");
});
