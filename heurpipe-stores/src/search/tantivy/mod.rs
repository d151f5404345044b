//! A search index in a folder, by tantivy.
//!
//! What is indexed is the [`Flat`] view of a record, and the record itself is kept beside it. Writes are visible and durable after a flush. One process
//! writes, and a lock file in the folder names it; any number read, and see what was flushed within a second.

mod failure;
mod fields;
mod filter;
mod folder;
mod live;
mod nearest;
mod page;
mod rebuild;
mod settled;
mod tally;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use heurpipe_core::{
    Direction, Error, ErrorKind, FacetCount, FacetRequest, Filter, Flat, ItemResult, PostId,
    Record, Result, SearchIndex, SearchPage, SearchRequest, Series, Similar, SimilarRequest,
    Similarity, Sink, SinkSpec, Total, TrendRequest,
};
use tantivy::collector::TopDocs;
use tantivy::query::{Query, TermQuery};
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::{DocAddress, Searcher, TantivyDocument};

use super::counts::commonest;
use super::cursor;
use super::series::of_period;
use crate::lock::WriterLock;
use crate::{Mode, codec, task};
use failure::failure;
use fields::{Fields, LONGEST_VECTOR};
use live::{Live, Opened};
use nearest::NearestCollector;
use page::PageCollector;
use tally::{FacetCollector, TrendCollector};
use writer::{Prepared, Writer, Writing};

pub use rebuild::TantivyRebuild;

/// A search index in a folder.
///
/// All work runs on blocking threads. What was written and not flushed is lost when the value is dropped, and when the disk refuses: from then on this value only
/// reads, and says so to whoever writes or flushes.
#[derive(Debug)]
pub struct TantivyIndex {
    spec: SinkSpec,
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    mode: Mode,
    place: Place,
    fields: Fields,
    /// Begins with the first write.
    writing: Mutex<Writing>,
}

/// Which of the folder's indices it is.
enum Place {
    /// The one in use, whichever that is.
    InUse(Live),
    /// One that is made in its place.
    Staged(Arc<Opened>),
}

impl Place {
    fn get(&self) -> Result<Arc<Opened>> {
        match self {
            Self::InUse(live) => live.get(),
            Self::Staged(opened) => Ok(Arc::clone(opened)),
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("path", &self.path)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl TantivyIndex {
    /// Opens an index for writing; makes it when there is none. The lock is taken by the first write.
    ///
    /// # Errors
    /// `Config` when another version of the text analysis made the index: it must be rebuilt; `Corrupt` when the folder holds something
    /// else; `PermissionDenied` or `Io` when the folder refuses. The first write gives `Conflict`, naming the process that is writing already.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        Self::open_as(path.into(), Mode::ReadWrite).await
    }

    /// Opens an index for reading, whether or not a process is writing to it.
    ///
    /// # Errors
    /// `NotFound` when it is not there; else as for [`open`](Self::open).
    pub async fn open_read_only(path: impl Into<PathBuf>) -> Result<Self> {
        Self::open_as(path.into(), Mode::ReadOnly).await
    }

    async fn open_as(path: PathBuf, mode: Mode) -> Result<Self> {
        let inner = task::blocking("tantivy.open", move || Inner::open(path, mode)).await?;
        Ok(Self {
            spec: SinkSpec::new("search").durable_at_flush(),
            inner: Arc::new(inner),
        })
    }

    async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Inner, &Searcher) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        task::blocking(operation, move || {
            let opened = inner.place.get()?;
            work(&inner, &opened.reader.searcher()).map_err(|f| inner.error(operation, f))
        })
        .await
    }

    async fn write_with<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Inner, &mut Writer) -> tantivy::Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        task::blocking(operation, move || {
            inner.mode.check_writable(operation)?;
            inner.write(operation, |writer| work(&inner, writer))
        })
        .await
    }
}

/// What may go wrong while the index is at work: tantivy's errors and our own.
enum Failure {
    Tantivy(tantivy::TantivyError),
    Ours(Error),
}

