//! `heurpipe plan`: what a use case consists of and what it would do.

use clap::Args;
use heurpipe_core::{Filter, Force, Plan, Survey};
use serde::Serialize;

use super::{Done, Exit, Stop, print_json};
use crate::config::Loaded;
use crate::use_cases::UseCase;
use crate::workbench::{Input, Workbench};

/// Arguments of `heurpipe plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The use case: catalog or trends.
    use_case: String,
    /// A folder of pictures or a file of records; instead of the configured sources.
    #[arg(long, value_name = "PATH")]
    from: Vec<std::path::PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Planned<'a> {
    plan: &'a Plan,
    stored: &'a Survey,
}

impl PlanArgs {
    /// Prints the plan, and what it would do on the posts that are stored already.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        let use_case = UseCase::named(&self.use_case, &loaded.config).map_err(Stop::Usage)?;
        let bench = Workbench::open_to_read(loaded).await?;
        let input = match self.from.is_empty() {
            true => Input::Configured,
            false => Input::Paths(self.from),
        };
        let pipeline = use_case.build(&bench, &input)?;
        let stored = pipeline.survey(&Filter::All, &Force::Nothing).await?;
        if self.json {
            print_json(&Planned {
                plan: pipeline.plan(),
                stored: &stored,
            })?;
        } else {
            print!("{}\n{stored}", pipeline.plan());
        }
        Ok(Exit::Done)
    }
}
