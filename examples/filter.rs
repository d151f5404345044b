//! The language for "which posts": parsed once, printed back in one canonical form, evaluated in memory.
//!
//! ```sh
//! cargo run -p heurpipe-examples --example filter -- 'hashtag:ootd -likes:<100 OR "summer look"'
//! ```

use heurpipe_core::filter::attr;
use heurpipe_core::{Counts, Filter, Flat, Platform, Post, PostId, Record, Result};
use jiff::Timestamp;

fn main() -> Result<()> {
    let given = std::env::args().nth(1);
    let text = given.unwrap_or_else(|| r#"colour:Red,pink likes:>=100 -garment:hat"#.to_owned());

    // What cannot be understood is an error that names the column.
    let filter: Filter = text.parse()?;
    println!("canonically: {filter}");

    // The same in Rust, for filters that a program makes.
    let in_rust = attr("colour")
        .is_any_of(["red", "pink"])
        .and("likes:>=100".parse()?)
        .and(attr("garment").is("hat").negated());
    println!("in Rust:     {in_rust}");

    // A filter sees the flat view of a record: keywords, numbers, times and the analysed text.
    for record in [
        record("1", "Summer look in red", &["ootd"], 240, "red"),
        record("2", "the look of this summer", &["ootd"], 12, "red"),
        record("3", "a grey day", &[], 5000, "grey"),
    ] {
        let matches = filter.matches(&Flat::of(&record));
        println!("{matches:>5}  {}: {}", record.id(), record.post.text);
    }
    Ok(())
}

fn record(number: &str, text: &str, hashtags: &[&str], likes: u64, colour: &str) -> Record {
    let id = PostId::new(Platform::new("example"), number);
    let mut post = Post::new(id, Timestamp::UNIX_EPOCH);
    post.text = text.to_owned();
    post.hashtags = hashtags.iter().map(|tag| tag.to_string()).collect();
    // A hidden count is absent, not zero: no test of it would match.
    post.counts = Counts::new(Some(likes), None, None);
    post.given
        .insert("colour".to_owned(), vec![colour.to_owned()]);
    Record::new(post)
}
