//! `heurpipe dead-letters`: posts that could not be processed, by cause; and how to be rid of them.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Subcommand};
use heurpipe_core::{DeadLetter, DeadLetterCount, DeadLetterScan, Documents, Filter, RunOptions};
use serde_json::json;

use super::run::{print_report, run_shown, tell_further};
use super::{Done, Exit, Stop, print_json};
use crate::config::Loaded;
use crate::use_cases::UseCase;
use crate::workbench::{Input, Workbench, documents_to_read, documents_to_write};

/// Arguments of `heurpipe dead-letters`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DeadLetters {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

/// What to do with dead letters, other than to list them.
#[derive(Debug, Subcommand)]
enum Action {
    /// Send posts through their pipelines once more. What settles this time is no dead letter any more.
    Replay(Replay),
    /// Remove dead letters for good; the posts stay as they are.
    Drop(Drop),
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    which: Which,
    /// Show at most so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Replay {
    #[command(flatten)]
    which: Which,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Drop {
    #[command(flatten)]
    which: Which,
    /// At most so many, the oldest first.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// All there are.
    #[arg(long, conflicts_with_all = ["use_case", "stage", "cause", "filter", "limit"])]
    all: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Which dead letters.
#[derive(Debug, Args)]
struct Which {
    /// Only those of this use case.
    #[arg(long, value_name = "U")]
    use_case: Option<String>,
    /// Only those that failed at this stage.
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Only those with this cause, e.g. corrupt.
    #[arg(long, value_name = "KIND")]
    cause: Option<String>,
    /// Only those of posts that match this filter.
    #[arg(long = "where", value_name = "FILTER", default_value = "")]
    filter: String,
}

impl DeadLetters {
    /// Does what was asked for; lists, where nothing was.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        match self.action {
            None => self.list.run(loaded).await,
            Some(Action::Replay(replay)) => replay.run(loaded).await,
            Some(Action::Drop(drop)) => drop.run(loaded).await,
        }
    }
}

impl List {
    /// Counts by cause, then the letters, oldest first.
    async fn run(self, loaded: &Loaded) -> Done {
        let selection = self.which.selection()?;
        let documents = documents_to_read(loaded).await?;
        let counts = selection.counts(&*documents).await?;
        let mut letters = Vec::new();
        let mut pages = selection.pages(&*documents, Some(self.limit));
        while let Some(page) = pages.next().await? {
            letters.extend(page);
        }
        match self.json {
            true => print_json(&json!({"dead_letters": letters, "counts": counts}))?,
            false => print_letters(&counts, &letters),
        }
        Ok(Exit::Done)
    }
}

impl Replay {
    /// Runs each use case that has such letters over them.
    async fn run(self, loaded: &Loaded) -> Done {
        let selection = self.which.selection()?;
        let bench = Workbench::open(loaded).await?;
        let counts = selection.counts(&*bench.documents).await?;
        let names: BTreeSet<&str> = counts.iter().map(|c| c.use_case.as_str()).collect();
        let mut runs = Vec::new();
        for name in names {
            let use_case = UseCase::named(name, &loaded.config).map_err(Stop::Usage)?;
            let dead = Input::Dead(selection.scan.clone(), selection.filter.clone());
            let pipeline = use_case.build(&bench, &dead)?;
            let report = run_shown(&pipeline, RunOptions::default(), None).await?;
            if !self.json {
                print_report(&report, Some(pipeline.plan()));
            }
            tell_further(&bench, &report).await?;
            runs.push(report);
        }
        if self.json {
            print_json(&json!({"runs": runs}))?;
        } else if runs.is_empty() {
            println!("no dead letters");
        }
        Ok(runs.iter().map(Exit::of).fold(Exit::Done, Exit::worse))
    }
}

impl Drop {
    /// Removes the letters, a page at a time.
    async fn run(self, loaded: &Loaded) -> Done {
        let selection = self.which.selection()?;
        if selection.is_everything() && self.limit.is_none() && !self.all {
            let message = "this would drop every dead letter: say which by --use-case, --stage, --cause, --where or --limit, or --all";
            return Err(Stop::Usage(message.to_owned()));
        }
        let documents = documents_to_write(loaded).await?;
        let mut dropped = 0;
        let mut pages = selection.pages(&*documents, self.limit);
        while let Some(page) = pages.next().await? {
            let keys: Vec<String> = page.into_iter().map(|letter| letter.key).collect();
            documents.exhume(&keys).await?;
            dropped += keys.len();
        }
        match (self.json, dropped) {
            (true, _) => print_json(&json!({"dropped": dropped}))?,
            (false, 1) => println!("1 dead letter dropped"),
            (false, _) => println!("{dropped} dead letters dropped"),
        }
        Ok(Exit::Done)
    }
}

