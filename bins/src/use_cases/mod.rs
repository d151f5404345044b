//! Use cases, one small file each: what is gathered, which models run, who checks, where it goes.

mod catalog;
mod configured;
mod reanalysis;
mod trends;

use std::borrow::Cow;

use heurpipe_core::{Pipeline, Result};

pub use catalog::CATALOG;
pub use reanalysis::reanalysis;
pub use trends::TRENDS;

use crate::config::{Config, closest};
use crate::workbench::{Input, Workbench};

/// The use cases that the program has, whatever the configuration. Another one is a file beside these and a line here.
pub const ALL: [UseCase; 2] = [CATALOG, TRENDS];

/// A named way from posts to stores.
#[derive(Clone)]
pub struct UseCase {
    /// Its name on the command line, in the configuration and in records.
    pub name: Cow<'static, str>,
    /// One line about it.
    pub about: &'static str,
    build: fn(&Workbench, &str, &Input) -> Result<Pipeline>,
}

impl UseCase {
    /// All use cases: those of the program, and those that the configuration makes of ready parts by naming their enrichers.
    pub fn all(config: &Config) -> Vec<Self> {
        let own = |name: &&String| !ALL.iter().any(|use_case| use_case.name == **name);
        let settings = config.use_cases.iter();
        let configured = settings
            .filter(|(_, settings)| settings.enrichers.is_some())
            .map(|(name, _)| name)
            .filter(own)
            .map(|name| Self {
                name: Cow::Owned(name.clone()),
                about: "as the configuration says",
                build: configured::build,
            });
        ALL.into_iter().chain(configured).collect()
    }

    /// The use case of this name.
    ///
    /// # Errors
    /// A sentence that lists the names there are, and suggests one.
    pub fn named(name: &str, config: &Config) -> std::result::Result<Self, String> {
        let all = Self::all(config);
        if let Some(found) = all.iter().find(|use_case| use_case.name == name) {
            return Ok(found.clone());
        }
        let names: Vec<&str> = all.iter().map(|use_case| &*use_case.name).collect();
        let suggestion = match closest(name, names.iter().copied()) {
            Some(right) => format!("; did you mean {right}?"),
            None if config.use_cases.contains_key(name) => {
                "; one of your own names its enrichers".to_owned()
            }
            None => String::new(),
        };
        Err(format!(
            "there is no use case {name}; there are {}{suggestion}",
            names.join(", ")
        ))
    }

    /// Its pipeline over the bench's stores.
    ///
    /// # Errors
    /// When a source, an enricher or the whole is set up wrongly.
    pub fn build(&self, bench: &Workbench, input: &Input) -> Result<Pipeline> {
        (self.build)(bench, &self.name, input)
    }
}
