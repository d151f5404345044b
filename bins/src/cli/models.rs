//! `heurpipe models`: which models there are and how good they are.

use std::path::PathBuf;

use clap::Subcommand;
use heurpipe_core::Enricher;
use heurpipe_models::{CheckOptions, Classify, check, shipped};

use super::{Done, Exit, Stop, print_json};
use crate::config::{Loaded, closest};

/// Commands about models.
#[derive(Debug, Subcommand)]
pub enum Models {
    /// List the models that use cases can name.
    List,
    /// Measure a model on labelled pictures: accuracy, precision and recall by class, confusion, speed.
    Check {
        /// The model: garment, pattern, one of the configuration, or a model folder.
        model: String,
        /// A folder with labels.csv (columns image, label), or with one folder per label.
        #[arg(long, value_name = "DIR")]
        on: PathBuf,
        /// Only the pictures that training never saw: those whose SHA-256 begins below 15 %.
        #[arg(long)]
        holdout: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

impl Models {
    /// Lists or checks.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        match self {
            Self::List => list(loaded)?,
            Self::Check {
                model,
                on,
                holdout,
                json,
            } => {
                let model = load(loaded, &model)?;
                let options = CheckOptions::default().holdout_only(holdout);
                let report = check(&model, &on, &options).await?;
                if json {
                    print_json(&report)?;
                } else {
                    print!("{report}");
                }
            }
        }
        Ok(Exit::Done)
    }
}

fn load(loaded: &Loaded, name: &str) -> Result<Classify, Stop> {
    if let Some(folder) = loaded.config.models.folders.get(name) {
        return Ok(Classify::load(loaded.base.join(folder))?);
    }
    match name {
        "garment" => Ok(shipped::garment()?),
        "pattern" => Ok(shipped::pattern()?),
        folder if std::path::Path::new(folder).is_dir() => Ok(Classify::load(folder)?),
        _ => {
            let known = ["garment", "pattern"];
            let suggestion = match closest(name, known) {
                Some(right) => format!("; did you mean {right}?"),
                None => String::new(),
            };
            Err(Stop::Usage(format!(
                "{name} is neither a model nor a model folder{suggestion}"
            )))
        }
    }
}

fn list(loaded: &Loaded) -> Result<(), Stop> {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["model", "version", "gives", "fingerprint", "from"]);
    let mut names: Vec<String> = vec!["garment".to_owned(), "pattern".to_owned()];
    for name in loaded.config.models.folders.keys() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    for name in names {
        let model = load(loaded, &name)?;
        let spec = model.spec();
        let from = match loaded.config.models.folders.get(&name) {
            Some(folder) => loaded.base.join(folder).display().to_string(),
            None => "shipped".to_owned(),
        };
        table.add_row([
            name,
            spec.version.clone(),
            spec.gives.join(", "),
            spec.fingerprint.to_string(),
            from,
        ]);
    }
    println!("{table}");
    Ok(())
}
