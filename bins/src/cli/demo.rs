//! `heurpipe demo`: the main job from end to end, in one command.
//!
//! A simulated world is gathered over HTTP by both use cases into embedded stores in one folder, and served. The folder holds a
//! `heurpipe.toml`, so that every other command works from there. Killed and started again, it goes on where it was.

use std::path::{Path, PathBuf};

use clap::Args;
use heurpipe_core::{RunOptions, RunReport, RunStatus};
use heurpipe_sources::simulator::{CALLER, Simulator, World};
use serde::Serialize;

use super::run::{print_report, run_shown};
use super::serve::Server;
use super::{Done, Exit, Stop, print_json, simulate, with_runtime};
use crate::config::{self, Config, Loaded, load};
use crate::use_cases::ALL;
use crate::workbench::{Input, Workbench};

/// The seed of the demo's world.
pub(super) const SEED: u64 = 42;
/// Hashtags that the demo reads beside the accounts; the API admits 30 in a week.
const HASHTAGS: usize = 6;
const FILE: &str = "heurpipe.toml";
const TOKEN_FILE: &str = "simulator-token";

/// Arguments of `heurpipe demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Posts in the simulated world.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    posts: u64,
    /// Where everything is kept.
    #[arg(long, value_name = "DIR", default_value = "heurpipe-demo")]
    dir: PathBuf,
    /// The world's seed.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// End when the posts are gathered, instead of serving pages.
    #[arg(long)]
    no_serve: bool,
    /// Where the pages are served.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Print the runs' reports as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Reports {
    runs: Vec<RunReport>,
}

impl Demo {
    /// Gathers, reports, serves.
    pub(super) async fn run(self) -> Done {
        std::fs::create_dir_all(&self.dir)
            .map_err(|error| Stop::io(&format!("{} cannot be made", self.dir.display()), error))?;
        let loaded = match self.dir.join(FILE).exists() {
            true => self.resume()?,
            false => self.begin().await?,
        };
        let loaded = with_runtime(loaded)?;
        let bench = Workbench::open(&loaded).await?;
        // From the first post on, so that one can watch the pages fill.
        let server = match self.no_serve {
            true => None,
            false => Some(Server::start(&bench, &self.listen).await?),
        };
        let finished = finished(&bench).await?;
        let runs = match finished {
            Some(runs) => {
                eprintln!(
                    "the demo in {} is finished; its folder stays as it is",
                    self.dir.display()
                );
                runs
            }
            None => self.gather(&loaded, &bench).await?,
        };
        let exit = runs.iter().map(Exit::of).fold(Exit::Done, Exit::worse);
        if self.json {
            print_json(&Reports { runs })?;
        } else {
            runs.iter().for_each(|report| print_report(report, None));
            self.print_hints();
        }
        if let Some(server) = server {
            server.ended().await?;
        }
        Ok(exit)
    }

    /// Reads the folder's configuration and checks that it is of the world asked for.
    fn resume(&self) -> Result<Loaded, Stop> {
        let loaded = load(Some(&self.dir.join(FILE)), std::env::vars())?;
        match &loaded.config.demo {
            Some(demo) if demo.posts == self.posts && demo.seed == self.seed => Ok(loaded),
            Some(demo) => Err(Stop::Usage(format!(
                "{} holds a demo of {} posts with seed {}; choose another --dir",
                self.dir.display(),
                demo.posts,
                demo.seed
            ))),
            None => Err(Stop::Usage(format!(
                "{} holds a configuration that is not of a demo; choose another --dir",
                self.dir.display()
            ))),
        }
    }

    /// Writes the configuration of a new demo. The simulator's port is kept, since the stored posts' media URLs hold it.
    async fn begin(&self) -> Result<Loaded, Stop> {
        let world = simulate::world(self.posts, self.seed);
        let simulator = simulate::start(&world, 0).await?;
        let config = self.configuration(&world, &simulator);
        let text =
            toml::to_string_pretty(&config).map_err(|error| Stop::Usage(error.to_string()))?;
        let text = format!(
            "# Made by `heurpipe demo`. To gather once more, start the simulator beside it:\n\
             # heurpipe simulate --posts {} --seed {} --port {}\n\n{text}",
            self.posts,
            self.seed,
            simulator.address().port()
        );
        write(&self.dir.join(TOKEN_FILE), &simulate::token())?;
        // The configuration comes last, and whole: a folder that has one can be resumed.
        write(&self.dir.join(FILE), &text)?;
        simulator.shutdown().await;
        Ok(load(Some(&self.dir.join(FILE)), std::env::vars())?)
    }

