//! Use cases, one small file each: what is gathered, which models run, who checks, where it goes.

mod catalog;
mod reanalysis;
mod trends;

use heurpipe_core::{Pipeline, Result};

pub use catalog::CATALOG;
pub use reanalysis::reanalysis;
pub use trends::TRENDS;

use crate::config::closest;
use crate::workbench::{Input, Workbench};

/// All use cases that gather posts. Another one is a file beside these and a line here.
pub const ALL: [UseCase; 2] = [CATALOG, TRENDS];

/// A named way from posts to stores.
#[derive(Clone, Copy)]
pub struct UseCase {
    /// Its name on the command line, in the configuration and in records.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    build: fn(&Workbench, &str, &Input) -> Result<Pipeline>,
}

impl UseCase {
    /// The use case of this name.
    ///
    /// # Errors
    /// A sentence that lists the names there are, and suggests one.
    pub fn named(name: &str) -> std::result::Result<Self, String> {
        let names = ALL.map(|use_case| use_case.name);
        let found = ALL.into_iter().find(|use_case| use_case.name == name);
        found.ok_or_else(|| {
            let suggestion = match closest(name, names) {
                Some(right) => format!("; did you mean {right}?"),
                None => String::new(),
            };
            format!(
                "there is no use case {name}; there are {}{suggestion}",
                names.join(", ")
            )
        })
    }

    /// Its pipeline over the bench's stores.
    ///
    /// # Errors
    /// When a source, an enricher or the whole is set up wrongly.
    pub fn build(&self, bench: &Workbench, input: &Input) -> Result<Pipeline> {
        (self.build)(bench, self.name, input)
    }
}
