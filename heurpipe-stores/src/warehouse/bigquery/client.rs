//! The few calls of the REST API that the warehouse is made of: <https://cloud.google.com/bigquery/docs/reference/rest>.

use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Result, RetryPolicy};
use object_store::gcp::GcpCredentialProvider;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::OPERATION;
use super::address::Address;
use super::failure::{refused, unanswered};
use crate::objects::failure;

/// The server holds a question open for a part of this only; what takes longer is asked for again.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Speaks to one project.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    /// `https://…/bigquery/v2/projects/PROJECT`.
    base: String,
    server: String,
    /// Those of the bucket: their scope is the whole cloud, so that one account serves both.
    credentials: GcpCredentialProvider,
    retry: RetryPolicy,
}

impl Client {
    /// Sets the client up; asks nothing yet.
    ///
    /// # Errors
    /// `Internal` when no client can be made.
    pub(super) fn new(address: &Address, credentials: GcpCredentialProvider) -> Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("heurpipe/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(|error| Error::new(ErrorKind::Internal, OPERATION).cause(error))?;
        Ok(Self {
            http,
            base: format!(
                "{}/bigquery/v2/projects/{}",
                address.server, address.project
            ),
            server: address.server.clone(),
            credentials,
            retry: RetryPolicy::default(),
        })
    }

    /// Where the API is served.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// One call, tried again while it fails for the moment. Every call made here may be made twice.
    ///
    /// # Errors
    /// What the server refuses; `Corrupt` for an answer that is not understood.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T> {
        self.retry
            .run(operation, || async {
                let bytes = self.once(operation, method.clone(), path, body).await?;
                serde_json::from_slice(&bytes).map_err(|error| {
                    Error::new(ErrorKind::Corrupt, operation)
                        .message("bigquery's answer is not understood")
                        .with("server", &self.server)
                        .cause(error)
                })
            })
            .await
    }

    /// What is there, if it is.
    ///
    /// # Errors
    /// Those of [`call`](Self::call) but `NotFound`.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<Option<T>> {
        found(self.call(operation, Method::GET, path, None).await)
    }

    /// Makes what is described; none when it is there already.
    ///
    /// # Errors
    /// Those of [`call`](Self::call) but `Conflict`.
    pub(super) async fn create<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        body: &Value,
    ) -> Result<Option<T>> {
        let made = self
            .retry
            .run(operation, || async {
                match self.once(operation, Method::POST, path, Some(body)).await {
                    // Asking again does not make it go away.
                    Err(error) if error.kind() == ErrorKind::Conflict => Ok(None),
                    answer => answer.map(Some),
                }
            })
            .await?;
        made.map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(|error| {
                Error::new(ErrorKind::Corrupt, operation)
                    .message("bigquery's answer is not understood")
                    .with("server", &self.server)
                    .cause(error)
            })
    }

    /// Removes something; whether it was there.
    ///
    /// # Errors
    /// Those of [`call`](Self::call) but `NotFound`.
    pub(super) async fn delete(&self, operation: &'static str, path: &str) -> Result<bool> {
        let deleted = self
            .retry
            .run(operation, || {
                self.once(operation, Method::DELETE, path, None)
            })
            .await;
        Ok(found(deleted)?.is_some())
    }

    async fn once(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Vec<u8>> {
        let credential = self.credentials.get_credential().await.map_err(|error| {
            let error = failure(operation, &"credentials".into(), error);
            Error::new(ErrorKind::Unauthenticated, operation)
                .message("no access token is to be had with these credentials")
                .retryable(error.retry())
                .cause(error)
        })?;
        let mut request = self.http.request(method, format!("{}/{path}", self.base));
        if !credential.bearer.is_empty() {
            request = request.bearer_auth(&credential.bearer);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let unanswered = |error| unanswered(operation, &self.server, error);
        let response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(unanswered)?;
        match status.is_success() || status == StatusCode::NO_CONTENT {
            true => Ok(bytes.into()),
            false => Err(refused(operation, &self.server, status, &bytes)),
        }
    }
}

/// An answer that what is asked for is not there, as no answer.
pub(super) fn found<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
