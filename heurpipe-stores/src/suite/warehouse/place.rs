//! Where warehouses lie that the suite tries.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use super::super::Failure;
use super::Dialect;
use crate::Mode;
use crate::warehouse::{self, ParquetWarehouse, Warehouse};

/// A place for one warehouse, at first empty. All handles on it see the same rows.
#[async_trait]
pub trait Place: Send + Sync {
    /// One more handle.
    ///
    /// # Errors
    /// Those of opening.
    async fn open(&self, mode: Mode) -> Result<Arc<dyn Warehouse>, Failure>;

    /// The content of every file that the backend keeps or has left there. A backend whose files nobody can list lacks the checks that ask.
    ///
    /// # Errors
    /// Those of reading.
    async fn files(&self) -> Result<Vec<Bytes>, Failure>;

    /// How its SQL asks what the standard does not say.
    fn dialect(&self) -> Dialect {
        Dialect::DATAFUSION
    }
}

/// A Parquet warehouse in memory.
#[derive(Debug, Default)]
pub struct InMemoryPlace(Arc<InMemory>);

#[async_trait]
impl Place for InMemoryPlace {
    async fn open(&self, mode: Mode) -> Result<Arc<dyn Warehouse>, Failure> {
        let store = Arc::clone(&self.0);
        Ok(Arc::new(ParquetWarehouse::on(store, mode)))
    }

    async fn files(&self) -> Result<Vec<Bytes>, Failure> {
        contents(&*self.0).await
    }
}

/// A Parquet warehouse in a folder or a bucket, by the URL that [`warehouse::open`] takes.
#[derive(Debug)]
pub struct PlaceByUrl(String);

impl PlaceByUrl {
    /// The place of a URL, at which nothing lies yet.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    async fn store(&self) -> Result<Arc<dyn ObjectStore>, Failure> {
        if let Some(path) = self.0.strip_prefix("file:") {
            return Ok(Arc::new(LocalFileSystem::new_with_prefix(path)?));
        }
        #[cfg(any(feature = "gcs", feature = "s3"))]
        return Ok(crate::objects::open_there(&self.0, "suite.files").await?);
        #[cfg(not(any(feature = "gcs", feature = "s3")))]
        return Err(format!("no files can be listed at {}", self.0).into());
    }
}

#[async_trait]
impl Place for PlaceByUrl {
    async fn open(&self, mode: Mode) -> Result<Arc<dyn Warehouse>, Failure> {
        Ok(warehouse::open(&self.0, mode).await?)
    }

    async fn files(&self) -> Result<Vec<Bytes>, Failure> {
        contents(&*self.store().await?).await
    }
}

async fn contents(store: &dyn ObjectStore) -> Result<Vec<Bytes>, Failure> {
    let objects: Vec<_> = store.list(None).try_collect().await?;
    let mut contents = Vec::new();
    for object in objects {
        contents.push(store.get(&object.location).await?.bytes().await?);
    }
    Ok(contents)
}
