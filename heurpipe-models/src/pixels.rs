//! What the enrichers share that look at pixels without a network: each reads one picture by itself.

use std::sync::Arc;

use heurpipe_core::{Batch, Enriched, EnricherSpec, Finding, ItemResult, Pixels, Result, compute};

/// Reads each picture of a batch on a compute thread.
pub(crate) async fn each_picture(
    spec: &EnricherSpec,
    batch: &Batch,
    read: impl Fn(&Pixels) -> Result<Vec<Finding>> + Send + 'static,
) -> Result<Enriched> {
    let pixels: Vec<ItemResult<Arc<Pixels>>> = batch
        .items
        .iter()
        .map(|item| item.pixels().cloned())
        .collect();
    let read_all = move || {
        let each = pixels.into_iter().map(|pixels| read(&*pixels?));
        each.collect()
    };
    let (outcomes, cpu) = compute::run(read_all).await?;
    Ok(Enriched::new(spec.fingerprint.clone(), outcomes).cpu(cpu))
}
