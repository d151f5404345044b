//! A model that is replaced while a pipeline runs.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use heurpipe_core::{Batch, Enriched, Enricher, EnricherSpec, Error, ErrorKind, Result};

/// An enricher whose model can be exchanged while posts flow through it. Each batch is done with the model that is there when it begins, and says so: the
/// ledger has the fingerprint of the model that really ran.
///
/// ```
/// use std::sync::Arc;
/// use heurpipe_core::Enricher;
/// use heurpipe_models::{HotSwap, shipped};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let garment = Arc::new(HotSwap::new(shipped::garment()?));
/// // ... Pipeline::builder("catalog").enrich_arc(garment.clone()) ... and while it runs:
/// garment.replace(shipped::garment()?.versioned("2")).await?;
/// assert_eq!(garment.current().spec().version, "2");
/// # Ok::<(), heurpipe_core::Error>(()) }).unwrap();
/// ```
pub struct HotSwap {
    /// As the pipeline was planned.
    spec: EnricherSpec,
    current: RwLock<Arc<dyn Enricher>>,
}

impl HotSwap {
    /// Begins with this one.
    pub fn new(enricher: impl Enricher + 'static) -> Self {
        Self {
            spec: enricher.spec().clone(),
            current: RwLock::new(Arc::new(enricher)),
        }
    }

    /// The one that the next batch is done with.
    pub fn current(&self) -> Arc<dyn Enricher> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// Warms another one up, and has it do whatever batch begins from now on. Batches under way end with the one they began with; no post is dropped.
    ///
    /// # Errors
    /// `Config` where it does not fit the pipeline as planned: it must be of the same name, see the same and give the same attributes, at the same
    /// threshold. Whatever its `prepare` says. The earlier one then stays.
    pub async fn replace(&self, enricher: impl Enricher + 'static) -> Result<()> {
        self.check(enricher.spec())?;
        enricher.prepare().await?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(enricher);
        Ok(())
    }

    fn check(&self, new: &EnricherSpec) -> Result<()> {
        let planned = &self.spec;
        let differs = if new.name != planned.name {
            "name"
        } else if new.gives != planned.gives {
            "gives"
        } else if new.needs != planned.needs {
            "needs"
        } else if new.input != planned.input || new.granularity != planned.granularity {
            "input"
        } else if new.threshold != planned.threshold {
            "threshold"
        } else if new.when != planned.when {
            "when"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Config, "model.swap")
            .message("the new model does not fit where the old one stands; the pipeline must be planned anew")
            .with("model", &planned.name)
            .with("differs", differs))
    }
}

#[async_trait]
impl Enricher for HotSwap {
    fn spec(&self) -> &EnricherSpec {
        &self.spec
    }

    async fn prepare(&self) -> Result<()> {
        self.current().prepare().await
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        self.current().enrich(batch).await
    }
}
