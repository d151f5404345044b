//! Vocabulary, traits and the pipeline of heurpipe.

pub mod compute;
mod error;
pub mod filter;
mod flat;
pub mod gate;
mod model;
mod pipeline;
mod report;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod text;
mod traits;

pub use error::{Error, ErrorKind, Result, Retry};
pub use filter::Filter;
pub use flat::{Flat, KEYWORD_FIELDS, NUMBER_FIELDS};
pub use model::*;
pub use pipeline::{
    EnricherSurvey, Pipeline, PipelineBuilder, Plan, PlannedStage, ProgressFn, RunOptions, StopSignal,
    StoredRecords, Survey, Why, stop_signal,
};
pub use report::{MediaCounts, Outcome, PostCounts, RunReport, RunStatus, StageReport};
pub use traits::blobs::Blobs;
pub use traits::decoder::{Decoded, Decoder, Fit, PixelFormat, PixelRequest, Pixels};
pub use traits::documents::{
    CheckpointKey, DeadLetter, Documents, RecordPage, RunRecord, Scan, Stored,
};
pub use traits::enricher::{
    Batch, Cost, Enriched, Enricher, EnricherExt, EnricherFn, EnricherSpec, Granularity, Input,
    Item, ItemResult, When,
};
pub use traits::gate::{QualityGate, Question, Verdict};
pub use traits::media::{FetchMedia, MediaOutcome, MediaRequest};
pub use traits::review::{ReviewQueue, ReviewTask};
pub use traits::search::{
    FacetCount, FacetRequest, Interval, Point, Relation, SearchIndex, SearchPage, SearchRequest,
    Series, Sort, Total, TrendRequest,
};
pub use traits::sink::{Durable, Only, Sink, SinkExt, SinkSpec};
pub use traits::source::{
    Checkpoint, Cursor, Incoming, Page, Partition, Source, SourceSpec, Unreadable,
};
