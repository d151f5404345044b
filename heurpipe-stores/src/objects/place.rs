//! Buckets of Google Cloud Storage and of S3, by URL.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use heurpipe_core::{Error, ErrorKind, Result};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::failure;
use crate::address::{self, secret};

/// How long one call may be tried. Whoever calls tries again by the error's word, and sees meanwhile what is wrong.
const PATIENCE: Duration = Duration::from_secs(20);
const TRIES: usize = 4;

/// What a URL says.
#[derive(Debug)]
struct Place {
    bucket: String,
    /// The folder within it, without slashes around it; empty: the whole bucket.
    folder: String,
    /// Where it is served, where that is not where its makers serve it.
    endpoint: Option<Url>,
    region: Option<String>,
    credentials: Credentials,
}

/// Who asks.
#[derive(Debug)]
enum Credentials {
    /// Whoever this machine says: its environment, its user's files, or the cloud in which it runs.
    Ambient,
    /// Nobody: the bucket is public, or its server does not mind.
    Nobody,
    Given(SecretString),
}

/// Opens `gs://BUCKET[/FOLDER]` or `s3://BUCKET[/FOLDER]`, with the parameters `credentials` (`env:NAME`, `file:PATH` or `none`), `endpoint` and, for S3,
/// `region`. Nothing is asked of the server yet.
///
/// # Errors
/// `Config` for a URL that cannot be read, a parameter that is not known, and credentials that have the wrong form. No error holds a secret.
fn open(url: &str, operation: &'static str) -> Result<Arc<dyn ObjectStore>> {
    let place = Place::parse(url, operation)?;
    let folder = place.folder.clone();
    let store: Arc<dyn ObjectStore> = match url.split_once(':').map(|(scheme, _)| scheme) {
        #[cfg(feature = "gcs")]
        Some("gs") => Arc::new(place.gcs(operation)?),
        #[cfg(feature = "s3")]
        Some("s3") => Arc::new(place.s3(operation)?),
        _ => return Err(address::unknown(url, operation, &[])),
    };
    Ok(match folder.is_empty() {
        true => store,
        false => Arc::new(PrefixStore::new(store, folder)),
    })
}

/// Opens a bucket as [`open`] does, and asks it once whether it is there.
///
/// # Errors
/// Those of [`open`]; `NotFound` when there is no such bucket; `Unauthenticated` or `PermissionDenied` when it refuses.
pub(crate) async fn open_there(url: &str, operation: &'static str) -> Result<Arc<dyn ObjectStore>> {
    let store = open(url, operation)?;
    check(store.as_ref(), url, operation).await?;
    Ok(store)
}

/// A bucket of Google Cloud Storage, and who asks for it: the same account may ask other services of that cloud.
#[cfg(feature = "bigquery")]
pub(crate) struct Gcs {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) credentials: object_store::gcp::GcpCredentialProvider,
}

/// Opens a bucket of Google Cloud Storage as [`open_there`] does.
///
/// # Errors
/// Those of [`open_there`].
#[cfg(feature = "bigquery")]
pub(crate) async fn open_gcs_there(url: &str, operation: &'static str) -> Result<Gcs> {
    let place = Place::parse(url, operation)?;
    let folder = place.folder.clone();
    let gcs = place.gcs(operation)?;
    let credentials = Arc::clone(gcs.credentials());
    let store: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(gcs, folder));
    check(store.as_ref(), url, operation).await?;
    Ok(Gcs { store, credentials })
}

/// Asks a bucket once whether it is there.
async fn check(store: &dyn ObjectStore, url: &str, operation: &'static str) -> Result<()> {
    // Nothing lies there: the shortest question that a bucket which is there answers.
    let nowhere = Path::from("probe");
    let answer = store.list(Some(&nowhere)).try_next().await;
    let Err(error) = answer else {
        return Ok(());
    };
    let error = failure(operation, &nowhere, error);
    Err(match error.kind() {
        ErrorKind::NotFound => Error::new(ErrorKind::NotFound, operation)
            .message("there is no such bucket")
            .with("url", url)
            .cause(error),
        _ => error.with("url", url),
    })
}

