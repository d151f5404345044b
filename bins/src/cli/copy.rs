//! `heurpipe copy`: from one store to another of the same role.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use heurpipe_core::ErrorKind;
use heurpipe_stores::copy::{self, Doing, Part, Progress, Report, Watch};
use heurpipe_stores::{Mode, blobs, documents, warehouse};
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::json;

use super::{Done, Exit, Stop, print_json};

/// Between two plain lines.
const EVERY: Duration = Duration::from_secs(5);

/// The store that stands for a target that is not there yet.
const EMPTY: &str = "memory:";

/// Arguments of `heurpipe copy`.
#[derive(Debug, Args)]
pub struct Copy {
    /// The store to read, e.g. sqlite:heurpipe-data/documents.sqlite.
    #[arg(long, value_name = "URL")]
    from: String,
    /// The store to fill: a new one, or one into which the same command was copying when it was stopped.
    #[arg(long, value_name = "URL")]
    to: String,
    /// What the stores keep, where their URLs do not tell.
    #[arg(long)]
    role: Option<Role>,
    /// Count what would be copied, and copy nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What a store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Records and all that goes with them.
    Documents,
    /// The search index; it is made anew, not copied.
    Search,
    /// Rows of archived posts.
    Warehouse,
    /// Pictures.
    Blobs,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Search => "search",
            Self::Warehouse => "warehouse",
            Self::Blobs => "blobs",
        }
    }

    /// What a store of this URL keeps, where only one kind of store has such URLs.
    fn of(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" | "mongodb" | "mongodb+srv" => Some(Self::Documents),
            "tantivy" | "http" | "https" => Some(Self::Search),
            "bigquery" => Some(Self::Warehouse),
            _ => None,
        }
    }
}

impl Copy {
    /// Copies, or counts what there is to copy.
    pub(super) async fn run(self) -> Done {
        let role = self.role()?;
        self.check_places()?;
        let watch = shown();
        if self.dry_run {
            let parts = self.survey(role, &*watch).await?;
            return self.print_survey(role, &parts);
        }
        let report = match role {
            Role::Documents => {
                let source = documents::open_undisturbed(&self.from).await?;
                let target = documents::open(&self.to, Mode::ReadWrite).await?;
                copy::Documents::between(source, target).run(&*watch).await
            }
            Role::Warehouse => {
                let source = warehouse::open(&self.from, Mode::ReadOnly).await?;
                let target = warehouse::open(&self.to, Mode::ReadWrite).await?;
                copy::Warehouse::between(source, target).run(&*watch).await
            }
            Role::Blobs => {
                let source = blobs::open(&self.from, Mode::ReadOnly).await?;
                let target = blobs::open(&self.to, Mode::ReadWrite).await?;
                copy::Blobs::between(source, target).run(&*watch).await
            }
            Role::Search => return Err(search_is_made_anew()),
        };
        self.print(role, &report?)
    }

    async fn survey(&self, role: Role, watch: &Watch) -> Result<Vec<Part>, Stop> {
        let parts = match role {
            Role::Documents => {
                let source = documents::open_undisturbed(&self.from).await?;
                let target = match documents::open(&self.to, Mode::ReadOnly).await {
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        documents::open(EMPTY, Mode::ReadOnly).await?
                    }
                    opened => opened?,
                };
                let copy = copy::Documents::between(source, target);
                copy.survey(watch).await?
            }
            Role::Warehouse => {
                let source = warehouse::open(&self.from, Mode::ReadOnly).await?;
                let target = match warehouse::open(&self.to, Mode::ReadOnly).await {
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        warehouse::open(EMPTY, Mode::ReadOnly).await?
                    }
                    opened => opened?,
                };
                let copy = copy::Warehouse::between(source, target);
                copy.survey(watch).await?
            }
            Role::Blobs => {
                let source = blobs::open(&self.from, Mode::ReadOnly).await?;
                let target = blobs::open(EMPTY, Mode::ReadOnly).await?;
                copy::Blobs::between(source, target).survey().await?
            }
            Role::Search => return Err(search_is_made_anew()),
        };
        Ok(parts)
    }

    /// What both stores keep.
    fn role(&self) -> Result<Role, Stop> {
        let mut told = [("--from", &self.from), ("--to", &self.to)]
            .into_iter()
            .filter_map(|(flag, url)| Some((flag, Role::of(url)?)));
        let Some((flag, role)) = told.next() else {
            return self.role.ok_or_else(|| {
                Stop::Usage(
                    "the URLs do not tell what the stores keep: say --role warehouse or --role blobs"
                        .to_owned(),
                )
            });
        };
        if let Some((other, different)) = told.find(|(_, other)| *other != role) {
            return Err(Stop::Usage(format!(
                "{flag} names a store of the role {}, {other} one of the role {}: only stores of one role can be copied into each other",
                role.name(),
                different.name()
            )));
        }
        match self.role {
            Some(said) if said != role => Err(Stop::Usage(format!(
                "--role {}: {flag} names a store of the role {}",
                said.name(),
                role.name()
            ))),
            _ => Ok(role),
        }
    }

    /// Refuses what is the same place, and what ends with the command.
    fn check_places(&self) -> Result<(), Stop> {
        for (flag, url) in [("--from", &self.from), ("--to", &self.to)] {
            if url.starts_with("memory:") {
                return Err(Stop::Usage(format!(
                    "{flag} memory: such a store ends with the command"
                )));
            }
        }
        if place(&self.from) == place(&self.to) {
            return Err(Stop::Usage(
                "--from and --to name the same store".to_owned(),
            ));
        }
        Ok(())
    }

    fn print_survey(&self, role: Role, parts: &[Part]) -> Done {
        if self.json {
            print_json(
                &json!({"dry_run": true, "role": role, "from": self.from, "to": self.to, "parts": parts}),
            )?;
            return Ok(Exit::Done);
        }
        print_parts(parts);
        println!("nothing was copied; this much would be, less what an earlier run has copied");
        Ok(Exit::Done)
    }

    fn print(&self, role: Role, report: &Report) -> Done {
        if self.json {
            print_json(&json!({
                "role": role,
                "from": self.from,
                "to": self.to,
                "copied": report.copied,
                "verified": true,
                "parts": report.parts,
            }))?;
            return Ok(Exit::Done);
        }
        print_parts(&report.parts);
        println!(
            "{} copied by this run; both stores were read and hold the same",
            report.copied
        );
        println!(
            "to use it, write {} = \"{}\" under [stores] of heurpipe.toml",
            role.name(),
            self.to
        );
        Ok(Exit::Done)
    }
}

