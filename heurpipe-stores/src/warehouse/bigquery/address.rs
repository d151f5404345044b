//! Which table, which bucket, who asks.

use heurpipe_core::{Error, ErrorKind, Result};
use url::Url;

use super::OPERATION;

/// Where the service is served.
const SERVICE: &str = "https://bigquery.googleapis.com";

/// What the table is called where the URL does not say.
const DEFAULT_TABLE: &str = "posts";

/// Names of tables may have 1,024 bytes; those of staging tables are longer than ours.
const LONGEST_TABLE: usize = 200;

/// What a URL says.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) project: String,
    pub(super) dataset: String,
    pub(super) table: String,
    /// Where the API is served; without a slash at its end.
    pub(super) server: String,
    /// `gs://…` with the parameters by which a bucket is opened: files on their way lie there.
    pub(super) bucket_url: String,
    /// The bucket's name.
    pub(super) bucket: String,
    /// The folder within it, without slashes around it.
    pub(super) folder: String,
    /// What a query may read, in bytes.
    pub(super) max_bytes: Option<u64>,
}

impl Address {
    /// Reads `bigquery://PROJECT/DATASET[/TABLE]?bucket=NAME[/FOLDER]` and the parameters `credentials`, `max_bytes`, `endpoint` and `bucket_endpoint`.
    ///
    /// # Errors
    /// `Config` for a URL that cannot be read or names no bucket, a parameter that is not known, a name that nothing can have, and credentials that
    /// would be sent unencrypted.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |message: &str| Error::new(ErrorKind::Config, OPERATION).message(message);
        let url = Url::parse(text)
            .map_err(|error| wrong("the url of the warehouse cannot be read").cause(error))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "a password does not belong in a url; write ?credentials=env:NAME or ?credentials=file:PATH",
            ));
        }
        let said = |message: &str| wrong(message).with("url", text);
        let project = url.host_str().unwrap_or_default().to_owned();
        let path: Vec<&str> = url.path().trim_matches('/').split('/').collect();
        let (dataset, table) = match path[..] {
            [dataset] => (dataset, DEFAULT_TABLE),
            [dataset, table] => (dataset, table),
            _ => return Err(said("the url is not bigquery://PROJECT/DATASET[/TABLE]")),
        };
        if !is_project(&project) || !is_name(dataset) || !is_name(table) {
            return Err(said(
                "the url does not name a project, a dataset and perhaps a table of bigquery",
            ));
        }
        let mut parameters = Parameters::default();
        for (key, value) in url.query_pairs() {
            let value = value.into_owned();
            match &*key {
                "bucket" => parameters.bucket = Some(value),
                "credentials" => parameters.credentials = Some(value),
                "endpoint" => parameters.endpoint = Some(value),
                "bucket_endpoint" => parameters.bucket_endpoint = Some(value),
                "max_bytes" => {
                    let bytes = value.parse().map_err(|_| {
                        said("max_bytes is not a number of bytes").with("max_bytes", &value)
                    })?;
                    parameters.max_bytes = Some(bytes);
                }
                _ => {
                    return Err(
                        said("the url has a parameter that is not known").with("parameter", key)
                    );
                }
            }
        }
        let (bucket, folder) = parameters.place().ok_or_else(|| {
            said("the url names no bucket; write ?bucket=NAME or ?bucket=NAME/FOLDER")
        })?;
        let folder = format!("{folder}{project}/{dataset}/{table}");
        let bucket_url = parameters.bucket_url(&bucket, &folder).map_err(&said)?;
        Ok(Self {
            project,
            dataset: dataset.to_owned(),
            table: table.to_owned(),
            server: parameters
                .endpoint
                .as_deref()
                .unwrap_or(SERVICE)
                .trim_end_matches('/')
                .to_owned(),
            bucket_url,
            bucket,
            folder,
            max_bytes: parameters.max_bytes,
        })
    }
}

