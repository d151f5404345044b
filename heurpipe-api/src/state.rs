//! What every handler works on.

use std::sync::Arc;

use heurpipe_core::{Blobs, Documents, SearchIndex};

use crate::access::Access;

/// The attributes and fields that the pages offer for narrowing down, unless told otherwise.
const FACETS: [&str; 8] = [
    "garment", "colour", "pattern", "brand", "platform", "country", "hashtag", "language",
];

/// The stores and settings that requests are answered from. Cloning shares them.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    documents: Arc<dyn Documents>,
    search: Arc<dyn SearchIndex>,
    blobs: Arc<dyn Blobs>,
    version: String,
    facets: Vec<String>,
    access: Access,
}

impl AppState {
    /// A state over these stores.
    pub fn builder(
        documents: Arc<dyn Documents>,
        search: Arc<dyn SearchIndex>,
        blobs: Arc<dyn Blobs>,
    ) -> AppStateBuilder {
        AppStateBuilder(Inner {
            documents,
            search,
            blobs,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            facets: FACETS.map(str::to_owned).to_vec(),
            access: Access::default(),
        })
    }

    /// The system of record.
    pub fn documents(&self) -> &dyn Documents {
        &*self.0.documents
    }

    /// The search index.
    pub fn search(&self) -> &dyn SearchIndex {
        &*self.0.search
    }

    /// The pictures' bytes.
    pub fn blobs(&self) -> &dyn Blobs {
        &*self.0.blobs
    }

    /// The version that `/healthz` and the OpenAPI description name.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The fields that pages offer for narrowing down, most important first.
    pub fn facets(&self) -> &[String] {
        &self.0.facets
    }

    /// Who may ask.
    pub fn access(&self) -> &Access {
        &self.0.access
    }
}

/// Puts an [`AppState`] together.
#[must_use]
pub struct AppStateBuilder(Inner);

impl AppStateBuilder {
    /// The version that `/healthz` and the OpenAPI description name; by default this crate's.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = version.into();
        self
    }

    /// The attributes and keyword fields that pages offer for narrowing down, most important first.
    pub fn facets<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.0.facets = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Who may ask; by default [`Access::Loopback`].
    pub fn access(mut self, access: Access) -> Self {
        self.0.access = access;
        self
    }

    /// The state.
    pub fn build(self) -> AppState {
        AppState(Arc::new(self.0))
    }
}