    fn configuration(&self, world: &World, simulator: &Simulator) -> Config {
        let token = format!("file:{TOKEN_FILE}");
        let sources = vec![
            config::Source::Instagram(config::InstagramSource {
                hashtags: world.hashtags().into_iter().take(HASHTAGS).collect(),
                accounts: world.instagram_accounts(),
                ..config::InstagramSource::default()
            }),
            config::Source::Weibo(config::WeiboSource {
                uids: world.weibo_uids(),
                ..config::WeiboSource::default()
            }),
        ];
        let mut config = Config::default();
        config.stores.documents = "sqlite:documents.sqlite".to_owned();
        config.stores.search = "tantivy:search".to_owned();
        config.stores.warehouse = "file:warehouse".to_owned();
        config.stores.blobs = "file:blobs".to_owned();
        config.models.dir = "models".into();
        config.instagram.base_url = simulator.graph_url();
        config.instagram.user_id = CALLER.to_owned();
        config.instagram.token.clone_from(&token);
        config.weibo.base_url = format!("{}/2", simulator.weibo_url());
        config.weibo.token = token;
        config.media.allow_private_hosts = true;
        config.api.listen.clone_from(&self.listen);
        for use_case in ALL {
            let settings = config::UseCase {
                sources: sources.clone(),
                ..config::UseCase::default()
            };
            config
                .use_cases
                .insert(use_case.name.into_owned(), settings);
        }
        config.demo = Some(config::Demo {
            posts: self.posts,
            seed: self.seed,
            port: simulator.address().port(),
        });
        config
    }

    /// Runs the use cases that are not done yet, one after the other.
    async fn gather(&self, loaded: &Loaded, bench: &Workbench) -> Result<Vec<RunReport>, Stop> {
        let port = loaded.config.demo.as_ref().map_or(0, |demo| demo.port);
        let world = simulate::world(self.posts, self.seed);
        let simulator = simulate::start(&world, port).await?;
        let mut reports = Vec::new();
        for use_case in ALL {
            let report = match done(bench, &use_case.name).await? {
                Some(report) => report,
                None => {
                    let pipeline = use_case.build(bench, &Input::Configured)?;
                    run_shown(&pipeline, RunOptions::default(), None).await?
                }
            };
            let stopped = report.status == RunStatus::Stopped;
            reports.push(report);
            if stopped {
                break;
            }
        }
        simulator.shutdown().await;
        Ok(reports)
    }

    fn print_hints(&self) {
        let dir = self.dir.display();
        println!("\nlook further from {dir}:");
        println!("  heurpipe query 'garment:dress colour:red'");
        println!("  heurpipe query --sql 'SELECT platform, count(*) FROM posts GROUP BY platform'");
        println!("  heurpipe plan catalog");
        println!("  heurpipe-api");
    }
}

/// The reports of a demo all of whose runs are done.
async fn finished(bench: &Workbench) -> Result<Option<Vec<RunReport>>, Stop> {
    let mut reports = Vec::new();
    for use_case in ALL {
        match done(bench, &use_case.name).await? {
            Some(report) => reports.push(report),
            None => return Ok(None),
        }
    }
    Ok(Some(reports))
}

/// The report of the use case's first run that came to its end.
async fn done(bench: &Workbench, use_case: &str) -> Result<Option<RunReport>, Stop> {
    let runs = bench.documents.runs(1000).await?;
    let done = runs
        .into_iter()
        .rev()
        .map(|run| run.report)
        .find(|report| report.use_case == use_case && report.status == RunStatus::Done);
    Ok(done)
}

fn write(path: &Path, text: &str) -> Result<(), Stop> {
    std::fs::write(path, text)
        .map_err(|error| Stop::io(&format!("{} cannot be written", path.display()), error))
}
