//! How a record is told: the same shape in every answer, and as in `heurpipe query --format ndjson`.

use heurpipe_core::{Annotation, Effective, LedgerEntry, Post, Record, States};
use serde::Serialize;
use utoipa::ToSchema;

/// A post with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ItemView {
    /// The post as gathered: `id`, `text`, `hashtags`, `media`, `author`, `counts`, `published_at`, `places` …; what a network leaves out is absent.
    #[schema(value_type = Object)]
    post: Post,
    /// What models and people said: `target`, `attribute`, `value`, `confidence`, `by`, `at`.
    #[schema(value_type = Vec<Object>)]
    annotations: Vec<Annotation>,
    /// The labels of each attribute that filters, facets and trends see.
    effective: Effective,
    /// What was done: `enricher`, `fingerprint`, `target`, `input`, `outcome`, `cpu_ms`, `at`.
    #[schema(value_type = Vec<Object>)]
    ledger: Vec<LedgerEntry>,
    /// What each use case made of it: `state` and, for some, `reason`.
    #[schema(value_type = BTreeMap<String, Object>)]
    states: States,
    /// Raised by every change.
    revision: u64,
}

impl ItemView {
    /// A record as told; the networks' own payloads only where asked for.
    pub(crate) fn new(mut record: Record, raw: bool) -> Self {
        if !raw {
            record.post.raw.clear();
        }
        let effective = record.effective();
        Self {
            post: *record.post,
            annotations: record.annotations,
            effective,
            ledger: record.ledger,
            states: record.states,
            revision: record.revision,
        }
    }
}
