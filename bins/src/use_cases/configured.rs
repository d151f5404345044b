//! Use cases that the configuration makes of ready parts: sources, enrichers with their conditions, review, and what is relevant.

use heurpipe_core::{Pipeline, Result, SinkExt};

use crate::workbench::{Input, Workbench};

/// The pipeline of a use case that stands in the configuration alone.
pub(super) fn build(bench: &Workbench, name: &str, input: &Input) -> Result<Pipeline> {
    let enrichers = bench.enrichers(name, &[])?;
    let enriching = enrichers
        .into_iter()
        .fold(bench.pipeline(name, input)?, |builder, e| {
            builder.enrich_arc(e)
        });
    let gated = match bench.configured_review(name) {
        Some(gate) => enriching.gate(gate),
        None => enriching,
    };
    gated
        .sink(bench.search.clone().only(bench.relevant(name, "")?))
        .build()
}
