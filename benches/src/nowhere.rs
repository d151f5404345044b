//! A sink that costs nothing.

use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{ItemResult, Record, Result, Sink, SinkSpec};

/// Takes every record and keeps none.
pub struct Nowhere(SinkSpec);

impl Nowhere {
    /// One of them.
    pub fn new() -> Self {
        Self(SinkSpec::new("nowhere"))
    }
}

impl Default for Nowhere {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Sink for Nowhere {
    fn spec(&self) -> &SinkSpec {
        &self.0
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        Ok(records.iter().map(|_| Ok(())).collect())
    }
}
