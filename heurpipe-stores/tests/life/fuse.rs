//! Stores that end a process at a chosen step: that call and all later ones fail, and what was done by then stays done.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use heurpipe_core::testkit::faults::{Fault, Faults, Faulty, Rule, Trigger};
use heurpipe_core::*;
use heurpipe_stores::Mode;
use heurpipe_stores::documents::DocumentStore;
use heurpipe_stores::warehouse::ParquetWarehouse;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};

use super::world::World;

/// In which store the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    Documents,
    Search,
    Objects,
    Blobs,
}

pub const EVERYWHERE: [Where; 4] = [
    Where::Documents,
    Where::Search,
    Where::Objects,
    Where::Blobs,
];

/// Burns at one call.
#[derive(Debug)]
pub struct Fuse {
    calls: AtomicU64,
    last: u64,
    /// Whether the last call still does its work; only its answer is lost.
    done: bool,
}

impl Fuse {
    fn new(last: u64, done: bool) -> Arc<Self> {
        Arc::new(Self {
            calls: AtomicU64::new(0),
            last,
            done,
        })
    }

    async fn call<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
        dead: impl Fn() -> E,
    ) -> Result<T, E> {
        let call = self.calls.fetch_add(1, SeqCst) + 1;
        if call < self.last {
            return work.await;
        }
        if call == self.last && self.done {
            drop(work.await);
        }
        Err(dead())
    }
}

fn dead() -> Error {
    Error::new(ErrorKind::Unavailable, "test.fuse").message("the process has ended")
}

/// These stores, in a process that ends at the given call of one of them, before or after its work.
pub fn fused(world: &World, place: Where, last: u64, done: bool) -> World {
    let mut fused = world.clone();
    match place {
        Where::Documents => {
            fused.documents = fused_documents(&world.documents, last, done);
        }
        Where::Search => {
            let (inner, fuse) = (world.search.clone(), Fuse::new(last, done));
            fused.search = Arc::new(Search { inner, fuse });
        }
        Where::Objects => {
            fused.warehouse = Arc::new(fused_warehouse(&world.objects, last, done));
        }
        Where::Blobs => {
            fused.blobs = fused_blobs(&world.blobs, last, done);
        }
    }
    fused
}

/// Documents, in a process that ends at the given call of them, before or after its work.
pub fn fused_documents(
    documents: &Arc<dyn DocumentStore>,
    last: u64,
    done: bool,
) -> Arc<dyn DocumentStore> {
    let fault = match done {
        true => Fault::Drop,
        false => Fault::Fail(ErrorKind::Unavailable),
    };
    let later = Trigger::Calls {
        first: last + 1,
        count: u64::MAX / 2,
    };
    let faults = Faults::none()
        .rule(Rule::new(Trigger::nth(last), fault))
        .rule(Rule::new(later, Fault::Fail(ErrorKind::Unavailable)));
    Arc::new(Faulty::new(documents.clone(), faults))
}

struct Search {
    inner: Arc<dyn SearchIndex>,
    fuse: Arc<Fuse>,
}

#[async_trait]
impl Sink for Search {
    fn spec(&self) -> &SinkSpec {
        self.inner.spec()
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        self.fuse.call(self.inner.write(records), dead).await
    }

    async fn flush(&self) -> Result<()> {
        self.fuse.call(self.inner.flush(), dead).await
    }
}

#[async_trait]
impl SearchIndex for Search {
    async fn search(&self, request: &SearchRequest) -> Result<SearchPage> {
        self.fuse.call(self.inner.search(request), dead).await
    }

    async fn get(&self, id: &PostId) -> Result<Option<Record>> {
        self.fuse.call(self.inner.get(id), dead).await
    }

    async fn facets(
        &self,
        request: &FacetRequest,
    ) -> Result<std::collections::BTreeMap<String, Vec<FacetCount>>> {
        self.inner.facets(request).await
    }

    async fn trends(&self, request: &TrendRequest) -> Result<Vec<Series>> {
        self.inner.trends(request).await
    }

    fn similarity(&self) -> Similarity {
        self.inner.similarity()
    }

    async fn similar(&self, request: &SimilarRequest) -> Result<Vec<Similar>> {
        self.fuse.call(self.inner.similar(request), dead).await
    }

    async fn remove(&self, ids: &[PostId]) -> Result<()> {
        self.fuse.call(self.inner.remove(ids), dead).await
    }
}

struct Pictures {
    inner: Arc<dyn Blobs>,
    fuse: Arc<Fuse>,
}

/// Blobs, in a process that ends at the given call of them that changes something.
pub fn fused_blobs(blobs: &Arc<dyn Blobs>, last: u64, done: bool) -> Arc<dyn Blobs> {
    let (inner, fuse) = (blobs.clone(), Fuse::new(last, done));
    Arc::new(Pictures { inner, fuse })
}

/// A warehouse on these objects, in a process that ends at the given call of them that changes something.
pub fn fused_warehouse(objects: &Arc<dyn ObjectStore>, last: u64, done: bool) -> ParquetWarehouse {
    let (inner, fuse) = (Arc::clone(objects), Fuse::new(last, done));
    ParquetWarehouse::on(Arc::new(Objects { inner, fuse }), Mode::ReadWrite)
}

#[async_trait]
impl Blobs for Pictures {
    async fn put(&self, bytes: Bytes) -> Result<Digest> {
        self.fuse.call(self.inner.put(bytes), dead).await
    }

    async fn get(&self, digest: &Digest) -> Result<Bytes> {
        self.inner.get(digest).await
    }

    async fn contains(&self, digest: &Digest) -> Result<bool> {
        self.inner.contains(digest).await
    }

    async fn delete(&self, digest: &Digest) -> Result<()> {
        self.fuse.call(self.inner.delete(digest), dead).await
    }

    fn list(&self) -> BoxStream<'static, Result<StoredBlob>> {
        self.inner.list()
    }
}

/// Only what changes something counts as a call, and once the process has ended nothing is answered.
#[derive(Debug)]
struct Objects {
    inner: Arc<dyn ObjectStore>,
    fuse: Arc<Fuse>,
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fused objects")
    }
}

fn dead_objects() -> object_store::Error {
    object_store::Error::Generic {
        store: "test",
        source: "the process has ended".into(),
    }
}

#[async_trait]
impl ObjectStore for Objects {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        let work = self.inner.put_opts(location, payload, options);
        self.fuse.call(work, dead_objects).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let (inner, fuse) = (Arc::clone(&self.inner), Arc::clone(&self.fuse));
        locations
            .then(move |location| {
                let (inner, fuse) = (Arc::clone(&inner), Arc::clone(&fuse));
                async move {
                    let location = location?;
                    let work = async {
                        let one = futures::stream::iter([Ok(location.clone())]).boxed();
                        let mut deleted = inner.delete_stream(one);
                        deleted.next().await.unwrap_or(Ok(location))
                    };
                    fuse.call(work, dead_objects).await
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