impl Which {
    fn selection(self) -> Result<Selection, Stop> {
        let filter = self.filter.parse();
        let filter = filter.map_err(|error| Stop::Usage(format!("--where: {error}")))?;
        let mut scan = DeadLetterScan::all();
        scan.use_case = self.use_case;
        scan.stage = self.stage;
        scan.cause = self.cause;
        Ok(Selection { scan, filter })
    }
}

/// Letters that a scan finds and whose posts match a filter.
#[derive(Debug)]
struct Selection {
    scan: DeadLetterScan,
    filter: Filter,
}

impl Selection {
    fn is_everything(&self) -> bool {
        self.scan == DeadLetterScan::all() && self.filter == Filter::All
    }

    /// The letters, at most so many.
    fn pages<'a>(&'a self, documents: &'a dyn Documents, most: Option<usize>) -> Pages<'a> {
        Pages {
            selection: self,
            documents,
            next: Some(self.scan.clone()),
            left: most.unwrap_or(usize::MAX),
        }
    }

    /// How many letters there are by use case, stage and cause.
    async fn counts(&self, documents: &dyn Documents) -> Result<Vec<DeadLetterCount>, Stop> {
        if self.filter != Filter::All {
            return self.counts_of_matching(documents).await;
        }
        let use_case = self.scan.use_case.as_deref();
        let mut counts = documents.dead_letter_counts(use_case).await?;
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|w| w == value);
        counts.retain(|count| {
            is(&self.scan.stage, &count.stage) && is(&self.scan.cause, &count.cause)
        });
        Ok(counts)
    }

    async fn counts_of_matching(
        &self,
        documents: &dyn Documents,
    ) -> Result<Vec<DeadLetterCount>, Stop> {
        let mut counts: BTreeMap<[String; 3], u64> = BTreeMap::new();
        let mut pages = self.pages(documents, None);
        while let Some(page) = pages.next().await? {
            for letter in page {
                let place = [letter.use_case, letter.stage, letter.cause];
                *counts.entry(place).or_default() += 1;
            }
        }
        let counts = counts.into_iter();
        Ok(counts
            .map(|([use_case, stage, cause], letters)| DeadLetterCount {
                use_case,
                stage,
                cause,
                letters,
            })
            .collect())
    }
}

/// The letters of a selection, oldest first, a page at a time.
struct Pages<'a> {
    selection: &'a Selection,
    documents: &'a dyn Documents,
    next: Option<DeadLetterScan>,
    left: usize,
}

impl Pages<'_> {
    /// The next page, which may hold nothing that matches; none: that was all.
    async fn next(&mut self) -> Result<Option<Vec<DeadLetter>>, Stop> {
        let Some(scan) = self.next.take().filter(|_| self.left > 0) else {
            return Ok(None);
        };
        let mut page = self.documents.dead_letters(&scan).await?;
        self.next = page.last().map(|last| scan.after(last));
        page.retain(|letter| letter.matches(&self.selection.filter));
        page.truncate(self.left);
        self.left -= page.len();
        Ok(Some(page))
    }
}

fn print_letters(counts: &[DeadLetterCount], letters: &[DeadLetter]) {
    let total: u64 = counts.iter().map(|count| count.letters).sum();
    if total == 0 {
        println!("no dead letters");
        return;
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["letters", "use case", "stage", "cause"]);
    for count in counts {
        let letters = count.letters.to_string();
        table.add_row([&letters, &count.use_case, &count.stage, &count.cause]);
    }
    println!("{table}\n");
    letters.iter().for_each(print_letter);
    let shown = letters.len() as u64;
    if shown < total {
        println!("and {} more: --limit shows more at a time", total - shown);
    }
}

fn print_letter(letter: &DeadLetter) {
    println!("{}  {} at {}", letter.post, letter.cause, letter.stage);
    for sentence in &letter.chain {
        println!("    {sentence}");
    }
}
