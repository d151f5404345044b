//! Conformance suites: what the traits ask of whoever implements them, as checks to be run on one's own parts.
//!
//! A suite is given a way to make the part and something to feed it with, and gives a [`SuiteReport`]: each check by name, passed, failed
//! with what was wrong, or not applicable with the reason. A part that panics or never answers fails the check, not the test program. Suites run
//! on tokio with its timers; under paused time (see [`VirtualClock`](super::VirtualClock)) also a slow part is checked at once.
//!
//! ```
//! use heurpipe_core::testkit::suite::{self, EnricherOptions};
//! use heurpipe_core::{EnricherFn, EnricherSpec, Finding, Item, Platform, Post, PostId};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let colour = || {
//!     EnricherFn::new(EnricherSpec::new("colour", "1").gives(["colour"]), |item: &Item| {
//!         let red = item.post().text.contains("red");
//!         Ok(red.then(|| Finding::label("colour", "red")).into_iter().collect())
//!     })
//! };
//! let items = ["a red dress", "a blue coat"].map(|text| {
//!     let mut post = Post::new(PostId::new(Platform::weibo(), text), jiff::Timestamp::UNIX_EPOCH);
//!     post.text = text.to_owned();
//!     Item::from(post)
//! });
//! let report = suite::enricher(colour, EnricherOptions::new(items)).await;
//! println!("{report}");
//! report.assert_passed();
//! # }
//! ```
//!
//! The same with [`source`], [`gate`] and [`sink`].

mod enricher;
mod gate;
mod probe;
mod report;
mod sink;
mod source;

pub use enricher::{EnricherOptions, enricher};
pub use gate::{GateOptions, gate};
pub use report::{Check, CheckOutcome, SuiteReport};
pub use sink::{SinkOptions, sink};
pub use source::{SourceOptions, source};
