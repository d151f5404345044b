//! `heurpipe doctor`: is everything there that is needed?

use std::path::Path;

use clap::Args;
use heurpipe_core::ErrorKind;
use heurpipe_models::runtime::Runtime;
use heurpipe_stores::{Mode, blobs, documents, search, warehouse};

use super::{Done, Exit};
use crate::config::{ConfigError, Loaded, Network, Source, resolve_secret};
use crate::workbench::{Enrichers, READY, store_url};

/// Arguments of `heurpipe doctor`.
#[derive(Debug, Args)]
pub struct Doctor {}

/// The findings so far.
#[derive(Default)]
struct Findings {
    failed: bool,
}

impl Findings {
    fn good(&self, what: &str, detail: &str) {
        println!("ok    {what}: {detail}");
    }

    fn note(&self, what: &str, detail: &str) {
        println!("note  {what}: {detail}");
    }

    fn bad(&mut self, what: &str, detail: &str) {
        self.failed = true;
        println!("FAIL  {what}: {detail}");
    }

    fn check<T>(&mut self, what: &str, detail: &str, result: heurpipe_core::Result<T>) {
        match result {
            Ok(_) => self.good(what, detail),
            Err(error) => self.bad(what, &error.chain().join(": ")),
        }
    }
}

impl Doctor {
    /// Looks at each thing in turn; one that is not in order does not hide the next.
    pub(super) async fn run(self, loaded: Result<Loaded, ConfigError>) -> Done {
        let mut findings = Findings::default();
        match loaded {
            Ok(loaded) => {
                let from = match &loaded.file {
                    Some(file) => file.display().to_string(),
                    None => "defaults; there is no heurpipe.toml here".to_owned(),
                };
                findings.good("configuration", &from);
                models(&mut findings, &loaded);
                stores(&mut findings, &loaded).await;
                secrets(&mut findings, &loaded);
            }
            Err(error) => findings.bad("configuration", &error.0),
        }
        Ok(if findings.failed {
            Exit::Failed
        } else {
            Exit::Done
        })
    }
}

fn models(findings: &mut Findings, loaded: &Loaded) {
    let runtime = loaded.config.models.runtime.parse();
    match runtime.and_then(|choice| Runtime::choose(&choice)) {
        Ok(runtime) => {
            let status = runtime.status();
            match status.advice {
                Some(advice) => findings.note("model runtime", &format!("{status}: {advice}")),
                None => findings.good("model runtime", &status.to_string()),
            }
        }
        Err(error) => findings.bad("model runtime", &error.chain().join(": ")),
    }
    let enrichers = Enrichers::of(&loaded.config, &loaded.base);
    let names = match enrichers.names() {
        Ok(names) => names,
        Err(error) => return findings.bad("models", &error.chain().join(": ")),
    };
    for name in names.iter().filter(|name| !READY.contains(&name.as_str())) {
        findings.check(&format!("model {name}"), "loads", enrichers.model(name));
    }
}

/// Stores that exist are opened; of those that do not, the folder is looked at.
async fn stores(findings: &mut Findings, loaded: &Loaded) {
    let stores = &loaded.config.stores;
    let at = |url: &str| store_url(url, &loaded.base);
    let (documents_url, search_url) = (at(&stores.documents), at(&stores.search));
    if is_new(&documents_url) {
        fresh(findings, "documents", &documents_url);
    } else {
        match documents::open(&documents_url, Mode::ReadOnly).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let detail =
                    format!("{documents_url} answers; the first run makes its collections");
                findings.note("documents", &detail);
            }
            opened => findings.check("documents", &documents_url, opened),
        }
    }
    if is_new(&search_url) {
        fresh(findings, "search", &search_url);
    } else {
        match search::open(&search_url, Mode::ReadOnly).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let detail = format!("{search_url} answers; the first run makes its indices");
                findings.note("search", &detail);
            }
            opened => findings.check("search", &search_url, opened),
        }
    }
    for (what, url) in [
        ("warehouse", at(&stores.warehouse)),
        ("blobs", at(&stores.blobs)),
    ] {
        if is_new(&url) {
            fresh(findings, what, &url);
        } else if what == "warehouse" {
            findings.check(what, &url, warehouse::open(&url, Mode::ReadOnly).await);
        } else {
            findings.check(what, &url, blobs::open(&url, Mode::ReadOnly).await);
        }
    }
}

fn path_of(url: &str) -> Option<&Path> {
    let (scheme, path) = url.split_once(':')?;
    matches!(scheme, "sqlite" | "tantivy" | "file").then(|| Path::new(path))
}

fn is_new(url: &str) -> bool {
    path_of(url).is_some_and(|path| !path.exists())
}

/// A store that is not there yet: will its folder let it be made?
fn fresh(findings: &mut Findings, what: &str, url: &str) {
    let existing = path_of(url).and_then(|path| {
        path.ancestors()
            .skip(1)
            .find(|p| p.exists() || p.as_os_str().is_empty())
    });
    let folder = match existing {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match tempfile_in(folder) {
        Ok(()) => findings.note(what, &format!("{url} does not exist yet and can be made")),
        Err(error) => findings.bad(
            what,
            &format!("{} is not writable: {error}", folder.display()),
        ),
    }
}

fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".heurpipe-doctor-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}

fn secrets(findings: &mut Findings, loaded: &Loaded) {
    let config = &loaded.config;
    let sources: Vec<&Source> = config.use_cases.values().flat_map(|u| &u.sources).collect();
    let asks = |network: Network| {
        sources.iter().any(|source| match source {
            Source::Instagram(_) => network == Network::Instagram,
            Source::Weibo(_) => network == Network::Weibo,
            Source::Recheck(recheck) => recheck.networks.contains(&network),
            Source::Path(_) => false,
        })
    };
    let (instagram, weibo) = (asks(Network::Instagram), asks(Network::Weibo));
    let wanted = [
        (instagram, "instagram.token", &config.instagram.token),
        (weibo, "weibo.token", &config.weibo.token),
    ];
    for (wanted, setting, reference) in wanted {
        if wanted {
            let secret = resolve_secret(setting, reference, &loaded.base);
            findings.check(setting, reference, secret);
        }
    }
}