impl From<tantivy::TantivyError> for Failure {
    fn from(error: tantivy::TantivyError) -> Self {
        Self::Tantivy(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Inner {
    fn open(path: PathBuf, mode: Mode) -> Result<Self> {
        Ok(Self {
            place: Place::InUse(Live::open(&path, mode)?),
            path,
            mode,
            fields: Fields::schema().1,
            writing: Mutex::default(),
        })
    }

    /// Becomes the writer of the folder.
    ///
    /// # Errors
    /// `Conflict` naming the process that is it already.
    fn lock(path: &Path) -> Result<WriterLock> {
        WriterLock::take(&folder::lock_path(path), "tantivy.write")
    }

    fn new_writer(&self) -> Result<Writer> {
        // Under the lock no other index takes the place of the one in use.
        let lock = Self::lock(&self.path)?;
        Writer::new(self.place.get()?, &self.path, lock)
    }

    fn nobody_wrote(&self) -> bool {
        matches!(*self.writing(), Writing::Nobody)
    }

    fn write<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Writer) -> tantivy::Result<T>,
    ) -> Result<T> {
        let begin = || self.new_writer();
        self.writing().attempt(operation, &self.path, begin, work)
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, operation: &'static str, error: Failure) -> Error {
        match error {
            Failure::Tantivy(error) => failure(operation, &self.path, error),
            Failure::Ours(error) => error,
        }
    }

    fn prepare(&self, record: &Record) -> Result<Prepared> {
        let flat = Flat::of(record);
        let body = codec::encode(record)?;
        let document = self.fields.document(&flat, record, &body)?;
        Ok(Prepared {
            id: flat.id,
            revision: record.revision,
            document,
        })
    }

    fn query(&self, filter: &Filter) -> Box<dyn Query> {
        filter::query(&self.fields, filter)
    }

    fn record(&self, searcher: &Searcher, address: DocAddress) -> Result<Record, Failure> {
        let document: TantivyDocument = searcher.doc(address)?;
        let body = document
            .get_first(self.fields.record)
            .and_then(|value| value.as_bytes())
            .ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, "tantivy.read")
                    .message("the index has an entry without its record")
                    .with("path", self.path.display())
            })?;
        Ok(codec::decode(body)?)
    }

    fn search(
        &self,
        searcher: &Searcher,
        request: &SearchRequest,
        after: Option<cursor::Place>,
    ) -> Result<SearchPage, Failure> {
        let collector = PageCollector {
            sort: request.sort,
            after,
            // One more than asked for tells whether there are more.
            limit: request.limit.saturating_add(1),
        };
        let mut found = searcher.search(&self.query(&request.filter), &collector)?;
        let more = found.places.len() > request.limit;
        found.places.truncate(request.limit);
        let items: Result<Vec<Record>, Failure> = found
            .places
            .iter()
            .map(|(_, address)| self.record(searcher, *address))
            .collect();
        let last = found.places.last().filter(|_| more);
        Ok(SearchPage {
            items: items?,
            next: last.map(|(place, _)| place.to_cursor(request.sort)),
            total: Total {
                value: found.total,
                ..Total::default()
            },
        })
    }

    fn similar(
        &self,
        searcher: &Searcher,
        request: &SimilarRequest,
        wanted: Direction,
    ) -> Result<Vec<Similar>, Failure> {
        let keys = request.without.iter();
        let keys = keys.map(|id| self.fields.key(&id.to_string())).collect();
        let query = filter::query_without(&self.fields, &request.filter, keys);
        let collector = NearestCollector {
            attribute: request.attribute.clone(),
            wanted: Arc::new(wanted),
            limit: request.limit,
        };
        let nearest = searcher.search(&query, &collector)?;
        nearest
            .iter()
            .map(|near| {
                Ok(Similar {
                    record: self.record(searcher, near.address)?,
                    score: near.score,
                })
            })
            .collect()
    }
}

#[async_trait]
impl Sink for TantivyIndex {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        let records = records.to_vec();
        let inner = Arc::clone(&self.inner);
        let prepare = move || Ok(records.iter().map(|r| inner.prepare(r)).collect::<Vec<_>>());
        let prepared = task::blocking("tantivy.write", prepare).await?;
        self.write_with("tantivy.write", |inner, writer| {
            writer.write(&inner.fields, prepared)
        })
        .await
    }

    async fn flush(&self) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        task::blocking("tantivy.flush", move || {
            if inner.nobody_wrote() {
                return Ok(());
            }
            inner.write("tantivy.flush", Writer::flush)
        })
        .await
    }
}

#[async_trait]
impl SearchIndex for TantivyIndex {
    async fn search(&self, request: &SearchRequest) -> Result<SearchPage> {
        let cursor = request.cursor.as_deref();
        let after = cursor
            .map(|cursor| cursor::Place::from_cursor(cursor, request.sort))
            .transpose()?;
        let request = request.clone();
        self.read("tantivy.search", move |inner, searcher| {
            inner.search(searcher, &request, after)
        })
        .await
    }

    async fn get(&self, id: &PostId) -> Result<Option<Record>> {
        let key = self.inner.fields.key(&id.to_string());
        self.read("tantivy.get", move |inner, searcher| {
            let query = TermQuery::new(key, IndexRecordOption::Basic);
            let top = searcher.search(&query, &TopDocs::with_limit(1).order_by_score())?;
            match top.first() {
                Some((_, address)) => Ok(Some(inner.record(searcher, *address)?)),
                None => Ok(None),
            }
        })
        .await
    }

    async fn facets(&self, request: &FacetRequest) -> Result<BTreeMap<String, Vec<FacetCount>>> {
        let request = request.clone();
        self.read("tantivy.facets", move |inner, searcher| {
            let collector = FacetCollector {
                fields: request.fields.clone(),
            };
            let counts = searcher.search(&inner.query(&request.filter), &collector)?;
            let counts = counts.into_iter().map(|c| commonest(c, request.limit));
            Ok(request.fields.into_iter().zip(counts).collect())
        })
        .await
    }

    async fn trends(&self, request: &TrendRequest) -> Result<Vec<Series>> {
        let request = request.clone();
        self.read("tantivy.trends", move |inner, searcher| {
            let collector = TrendCollector {
                attribute: request.attribute.clone(),
                split: request.split.clone(),
                interval: request.interval,
            };
            let tally = searcher.search(&inner.query(&of_period(&request)), &collector)?;
            Ok(tally.into_series(request.interval, request.limit))
        })
        .await
    }

    fn similarity(&self) -> Similarity {
        Similarity::Exact
    }

    async fn similar(&self, request: &SimilarRequest) -> Result<Vec<Similar>> {
        const OPERATION: &str = "tantivy.similar";
        let wanted = request.direction()?;
        if wanted.dimensions() > LONGEST_VECTOR {
            return Err(Error::new(ErrorKind::Unsupported, OPERATION)
                .message(format!(
                    "this index compares vectors of at most {LONGEST_VECTOR} numbers"
                ))
                .with("dimensions", wanted.dimensions()));
        }
        let request = request.clone();
        self.read(OPERATION, move |inner, searcher| {
            inner.similar(searcher, &request, wanted)
        })
        .await
    }

    async fn remove(&self, ids: &[PostId]) -> Result<()> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        self.write_with("tantivy.remove", |inner, writer| {
            for id in ids {
                writer.remove(&inner.fields, id);
            }
            Ok(())
        })
        .await
    }
}
