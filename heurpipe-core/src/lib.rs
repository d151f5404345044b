//! Vocabulary, traits and the pipeline of heurpipe.
//!
//! A [`Source`] yields posts; [`Enricher`]s read attributes off them and their pictures; a [`QualityGate`] decides what may go on; [`Sink`]s take the rest.
//! A [`Pipeline`] puts them together, checks the whole, and runs it: every post settles once, whatever is killed in between. What is known of a
//! post is a [`Record`]; which records are meant is a [`Filter`].
//!
//! ```
//! use heurpipe_core::testkit::{Collect, Posts};
//! use heurpipe_core::{EnricherFn, EnricherSpec, Filter, Finding, Pipeline, RunOptions, SinkExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> heurpipe_core::Result<()> {
//! let colour = EnricherFn::new(EnricherSpec::new("colour", "1").gives(["colour"]), |item| {
//!     let red = item.post().text.contains("red");
//!     Ok(red.then(|| Finding::label("colour", "red")).into_iter().collect())
//! });
//! let reds = Collect::new("reds");
//! let report = Pipeline::builder("reds")
//!     .source(Posts::texts(["a red dress", "a blue coat"]))
//!     .enrich(colour)
//!     .sink(reds.clone().only("colour:red".parse::<Filter>()?))
//!     .build()?
//!     .run(RunOptions::default())
//!     .await?;
//! assert_eq!((report.posts.delivered, report.posts.filtered), (1, 1));
//! assert_eq!(reds.records()[0].post.text, "a red dress");
//! # Ok(()) }
//! ```
//!
//! This crate knows no client of any service: sources, models and stores are crates of their own, and anybody's part is as good as theirs.
//!
//! For whoever writes a part:
//! - [`middleware`] wraps parts: a time-out, more attempts ([`RetryPolicy`]), a slower pace, a trace.
//! - `testkit::suite` (feature `testkit`) checks a part against what its trait asks: `suite::source`, `enricher`, `gate`, `sink`.
//! - `testkit::faults` makes a part fail, hang, answer late, twice or out of order, by a script that prints and replays.
//! - [`Clock`] tells the time, and `testkit::VirtualClock` moves it on, so that waits can be tested without waiting.

mod clock;
mod comparison;
pub mod compute;
mod direction;
mod error;
pub mod filter;
mod flat;
pub mod gate;
mod media_type;
pub mod middleware;
mod model;
mod pipeline;
mod report;
mod retry;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod text;
mod traits;

pub use clock::{Clock, ClockHand};
pub use comparison::{Comparison, Side};
pub use direction::Direction;
pub use error::{Error, ErrorKind, Result, Retry};
pub use filter::Filter;
pub use flat::{Flat, KEYWORD_FIELDS, NUMBER_FIELDS};
pub use media_type::media_type;
pub use model::*;
pub use pipeline::{
    BatchSize, Branch, Budget, BudgetReport, Change, DeadLetters, EnricherSurvey, Explained, Force,
    GovernedReport, NearDuplicates, Order, Pipeline, PipelineBuilder, Plan, PlannedStage,
    ProgressFn, Route, RunOptions, StageOptions, StopSignal, StopSwitch, StoredRecords, Survey,
    Test, Why, stop_signal,
};
pub use report::{MediaCounts, Outcome, PostCounts, RunReport, RunStatus, StageReport};
pub use retry::RetryPolicy;
pub use traits::analyses::{Analysed, AnalysisCache, Likeness, NearFindings};
pub use traits::blobs::{Blobs, StoredBlob};
pub use traits::decoder::{Decoded, Decoder, Fit, PixelFormat, PixelRequest, Pixels, Resample};
pub use traits::documents::{
    AnalysisGroup, CheckpointKey, DayCount, DeadLetter, DeadLetterCount, DeadLetterScan, Documents,
    RecordPage, RunRecord, Scan, Stored,
};
pub use traits::enricher::{
    Batch, Cost, Enriched, Enricher, EnricherExt, EnricherFn, EnricherSpec, Granularity, Input,
    Item, ItemResult, Shadow, When, shadow_name,
};
pub use traits::erasure::{Erased, Subject};
pub use traits::gate::{QualityGate, Question, Verdict};
pub use traits::media::{FetchMedia, MediaOutcome, MediaRequest};
pub use traits::portable::{Collection, Entry, EntryPage, ErasureKey, Portable};
pub use traits::review::{ReviewQueue, ReviewTask};
pub use traits::search::{
    FacetCount, FacetRequest, Interval, Point, Relation, SearchIndex, SearchPage, SearchRequest,
    Series, Sort, Total, TrendRequest,
};
pub use traits::similar::{Similar, SimilarRequest, Similarity};
pub use traits::sink::{Durable, Only, Sink, SinkExt, SinkSpec};
pub use traits::source::{
    Checkpoint, Cursor, Incoming, KnownPost, LookUpPost, Page, Partition, Sighting, Source,
    SourceSpec, Unreadable,
};
