//! `heurpipe config`: what is set, and from where.

use clap::Subcommand;

use super::{Done, Exit, Stop};
use crate::config::{Loaded, Source, duration};
use crate::use_cases::UseCase;
use crate::workbench::Enrichers;

/// Commands about the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the settings in force. Secrets are references and stay so.
    Show,
    /// Check the settings without opening a store.
    Check,
}

impl ConfigCommand {
    /// Shows or checks.
    pub(super) fn run(self, loaded: Loaded) -> Done {
        match self {
            Self::Show => show(&loaded)?,
            Self::Check => check(&loaded)?,
        }
        Ok(Exit::Done)
    }
}

fn show(loaded: &Loaded) -> Result<(), Stop> {
    match &loaded.file {
        Some(file) => println!("# from {}", file.display()),
        None => println!("# no heurpipe.toml here: defaults"),
    }
    for name in &loaded.environment {
        println!("# and {name}");
    }
    let text =
        toml::to_string_pretty(&loaded.config).map_err(|error| Stop::Usage(error.to_string()))?;
    print!("{text}");
    Ok(())
}

fn check(loaded: &Loaded) -> Result<(), Stop> {
    let enrichers = Enrichers::of(&loaded.config, &loaded.base).names()?;
    let mut wrong = Vec::new();
    for (name, settings) in &loaded.config.use_cases {
        wrong.extend(UseCase::named(name, &loaded.config).err());
        if let Some(filter) = &settings.relevant
            && let Err(error) = filter.parse::<heurpipe_core::Filter>()
        {
            wrong.push(format!("use_cases.{name}.relevant: {error}"));
        }
        if let Some(error) = settings
            .retention
            .as_deref()
            .and_then(|r| duration(r).err())
        {
            wrong.push(format!("use_cases.{name}.retention: {error}"));
        }
        for except in settings.near_duplicates.iter().flat_map(|n| &n.except) {
            if !enrichers.contains(except) {
                let setting = format!("use_cases.{name}.near_duplicates.except");
                wrong.push(format!("{setting}: there is no enricher {except}"));
            }
        }
        for enricher in settings.enrichers.iter().flatten() {
            let setting = format!("use_cases.{name}.enrichers");
            if !enrichers.contains(&enricher.name) {
                wrong.push(format!("{setting}: there is no enricher {}", enricher.name));
            }
            if let Some(filter) = &enricher.when
                && let Err(error) = filter.parse::<heurpipe_core::Filter>()
            {
                wrong.push(format!("{setting}: {}: {error}", enricher.name));
            }
        }
        for source in &settings.sources {
            let setting = format!("use_cases.{name}.sources");
            match source {
                Source::Path(source) if !loaded.base.join(&source.path).exists() => {
                    let path = source.path.display();
                    wrong.push(format!("{setting}: {path} does not exist"));
                }
                Source::Recheck(source) => {
                    let lengths = [&source.published_within, &source.not_seen_within];
                    let lengths = lengths
                        .into_iter()
                        .flatten()
                        .map(|text| duration(text).err());
                    let errors = lengths.chain([source.filter().err()]).flatten();
                    wrong.extend(errors.map(|error| format!("{setting}: {error}")));
                }
                _ => {}
            }
        }
    }
    if wrong.is_empty() {
        println!("the configuration is in order");
        return Ok(());
    }
    Err(Stop::Usage(wrong.join("\nerror: ")))
}
