//! The sources that the configuration names.

use std::path::PathBuf;
use std::sync::Arc;

use heurpipe_core::{Author, Error, ErrorKind, LookUpPost, Result, Source};
use heurpipe_sources::archive::{Archive, Mapping};
use heurpipe_sources::instagram::InstagramGraph;
use heurpipe_sources::recheck::Recheck;
use heurpipe_sources::weibo::WeiboApi;

use super::Workbench;
use crate::config::{self, Network, PathSource, RecheckSource};

/// What a pipeline reads from.
#[derive(Default)]
pub(super) struct Gathered {
    pub sources: Vec<Arc<dyn Source>>,
    /// Networks that can be asked for a post once more: when the address of a picture has expired.
    pub networks: Vec<Arc<dyn LookUpPost>>,
    /// Files and folders in which pictures may be read.
    pub paths: Vec<PathBuf>,
}

impl Gathered {
    /// Opens the sources of a use case.
    ///
    /// # Errors
    /// When one is set up wrongly; the error names it.
    pub(super) fn open(
        bench: &Workbench,
        use_case: &str,
        configured: &[config::Source],
    ) -> Result<Self> {
        let mut gathered = Self::default();
        for source in configured {
            gathered.add(bench, use_case, source)?;
        }
        Ok(gathered)
    }

    /// Another source in place of those that are configured, which are not opened: no token is needed then.
    pub(super) fn instead(
        bench: &Workbench,
        configured: &[config::Source],
        source: Arc<dyn Source>,
    ) -> Self {
        let path = |configured: &config::Source| match configured {
            config::Source::Path(source) => Some(bench.base.join(&source.path)),
            _ => None,
        };
        Self {
            sources: vec![source],
            networks: Vec::new(),
            paths: configured.iter().filter_map(path).collect(),
        }
    }

    fn add(&mut self, bench: &Workbench, use_case: &str, source: &config::Source) -> Result<()> {
        match source {
            config::Source::Instagram(gather) => {
                let graph = Arc::new(instagram(bench, gather)?);
                self.networks.push(graph.clone());
                self.sources.push(graph);
            }
            config::Source::Weibo(gather) => {
                let api = Arc::new(weibo(bench, gather)?);
                self.networks.push(api.clone());
                self.sources.push(api);
            }
            config::Source::Path(source) => {
                let path = bench.base.join(&source.path);
                self.sources.push(path_source(bench, source)?);
                self.paths.push(path);
            }
            config::Source::Recheck(source) => {
                self.sources.push(recheck(bench, use_case, source)?);
            }
        }
        Ok(())
    }
}

fn instagram(bench: &Workbench, gather: &config::InstagramSource) -> Result<InstagramGraph> {
    let settings = &bench.config.instagram;
    let mut graph = InstagramGraph::builder()
        .base_url(&settings.base_url)
        .version(&settings.version)
        .user_id(&settings.user_id)
        .token(bench.secret("instagram.token", &settings.token)?)
        .ledger(bench.documents.clone())
        .hashtags(&gather.hashtags)
        .accounts(&gather.accounts)
        .mentions(gather.mentions.iter().cloned());
    if gather.own {
        graph = graph.own_media();
    }
    if gather.tagged {
        graph = graph.tagged();
    }
    graph.build()
}

fn weibo(bench: &Workbench, gather: &config::WeiboSource) -> Result<WeiboApi> {
    let settings = &bench.config.weibo;
    let mut api = WeiboApi::builder()
        .base_url(&settings.base_url)
        .token(bench.secret("weibo.token", &settings.token)?)
        .ledger(bench.documents.clone())
        .users(&gather.uids)
        .topics(&gather.topics)
        .commercial_users(&gather.commercial_uids);
    if let Some(base) = &settings.media_base {
        api = api.media_base_url(base);
    }
    if let Some(base) = &settings.commercial_base_url {
        api = api.commercial_base_url(base);
    }
    if gather.home {
        api = api.home_timeline();
    }
    if gather.public {
        api = api.public_timeline();
    }
    if gather.own {
        api = api.own_timeline();
    }
    for place in &gather.nearby {
        api = api.nearby(place.latitude, place.longitude, place.range_m);
    }
    api.build()
}

fn path_source(bench: &Workbench, source: &PathSource) -> Result<Arc<dyn Source>> {
    let path = bench.base.join(&source.path);
    let opened: Arc<dyn Source> = match archive(bench, source)? {
        Some(archive) => Arc::new(archive),
        None => Arc::from(heurpipe_sources::detect::open(&path)?),
    };
    eprintln!("found: {}", opened.spec().description);
    Ok(opened)
}

/// An archive of which the configuration says more than where it lies.
fn archive(bench: &Workbench, source: &PathSource) -> Result<Option<Archive>> {
    if source.is_plain() {
        return Ok(None);
    }
    let mut archive =
        Archive::builder(bench.base.join(&source.path)).keep_contacts(source.keep_contacts);
    if let Some(mapping) = &source.mapping {
        archive = archive.mapping(read_mapping(&bench.base.join(mapping))?);
    }
    if let Some(at) = source.collected_at {
        archive = archive.collected_at(at);
    }
    if let Some(handle) = &source.author {
        let mut author = Author::unknown();
        author.handle = Some(handle.clone());
        archive = archive.author(author);
    }
    archive.build().map(Some)
}

fn read_mapping(path: &std::path::Path) -> Result<Mapping> {
    let named = |error: Error| error.with("mapping", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| {
        named(
            Error::new(ErrorKind::Config, "use_case.sources")
                .message("the mapping file cannot be read")
                .cause(error),
        )
    })?;
    text.parse().map_err(named)
}

/// Stored posts, looked up at the networks that the recheck names.
fn recheck(bench: &Workbench, use_case: &str, source: &RecheckSource) -> Result<Arc<dyn Source>> {
    let mut networks: Vec<Arc<dyn LookUpPost>> = Vec::new();
    for network in &source.networks {
        networks.push(match network {
            Network::Instagram => {
                let own = config::InstagramSource {
                    own: true,
                    ..config::InstagramSource::default()
                };
                Arc::new(instagram(bench, &own)?)
            }
            Network::Weibo => {
                let own = config::WeiboSource {
                    own: true,
                    ..config::WeiboSource::default()
                };
                Arc::new(weibo(bench, &own)?)
            }
        });
    }
    let mut recheck = Recheck::of(bench.documents.clone(), networks)
        .of_use_case(use_case)
        .filter(source.filter()?);
    if let Some(age) = &source.published_within {
        recheck = recheck.published_within(config::duration(age)?);
    }
    if let Some(interval) = &source.not_seen_within {
        recheck = recheck.not_seen_within(config::duration(interval)?);
    }
    Ok(Arc::new(recheck))
}
