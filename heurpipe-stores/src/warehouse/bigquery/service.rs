//! The dataset, its bucket, and the names of things in them.

use heurpipe_core::{Digest, Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::OPERATION;
use super::address::Address;
use super::client::Client;
use crate::objects;
use crate::warehouse::bucket::Bucket;

/// One dataset on a server, and the bucket through which rows come into it.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) client: Client,
    pub(super) address: Address,
    pub(super) bucket: Bucket,
    /// Where the dataset lies: jobs run there.
    location: Option<String>,
}

impl Service {
    /// Looks whether bucket and dataset are there.
    ///
    /// # Errors
    /// `Config` when one of them is not, when credentials cannot be read, or when something else answers; `Unauthenticated` or `PermissionDenied` when
    /// they are refused.
    pub(super) async fn open(address: Address) -> Result<Self> {
        let gcs = objects::open_gcs_there(&address.bucket_url, OPERATION).await;
        let gcs = gcs.map_err(|error| match error.kind() {
            // Whoever takes "not found" for "nothing stored yet" must not take it for this.
            ErrorKind::NotFound => Error::new(ErrorKind::Config, OPERATION)
                .message("there is no such bucket")
                .with("bucket", &address.bucket)
                .cause(error),
            _ => error,
        })?;
        let client = Client::new(&address, gcs.credentials)?;
        let mut service = Self::new(client, address, Bucket::new(gcs.store));
        service.location = service.find_dataset().await?;
        Ok(service)
    }

    /// What is at an address; nothing is asked.
    pub(super) fn new(client: Client, address: Address, bucket: Bucket) -> Self {
        Self {
            client,
            address,
            bucket,
            location: None,
        }
    }

    /// Where the dataset lies.
    pub(super) async fn find_dataset(&self) -> Result<Option<String>> {
        let said = |kind, message: &str| {
            Error::new(kind, OPERATION)
                .message(message)
                .with("project", &self.address.project)
                .with("dataset", &self.address.dataset)
                .with("server", self.client.server())
        };
        let path = format!("datasets/{}", self.address.dataset);
        let found: Result<Option<Value>> = self.client.get(OPERATION, &path).await;
        let dataset = match found {
            Ok(Some(dataset)) => dataset,
            Ok(None) => {
                return Err(said(
                    ErrorKind::Config,
                    "there is no such dataset in bigquery; it must be made first",
                ));
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                return Err(said(ErrorKind::Config, "the server is not bigquery").cause(error));
            }
            Err(error) => return Err(error),
        };
        if dataset["datasetReference"]["datasetId"] != *self.address.dataset {
            return Err(said(ErrorKind::Config, "the server is not bigquery"));
        }
        Ok(dataset["location"]
            .as_str()
            .filter(|location| !location.is_empty())
            .map(str::to_owned))
    }

    /// The table of rows, as statements name it.
    pub(super) fn posts(&self) -> String {
        self.quoted(&self.address.table)
    }

    /// A table of the dataset, as statements name it.
    pub(super) fn quoted(&self, table: &str) -> String {
        let Address {
            project, dataset, ..
        } = &self.address;
        format!("`{project}.{dataset}.{table}`")
    }

    /// The table of rows within the names of jobs, which are one to a project.
    pub(super) fn table_key(&self) -> String {
        Digest::of(self.posts().as_bytes()).to_string()[..16].to_owned()
    }

    /// A table of the dataset, as calls name it.
    pub(super) fn table_reference(&self, table: &str) -> Value {
        let Address {
            project, dataset, ..
        } = &self.address;
        json!({"projectId": project, "datasetId": dataset, "tableId": table})
    }

    /// The path of a table of the dataset.
    pub(super) fn table_path(&self, table: &str) -> String {
        format!("datasets/{}/tables/{table}", self.address.dataset)
    }

    /// A job by its name.
    pub(super) fn job_reference(&self, id: &str) -> Value {
        let mut reference = self.project_reference();
        reference["jobId"] = json!(id);
        reference
    }

    /// A job to which the server gives a name.
    pub(super) fn project_reference(&self) -> Value {
        let mut reference = json!({"projectId": self.address.project});
        if let Some(location) = &self.location {
            reference["location"] = json!(location);
        }
        reference
    }

    /// Where the dataset lies, if the server says so.
    pub(super) fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// The location as a parameter of a path, after `?` or `&`.
    pub(super) fn location_parameter(&self, before: char) -> String {
        let location = self.location.as_deref();
        location.map_or_else(String::new, |location| {
            format!("{before}location={location}")
        })
    }

    /// An object of the bucket, as load jobs name it.
    pub(super) fn object(&self, path: &str) -> String {
        let Address { bucket, folder, .. } = &self.address;
        format!("gs://{bucket}/{folder}/{path}")
    }
}
