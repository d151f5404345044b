//! A search index in a folder, by tantivy.
//!
//! What is indexed is the [`Flat`] view of a record, and the record itself is kept beside it. Writes are visible and durable after a flush. One process
//! writes, and a lock file in the folder names it; any number read, and see what was flushed within a second.

mod failure;
mod fields;
mod filter;
mod folder;
mod page;
mod settled;
mod tally;
mod writer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use heurpipe_core::{
    Error, ErrorKind, FacetCount, FacetRequest, Filter, Flat, ItemResult, PostId, Record, Result,
    SearchIndex, SearchPage, SearchRequest, Series, Sink, SinkSpec, Total, TrendRequest,
};
use tantivy::collector::TopDocs;
use tantivy::query::{Query, TermQuery};
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::{DocAddress, Index, IndexReader, ReloadPolicy, Searcher, TantivyDocument};

use super::counts::commonest;
use super::cursor::Place;
use super::series::of_period;
use crate::{Mode, codec, task};
use failure::failure;
use fields::Fields;
use page::PageCollector;
use tally::{FacetCollector, TrendCollector};
use writer::{Flushed, Prepared, Writer, Writing};

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
    index: Index,
    reader: IndexReader,
    fields: Fields,
    /// Begins with the first write.
    writing: Mutex<Writing>,
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
            work(&inner, &inner.reader.searcher()).map_err(|f| inner.error(operation, f))
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
        // Our own flushes reload the reader at once; those of another process are noticed by watching the folder.
        let (index, policy) = match mode {
            Mode::ReadWrite => (folder::open_or_create(&path)?, ReloadPolicy::Manual),
            Mode::ReadOnly => (folder::open(&path)?, ReloadPolicy::OnCommitWithDelay),
        };
        let reader = index
            .reader_builder()
            .reload_policy(policy)
            .try_into()
            .map_err(|error| failure("tantivy.open", &path, error))?;
        Ok(Self {
            path,
            mode,
            index,
            reader,
            fields: Fields::schema().1,
            writing: Mutex::default(),
        })
    }

    fn nobody_wrote(&self) -> bool {
        matches!(*self.writing(), Writing::Nobody)
    }

    fn write<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Writer) -> tantivy::Result<T>,
    ) -> Result<T> {
        let begin = || Writer::new(&self.index, &self.path);
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
        let document = self.fields.document(&flat, record.revision, &body)?;
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
        after: Option<Place>,
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
            let flushed = Flushed::open(&inner.reader)?;
            writer.write(&flushed, &inner.fields, prepared)
        })
        .await
    }

    async fn flush(&self) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        task::blocking("tantivy.flush", move || {
            if inner.nobody_wrote() {
                return Ok(());
            }
            inner.write("tantivy.flush", |writer| writer.flush(&inner.reader))
        })
        .await
    }
}

#[async_trait]
impl SearchIndex for TantivyIndex {
    async fn search(&self, request: &SearchRequest) -> Result<SearchPage> {
        let cursor = request.cursor.as_deref();
        let after = cursor
            .map(|cursor| Place::from_cursor(cursor, request.sort))
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
