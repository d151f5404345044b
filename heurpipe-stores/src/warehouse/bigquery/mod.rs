//! The warehouse on BigQuery.

mod address;
mod append;
mod arrow_rows;
mod change;
mod client;
mod coverage;
mod erasure;
mod failure;
mod file;
mod filter;
mod guard;
mod job;
mod parameter;
mod query;
mod service;
mod sql;
mod staging;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use heurpipe_core::{Filter, Flat, PostId, Record, Result};
use jiff::SignedDuration;

use self::address::Address;
use self::parameter::Statement;
use self::service::Service;
use super::hot::HotRows;
use super::{Appended, Compacted, Coverage, Purged, RecordStream, SqlAnswer, Warehouse};
use crate::Mode;

const OPERATION: &str = "warehouse.open";

/// Posts that one question asks for. A request may have 10 MB.
const IDS_AT_A_TIME: usize = 10_000;

/// Rows in one table of BigQuery, each post once: divided by the day of `published_at` (posts that do not say when are in the partition of none), clustered
/// by `platform`, `author_id` and `id`. Whatever reads BigQuery may read it.
///
/// **Writing.** Rows are written as Parquet to the bucket, loaded into a table of their own, and enter the table by one `MERGE`, which inserts posts that
/// are not there and replaces older revisions. That statement is all or nothing, so that what is seen is always a whole state; a post is one row, and doing it again
/// does nothing. Before it nothing is visible, after it all is. Jobs have names made of the content and of the number of the change, so that a job whose answer was
/// lost is waited for and not done twice.
///
/// **Changes** are numbered by small objects in the bucket, created only where there is none; that number is what is called a manifest here. A writer takes the next number
/// for what it has staged only when the change before is in the table, and does that one's `MERGE` itself if need be: several writers work one after the
/// other, and one that is killed holds up nobody. It leaves at most files and a table on their way; the server removes the table within a day, the files go by
/// [`compact`](Warehouse::compact).
///
/// **Reading.** A question is one job: it sees one state from beginning to end. [`scan`](Warehouse::scan) lets the server find what rows can tell of a filter
/// (platform, hashtags, mentions, attributes, counts, times), and core decides of each record; so the answer is exact, and a filter of words alone
/// reads all rows.
///
/// **Queries** are GoogleSQL over `posts` alone. Hot records are loaded for each query into a table that goes when the answer is there: who asks with hot records needs
/// the permission to make tables. What a query reads is told by a dry run and bounded by `max_bytes`.
///
/// **Erasing** deletes rows, and files and tables on their way that hold any. What BigQuery itself keeps is out of reach: deleted rows can be had by time
/// travel for the dataset's `max_time_travel_hours` (168 by default, 48 at least), for seven more days by Google's support (fail-safe), and answers of queries lie in
/// anonymous tables for about a day. `ALTER SCHEMA dataset SET OPTIONS (max_time_travel_hours = 48)` makes the first shorter.
#[derive(Debug, Clone)]
pub struct BigQueryWarehouse {
    service: Arc<Service>,
    mode: Mode,
}

impl BigQueryWarehouse {
    /// Opens `bigquery://PROJECT/DATASET[/TABLE]?bucket=NAME[/FOLDER]`, with the parameters that docs/stores.md lists. The dataset and the bucket must be there; the table
    /// is made when it is to be written.
    ///
    /// # Errors
    /// `Config` for a URL that cannot be read, for a dataset or bucket that is not there, for a table that is not ours, and for a server of another
    /// product; `NotFound` when there is nothing to read yet; `Unauthenticated` or `PermissionDenied` when credentials are refused.
    pub async fn open(url: &str, mode: Mode) -> Result<Self> {
        let service = Service::open(Address::parse(url)?).await?;
        table::ensure(&service, mode).await?;
        Ok(Self {
            service: Arc::new(service),
            mode,
        })
    }

    /// How many bytes of the table a query would read, by a dry run that reads none.
    ///
    /// # Errors
    /// Those of [`sql`](Warehouse::sql); `TooLarge` when it is more than `max_bytes`.
    pub async fn estimate(&self, query: &str) -> Result<u64> {
        sql::estimate(&self.service, guard::checked(query)?).await
    }
}

#[async_trait]
impl Warehouse for BigQueryWarehouse {
    async fn append(&self, records: Vec<Record>) -> Result<Appended> {
        self.mode.check_writable("warehouse.append")?;
        append::append(&self.service, records).await
    }

    async fn remove(&self, ids: &[PostId]) -> Result<u64> {
        const OPERATION: &str = "warehouse.remove";
        self.mode.check_writable(OPERATION)?;
        let removed = erasure::remove(&self.service, OPERATION, ids).await?;
        Ok(removed.posts)
    }

    async fn get(&self, ids: &[PostId]) -> Result<Vec<Option<Record>>> {
        const OPERATION: &str = "warehouse.get";
        let texts: Vec<String> = ids.iter().map(PostId::to_string).collect();
        let mut found: HashMap<PostId, Record> = HashMap::new();
        for some in texts.chunks(IDS_AT_A_TIME) {
            let mut statement = Statement::new(format!(
                "SELECT record FROM {} WHERE id IN UNNEST(",
                self.service.posts()
            ));
            statement
                .bind_texts(some.iter().map(String::as_str))
                .push(")");
            let answer = query::ask(&self.service, OPERATION, &statement, None).await?;
            let mut pages = answer.records();
            while let Some(records) = pages.try_next().await? {
                found.extend(
                    records
                        .into_iter()
                        .map(|record| (record.id().clone(), record)),
                );
            }
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    async fn erase(&self, ids: &[PostId]) -> Result<Purged> {
        const OPERATION: &str = "warehouse.erase";
        self.mode.check_writable(OPERATION)?;
        erasure::erase(&self.service, OPERATION, ids).await
    }

    async fn compact(&self, grace: SignedDuration) -> Result<Compacted> {
        const OPERATION: &str = "warehouse.compact";
        self.mode.check_writable(OPERATION)?;
        erasure::compact(&self.service, OPERATION, grace).await
    }

    async fn scan(&self, filter: &Filter) -> Result<RecordStream> {
        let mut statement = Statement::new(format!(
            "SELECT record FROM {} WHERE ",
            self.service.posts()
        ));
        filter::push(&mut statement, filter);
        let answer = query::ask(&self.service, "warehouse.scan", &statement, None).await?;
        let filter = filter.clone();
        let matching = answer.records().map_ok(move |mut records| {
            records.retain(|record| filter.matches(&Flat::of(record)));
            records
        });
        Ok(matching
            .try_filter(|records| std::future::ready(!records.is_empty()))
            .boxed())
    }

    async fn sql(&self, query: &str, hot: &dyn HotRows) -> Result<SqlAnswer> {
        sql::answer(&self.service, query, hot).await
    }

    async fn coverage(&self) -> Result<Coverage> {
        coverage::coverage(&self.service).await
    }
}
