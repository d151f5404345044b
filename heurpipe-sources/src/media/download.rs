//! One download.

use heurpipe_core::{Clock, Error, ErrorKind, Result};
use reqwest::Response;
use reqwest::header::{HeaderMap, HeaderValue, REFERER};
use tokio::sync::Semaphore;
use url::Url;

use super::partial::Partial;
use super::robots::Robots;
use super::turn;
use super::web::{Hop, MAX_REDIRECTS, OPERATION, Web, about, busy, is_busy};
use crate::http::{read_limited, read_onto};

/// Of a refusal so much is read to find out why.
const REASON_LIMIT: usize = 16 * 1024;

/// What came of a download.
#[derive(Debug)]
pub(super) enum Download {
    /// The whole body.
    Bytes(Vec<u8>),
    /// The host says that the URL worked once, and does no more.
    Expired,
    /// The bytes cannot be had, and why.
    Gone(String),
}

/// How downloads are made.
pub(super) struct Downloader<'a> {
    pub(super) web: &'a Web,
    /// Downloads at once, whatever their hosts. Whoever waits for a host's leave does not count.
    pub(super) at_once: &'a Semaphore,
    /// None: no host is asked for its rules.
    pub(super) robots: Option<&'a Robots>,
    pub(super) referer: Option<&'a HeaderValue>,
    pub(super) max_bytes: usize,
    pub(super) clock: Clock,
}

impl Downloader<'_> {
    /// Downloads what `partial` lacks.
    ///
    /// # Errors
    /// Temporary ones, when another attempt may succeed: no answer in time, a broken connection, a body shorter than announced, 429, 5xx, a host
    /// that does not tell its rules. What did come is in `partial` then.
    pub(super) async fn attempt(&self, url: &Url, partial: &mut Partial) -> Result<Download> {
        let mut place = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            if !self.is_allowed(&place).await? {
                return Ok(gone("refused: robots.txt disallows it"));
            }
            let _turn = turn(self.at_once).await?;
            let response = match self.web.call(&place, self.headers(partial)).await? {
                Hop::Answer(response) => response,
                Hop::Redirect(to) => {
                    place = to;
                    continue;
                }
                Hop::Refused(why) => return Ok(gone(why)),
            };
            match response.status().as_u16() {
                200 => {
                    partial.begin(&response);
                    return self.read(response, &place, partial).await;
                }
                206 if partial.is_continued_by(&response) => {
                    return self.read(response, &place, partial).await;
                }
                // The rest is not what was asked for: there is another version by now.
                206 | 416 if !partial.bytes.is_empty() => partial.clear(),
                403 => return Ok(forbidden(response).await),
                status if is_busy(status) => return Err(busy(&response, &place, self.clock.now())),
                status => return Ok(gone(format!("status {status}"))),
            }
        }
        Ok(gone("redirected too often"))
    }

    /// Whether the host allows a call, now that this returns.
    async fn is_allowed(&self, place: &Url) -> Result<bool> {
        match self.robots {
            Some(robots) => robots.allow(place).await,
            None => Ok(true),
        }
    }

    fn headers(&self, partial: &Partial) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(referer) = self.referer {
            headers.insert(REFERER, referer.clone());
        }
        headers.extend(partial.asks_for_rest().into_iter().flatten());
        headers
    }

    async fn read(
        &self,
        response: Response,
        place: &Url,
        partial: &mut Partial,
    ) -> Result<Download> {
        let limit = self.max_bytes;
        match read_onto(OPERATION, response, limit, &mut partial.bytes).await {
            Ok(()) if partial.is_whole() => Ok(Download::Bytes(std::mem::take(&mut partial.bytes))),
            Ok(()) => {
                let error = Error::new(ErrorKind::Unavailable, OPERATION)
                    .message("the body ends before its announced length");
                Err(about(error, place))
            }
            Err(error) if error.kind() == ErrorKind::TooLarge => {
                Ok(gone(format!("larger than {limit} bytes")))
            }
            Err(error) => Err(about(error, place)),
        }
    }
}

/// A URL that has expired says so in words.
async fn forbidden(response: Response) -> Download {
    let said = read_limited(OPERATION, response, REASON_LIMIT)
        .await
        .unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let is_expired = ["signature expired", "Bad URL hash", "Bad URL timestamp"]
        .iter()
        .any(|words| said.contains(words));
    if is_expired {
        Download::Expired
    } else {
        gone("status 403")
    }
}

fn gone(reason: impl Into<String>) -> Download {
    Download::Gone(reason.into())
}
