//! Queries of people, over both tiers.
//!
//! The server cannot see the hot records: they are brought to it as rows of a table that lives as long as the query. They are read before the
//! query begins, and a post goes to the warehouse before it goes from documents; so none is missed, and one that is in both is taken as it was hot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{StreamExt, TryStreamExt};
use heurpipe_core::{Error, ErrorKind, Record, Result};
use jiff::{SignedDuration, Timestamp};

use super::guard::Checked;
use super::parameter::Statement;
use super::query::{Answer, ask};
use super::service::Service;
use super::staging::{Staging, encoded};
use super::{arrow_rows, coverage, guard, job, table};
use crate::warehouse::SqlAnswer;
use crate::warehouse::hot::HotRows;

const OPERATION: &str = "warehouse.sql";

/// After so long the server removes the hot rows of a query whose process was killed.
const HOT_LIVES: SignedDuration = SignedDuration::from_hours(1);

/// Hot records of one file.
const FILE_ROWS: usize = 8_192;

/// Answers one reading statement.
pub(super) async fn answer(
    service: &Arc<Service>,
    query: &str,
    hot: &dyn HotRows,
) -> Result<SqlAnswer> {
    let query = guard::checked(query)?;
    let bytes = estimate(service, query).await?;
    tracing::debug!(bytes, "what the query would read of the warehouse");
    let (hot, count) = HotTable::of(service, hot).await?;
    let table = hot.as_ref().map(|hot| service.quoted(hot.staging.table()));
    let statement = over_posts(service, table.as_deref(), query);
    let answer = ask(service, OPERATION, &statement, service.address.max_bytes).await;
    // The answer is whole by now, and lies by itself.
    if let Some(hot) = hot {
        hot.staging.discard(service, OPERATION).await?;
    }
    let cold = coverage::coverage(service).await?;
    let answer = answer?;
    let columns = answer.columns.clone();
    let schema = arrow_rows::schema(&columns);
    Ok(SqlAnswer {
        schema: Arc::clone(&schema),
        batches: batches(answer, schema),
        cold,
        hot: count,
    })
}

/// How many bytes of the warehouse a query would read.
///
/// # Errors
/// `InvalidInput` for a query that the server does not understand; `PermissionDenied` for one that would do more than read; `TooLarge` when it is more
/// than a query may read.
pub(super) async fn estimate(service: &Arc<Service>, query: Checked<'_>) -> Result<u64> {
    let configuration = over_posts(service, None, query).configuration();
    let dry = job::dry_run(service, OPERATION, &configuration).await?;
    if dry.statement_type() != "SELECT" {
        return Err(guard::refused(dry.statement_type()));
    }
    let bytes = dry.bytes();
    match service.address.max_bytes {
        Some(most) if bytes > most => Err(Error::new(ErrorKind::TooLarge, OPERATION)
            .message(
                "the query reads more than it may; name fewer columns or days, or raise max_bytes",
            )
            .with("bytes", bytes)
            .with("max_bytes", most)),
        _ => Ok(bytes),
    }
}

/// The query, with `posts` as it sees it.
fn over_posts(service: &Service, hot: Option<&str>, query: Checked<'_>) -> Statement {
    let posts = service.posts();
    let columns = table::names("");
    let rows = match hot {
        None => format!("SELECT {columns}, 'cold' AS tier FROM {posts}"),
        Some(hot) => format!(
            "SELECT {columns}, 'cold' AS tier FROM {posts} WHERE id NOT IN (SELECT id FROM {hot}) \
             UNION ALL SELECT {columns}, 'hot' AS tier FROM {hot}"
        ),
    };
    let text = query.text;
    // A statement has one `WITH`, a query in parentheses another. A line of its own ends a comment that the text may end in.
    Statement::new(match query.defines_tables {
        true => format!("WITH posts AS ({rows}) ({text}\n)"),
        false => format!("WITH posts AS ({rows}) {text}"),
    })
}

fn batches(
    answer: Answer,
    schema: arrow::datatypes::SchemaRef,
) -> futures::stream::BoxStream<'static, Result<arrow::array::RecordBatch>> {
    let columns = answer.columns.clone();
    answer
        .pages()
        .and_then(move |rows| std::future::ready(arrow_rows::batch(&schema, &columns, &rows)))
        .boxed()
}

/// The hot records of one query, as a table.
struct HotTable {
    staging: Staging,
}

impl HotTable {
    /// All hot records, if there are any, and how many there are.
    async fn of(service: &Service, hot: &dyn HotRows) -> Result<(Option<Self>, u64)> {
        let mut files = Vec::new();
        let mut waiting: Vec<Record> = Vec::new();
        let mut count = 0;
        let mut pages = hot.pages();
        while let Some(page) = pages.try_next().await? {
            count += page.len() as u64;
            waiting.extend(page);
            if waiting.len() >= FILE_ROWS {
                files.extend(encoded(OPERATION, std::mem::take(&mut waiting)).await?);
            }
        }
        if !waiting.is_empty() {
            files.extend(encoded(OPERATION, waiting).await?);
        }
        if files.is_empty() {
            return Ok((None, 0));
        }
        let staging = Staging::of(service, &purpose(), files);
        if let Err(error) = staging.load(service, OPERATION, HOT_LIVES).await {
            staging.discard(service, OPERATION).await?;
            return Err(error);
        }
        Ok((Some(Self { staging }), count))
    }
}

/// Each query has rows of its own, though two may have the same: the one that ends first removes its own.
fn purpose() -> String {
    static QUERIES: AtomicU64 = AtomicU64::new(0);
    let number = QUERIES.fetch_add(1, Ordering::Relaxed);
    let now = Timestamp::now().as_nanosecond();
    format!("query {number} of {} at {now}", std::process::id())
}
