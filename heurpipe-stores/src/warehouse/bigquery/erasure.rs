//! Taking posts out, and cleaning up.

use std::collections::BTreeSet;

use heurpipe_core::{PostId, Result, RetryPolicy};
use jiff::{SignedDuration, Timestamp};
use object_store::path::Path;
use serde::Deserialize;
use serde_json::json;

use super::change::{self, Change};
use super::job;
use super::parameter::Statement;
use super::query;
use super::service::Service;
use super::staging::{FOLDER, prefix};
use crate::warehouse::{Compacted, Purged, segment};

/// Ids of one statement. A request may have 10 MB.
const IDS_AT_A_TIME: usize = 50_000;

/// How often a statement is done again that another writer's statement came in the way of.
const MOST_CLASHES: usize = 8;

/// Tables that one answer lists.
const TABLES_AT_A_TIME: usize = 1_000;

/// A change of rows that is done: its number, and how many rows went.
pub(super) struct Removed {
    pub(super) manifest: u64,
    pub(super) posts: u64,
}

/// Deletes the rows of these posts. The number is taken first: a killed call may have deleted them already, and whoever writes them again must not be
/// taken for the one who wrote them before.
pub(super) async fn remove(
    service: &Service,
    operation: &'static str,
    ids: &[PostId],
) -> Result<Removed> {
    let ids: BTreeSet<String> = ids.iter().map(PostId::to_string).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    // What was on its way is in the table then, or never will be.
    let latest = Change::latest(&service.bucket).await?;
    latest.settle(service, operation).await?;
    let mut removed = Removed {
        manifest: latest.number,
        posts: 0,
    };
    for some in ids.chunks(IDS_AT_A_TIME) {
        let count = held(service, operation, &service.posts(), some).await?;
        if count == 0 {
            continue;
        }
        let change = change::take(service, operation).await?;
        removed.manifest = change.number;
        let mut statement = Statement::new(format!(
            "DELETE FROM {} WHERE id IN UNNEST(",
            service.posts()
        ));
        statement.bind_texts(some.iter().copied()).push(")");
        let configuration = json!({"query": statement.configuration()});
        let name = change.job(service, "remove");
        let deleted = RetryPolicy::default()
            .attempts(MOST_CLASHES)
            .run(operation, || {
                job::once(service, operation, &name, &configuration)
            })
            .await?;
        removed.posts += deleted.deleted().unwrap_or(count);
    }
    Ok(removed)
}

/// Takes posts out for good: from the table, from tables of rows on their way, and from files on theirs.
pub(super) async fn erase(
    service: &Service,
    operation: &'static str,
    ids: &[PostId],
) -> Result<Purged> {
    let texts: BTreeSet<String> = ids.iter().map(PostId::to_string).collect();
    // First what could still come into the table.
    let mut purged = Purged {
        deleted: files_holding(service, &texts).await?,
        ..Purged::default()
    };
    for table in staging_tables(service, operation).await? {
        let name = service.quoted(&table.name);
        let ids: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut rows = 0;
        for some in ids.chunks(IDS_AT_A_TIME) {
            rows += held(service, operation, &name, some).await?;
        }
        if rows > 0 {
            drop_table(service, operation, &table).await?;
            purged.rows += rows;
        }
    }
    let removed = remove(service, operation, ids).await?;
    purged.manifest = removed.manifest;
    purged.posts = removed.posts;
    purged.rows += removed.posts;
    Ok(purged)
}

/// Deletes what killed processes have left, when it is older than `grace`. The rows themselves are the server's to arrange.
pub(super) async fn compact(
    service: &Service,
    operation: &'static str,
    grace: SignedDuration,
) -> Result<Compacted> {
    let limit = Timestamp::now()
        .checked_sub(grace)
        .unwrap_or(Timestamp::MIN);
    let mut compacted = Compacted {
        manifest: Change::latest(&service.bucket).await?.number,
        ..Compacted::default()
    };
    for object in service.bucket.objects(&Path::from(FOLDER)).await? {
        if object.written < limit {
            compacted.deleted += u64::from(service.bucket.delete(&object.path).await?);
        }
    }
    for table in staging_tables(service, operation).await? {
        if table.made.is_some_and(|made| made < limit) {
            drop_table(service, operation, &table).await?;
        }
    }
    compacted.deleted += change::forget_before(&service.bucket, limit).await?;
    Ok(compacted)
}

/// How many rows of a table are of these posts.
async fn held(
    service: &Service,
    operation: &'static str,
    table: &str,
    ids: &[&str],
) -> Result<u64> {
    let mut statement = Statement::new(format!("SELECT COUNT(*) FROM {table} WHERE id IN UNNEST("));
    statement.bind_texts(ids.iter().copied()).push(")");
    query::number(service, operation, &statement).await
}

/// Deletes files on their way that hold rows of these posts, and such as cannot be read.
async fn files_holding(service: &Service, ids: &BTreeSet<String>) -> Result<u64> {
    let mut deleted = 0;
    for object in service.bucket.objects(&Path::from(FOLDER)).await? {
        let held = segment::ids_in_file(&service.bucket, &object.path).await?;
        if held.is_empty() || !held.is_disjoint(ids) {
            deleted += u64::from(service.bucket.delete(&object.path).await?);
        }
    }
    Ok(deleted)
}

/// A table of rows on their way.
struct StagingTable {
    name: String,
    made: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Listed {
    tables: Vec<ListedTable>,
    next_page_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListedTable {
    table_reference: ListedReference,
    creation_time: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListedReference {
    table_id: String,
}

async fn staging_tables(service: &Service, operation: &'static str) -> Result<Vec<StagingTable>> {
    let prefix = prefix(service);
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let path = format!(
            "datasets/{}/tables?maxResults={TABLES_AT_A_TIME}{token}",
            service.address.dataset
        );
        let listed: Listed = service
            .client
            .get(operation, &path)
            .await?
            .unwrap_or_default();
        let ours = listed
            .tables
            .into_iter()
            .filter(|table| table.table_reference.table_id.starts_with(&prefix));
        found.extend(ours.map(|table| {
            StagingTable {
                made: table
                    .creation_time
                    .and_then(|ms| Timestamp::from_millisecond(ms.parse().ok()?).ok()),
                name: table.table_reference.table_id,
            }
        }));
        match listed.next_page_token {
            Some(next) if !next.is_empty() => {
                let encoded: String =
                    url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                token = format!("&pageToken={encoded}");
            }
            _ => return Ok(found),
        }
    }
}

async fn drop_table(
    service: &Service,
    operation: &'static str,
    table: &StagingTable,
) -> Result<()> {
    service
        .client
        .delete(operation, &service.table_path(&table.name))
        .await?;
    Ok(())
}