fn search_is_made_anew() -> Stop {
    Stop::Usage(
        "a search index holds nothing that documents and warehouse do not: name the new one under [stores], then `heurpipe reindex` builds it"
            .to_owned(),
    )
}

/// Where a store is, so far as that can be told by its URL: without credentials and the like, and its path as a whole.
fn place(url: &str) -> (String, PathBuf, String) {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = place.split_once(':').unwrap_or(("", place));
    let endpoint = parameters.split('&').find(|p| p.starts_with("endpoint="));
    let rest = match scheme {
        "sqlite" | "file" => whole(Path::new(rest.strip_prefix("//").unwrap_or(rest))),
        _ => PathBuf::from(rest.trim_end_matches('/')),
    };
    (
        scheme.to_owned(),
        rest,
        endpoint.unwrap_or_default().to_owned(),
    )
}

/// The path from the root, through no links where there is something.
fn whole(path: &Path) -> PathBuf {
    let found = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    found.unwrap_or_else(|_| path.to_owned())
}

fn print_parts(parts: &[Part]) {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    for part in parts {
        let name = part.part.replace('_', " ");
        table.add_row([name, part.sum.entries.to_string()]);
    }
    println!("{table}");
}

/// Shows how far a copy has come: in place on a terminal, by lines otherwise, always on stderr.
fn shown() -> Arc<Watch> {
    let said = |progress: &Progress| {
        let doing = match progress.doing {
            Doing::Copying => "copied",
            Doing::Comparing => "compared",
        };
        let part = progress.part.replace('_', " ");
        format!("{part}: {} {doing}", progress.entries)
    };
    if std::io::stderr().is_terminal() {
        let spinner = ProgressBar::new_spinner();
        return Arc::new(move |progress| {
            spinner.set_message(said(progress));
            spinner.tick();
        });
    }
    let last = Mutex::new(Instant::now());
    Arc::new(move |progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= EVERY {
            *last = Instant::now();
            eprintln!("{}", said(progress));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(from: &str, to: &str, role: Option<Role>) -> Copy {
        Copy {
            from: from.to_owned(),
            to: to.to_owned(),
            role,
            dry_run: false,
            json: false,
        }
    }

    fn refusal<T: std::fmt::Debug>(checked: Result<T, Stop>) -> String {
        match checked {
            Err(Stop::Usage(sentence)) => sentence,
            other => format!("not refused: {other:?}"),
        }
    }

    #[test]
    fn what_stores_keep_is_told_by_their_urls_or_by_the_role() {
        let role = |from, to, role| between(from, to, role).role().ok();
        let documents = role("sqlite:a", "mongodb://h/b", None);
        assert_eq!(documents, Some(Role::Documents));
        let warehouse = role("file:a", "bigquery://p/d?bucket=b", None);
        assert_eq!(warehouse, Some(Role::Warehouse));
        let blobs = role("file:a", "gs://b", Some(Role::Blobs));
        assert_eq!(blobs, Some(Role::Blobs));

        let unclear = refusal(between("file:a", "s3://b", None).role());
        assert!(
            unclear.contains("--role warehouse or --role blobs"),
            "{unclear}"
        );
        let mixed = refusal(between("sqlite:a", "tantivy:b", None).role());
        assert!(
            mixed.contains("documents, --to one of the role search"),
            "{mixed}"
        );
        let denied = refusal(between("sqlite:a", "sqlite:b", Some(Role::Blobs)).role());
        assert!(denied.contains("--role blobs: --from names"), "{denied}");
    }

    #[test]
    fn one_place_is_known_under_several_urls() {
        let same = |from, to| refusal(between(from, to, None).check_places());
        for (from, to) in [
            ("sqlite:a/b", "sqlite:./a/b"),
            ("file:x", "file:x/"),
            ("mongodb://h/b", "mongodb://h/b?credentials=env:X"),
            ("gs://b/f/", "gs://b/f"),
        ] {
            assert!(same(from, to).contains("the same store"), "{from} {to}");
        }
        for (from, to) in [
            ("sqlite:a", "sqlite:b"),
            ("s3://b?endpoint=http://x", "s3://b?endpoint=http://y"),
        ] {
            assert!(same(from, to).contains("not refused"), "{from} {to}");
        }
        assert!(same("memory:", "sqlite:a").contains("ends with the command"));
    }
}
