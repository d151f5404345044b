//! The order of changes: one small object each (`changes/00000007.json`), created only where there is none.
//!
//! BigQuery takes two statements that only insert for no conflict, and would let two writers insert one post twice. So a writer first takes the next
//! number for the rows that it has staged, and whoever wants the number after that one first sees to it that those rows have entered the table: the job
//! that brings them in has a name made of the number, and is done once, whoever begins it.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use heurpipe_core::{Digest, Error, ErrorKind, Result};
use jiff::Timestamp;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::parameter::Statement;
use super::service::Service;
use super::{job, table};
use crate::warehouse::bucket::{Bucket, Object};
use crate::warehouse::store::{MAX_RACES, too_many_races};

const FOLDER: &str = "changes";

/// One change of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    /// Its number, from 1; 0: nothing was ever stored.
    #[serde(skip)]
    pub(super) number: u64,
    /// The table whose rows it brings in; none where it takes rows out.
    staged: Option<String>,
    /// What no other change has, even if the bucket is emptied and numbers begin anew: names of jobs are taken for ever.
    mark: String,
}

impl Change {
    fn none() -> Self {
        Self {
            number: 0,
            staged: None,
            mark: String::new(),
        }
    }

    /// The newest change.
    ///
    /// # Errors
    /// Those of the bucket; `Corrupt` when it cannot be read.
    pub(super) async fn latest(bucket: &Bucket) -> Result<Self> {
        let Some((number, object)) = numbered(bucket).await?.pop() else {
            return Ok(Self::none());
        };
        let bytes = bucket.get(&object.path).await?;
        let change: Self = serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "warehouse.change")
                .message("what a change left cannot be read")
                .with("file", &object.path)
                .cause(error)
        })?;
        Ok(Self { number, ..change })
    }

    /// The change after this one, which brings in the rows of a table; none when somebody else has taken its number.
    ///
    /// # Errors
    /// Those of the bucket.
    pub(super) async fn next(&self, bucket: &Bucket, staged: &str) -> Result<Option<Self>> {
        let next = Self {
            number: self.number + 1,
            staged: Some(staged.to_owned()),
            mark: unique(),
        };
        Ok(next.put(bucket).await?.then_some(next))
    }

    async fn put(&self, bucket: &Bucket) -> Result<bool> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| Error::new(ErrorKind::Internal, "warehouse.change").cause(error))?;
        let path = Path::from(format!("{FOLDER}/{:08}.json", self.number));
        bucket.create(&path, Bytes::from(bytes)).await
    }

    /// Whether it brings in the rows of this table.
    pub(super) fn brings_in(&self, staged: &str) -> bool {
        self.staged.as_deref() == Some(staged)
    }

    /// The name of the job that carries it out.
    pub(super) fn job(&self, service: &Service, what: &str) -> String {
        let (table, number, mark) = (service.table_key(), self.number, &self.mark);
        format!("heurpipe-{what}-{table}-{number:08}-{mark}")
    }

    /// Sees to it that the rows of this change are in the table, whoever staged them. All of them enter at once: those of posts that are not there, and
    /// those that are newer than what is there.
    ///
    /// # Errors
    /// That of the job: then none has entered, and none will.
    pub(super) async fn carry_out(&self, service: &Service, operation: &'static str) -> Result<()> {
        let Some(staged) = &self.staged else {
            return Ok(());
        };
        let updates: Vec<String> = table::columns_but_id()
            .map(|column| format!("`{column}` = S.`{column}`"))
            .collect();
        let sql = format!(
            "MERGE {posts} T USING {staged} S ON T.id = S.id \
             WHEN MATCHED AND S.revision > T.revision THEN UPDATE SET {updates} \
             WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})",
            posts = service.posts(),
            staged = service.quoted(staged),
            updates = updates.join(", "),
            names = table::names(""),
            values = table::names("S."),
        );
        let configuration = json!({"query": Statement::new(sql).configuration()});
        let name = self.job(service, "merge");
        job::exactly_once(service, operation, &name, &configuration).await?;
        Ok(())
    }

    /// Sees to it that nothing more will come of this change: either its rows are in the table, or they never will be. Whoever staged them and was killed never
    /// said that they are.
    ///
    /// # Errors
    /// When it cannot be told now.
    pub(super) async fn settle(&self, service: &Service, operation: &'static str) -> Result<()> {
        match self.carry_out(service, operation).await {
            Err(error) if job::has_failed(&error) => {
                tracing::warn!(number = self.number, %error, "rows that another writer staged have not entered the warehouse");
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Takes the next number for a change that takes rows out, when nothing more will come of the one before.
///
/// # Errors
/// Those of the bucket; when it cannot be told what became of the change before; `Conflict` when others take numbers all the time.
pub(super) async fn take(service: &Service, operation: &'static str) -> Result<Change> {
    for _ in 0..MAX_RACES {
        let latest = Change::latest(&service.bucket).await?;
        latest.settle(service, operation).await?;
        let next = Change {
            number: latest.number + 1,
            staged: None,
            mark: unique(),
        };
        if next.put(&service.bucket).await? {
            return Ok(next);
        }
    }
    Err(too_many_races(operation))
}

/// Deletes what changes before a time have left, the newest excepted; how many there were.
pub(super) async fn forget_before(bucket: &Bucket, limit: Timestamp) -> Result<u64> {
    let mut earlier = numbered(bucket).await?;
    earlier.pop();
    let mut deleted = 0;
    for (_, object) in earlier {
        if object.written < limit {
            deleted += u64::from(bucket.delete(&object.path).await?);
        }
    }
    Ok(deleted)
}

fn unique() -> String {
    static MARKS: AtomicU64 = AtomicU64::new(0);
    let number = MARKS.fetch_add(1, Ordering::Relaxed);
    let text = format!(
        "{} {} {number}",
        Timestamp::now().as_nanosecond(),
        std::process::id()
    );
    Digest::of(text.as_bytes()).to_string()[..12].to_owned()
}

async fn numbered(bucket: &Bucket) -> Result<Vec<(u64, Object)>> {
    let objects = bucket.objects(&Path::from(FOLDER)).await?;
    let mut numbered: Vec<(u64, Object)> = objects
        .into_iter()
        .filter_map(|object| Some((number_of(&object.path)?, object)))
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    Ok(numbered)
}

fn number_of(path: &Path) -> Option<u64> {
    path.filename()?.strip_suffix(".json")?.parse().ok()
}
