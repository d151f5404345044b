//! What use cases are built from: the stores, sources and enrichers that the configuration names.

mod enrichers;
mod sources;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use heurpipe_core::gate::{Policy, ReviewGate, audit, uncertain};
use heurpipe_core::{
    Blobs, DeadLetterScan, DeadLetters, Enricher, Error, ErrorKind, Filter, NearDuplicates,
    Pipeline, PipelineBuilder, Platform, Result, SearchIndex,
};
use heurpipe_models::PictureDecoder;
use heurpipe_sources::media::MediaFetcher;
use heurpipe_stores::documents::DocumentStore;
use heurpipe_stores::life::Tiered;
use heurpipe_stores::warehouse::{self, Warehouse};
use heurpipe_stores::{Mode, blobs, documents, search};
use secrecy::SecretString;

use crate::config::{self, Config, Loaded};
use enrichers::PICTURE_HASH;
pub use enrichers::{Enrichers, READY};
use sources::Gathered;

/// Weibo's pictures are given to those who come from its pages.
const WEIBO_PAGE: &str = "https://weibo.com/";

/// Opened stores and the settings that go with them.
pub struct Workbench {
    config: Config,
    base: PathBuf,
    /// The system of record, with the warehouse behind it.
    pub documents: Arc<dyn DocumentStore>,
    /// The search index.
    pub search: Arc<dyn SearchIndex>,
    /// Pictures by digest.
    pub blobs: Arc<dyn Blobs>,
}

/// Where a pipeline gets its posts from.
#[derive(Debug, Clone, Default)]
pub enum Input {
    /// The sources that the use case's configuration names.
    #[default]
    Configured,
    /// Folders of pictures and files of records.
    Paths(Vec<PathBuf>),
    /// Records that documents hold for the use case and on which something is stale; no source is touched and no picture fetched.
    Stored(Filter),
    /// Posts that the use case gave up on, once more.
    Dead(DeadLetterScan, Filter),
}

impl Workbench {
    /// Opens the stores that the configuration names, making those that are not there.
    ///
    /// # Errors
    /// When a store cannot be opened; the error names it.
    pub async fn open(loaded: &Loaded) -> Result<Self> {
        let stores = &loaded.config.stores;
        let at = |url: &str| store_url(url, &loaded.base);
        Ok(Self {
            documents: Arc::new(Tiered::new(
                documents::open(&at(&stores.documents), Mode::ReadWrite).await?,
                warehouse_to_read(loaded).await?,
            )),
            search: search::open(&at(&stores.search), Mode::ReadWrite).await?,
            blobs: blobs::open(&at(&stores.blobs), Mode::ReadWrite).await?,
            config: loaded.config.clone(),
            base: loaded.base.clone(),
        })
    }