impl Place {
    fn parse(text: &str, operation: &'static str) -> Result<Self> {
        let wrong = |message: &str| Error::new(ErrorKind::Config, operation).message(message);
        let url = Url::parse(text)
            .map_err(|error| wrong("the url of the bucket cannot be read").cause(error))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "a password does not belong in a url; write ?credentials=env:NAME or ?credentials=file:PATH",
            ));
        }
        let said = |message: &str| wrong(message).with("url", text);
        let Some(bucket) = url.host_str().filter(|host| !host.is_empty()) else {
            return Err(said("the url names no bucket"));
        };
        let mut place = Self {
            bucket: bucket.to_owned(),
            folder: url.path().trim_matches('/').to_owned(),
            endpoint: None,
            region: None,
            credentials: Credentials::Ambient,
        };
        for (key, value) in url.query_pairs() {
            match &*key {
                "credentials" if value == "none" => place.credentials = Credentials::Nobody,
                "credentials" => {
                    place.credentials = Credentials::Given(secret(&value, operation)?);
                }
                "endpoint" => {
                    let endpoint = Url::parse(&value)
                        .map_err(|error| said("the endpoint cannot be read").cause(error))?;
                    place.endpoint = Some(endpoint);
                }
                "region" if url.scheme() == "s3" => place.region = Some(value.into_owned()),
                _ => {
                    return Err(
                        said("the url has a parameter that is not known").with("parameter", key)
                    );
                }
            }
        }
        Ok(place)
    }

    #[cfg(feature = "gcs")]
    fn gcs(self, operation: &'static str) -> Result<object_store::gcp::GoogleCloudStorage> {
        use object_store::gcp::GoogleCloudStorageBuilder as Builder;
        let mut builder = match &self.credentials {
            Credentials::Ambient => Builder::from_env(),
            // What is signed for nobody needs no look at the machine's credentials either.
            Credentials::Nobody => Builder::new()
                .with_skip_signature(true)
                .with_service_account_key(r#"{"disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}"#),
            Credentials::Given(key) => {
                Builder::new().with_service_account_key(key.expose_secret())
            }
        };
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_base_url(endpoint.as_str().trim_end_matches('/'));
        }
        builder
            .with_bucket_name(&self.bucket)
            .with_client_options(self.client())
            .with_retry(retry())
            .build()
            .map_err(|error| self.refused(operation, error))
    }

    #[cfg(feature = "s3")]
    fn s3(self, operation: &'static str) -> Result<object_store::aws::AmazonS3> {
        use object_store::aws::AmazonS3Builder as Builder;
        let mut builder = match &self.credentials {
            Credentials::Ambient => Builder::from_env(),
            Credentials::Nobody => Builder::new().with_skip_signature(true),
            Credentials::Given(pair) => {
                let Some((id, key)) = pair.expose_secret().split_once(':') else {
                    return Err(Error::new(ErrorKind::Config, operation)
                        .message("credentials of s3 are an access key's id, a colon and its secret")
                        .with("bucket", self.bucket));
                };
                Builder::new()
                    .with_access_key_id(id)
                    .with_secret_access_key(key)
            }
        };
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        builder
            .with_bucket_name(&self.bucket)
            .with_client_options(self.client())
            .with_retry(retry())
            .build()
            .map_err(|error| self.refused(operation, error))
    }

    /// A server of one's own may speak plain HTTP; the cloud is always asked by TLS.
    fn client(&self) -> ClientOptions {
        let is_plain = self
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| endpoint.scheme() == "http");
        ClientOptions::new().with_allow_http(is_plain)
    }

    fn refused(&self, operation: &'static str, error: object_store::Error) -> Error {
        Error::new(ErrorKind::Config, operation)
            .message("the bucket cannot be reached with these credentials and settings")
            .with("bucket", &self.bucket)
            .cause(error)
    }
}

fn retry() -> RetryConfig {
    RetryConfig {
        max_retries: TRIES,
        retry_timeout: PATIENCE,
        ..RetryConfig::default()
    }
}
