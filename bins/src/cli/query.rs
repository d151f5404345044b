//! `heurpipe query`: posts by filter, rows by SQL.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::{Args, ValueEnum};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use heurpipe_core::{Error, ErrorKind, Filter, Flat, PostId, Record, Stored};
use heurpipe_sources::ndjson;
use heurpipe_stores::Mode;
use heurpipe_stores::documents::DocumentStore;
use heurpipe_stores::warehouse::{self, DocumentRows, HotRows, Warehouse, output};

use super::stdout::Piped;
use super::{Done, Exit, Stop};
use crate::config::Loaded;
use crate::workbench::{documents_to_read, warehouse_to_read};

/// Arguments of `heurpipe query`.
#[derive(Debug, Args)]
pub struct Query {
    /// Which posts, e.g. 'colour:red published:[2026-01-01 TO *]'.
    #[arg(required_unless_present = "sql", conflicts_with = "sql")]
    filter: Option<String>,
    /// SQL over the table posts, e.g. 'SELECT platform, count(*) FROM posts GROUP BY 1'.
    #[arg(long, value_name = "SQL", conflicts_with = "limit")]
    sql: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// At most so many posts.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Ndjson,
    Arrow,
    Parquet,
}

impl Format {
    fn of_rows(self) -> output::Format {
        match self {
            Self::Table => output::Format::Table,
            Self::Csv => output::Format::Csv,
            Self::Ndjson => output::Format::Ndjson,
            Self::Arrow => output::Format::Arrow,
            Self::Parquet => output::Format::Parquet,
        }
    }
}

/// What of a post fits a terminal's line.
const COLUMNS: &str = "id, published_at, author_handle, country, language, \
    array_to_string(garment, ' ') AS garment, array_to_string(colour, ' ') AS colour, \
    array_to_string(pattern, ' ') AS pattern, array_to_string(brand, ' ') AS brand, likes, \
    substr(text, 1, 40) AS text";

type Output = Box<dyn Write + Send>;

impl Query {
    /// Prints what matches.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        let documents = documents_to_read(loaded).await?;
        let warehouse = warehouse_to_read(loaded).await?;
        match (&self.sql, &self.filter) {
            (Some(sql), _) => {
                let hot = DocumentRows::new(documents);
                self.rows(warehouse.as_ref(), sql, &hot).await?;
            }
            (None, filter) => {
                let parsed = filter.as_deref().unwrap_or_default().parse();
                let filter: Filter =
                    parsed.map_err(|error: Error| Stop::Usage(error.to_string()))?;
                let matching = Matching {
                    hot: DocumentRows::new(documents.clone()).matching(Filter::clone(&filter)),
                    documents,
                    warehouse,
                    filter,
                };
                match self.format {
                    Format::Ndjson => self.records(&matching).await?,
                    _ => self.matching_rows(&matching).await?,
                }
            }
        }
        Ok(Exit::Done)
    }

    /// Posts that match, as rows: a query over a warehouse that holds nothing, with the matching posts as its hot tier.
    async fn matching_rows(&self, matching: &Matching) -> Result<(), Stop> {
        let columns = if self.format == Format::Table {
            COLUMNS
        } else {
            "*"
        };
        let limit = self
            .limit
            .map(|n| format!(" LIMIT {n}"))
            .unwrap_or_default();
        let sql = format!("SELECT {columns} FROM posts ORDER BY published_at DESC, id{limit}");
        let nothing = warehouse::open("memory:", Mode::ReadOnly).await?;
        self.rows(nothing.as_ref(), &sql, matching).await
    }

    async fn rows(
        &self,
        warehouse: &dyn Warehouse,
        sql: &str,
        hot: &dyn HotRows,
    ) -> Result<(), Stop> {
        let answer = warehouse.sql(sql, hot).await.map_err(refused)?;
        let out = self.output()?;
        output::write(self.format.of_rows(), answer.schema, answer.batches, out).await?;
        Ok(())
    }

    /// Whole records, one a line.
    async fn records(&self, matching: &Matching) -> Result<(), Stop> {
        let mut out = self.output()?;
        let mut left = self.limit.unwrap_or(usize::MAX);
        let mut pages = matching.pages();
        while let Some(page) = pages.try_next().await? {
            for record in page.iter().take(left) {
                writeln!(out, "{}", ndjson::to_line(record)?).map_err(unwritten)?;
            }
            left = left.saturating_sub(page.len());
            if left == 0 {
                break;
            }
        }
        out.flush().map_err(unwritten)
    }

    fn output(&self) -> Result<Output, Stop> {
        Ok(match &self.out {
            Some(path) => {
                let file = File::create(path).map_err(|error| {
                    Stop::io(&format!("{} cannot be written", path.display()), error)
                })?;
                Box::new(BufWriter::new(file))
            }
            None => Box::new(BufWriter::new(Piped::stdout())),
        })
    }
}

/// A query that cannot be understood, or that would change something, is wrong use; all else is a failure.
fn refused(error: Error) -> Stop {
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::PermissionDenied => Stop::Usage(error.to_string()),
        _ => Stop::Failed(error),
    }
}

fn unwritten(error: std::io::Error) -> Stop {
    Stop::io("the output cannot be written", error)
}

/// The posts of both tiers that match a filter. What documents know is not taken from the warehouse.
struct Matching {
    hot: DocumentRows,
    documents: Arc<dyn DocumentStore>,
    warehouse: Arc<dyn Warehouse>,
    filter: Filter,
}

impl HotRows for Matching {
    fn pages(&self) -> BoxStream<'_, heurpipe_core::Result<Vec<Record>>> {
        let seen = Arc::new(Seen::default());
        let seeing = Arc::clone(&seen);
        let hot = self.hot.pages().inspect_ok(move |page| seeing.add(page));
        // Read after the hot records: what has gone from there since is in the warehouse.
        let cold = futures::stream::once(self.warehouse.scan(&self.filter))
            .try_flatten()
            .and_then(move |page| self.only_cold(page, Arc::clone(&seen)));
        hot.chain(cold).boxed()
    }
}

impl Matching {
    /// Records of the warehouse that count and have not come as hot ones. A post that was brought back to documents meanwhile comes as it is there.
    async fn only_cold(
        &self,
        page: Vec<Record>,
        seen: Arc<Seen>,
    ) -> heurpipe_core::Result<Vec<Record>> {
        let ids: Vec<PostId> = page.iter().map(|record| record.id().clone()).collect();
        let stored = self.documents.load(&ids).await?;
        let cold = page.into_iter().zip(stored);
        let cold = cold.filter(|(record, _)| !seen.holds(record.id()));
        Ok(cold
            .filter_map(|(record, stored)| match stored {
                Stored::Unknown | Stored::Archived { .. } => Some(record),
                Stored::Known(hot) => self.filter.matches(&Flat::of(&hot)).then_some(*hot),
                Stored::Tombstoned => None,
            })
            .collect())
    }
}

/// The posts that came as hot ones: they may go to the warehouse before that is read.
#[derive(Default)]
struct Seen(Mutex<HashSet<PostId>>);

impl Seen {
    fn add(&self, page: &[Record]) {
        let ids = page.iter().map(|record| record.id().clone());
        self.lock().extend(ids);
    }

    fn holds(&self, id: &PostId) -> bool {
        self.lock().contains(id)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<PostId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