    /// Opens the stores for reading only; one that is not there yet is as an empty one.
    ///
    /// # Errors
    /// When a store cannot be opened; the error names it.
    pub async fn open_to_read(loaded: &Loaded) -> Result<Self> {
        let stores = &loaded.config.stores;
        let search_url = store_url(&stores.search, &loaded.base);
        let blobs_url = store_url(&stores.blobs, &loaded.base);
        let search = match search::open(&search_url, Mode::ReadOnly).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                search::open(EMPTY, Mode::ReadOnly).await?
            }
            opened => opened?,
        };
        let blobs = match blobs::open(&blobs_url, Mode::ReadOnly).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                blobs::open(EMPTY, Mode::ReadOnly).await?
            }
            opened => opened?,
        };
        Ok(Self {
            documents: Arc::new(Tiered::new(
                documents_to_read(loaded).await?,
                warehouse_to_read(loaded).await?,
            )),
            search,
            blobs,
            config: loaded.config.clone(),
            base: loaded.base.clone(),
        })
    }

    /// Begins a pipeline over these stores and the use case's sources.
    ///
    /// # Errors
    /// When a source is set up wrongly, or there is none.
    pub fn pipeline(&self, use_case: &str, input: &Input) -> Result<PipelineBuilder> {
        let documents = Arc::clone(&self.documents);
        let builder = Pipeline::builder(use_case)
            .documents(documents.clone())
            .review(documents.clone())
            .analyses(documents.clone())
            .decode_with(PictureDecoder::default());
        let settings = self.settings(use_case);
        let builder = match settings.budget {
            Some(budget) => builder.budget(budget),
            None => builder,
        };
        let builder = match settings.near_duplicates {
            Some(near) => {
                builder.near_duplicates(NearDuplicates::within(near.distance).except(near.except))
            }
            None => builder,
        };
        if let Input::Stored(filter) = input {
            let stored = builder.stale(filter.clone());
            return Ok(stored.stored_media(Arc::clone(&self.blobs)));
        }
        let configured = self.configured(use_case, input)?;
        let gathered = match input {
            Input::Dead(scan, filter) => {
                let dead = DeadLetters::of(documents, use_case, scan.clone(), filter.clone());
                Gathered::instead(self, &configured, Arc::new(dead))
            }
            _ => Gathered::open(self, use_case, &configured)?,
        };
        let mut fetcher = MediaFetcher::builder(Arc::clone(&self.blobs))
            .allow_private_hosts(self.config.media.allow_private_hosts)
            .at_once(
                self.config.media.downloads,
                self.config.media.downloads_per_host,
            )
            .robots(self.config.media.robots)
            .referer(&Platform::weibo(), WEIBO_PAGE);
        for path in gathered.paths.iter().filter(|path| path.exists()) {
            fetcher = fetcher.allow_files_under(path)?;
        }
        for network in gathered.networks {
            fetcher = fetcher.refresh_with(network);
        }
        let builder = builder.fetch_media(fetcher.build()?);
        Ok(gathered
            .sources
            .into_iter()
            .fold(builder, PipelineBuilder::source_arc))
    }

    /// The sources that the use case's configuration names, or those of the command line.
    fn configured(&self, use_case: &str, input: &Input) -> Result<Vec<config::Source>> {
        let configured = match input {
            Input::Paths(paths) => paths.iter().map(given).collect(),
            _ => self.settings(use_case).sources,
        };
        if configured.is_empty() && !matches!(input, Input::Dead(..)) {
            return Err(Error::new(ErrorKind::Config, "use_case.sources")
                .message(format!(
                    "the use case has no source: name one with --from, or in [[use_cases.{use_case}.sources]]"
                ))
                .with("use_case", use_case));
        }
        Ok(configured)
    }

    fn secret(&self, setting: &str, reference: &str) -> Result<SecretString> {
        config::resolve_secret(setting, reference, &self.base).map(SecretString::from)
    }

    /// The enrichers of a use case: those that its configuration names, else these; each with the shadow that the registry has running beside it. Where
    /// near-duplicates are allowed, also the one that knows them.
    ///
    /// # Errors
    /// When a name is unknown, or a model cannot be loaded.
    pub fn enrichers(&self, use_case: &str, default: &[&str]) -> Result<Vec<Arc<dyn Enricher>>> {
        let settings = self.settings(use_case);
        let default = || default.iter().map(|name| (*name).into()).collect();
        let mut named = settings.enrichers.unwrap_or_else(default);
        if settings.near_duplicates.is_some() && !named.iter().any(|e| e.name == PICTURE_HASH) {
            named.push(PICTURE_HASH.into());
        }
        let enrichers = Enrichers::of(&self.config, &self.base);
        let mut opened = Vec::with_capacity(named.len());
        for name in &named {
            opened.extend(enrichers.open(name)?);
        }
        Ok(opened)
    }

    /// Which posts the use case's sinks take: what its configuration says, else this.
    ///
    /// # Errors
    /// When the filter cannot be parsed.
    pub fn relevant(&self, use_case: &str, default: &str) -> Result<Filter> {
        let configured = self.settings(use_case).relevant;
        let text = configured.as_deref().unwrap_or(default);
        text.parse::<Filter>().map_err(|error| {
            Error::new(ErrorKind::Config, "use_case.relevant")
                .message(error.to_string())
                .with("use_case", use_case)
        })
    }

    /// The use case's gate: what its configuration says, else this.
    pub fn review(&self, use_case: &str, attributes: &[&str], default: Policy) -> ReviewGate {
        self.configured_review(use_case)
            .unwrap_or_else(|| ReviewGate::policy(attributes.iter().copied(), default))
    }

    /// The use case's gate, where its configuration has one.
    pub fn configured_review(&self, use_case: &str) -> Option<ReviewGate> {
        let review = self.settings(use_case).review?;
        let policy = uncertain(review.uncertain).or(audit(review.audit));
        Some(ReviewGate::policy(review.attributes, policy))
    }

    fn settings(&self, use_case: &str) -> config::UseCase {
        self.config
            .use_cases
            .get(use_case)
            .cloned()
            .unwrap_or_default()
    }
}

/// A path of the command line, which is not relative to the configuration.
fn given(path: &PathBuf) -> config::Source {
    config::Source::path(std::path::absolute(path).unwrap_or_else(|_| path.clone()))
}

/// The store that stands for one that is not there yet.
const EMPTY: &str = "memory:";

/// The documents, for reading only.
///
/// # Errors
/// When they are there and cannot be opened.
pub async fn documents_to_read(loaded: &Loaded) -> Result<Arc<dyn DocumentStore>> {
    let url = store_url(&loaded.config.stores.documents, &loaded.base);
    match documents::open(&url, Mode::ReadOnly).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            documents::open(EMPTY, Mode::ReadOnly).await
        }
        opened => opened,
    }
}

/// The documents, for writing; they are made when they are not there.
///
/// # Errors
/// When they cannot be opened, or another process writes to them.
pub async fn documents_to_write(loaded: &Loaded) -> Result<Arc<dyn DocumentStore>> {
    let url = store_url(&loaded.config.stores.documents, &loaded.base);
    documents::open(&url, Mode::ReadWrite).await
}

/// The warehouse, for reading only.
///
/// # Errors
/// When it is there and cannot be opened.
pub async fn warehouse_to_read(loaded: &Loaded) -> Result<Arc<dyn Warehouse>> {
    let url = store_url(&loaded.config.stores.warehouse, &loaded.base);
    match warehouse::open(&url, Mode::ReadOnly).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            warehouse::open(EMPTY, Mode::ReadOnly).await
        }
        opened => opened,
    }
}

/// The warehouse, for writing; it is made when it is not there.
///
/// # Errors
/// When it cannot be opened.
pub async fn warehouse_to_write(loaded: &Loaded) -> Result<Arc<dyn Warehouse>> {
    let url = store_url(&loaded.config.stores.warehouse, &loaded.base);
    warehouse::open(&url, Mode::ReadWrite).await
}

/// A store's URL with its relative path resolved against the configuration's folder.
pub fn store_url(url: &str, base: &Path) -> String {
    match url.split_once(':') {
        Some((scheme, path)) if !path.starts_with('/') && !path.is_empty() => {
            format!("{scheme}:{}", base.join(path).display())
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_store_paths_are_beside_the_configuration() {
        let base = Path::new("/data/demo");
        assert_eq!(
            store_url("sqlite:d.sqlite", base),
            "sqlite:/data/demo/d.sqlite"
        );
        assert_eq!(store_url("file:/x/y", base), "file:/x/y");
        assert_eq!(store_url("https://es:9200", base), "https://es:9200");
        assert_eq!(store_url("memory:", base), "memory:");
    }
}
