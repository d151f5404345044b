//! Calls of the Open API.

use std::sync::atomic::{AtomicU32, Ordering};

use heurpipe_core::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use url::Url;

use super::errors;
use super::limits::{ASK_EVERY, allowance};
use super::wire::RateLimitStatus;
use crate::http::{Http, Pace};

/// The API for one token.
#[derive(Debug)]
pub(super) struct WeiboClient {
    pub http: Http,
    pub pace: Pace,
    /// Host and version.
    pub base: Url,
    /// Posts asked for in one call.
    pub page_size: u32,
    /// Where pictures are fetched from; none: where the answer says.
    pub media_base: Option<Url>,
    /// Whether to ask for the whole of texts that are cut.
    pub completes_texts: bool,
    /// Counted calls made so far.
    pub calls: AtomicU32,
}

impl WeiboClient {
    /// Makes a call and reads its answer.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        parameters: &[(&'static str, String)],
    ) -> Result<T> {
        let mut url = self.url(operation, path)?;
        url.query_pairs_mut().extend_pairs(parameters);
        self.ask_when_due().await;
        let body = self.http.patiently(|| self.once(operation, &url)).await?;
        serde_json::from_slice(&body).map_err(|error| {
            // An answer cut short or of another form is no fault of the request: the next may be whole.
            Error::new(ErrorKind::Unavailable, operation)
                .message("the answer does not have the form it must have")
                .with("bytes", body.len())
                .cause(error)
        })
    }

    async fn once(&self, operation: &'static str, url: &Url) -> Result<Vec<u8>> {
        self.pace.turn(operation).await?;
        let reply = self.http.get(operation, url).await?;
        let answer = errors::accepted(operation, reply, self.pace.rest());
        let Err(error) = answer else {
            return answer;
        };
        if error.kind() != ErrorKind::RateLimited {
            return Err(error);
        }
        // The answer does not say when calls are allowed again; the other call does.
        let wait = match self.ask().await {
            Some(wait) => wait,
            None => error.retry_after().unwrap_or(self.pace.rest()),
        };
        self.pace.refused_for(wait);
        Err(error.after(wait))
    }

    async fn ask_when_due(&self) {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        if calls % ASK_EVERY == ASK_EVERY - 1 {
            self.ask().await;
        }
    }

    /// Asks how many calls are left and sets the pace accordingly. Gives when the allowance is given back, if it is used up. That it
    /// cannot be asked is no reason to stop.
    async fn ask(&self) -> Option<std::time::Duration> {
        let operation = "weibo.rate_limit_status";
        let url = self.url(operation, "account/rate_limit_status.json").ok()?;
        let reply = self.http.get(operation, &url).await.ok()?;
        let body = errors::accepted(operation, reply, self.pace.rest()).ok()?;
        let status: RateLimitStatus = serde_json::from_slice(&body).ok()?;
        let allowance = allowance(&status)?;
        self.pace.used(allowance.percent, allowance.back_in);
        allowance
            .back_in
            .filter(|wait| allowance.percent >= 100.0 && !wait.is_zero())
    }

    fn url(&self, operation: &'static str, path: &str) -> Result<Url> {
        self.base.join(path).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, operation)
                .message("no path of the API")
                .with("path", path)
                .cause(error)
        })
    }
}
