//! A search index on an Elasticsearch or OpenSearch server.
//!
//! What is indexed is the [`Flat`](heurpipe_core::Flat) view of a record, and the record itself is kept beside it. There is an index for each month of publication, all
//! behind one alias; a template makes them. Writes are durable at once, and visible after a flush. Any number of processes write and read.

mod address;
mod client;
mod failure;
mod filter;
mod limit;
mod mapping;
mod nearest;
mod page;
mod rebuild;
mod server;
mod tally;
mod vectors;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{
    Error, ErrorKind, FacetCount, FacetRequest, ItemResult, PostId, Record, Result, SearchIndex,
    SearchPage, SearchRequest, Series, Similar, SimilarRequest, Similarity, Sink, SinkSpec,
    TrendRequest,
};
use serde_json::json;

use crate::Mode;
use address::Address;
use client::Client;
use mapping::Family;
use server::Product;
use tally::Counter;
use vectors::Vectors;
use writer::Writer;

pub use rebuild::ElasticsearchRebuild;

const OPERATION: &str = "elasticsearch.open";

/// A search index on a server.
///
/// What was written and not flushed before the process ended is durable, but may be seen twice where a post has moved to another month: until the post is
/// written and flushed again, as a pipeline does with whatever it did not settle.
#[derive(Debug)]
pub struct ElasticsearchIndex {
    spec: SinkSpec,
    client: Arc<Client>,
    /// Where records are found: an alias or a pattern.
    within: String,
    product: Product,
    /// None when it was opened for reading.
    writer: Option<Writer>,
}

impl ElasticsearchIndex {
    /// Opens the indices of a URL: `http(s)://HOST[:PORT][/PATH][/NAME][?credentials=env:NAME|file:PATH]`. NAME is the alias of the indices, by default
    /// `heurpipe-posts`. The secret that `credentials` refers to is `user:password` or an API key.
    ///
    /// Opened for writing it leaves a template on the server; indices are made by the first record of their month.
    ///
    /// # Errors
    /// `Config` for a URL that cannot be read, a server of another kind, and indices that another version of the text analysis made: they must be rebuilt; `Corrupt`
    /// when an index of this name is not one of this program; `NotFound` when there is none and it is to be read; `Unauthenticated`, `PermissionDenied`;
    /// `Unavailable` when the server does not answer. Nothing is written where it fails.
    pub async fn open(url: &str, mode: Mode) -> Result<Self> {
        let address = Address::parse(url)?;
        let client = Arc::new(Client::new(&address)?);
        let product = server::identify(&client).await?;
        let in_use = server::family_in_use(&client, &address.name).await?;
        let writer = match (mode, in_use) {
            (Mode::ReadOnly, Some(_)) => None,
            (Mode::ReadOnly, None) => return Err(server::absent(&client, &address.name)),
            (Mode::ReadWrite, in_use) => {
                server::put_template(&client, &address.name, product.vectors).await?;
                let family = in_use.unwrap_or_else(|| Family::new(&address.name, 0));
                rebuild::complete(&client, &family).await?;
                Some(Writer::new(
                    Arc::clone(&client),
                    family,
                    &address.name,
                    product.vectors,
                ))
            }
        };
        Ok(Self::over(client, product, address.name, writer))
    }

    fn over(client: Arc<Client>, product: Product, within: String, writer: Option<Writer>) -> Self {
        Self {
            spec: SinkSpec::new("search").durable_at_flush(),
            client,
            within,
            product,
            writer,
        }
    }

    /// What the server is, and which version: `Elasticsearch 9.2.0`.
    pub fn product(&self) -> &str {
        &self.product.name
    }

    fn writer(&self, operation: &'static str) -> Result<&Writer> {
        self.writer.as_ref().ok_or_else(|| Mode::refuse(operation))
    }

    fn counter(&self, operation: &'static str) -> Counter<'_> {
        Counter {
            client: &self.client,
            name: &self.within,
            operation,
        }
    }
}

#[async_trait]
impl Sink for ElasticsearchIndex {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        self.writer("elasticsearch.write")?.write(records).await
    }

    async fn flush(&self) -> Result<()> {
        match &self.writer {
            Some(writer) => writer.flush().await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl SearchIndex for ElasticsearchIndex {
    async fn search(&self, request: &SearchRequest) -> Result<SearchPage> {
        page::page(&self.client, &self.within, request).await
    }

    async fn get(&self, id: &PostId) -> Result<Option<Record>> {
        let body = json!({
            "size": 10,
            "version": true,
            "_source": ["record"],
            "query": {"bool": {"filter": [{"term": {"id": mapping::key(&id.to_string())}}]}},
        });
        let found = self
            .client
            .search("elasticsearch.get", &self.within, body)
            .await?;
        // There are two only while a post moves to another month.
        let newest = found.hits.hits.into_iter().max_by_key(|hit| hit.version);
        newest.map(page::record).transpose()
    }

    async fn facets(&self, request: &FacetRequest) -> Result<BTreeMap<String, Vec<FacetCount>>> {
        self.counter("elasticsearch.facets").facets(request).await
    }

    async fn trends(&self, request: &TrendRequest) -> Result<Vec<Series>> {
        self.counter("elasticsearch.trends").trends(request).await
    }

    fn similarity(&self) -> Similarity {
        match self.product.vectors {
            Vectors::Indexed => Similarity::Approximate,
            Vectors::LeftOut => Similarity::Unsupported,
        }
    }

    async fn similar(&self, request: &SimilarRequest) -> Result<Vec<Similar>> {
        if self.product.vectors == Vectors::LeftOut {
            request.direction()?;
            return Err(Error::new(ErrorKind::Unsupported, nearest::OPERATION)
                .message("OpenSearch compares vectors by its k-NN plugin (opensearch-knn), which this program does not use")
                .with("server", self.client.server()));
        }
        nearest::nearest(&self.client, &self.within, request).await
    }

    async fn remove(&self, ids: &[PostId]) -> Result<()> {
        self.writer("elasticsearch.remove")?.remove(ids).await
    }
}
