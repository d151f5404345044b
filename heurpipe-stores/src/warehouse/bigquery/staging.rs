//! Rows on their way: Parquet files in the bucket, loaded into a table of their own.
//!
//! Files, table and jobs have one name, made of the content: whoever begins the same work again finds what there is of it. The server removes the table by
//! itself; files that a killed process left are deleted by the next that has the same work, by an erasure, or by compaction.

use bytes::Bytes;
use heurpipe_core::{Digest, Error, ErrorKind, Record, Result};
use jiff::SignedDuration;
use object_store::path::Path;
use serde_json::json;

use super::client::found;
use super::service::Service;
use super::{file, job, query, table};
use crate::task;
use crate::warehouse::segment::MAX_ROWS;

/// Where files lie, from the store's root.
pub(super) const FOLDER: &str = "staging";

/// How often rows are loaded again that the server has removed in between.
const MOST_LOADS: usize = 5;

/// Rows on their way.
#[derive(Debug)]
pub(super) struct Staging {
    /// What all parts are called.
    name: String,
    table: String,
    files: Vec<(Path, Bytes)>,
}

impl Staging {
    /// Rows that a purpose of this name needs, in files. The same rows for the same purpose have the same name.
    pub(super) fn of(service: &Service, purpose: &str, encoded: Vec<Bytes>) -> Self {
        // Names of jobs are one to a project.
        let mut content = format!("{}\n{purpose}\n", service.posts());
        for bytes in &encoded {
            content.push_str(&Digest::of(bytes).to_string());
            content.push('\n');
        }
        let name = Digest::of(content.as_bytes()).to_string()[..32].to_owned();
        let files = encoded.into_iter().enumerate().map(|(number, bytes)| {
            let path = Path::from(format!("{FOLDER}/{name}/{number:06}.parquet"));
            (path, bytes)
        });
        Self {
            table: format!("{}_{name}", prefix(service)),
            files: files.collect(),
            name,
        }
    }

    /// The table with the rows.
    pub(super) fn table(&self) -> &str {
        &self.table
    }

    /// Brings the rows into their table, each once. The table goes by itself after `lives`.
    ///
    /// # Errors
    /// Those of the bucket and of the job; `Conflict` when the table is removed each time.
    pub(super) async fn load(
        &self,
        service: &Service,
        operation: &'static str,
        lives: SignedDuration,
    ) -> Result<()> {
        let uris = self
            .files
            .iter()
            .map(|(path, _)| service.object(path.as_ref()));
        let configuration = json!({"load": {
            "sourceUris": uris.collect::<Vec<_>>(),
            "sourceFormat": "PARQUET",
            "parquetOptions": {"enableListInference": true},
            "schema": {"fields": table::columns()},
            "destinationTable": service.table_reference(&self.table),
            "createDisposition": "CREATE_NEVER",
            "writeDisposition": "WRITE_TRUNCATE",
        }});
        for load in 0..MOST_LOADS {
            for (path, bytes) in &self.files {
                service.bucket.create(path, bytes.clone()).await?;
            }
            table::create_staging(service, operation, &self.table, lives).await?;
            let name = format!("heurpipe-load-{}-{load}", self.name);
            let loaded = job::once(service, operation, &name, &configuration).await;
            // A job that is known may have ended long ago, and another writer of the same rows may have removed table and files since.
            if found(loaded)?.is_some() && self.has_rows(service, operation).await? {
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::Conflict, operation)
            .message("the rows on their way were removed each time")
            .with("table", service.quoted(&self.table)))
    }

    async fn has_rows(&self, service: &Service, operation: &'static str) -> Result<bool> {
        let sql = format!("SELECT COUNT(*) FROM {}", service.quoted(&self.table));
        let counted = found(query::number(service, operation, &sql.into()).await)?;
        Ok(counted.is_some_and(|rows| rows > 0))
    }

    /// Removes table and files.
    ///
    /// # Errors
    /// Those of the server and of the bucket.
    pub(super) async fn discard(&self, service: &Service, operation: &'static str) -> Result<()> {
        let path = service.table_path(&self.table);
        service.client.delete(operation, &path).await?;
        for (path, _) in &self.files {
            service.bucket.delete(path).await?;
        }
        Ok(())
    }
}

/// Records as files.
///
/// # Errors
/// Those of [`file::encode`].
pub(super) async fn encoded(operation: &'static str, records: Vec<Record>) -> Result<Vec<Bytes>> {
    task::blocking(operation, move || {
        records.chunks(MAX_ROWS).map(file::encode).collect()
    })
    .await
}

/// How the names of tables of rows on their way begin.
pub(super) fn prefix(service: &Service) -> String {
    format!("{}_staging", service.address.table)
}
