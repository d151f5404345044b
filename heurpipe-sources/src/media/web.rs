//! Calls to hosts that somebody else has named.

use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Result};
use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use super::address::{PRIVATE, is_not_public, refusal};
use crate::http::{failed, retry_after};

pub(super) const OPERATION: &str = "media.fetch";
/// How many redirects are followed, one after the other.
pub(super) const MAX_REDIRECTS: usize = 5;

/// What the web is called with. The client follows no redirects: whoever calls judges each place that one leads to.
#[derive(Debug)]
pub(super) struct Web {
    pub(super) client: reqwest::Client,
    pub(super) allow_private: bool,
    /// Time for one answer, from connecting to the last byte.
    pub(super) timeout: Duration,
}

/// Where one call led.
pub(super) enum Hop {
    /// To an answer.
    Answer(Response),
    /// To another place.
    Redirect(Url),
    /// Nowhere: the place may not be called.
    Refused(&'static str),
}

impl Web {
    /// Calls one place.
    ///
    /// # Errors
    /// Temporary ones when there is no answer, or none in time.
    pub(super) async fn call(&self, url: &Url, headers: HeaderMap) -> Result<Hop> {
        if let Some(why) = refusal(url, self.allow_private) {
            return Ok(Hop::Refused(why));
        }
        let request = self.client.get(url.clone()).headers(headers);
        let response = match request.timeout(self.timeout).send().await {
            Ok(response) => response,
            Err(error) if is_not_public(&error) => return Ok(Hop::Refused(PRIVATE)),
            Err(error) => return Err(about(failed(OPERATION, error), url)),
        };
        Ok(match redirect(&response, url) {
            Some(to) => Hop::Redirect(to),
            None => Hop::Answer(response),
        })
    }
}

fn redirect(response: &Response, from: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = response.headers().get(LOCATION)?.to_str().ok()?;
    from.join(to).ok()
}

/// Whether a status says that the host is not able to answer now.
pub(super) fn is_busy(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

/// The error of such an answer.
pub(super) fn busy(response: &Response, url: &Url, now: Timestamp) -> Error {
    let status = response.status().as_u16();
    let kind = match status {
        429 => ErrorKind::RateLimited,
        _ => ErrorKind::Unavailable,
    };
    let error = about(Error::new(kind, OPERATION), url).with("status", status);
    match retry_after(response.headers(), now) {
        Some(wait) => error.after(wait),
        None => error,
    }
}

/// Of the address the host is told, and not the query, which may be a key of its own.
pub(super) fn about(error: Error, url: &Url) -> Error {
    error.with("host", url.host_str().unwrap_or_default())
}
