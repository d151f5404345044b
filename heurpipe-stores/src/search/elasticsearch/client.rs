//! The few calls of the server's HTTP interface that the index is made of, with plain JSON: both products understand that.

use std::time::Duration;

use bytes::Bytes;
use heurpipe_core::{Error, ErrorKind, Result, RetryPolicy};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::OPERATION;
use super::address::Address;
use super::failure::{refused, unanswered};

/// A search over many months may take its time; a server that is gone must not be waited for as long.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// What a call sends.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Nothing,
    Json(Value),
    /// JSON by lines, as bulks are.
    Lines(Bytes),
}

/// Speaks to one server, or to one of the nodes behind one address.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    /// Without a slash at its end.
    server: String,
    retry: RetryPolicy,
}

/// The answer to a search.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Found {
    timed_out: bool,
    #[serde(rename = "_shards")]
    shards: Shards,
    pub(super) hits: Hits,
    pub(super) aggregations: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Shards {
    failed: u64,
}

/// What was found.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Hits {
    pub(super) total: Option<Counted>,
    pub(super) hits: Vec<Hit>,
}

/// How much was found.
#[derive(Debug, Deserialize)]
pub(super) struct Counted {
    pub(super) value: u64,
    pub(super) relation: heurpipe_core::Relation,
}

/// One document.
#[derive(Debug, Deserialize)]
pub(super) struct Hit {
    #[serde(rename = "_index")]
    pub(super) index: String,
    #[serde(rename = "_id")]
    pub(super) id: String,
    #[serde(rename = "_version", default)]
    pub(super) version: u64,
    #[serde(rename = "_source", default)]
    pub(super) source: Option<Source>,
    /// The values it is sorted by, as they were asked for.
    #[serde(default)]
    pub(super) sort: Vec<Value>,
}

/// What is read of a document.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    /// The record as JSON.
    pub(super) record: String,
}

impl Client {
    /// Sets the client up; asks nothing yet.
    ///
    /// # Errors
    /// `Config` for credentials that no header can hold.
    pub(super) fn new(address: &Address) -> Result<Self> {
        let mut headers = HeaderMap::new();
        if let Some(credentials) = &address.credentials {
            headers.insert(AUTHORIZATION, authorization(credentials)?);
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("heurpipe/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(|error| Error::new(ErrorKind::Internal, OPERATION).cause(error))?;
        Ok(Self {
            http,
            server: address.server.clone(),
            retry: RetryPolicy::default(),
        })
    }

    /// Where the server is.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// One call, whatever the status of its answer.
    pub(super) async fn answer(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Response> {
        let request = self.http.request(method, format!("{}/{path}", self.server));
        let request = match body {
            Body::Nothing => request,
            Body::Json(json) => request.json(&json),
            Body::Lines(lines) => request
                .header(CONTENT_TYPE, "application/x-ndjson")
                .body(lines),
        };
        request
            .send()
            .await
            .map_err(|error| unanswered(operation, &self.server, error))
    }

    /// One call, tried once.
    ///
    /// # Errors
    /// What the server refuses; `Corrupt` for an answer that is not understood.
    pub(super) async fn once<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<T> {
        let response = self.answer(operation, method, path, body).await?;
        let (status, wait) = (response.status(), wait(&response));
        let bytes = response
            .bytes()
            .await
            .map_err(|error| unanswered(operation, &self.server, error))?;
        if !status.is_success() {
            return Err(refused(operation, &self.server, status, wait, &bytes));
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(ErrorKind::Corrupt, operation)
                .message("the search server's answer is not understood")
                .with("server", &self.server)
                .cause(error)
        })
    }

    /// One call, tried again while it fails for the moment. Every call made here may be made twice.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<T> {
        self.retry
            .run(operation, || {
                self.once(operation, method.clone(), path, body.clone())
            })
            .await
    }

    /// What is there, if it is.
    pub(super) async fn get(&self, operation: &'static str, path: &str) -> Result<Option<Value>> {
        match self.call(operation, Method::GET, path, Body::Nothing).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Searches all indices of an alias; finds nothing where there are none yet.
    ///
    /// # Errors
    /// Those of the server; `Unavailable` when it could answer in part only.
    pub(super) async fn search(
        &self,
        operation: &'static str,
        name: &str,
        body: Value,
    ) -> Result<Found> {
        let path =
            format!("{name}/_search?ignore_unavailable=true&allow_partial_search_results=false");
        let found: Found = self
            .call(operation, Method::POST, &path, Body::Json(body))
            .await?;
        if found.timed_out || found.shards.failed > 0 {
            return Err(Error::new(ErrorKind::Unavailable, operation)
                .message("the search server answers in part only")
                .with("server", &self.server));
        }
        Ok(found)
    }
}

fn wait(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    (response.status() != StatusCode::OK).then_some(Duration::from_secs(seconds))
}

/// `user:password` is basic authentication; whatever has no colon is an API key as the server gives it out.
fn authorization(credentials: &SecretString) -> Result<HeaderValue> {
    use base64::Engine;
    let text = credentials.expose_secret();
    let header = match text.contains(':') {
        true => format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(text)
        ),
        false => format!("ApiKey {text}"),
    };
    let mut header = HeaderValue::from_str(&header).map_err(|_| {
        Error::new(ErrorKind::Config, OPERATION)
            .message("the credentials hold a character that no header can")
    })?;
    header.set_sensitive(true);
    Ok(header)
}
