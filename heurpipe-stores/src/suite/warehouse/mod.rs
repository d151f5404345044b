//! What every warehouse must do.

mod dialect;
mod handles;
mod letters;
mod place;
mod queries;
mod refusals;
mod removing;
mod writing;

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use async_trait::async_trait;
use futures::TryStreamExt;
use heurpipe_core::{Error, Filter, Flat, Record};
use jiff::Timestamp;

use super::filters::{self, Finder};
use super::report::{self, Of};
use super::{Backend, Check, Failure, Findings, checks, id, record, with};
use crate::Mode;
use crate::warehouse::Warehouse;

pub use dialect::Dialect;
pub use place::{InMemoryPlace, Place, PlaceByUrl};

/// Runs every check on a place of its own, and prints which hold.
///
/// # Errors
/// Those of the warehouse where it should not fail.
///
/// # Panics
/// Where the warehouse is wrong, and where a check is said not to be applicable that there is not.
pub async fn run(
    backend: Backend,
    fresh: impl AsyncFn() -> Result<Arc<dyn Place>, Failure>,
) -> Result<Findings, Failure> {
    report::hold("warehouse", backend, all(), fresh).await
}

/// All checks by their names.
fn all() -> Vec<(&'static str, Of<dyn Place>)> {
    let of_warehouse = [
        writing::CHECKS,
        letters::CHECKS,
        removing::CHECKS,
        queries::CHECKS,
        refusals::CHECKS,
        handles::CHECKS,
    ]
    .concat();
    let of_warehouse = of_warehouse
        .into_iter()
        .map(|(name, check)| -> (&'static str, Of<dyn Place>) { (name, Box::new(check)) });
    let of_filters = filters::CHECKS
        .iter()
        .map(|(name, check)| -> (&'static str, Of<dyn Place>) {
            let on_place =
                move |place: Arc<dyn Place>| -> futures::future::BoxFuture<'static, Check> {
                    Box::pin(async move { check(Arc::new(Scanned(writer(&*place).await?))).await })
                };
            (*name, Box::new(on_place))
        });
    of_warehouse.chain(of_filters).collect()
}

/// A handle for writing.
async fn writer(place: &dyn Place) -> Result<Arc<dyn Warehouse>, Failure> {
    place.open(Mode::ReadWrite).await
}

/// A record published at a time; the empty text: it does not say when.
fn dated(native: &str, revision: u64, time: &str) -> Result<Record, Failure> {
    let mut record = record(native, revision, native);
    if !time.is_empty() {
        record.post.published_at = Some(time.parse::<Timestamp>()?);
    }
    Ok(record)
}

/// Records of several days, and one that does not say when.
fn some_days() -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    for number in 0..12 {
        let time = format!("2026-03-{:02}T12:00:00Z", 1 + number % 4);
        records.push(dated(&format!("{number:02}"), 1, &time)?);
    }
    records.push(dated("12", 1, "")?);
    Ok(records)
}

/// All that a scan finds, by id; each post once.
async fn scanned(warehouse: &dyn Warehouse, filter: &Filter) -> Result<Vec<Record>, Failure> {
    let pages: Vec<Vec<Record>> = warehouse.scan(filter).await?.try_collect().await?;
    let mut found: Vec<Record> = pages.into_iter().flatten().collect();
    found.sort_by(|a, b| a.id().cmp(b.id()));
    let twice = found.windows(2).find(|two| two[0].id() == two[1].id());
    assert!(twice.is_none(), "a post twice: {twice:?}");
    Ok(found)
}

/// Every record that is there, by id. SQL counts as many.
async fn all_records(warehouse: &dyn Warehouse) -> Result<Vec<Record>, Failure> {
    let found = scanned(warehouse, &Filter::All).await?;
    let counted = number(warehouse, "SELECT count(*) FROM posts", &[]).await?;
    assert_eq!(counted, found.len() as i64, "rows of SQL and of a scan");
    let coverage = warehouse.coverage().await?;
    assert_eq!(coverage.posts, found.len() as u64, "{coverage:?}");
    Ok(found)
}

/// What a query gives beside these hot records.
async fn rows(
    warehouse: &dyn Warehouse,
    query: &str,
    hot: &[Record],
) -> Result<Vec<RecordBatch>, Failure> {
    let answer = warehouse.sql(query, &hot.to_vec()).await;
    let answer = answer.map_err(|error| format!("{query}: {error}"))?;
    Ok(answer.batches.try_collect().await?)
}

/// A column of a query's rows, as texts.
async fn column(
    warehouse: &dyn Warehouse,
    query: &str,
    place: usize,
    hot: &[Record],
) -> Result<Vec<Option<String>>, Failure> {
    let mut texts = Vec::new();
    for batch in rows(warehouse, query, hot).await? {
        let column = cast(batch.column(place), &DataType::Utf8)?;
        texts.extend(
            column
                .as_string::<i32>()
                .iter()
                .map(|t| t.map(str::to_owned)),
        );
    }
    Ok(texts)
}

/// The first column of a query's rows, without nulls.
async fn texts(
    warehouse: &dyn Warehouse,
    query: &str,
    hot: &[Record],
) -> Result<Vec<String>, Failure> {
    let found = column(warehouse, query, 0, hot).await?;
    Ok(found.into_iter().flatten().collect())
}

/// The one whole number that a query gives.
async fn number(warehouse: &dyn Warehouse, query: &str, hot: &[Record]) -> Result<i64, Failure> {
    let batches = rows(warehouse, query, hot).await?;
    let found: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(found, 1, "one row: {query}");
    let batch = batches.iter().find(|batch| batch.num_rows() == 1);
    let batch = batch.ok_or("a batch of one row")?;
    let column = cast(batch.column(0), &DataType::Int64)?;
    Ok(column.as_primitive::<Int64Type>().value(0))
}

/// Why a query is not answered.
async fn refusal(warehouse: &dyn Warehouse, query: &str) -> Option<Error> {
    match warehouse.sql(query, &Vec::new()).await {
        Err(error) => Some(error),
        Ok(answer) => answer.batches.try_collect::<Vec<_>>().await.err(),
    }
}

/// Records in a warehouse.
struct Scanned(Arc<dyn Warehouse>);

#[async_trait]
impl Finder for Scanned {
    async fn fill(&self, records: &[Record]) -> Check {
        let appended = self.0.append(records.to_vec()).await?;
        assert_eq!(appended.written, records.len() as u64, "{appended:?}");
        Ok(())
    }

    async fn found(&self, filter: &Filter) -> Result<Vec<String>, Failure> {
        let found = scanned(&*self.0, filter).await?;
        let mut expected = scanned(&*self.0, &Filter::All).await?;
        expected.retain(|record| filter.matches(&Flat::of(record)));
        assert_eq!(found, expected, "core's own evaluation: {filter:?}");
        let mut natives: Vec<String> = found.iter().map(|r| r.id().native.to_string()).collect();
        natives.sort();
        Ok(natives)
    }
}
