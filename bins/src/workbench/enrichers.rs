//! From the names that a use case gives to enrichers: ready ones, shipped models, models of folders and of the registry.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use heurpipe_core::{Enricher, EnricherExt, Error, ErrorKind, Filter, NearDuplicates, Result};
use heurpipe_models::colour::Colours;
use heurpipe_models::text::{brand::Brands, language::Language};
use heurpipe_models::{Model, PerceptualHash, Registry, load, shipped};

use crate::config::{Config, EnricherUse, closest};

/// The enrichers that need no model folder.
pub const READY: [&str; 4] = ["brand", "language", "colour", PICTURE_HASH];

/// The enricher that says what pictures look like.
pub const PICTURE_HASH: &str = NearDuplicates::ATTRIBUTE;

/// The enrichers that a configuration can name.
pub struct Enrichers<'a> {
    config: &'a Config,
    base: &'a Path,
}

impl<'a> Enrichers<'a> {
    /// Of a configuration whose relative paths are relative to `base`.
    pub fn of(config: &'a Config, base: &'a Path) -> Self {
        Self { config, base }
    }

    /// The registry of models.
    pub fn registry(&self) -> Registry {
        Registry::at(self.base.join(&self.config.models.dir))
    }

    /// All names there are.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn names(&self) -> Result<BTreeSet<String>> {
        let registered = self.registry().list()?.into_iter().map(|model| model.name);
        Ok(READY
            .into_iter()
            .chain(shipped::names())
            .map(str::to_owned)
            .chain(self.config.models.folders.keys().cloned())
            .chain(registered)
            .collect())
    }

    /// The enricher that a use case names, and the shadow that runs beside it where the registry says so.
    ///
    /// # Errors
    /// When the name is unknown, a model cannot be loaded, or the condition is no filter.
    pub fn open(&self, wanted: &EnricherUse) -> Result<Vec<Arc<dyn Enricher>>> {
        let mut opened = vec![self.by_name(&wanted.name)?];
        // A folder of the configuration stands before the registry.
        if !self.config.models.folders.contains_key(&wanted.name)
            && let Some((folder, share)) = self.registry().shadow(&wanted.name)?
        {
            opened.push(Arc::new(load(folder)?.into_enricher().shadow(share)));
        }
        let Some(when) = &wanted.when else {
            return Ok(opened);
        };
        let filter: Filter = when.parse().map_err(|error: Error| {
            Error::new(ErrorKind::Config, "use_case.enrichers")
                .message(error.to_string())
                .with("enricher", &wanted.name)
        })?;
        let under = |enricher: Arc<dyn Enricher>| -> Arc<dyn Enricher> {
            Arc::new(enricher.when(filter.clone()))
        };
        Ok(opened.into_iter().map(under).collect())
    }

    fn by_name(&self, name: &str) -> Result<Arc<dyn Enricher>> {
        Ok(match name {
            "brand" => Arc::new(Brands::shipped()?),
            "language" => Arc::new(Language::default()),
            "colour" => Arc::new(Colours::default()),
            PICTURE_HASH => Arc::new(PerceptualHash::default()),
            _ => self.model(name)?.into_enricher(),
        })
    }

    /// The model of this name: of the configuration's folders, else the one that the registry has promoted, else a shipped one.
    ///
    /// # Errors
    /// When the name is unknown, or the model cannot be loaded.
    pub fn model(&self, name: &str) -> Result<Model> {
        if let Some(folder) = self.config.models.folders.get(name) {
            return load(self.base.join(folder));
        }
        if let Some(folder) = self.registry().promoted(name)? {
            return load(folder);
        }
        match shipped::names().any(|shipped| shipped == name) {
            true => shipped::load(name).map(Model::Classify),
            false => Err(self.unknown(name)?),
        }
    }

    fn unknown(&self, name: &str) -> Result<Error> {
        let known = self.names()?;
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let mut message = format!(
            "there is no enricher of this name; there are {}",
            known.join(", ")
        );
        if let Some(right) = closest(name, known) {
            message.push_str(&format!("; did you mean {right}?"));
        }
        Ok(Error::new(ErrorKind::Config, "use_case.enrichers")
            .message(message)
            .with("enricher", name))
    }
}
