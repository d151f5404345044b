//! `trends`: tendencies only. Nobody checks anything, and no model dearer than counting pixels runs.

use std::borrow::Cow;

use heurpipe_core::{Pipeline, Result, SinkExt};

use super::UseCase;
use crate::workbench::{Input, Workbench};

/// See the module.
pub const TRENDS: UseCase = UseCase {
    name: Cow::Borrowed("trends"),
    about: "cheap attributes of every post, unchecked",
    build,
};

fn build(bench: &Workbench, name: &str, input: &Input) -> Result<Pipeline> {
    let enrichers = bench.enrichers(name, &["brand", "language", "colour"])?;
    enrichers
        .into_iter()
        .fold(bench.pipeline(name, input)?, |builder, e| {
            builder.enrich_arc(e)
        })
        .sink(bench.search.clone().only(bench.relevant(name, "colour:*")?))
        .build()
}
