//! One careful GET of an API.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use heurpipe_core::{Error, ErrorKind, Result, Retry};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{USER_AGENT, failed, read_limited, scrubbed};

/// An answer of an API: 50 posts with all their fields are about 200 kB.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// How a client reaches its API.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    /// Time for one call, from connecting to the end of the body.
    pub timeout: Duration,
    /// Further attempts after a failure that may pass by itself.
    pub retries: usize,
    /// The pause before the first of them; it doubles each time.
    pub first_pause: Duration,
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            retries: 3,
            first_pause: Duration::from_millis(500),
        }
    }
}

/// A client of one API: the token in the header, no redirects, a limit on time and size.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    wire: Wire,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Http {
    /// A client that sends `scheme token` as authorization.
    ///
    /// # Errors
    /// `Config` when the token cannot stand in a header.
    pub(crate) fn new(
        base_url: &Url,
        scheme: &str,
        token: &SecretString,
        wire: Wire,
    ) -> Result<Self> {
        let mut value = HeaderValue::from_str(&format!("{scheme} {}", token.expose_secret()))
            .map_err(|_| config("the access token holds characters that no header may hold"))?;
        value.set_sensitive(true);
        let mut builder = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)]))
            // A redirect would carry the token to wherever it points.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(wire.timeout)
            .user_agent(USER_AGENT);
        if is_loopback(base_url) {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| config("the HTTP client cannot be set up").cause(error))?;
        Ok(Self { client, wire })
    }

    /// One call. Only a failure to get an answer is an error here; what the answer says is for the caller to judge.
    pub(crate) async fn get(&self, operation: &'static str, url: &Url) -> Result<Reply> {
        let response = self
            .client
            .get(url.clone())
            .send()
            .await
            .map_err(|error| failed(operation, error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = read_limited(operation, response, BODY_LIMIT).await?;
        Ok(Reply {
            status,
            headers,
            body,
        })
    }

    /// Calls again, with growing pauses, while the failure is one that passes by itself within seconds. Limits are not: they are
    /// left to whoever can wait for longer.
    pub(crate) async fn patiently<T, F, Fut>(&self, call: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.wire.first_pause)
            .with_max_delay(Duration::from_secs(20))
            .with_max_times(self.wire.retries)
            .with_jitter();
        call.retry(pauses)
            .when(passes_by_itself)
            .notify(|error, pause| tracing::debug!(%error, ?pause, "trying again"))
            .await
    }
}

fn passes_by_itself(error: &Error) -> bool {
    error.retry() == Retry::Temporary
        && error.retry_after().is_none()
        && matches!(
            error.kind(),
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::NotFound
        )
}

/// Parses a base URL and gives it a final slash, so that paths can be joined to it.
pub(crate) fn base_url(operation: &'static str, text: &str) -> Result<Url> {
    let wrong = |why: &str| {
        Error::new(ErrorKind::Config, operation)
            .message(why)
            .with("base_url", scrubbed(text))
    };
    let mut url = Url::parse(text).map_err(|error| wrong("no URL").cause(error))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong(
            "a base URL begins with http:// or https:// and a host",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(wrong("a base URL has no user, password or query"));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn config(message: &str) -> Error {
    Error::new(ErrorKind::Config, "http.client").message(message)
}
