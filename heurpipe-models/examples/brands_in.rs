//! Which brands do the captions of a file name?
//!
//! `cargo run --release -p heurpipe-models --example brands_in -- FILE...`: CSV files with a column of texts (`text`, `caption` or `微博正文`), or
//! JSON files anywhere in which captions stand. It prints each caption that names a brand, and how many captions there are and how fast it was.

use std::path::Path;
use std::time::Instant;

use heurpipe_core::{Error, ErrorKind, Platform, Post, PostId, Result};
use heurpipe_models::text::brand::Brands;
use serde_json::Value;

/// Columns of tables and keys of JSON that hold captions.
const CAPTIONS: &[&str] = &["text", "caption", "微博正文"];

fn main() -> Result<()> {
    let brands = Brands::shipped()?;
    for file in std::env::args().skip(1) {
        let posts = posts(Path::new(&file))?;
        let begun = Instant::now();
        let found: Vec<_> = posts.iter().map(|post| brands.find(post)).collect();
        let seconds = begun.elapsed().as_secs_f64();
        for (post, found) in posts.iter().zip(&found) {
            let names: Vec<_> = found.iter().map(|found| found.brand.as_str()).collect();
            if !names.is_empty() {
                println!("{}: {:?}", names.join(", "), post.text);
            }
        }
        let naming = found.iter().filter(|found| !found.is_empty()).count();
        println!(
            "{file}: {naming} of {} captions name brands; {:.0} captions a second",
            posts.len(),
            posts.len() as f64 / seconds
        );
    }
    Ok(())
}

fn posts(file: &Path) -> Result<Vec<Post>> {
    let bytes = std::fs::read(file).map_err(|error| {
        Error::new(ErrorKind::Io, "brands_in.read")
            .with("file", file.display())
            .cause(error)
    })?;
    let json = file.extension().is_some_and(|e| e == "json");
    let (platform, captions) = if json {
        let value = serde_json::from_slice(&bytes).map_err(|error| unreadable(file, error))?;
        let mut captions = Vec::new();
        collect(&value, &mut captions);
        (Platform::instagram(), captions)
    } else {
        (Platform::weibo(), column(file, &bytes)?)
    };
    let posts = captions.into_iter().enumerate().map(|(index, text)| {
        let id = PostId::new(platform.clone(), index.to_string());
        let mut post = Post::new(id, jiff::Timestamp::UNIX_EPOCH);
        post.text = text;
        post
    });
    Ok(posts.collect())
}

fn unreadable(file: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::InvalidInput, "brands_in.read")
        .with("file", file.display())
        .cause(error)
}

/// Every text under a key of captions, however deep.
fn collect(value: &Value, captions: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if CAPTIONS.contains(&key.as_str()) => {
                        captions.push(text.clone());
                    }
                    _ => collect(value, captions),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, captions)),
        _ => {}
    }
}

fn column(file: &Path, bytes: &[u8]) -> Result<Vec<String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let headers = reader
        .headers()
        .map_err(|error| unreadable(file, error))?
        .clone();
    let column = headers
        .iter()
        .position(|header| CAPTIONS.contains(&header.trim_start_matches('\u{feff}')));
    let mut captions = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(file, error))?;
        captions.extend(column.and_then(|column| row.get(column)).map(str::to_owned));
    }
    Ok(captions)
}
