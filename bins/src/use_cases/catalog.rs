//! `catalog`: every attribute, and people look at what the models are unsure about before the product sees it.

use std::borrow::Cow;

use heurpipe_core::gate::uncertain;
use heurpipe_core::{Pipeline, Result, SinkExt};

use super::UseCase;
use crate::workbench::{Input, Workbench};

/// See the module.
pub const CATALOG: UseCase = UseCase {
    name: Cow::Borrowed("catalog"),
    about: "all attributes; posts whose garment is uncertain wait for a person",
    build,
};

fn build(bench: &Workbench, name: &str, input: &Input) -> Result<Pipeline> {
    let enrichers =
        bench.enrichers(name, &["brand", "language", "colour", "garment", "pattern"])?;
    enrichers
        .into_iter()
        .fold(bench.pipeline(name, input)?, |builder, e| {
            builder.enrich_arc(e)
        })
        .gate(bench.review(name, &["garment"], uncertain(0.1)))
        .sink(
            bench
                .search
                .clone()
                .only(bench.relevant(name, "garment:* -repost:true")?),
        )
        .build()
}
