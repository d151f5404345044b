//! `heurpipe models`: which models there are, how good they are, and which one's word counts.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use heurpipe_core::{Comparison, Documents, Filter, Scan};
use heurpipe_models::{CheckOptions, CheckReport, Model, Registered, check, load};

use super::{Done, Exit, Stop, check_page, print_json};
use crate::config::Loaded;
use crate::workbench::{Enrichers, documents_to_read};

/// Commands about models.
#[derive(Debug, Subcommand)]
pub enum Models {
    /// List the models that use cases can name.
    List {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Put a model folder into the registry, its files pinned by their digests. The first version of a name is promoted.
    Add {
        /// The folder: model.toml and the files that it names.
        folder: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Measure a classifier on labelled pictures: accuracy, calibration, precision and recall by class, confusion, speed.
    Check {
        /// The model: one that `models list` shows, or a model folder.
        model: String,
        /// A folder with labels.csv (columns image, label), or with one folder per label.
        #[arg(long, value_name = "DIR")]
        on: PathBuf,
        /// Only the pictures that training never saw: those whose SHA-256 begins below 15 %.
        #[arg(long)]
        holdout: bool,
        /// Write a page of it as well, which any browser shows; it refers to the pictures where they lie.
        #[arg(long, value_name = "FILE.html")]
        page: Option<PathBuf>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Find out which batch size and how many threads are fastest on this machine, and remember it.
    Tune {
        /// The model: one that `models list` shows, or a model folder.
        model: String,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Have a version of the registry run beside the promoted one on a sample of posts; what it says is kept and does not count.
    Shadow {
        /// The model's name.
        model: String,
        /// The version; without it, no version runs in the shadow any more.
        version: Option<String>,
        /// On which share of posts, 0 to 1.
        #[arg(long, default_value_t = 0.1)]
        sample: f64,
    },
    /// Compare a shadow with the promoted version on the stored posts where both have run: what flips to what, who agrees with people, what each costs.
    Compare {
        /// The model's name.
        model: String,
        /// Only posts that match this filter.
        #[arg(long = "where", value_name = "FILTER", default_value = "")]
        filter: String,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make a version the one whose word counts. What the earlier one analysed is then stale: see `heurpipe reanalyse`.
    Promote {
        /// The model's name.
        model: String,
        /// The version.
        version: String,
    },
    /// Go back to the version that was promoted before.
    Rollback {
        /// The model's name.
        model: String,
    },
}

impl Models {
    /// Does what is asked.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        let enrichers = Enrichers::of(&loaded.config, &loaded.base);
        let registry = enrichers.registry();
        match self {
            Self::List { json } => list(loaded, &enrichers, json)?,
            Self::Add { folder, json } => tell(&registry.add(folder)?, json)?,
            Self::Check {
                model,
                on,
                holdout,
                page,
                json,
            } => {
                let options = CheckOptions::default().holdout_only(holdout);
                let report = checked(&model_of(&enrichers, &model)?, &on, &options).await?;
                if let Some(path) = page {
                    check_page::write(&report, &path)?;
                }
                match json {
                    true => print_json(&report)?,
                    false => print!("{report}"),
                }
            }
            Self::Tune { model, json } => tune(&model_of(&enrichers, &model)?, json)?,
            Self::Shadow {
                model,
                version,
                sample,
            } => {
                let shadow = version.as_deref().map(|version| (version, sample));
                tell(&registry.set_shadow(&model, shadow)?, false)?;
            }
            Self::Compare {
                model,
                filter,
                json,
            } => {
                let filter = filter
                    .parse()
                    .map_err(|error| Stop::Usage(format!("--where: {error}")))?;
                let comparison = compared(loaded, &enrichers, &model, filter).await?;
                match json {
                    true => print_json(&comparison)?,
                    false => print!("{comparison}"),
                }
            }
            Self::Promote { model, version } => tell(&registry.promote(&model, &version)?, false)?,
            Self::Rollback { model } => tell(&registry.roll_back(&model)?, false)?,
        }
        Ok(Exit::Done)
    }
}

/// The model of this name, else the one in this folder.
fn model_of(enrichers: &Enrichers<'_>, name: &str) -> Result<Model, Stop> {
    let known = enrichers.names()?.contains(name);
    match !known && Path::new(name).is_dir() {
        true => Ok(load(name)?),
        false => Ok(enrichers.model(name)?),
    }
}

async fn checked(model: &Model, on: &Path, options: &CheckOptions) -> Result<CheckReport, Stop> {
    match model {
        Model::Classify(model) => Ok(check(model, on, options).await?),
        Model::ZeroShot(model) => Ok(check(model, on, options).await?),
        _ => Err(Stop::Usage(
            "only models that classify whole pictures can be checked on labelled pictures"
                .to_owned(),
        )),
    }
}

/// The comparison over all stored posts that match.
async fn compared(
    loaded: &Loaded,
    enrichers: &Enrichers<'_>,
    name: &str,
    filter: Filter,
) -> Result<Comparison, Stop> {
    let model = enrichers.model(name)?.into_enricher();
    let attribute = model.spec().gives.first().cloned().unwrap_or_default();
    let mut comparison = Comparison::of(&model.spec().name, &attribute);
    let documents = documents_to_read(loaded).await?;
    let mut scan = Scan::matching(filter).limit(256);
    loop {
        let page = Documents::scan(&*documents, &scan).await?;
        page.records
            .iter()
            .for_each(|record| comparison.add(record));
        match page.next {
            Some(next) => scan = scan.after(Some(next)),
            None => return Ok(comparison),
        }
    }
}

fn tune(model: &Model, json: bool) -> Result<(), Stop> {
    let Model::Classify(model) = model else {
        return Err(Stop::Usage("only classifiers can be tuned".to_owned()));
    };
    let tunings = model.tune()?;
    if json {
        return print_json(&serde_json::json!({ "tunings": tunings }));
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["batch", "threads", "pictures/s", "cpu-ms"]);
    for tuning in &tunings {
        table.add_row([
            tuning.setting.batch.to_string(),
            tuning.setting.threads.to_string(),
            format!("{:.0}", tuning.items_per_second),
            format!("{:.2}", tuning.cpu_ms),
        ]);
    }
    println!("{table}\nthe first is remembered");
    Ok(())
}

fn tell(model: &Registered, json: bool) -> Result<(), Stop> {
    if json {
        return print_json(model);
    }
    println!(
        "{}: {} is promoted, of {}",
        model.name,
        model.state.promoted,
        model.versions.join(", ")
    );
    if let Some(shadow) = &model.state.shadow {
        println!(
            "{} runs in its shadow on {:.0} % of posts",
            shadow.version,
            shadow.sample * 100.0
        );
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct Listed {
    name: String,
    version: String,
    gives: Vec<String>,
    fingerprint: String,
    from: String,
    registered: Option<Registered>,
}

fn list(loaded: &Loaded, enrichers: &Enrichers<'_>, json: bool) -> Result<(), Stop> {
    let registry = enrichers.registry().list()?;
    let mut listed = Vec::new();
    for name in enrichers.names()? {
        if crate::workbench::READY.contains(&name.as_str()) {
            continue;
        }
        let model = enrichers.model(&name)?.into_enricher();
        let registered = registry.iter().find(|model| model.name == name).cloned();
        let from = match (loaded.config.models.folders.get(&name), &registered) {
            (Some(folder), _) => loaded.base.join(folder).display().to_string(),
            (None, Some(_)) => "registry".to_owned(),
            (None, None) => "shipped".to_owned(),
        };
        let spec = model.spec();
        listed.push(Listed {
            version: spec.version.clone(),
            gives: spec.gives.clone(),
            fingerprint: spec.fingerprint.to_string(),
            name,
            from,
            registered,
        });
    }
    if json {
        return print_json(&serde_json::json!({ "models": listed }));
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["model", "version", "gives", "fingerprint", "from"]);
    for model in listed {
        table.add_row([
            model.name,
            model.version,
            model.gives.join(", "),
            model.fingerprint,
            model.from,
        ]);
    }
    println!("{table}");
    Ok(())
}