#[derive(Default)]
struct Parameters {
    bucket: Option<String>,
    credentials: Option<String>,
    endpoint: Option<String>,
    bucket_endpoint: Option<String>,
    max_bytes: Option<u64>,
}

impl Parameters {
    /// The bucket's name, and the folder within it with a slash at its end.
    fn place(&self) -> Option<(String, String)> {
        let place = self.bucket.as_deref()?.trim_matches('/');
        let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let is_place = !bucket.is_empty() && place.chars().all(plain);
        let folder = match folder.is_empty() {
            true => String::new(),
            false => format!("{folder}/"),
        };
        is_place.then(|| (bucket.to_owned(), folder))
    }

    /// The URL by which the bucket is opened. One set of credentials serves both, so that an emulator, which wants none, gets none.
    fn bucket_url(&self, bucket: &str, folder: &str) -> Result<String, &'static str> {
        let endpoints = [&self.endpoint, &self.bucket_endpoint];
        let mut is_plain = false;
        for endpoint in endpoints.into_iter().flatten() {
            let url = Url::parse(endpoint).map_err(|_| "the endpoint cannot be read")?;
            if !matches!(url.scheme(), "http" | "https") {
                return Err("the endpoint is neither http nor https");
            }
            is_plain |= url.scheme() == "http";
        }
        let credentials = match self.credentials.as_deref() {
            None if is_plain => Some("none"),
            Some(given) if is_plain && given != "none" => {
                return Err("credentials are not sent to an endpoint without encryption");
            }
            given => given,
        };
        let mut url = Url::parse(&format!("gs://{bucket}/{folder}"))
            .map_err(|_| "the url does not name a bucket")?;
        let pairs = [
            ("credentials", credentials),
            ("endpoint", self.bucket_endpoint.as_deref()),
        ];
        let pairs = pairs
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)));
        url.query_pairs_mut().extend_pairs(pairs);
        Ok(url.into())
    }
}

fn is_project(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(plain)
}

/// Such names need no quotation marks, and cannot end any.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.len() <= LONGEST_TABLE && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn project_dataset_table_and_bucket_are_read() {
        let address =
            Address::parse("bigquery://looks-1/history?bucket=stage/a&max_bytes=12").unwrap();
        assert_eq!(
            (&*address.project, &*address.dataset, &*address.table),
            ("looks-1", "history", "posts")
        );
        assert_eq!(
            (&*address.bucket, &*address.folder, address.max_bytes),
            ("stage", "a/looks-1/history/posts", Some(12))
        );
        assert_eq!(address.server, SERVICE);
        assert!(!address.bucket_url.contains("credentials=none"));

        let emulator = "bigquery://p/d/t?bucket=b&endpoint=http://127.0.0.1:1/&bucket_endpoint=http://127.0.0.1:2";
        let address = Address::parse(emulator).unwrap();
        assert_eq!(
            (&*address.table, &*address.server),
            ("t", "http://127.0.0.1:1")
        );
        assert!(
            address
                .bucket_url
                .starts_with("gs://b/p/d/t?credentials=none&endpoint=")
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, message) in [
            ("bigquery://p", "does not name a project"),
            ("bigquery:///d?bucket=b", "does not name a project"),
            ("bigquery://p/d/t/x?bucket=b", "bigquery://PROJECT/DATASET"),
            ("bigquery://p/d`x?bucket=b", "does not name a project"),
            ("bigquery://p/d", "names no bucket"),
            ("bigquery://p/d?bucket=a%20b", "names no bucket"),
            (
                "bigquery://u:hunter2@p/d?bucket=b",
                "does not belong in a url",
            ),
            ("bigquery://p/d?bucket=b&region=eu", "that is not known"),
            ("bigquery://p/d?bucket=b&max_bytes=1GB", "not a number"),
            ("bigquery://p/d?bucket=b&endpoint=x", "cannot be read"),
            (
                "bigquery://p/d?bucket=b&endpoint=http://x&credentials=env:HUNTER2",
                "without encryption",
            ),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(message), "{url}: {error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
