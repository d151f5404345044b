//! What the enrichers of texts share: each reads one post by itself.

use heurpipe_core::{Batch, Enriched, EnricherSpec, Finding, Post, Result, Value, compute};

/// Reads each post of a batch on a compute thread.
pub(super) async fn each_post(
    spec: &EnricherSpec,
    batch: &Batch,
    read: impl Fn(&Post) -> Vec<Finding> + Send + 'static,
) -> Result<Enriched> {
    let items = batch.items.clone();
    let read_all = move || items.iter().map(|item| Ok(read(item.post()))).collect();
    let (outcomes, cpu) = compute::run(read_all).await?;
    Ok(Enriched::new(spec.fingerprint.clone(), outcomes).cpu(cpu))
}

/// All labels of a post in one finding; none where there is none.
pub(super) fn labels(attribute: &str, labels: Vec<String>) -> Vec<Finding> {
    if labels.is_empty() {
        return Vec::new();
    }
    vec![Finding::new(attribute, Value::Labels(labels))]
}
