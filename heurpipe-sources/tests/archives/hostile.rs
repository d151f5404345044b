//! Files that were cut, spliced and scribbled over: nothing panics, and whatever is still a post is one. The fuzz targets do the same for longer.

use std::path::{Path, PathBuf};

use heurpipe_core::{Incoming, Post};
use heurpipe_sources::archive::Archive;
use proptest::prelude::*;

use crate::support::assert_lossless;

/// All fixtures, by the name under which they are read from memory.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap())
    };
    files.into_iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// What is done to a file, at a place between its beginning (0) and its end (1).
#[derive(Debug, Clone)]
enum Damage {
    Cut(f64),
    Remove(f64, usize),
    Repeat(f64, usize),
    Scribble(f64, Vec<u8>),
    /// Another value where one stands.
    Replace(f64, &'static str),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = 0.0..1.0_f64;
    let values = prop::sample::select(vec![
        "null",
        "{}",
        "[]",
        "\"\"",
        "0",
        "-1",
        "1e400",
        "true",
        "\"1e999\"",
        "18446744073709551616",
        "\"\\u0000\"",
        "[[[]]]",
    ]);
    prop_oneof![
        place.clone().prop_map(Damage::Cut),
        (place.clone(), 1_usize..200).prop_map(|(at, length)| Damage::Remove(at, length)),
        (place.clone(), 1_usize..200).prop_map(|(at, length)| Damage::Repeat(at, length)),
        (place.clone(), prop::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Damage::Scribble(at, bytes)),
        (place, values).prop_map(|(at, value)| Damage::Replace(at, value)),
    ]
}

impl Damage {
    fn to(&self, bytes: &mut Vec<u8>) {
        let at = |share: f64| (share * bytes.len() as f64) as usize;
        match self {
            Self::Cut(share) => bytes.truncate(at(*share)),
            Self::Remove(share, length) => {
                let from = at(*share);
                let to = (from + length).min(bytes.len());
                bytes.drain(from..to);
            }
            Self::Repeat(share, length) => {
                let from = at(*share);
                let to = (from + length).min(bytes.len());
                let again = bytes[from..to].to_vec();
                bytes.splice(from..from, again);
            }
            Self::Scribble(share, scribble) => {
                let from = at(*share);
                let to = (from + scribble.len()).min(bytes.len());
                bytes.splice(from..to, scribble.iter().copied());
            }
            Self::Replace(share, value) => replace(bytes, at(*share), value),
        }
    }
}

/// Puts another value behind the first colon or comma from a place on.
fn replace(bytes: &mut Vec<u8>, from: usize, value: &str) {
    let is_sign = |byte: &u8| matches!(byte, b':' | b',');
    let Some(sign) = bytes[from..].iter().position(is_sign) else {
        return;
    };
    let start = from + sign + 1;
    let end = bytes[start..]
        .iter()
        .position(|byte| matches!(byte, b',' | b'}' | b']' | b'\n'))
        .map_or(bytes.len(), |length| start + length);
    bytes.splice(start..end, value.bytes());
}

fn posts(name: &str, bytes: Vec<u8>) -> Vec<Post> {
    let opened = Archive::in_memory(name, bytes).build();
    let items = opened.and_then(|archive| archive.items());
    let items = items.unwrap_or_default().into_iter();
    items
        .filter_map(|item| match item {
            Incoming::Post(post) => Some(*post),
            _ => None,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_files_give_posts_or_a_word(
        which in any::<prop::sample::Index>(),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let fixtures = fixtures();
        let (name, mut bytes) = which.get(&fixtures).clone();
        for damage in &damages {
            damage.to(&mut bytes);
        }
        assert_lossless(&posts(&name, bytes));
    }
}

#[test]
fn every_fixture_that_holds_posts_gives_some() {
    let empty: Vec<_> = fixtures()
        .into_iter()
        .filter(|(name, _)| {
            name.ends_with("json") || name.ends_with("jsonl") || name.ends_with("csv")
        })
        .filter(|(name, bytes)| posts(name, bytes.clone()).is_empty())
        .map(|(name, _)| name)
        .collect();
    // Some files only tell of posts beside them.
    println!("without posts of their own: {empty:?}");
    assert!(empty.len() < fixtures().len() / 2);
}
