//! One download.

use heurpipe_core::{Error, ErrorKind, Result};
use reqwest::Response;
use reqwest::header::REFERER;
use url::Url;

use super::address::{PRIVATE, is_not_public};
use crate::http::{failed, read_limited, retry_after};

const OPERATION: &str = "media.fetch";
/// Of a refusal so much is read to find out why.
const REASON_LIMIT: usize = 16 * 1024;

/// What came of one attempt.
pub(super) enum Download {
    Bytes(Vec<u8>),
    Gone(String),
}

/// Downloads once.
///
/// # Errors
/// Temporary ones, when another attempt may succeed: no answer in time, a broken connection, a body shorter than announced, 429, 5xx.
pub(super) async fn download(
    client: &reqwest::Client,
    url: &Url,
    referer: Option<&str>,
    limit: usize,
) -> Result<Download> {
    let mut request = client.get(url.clone());
    if let Some(referer) = referer {
        request = request.header(REFERER, referer);
    }
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if is_not_public(&error) => return Ok(Download::Gone(PRIVATE.to_owned())),
        Err(error) if error.is_redirect() => {
            return Ok(Download::Gone(
                "redirected too often or to where it may not".to_owned(),
            ));
        }
        Err(error) => return Err(about(failed(OPERATION, error), url)),
    };
    match response.status().as_u16() {
        200 => body(response, url, limit).await,
        status @ (408 | 425 | 429 | 500..) => Err(busy(&response, status, url)),
        403 => Ok(Download::Gone(why_forbidden(response).await)),
        status => Ok(Download::Gone(format!("status {status}"))),
    }
}

async fn body(response: Response, url: &Url, limit: usize) -> Result<Download> {
    match read_limited(OPERATION, response, limit).await {
        Ok(bytes) => Ok(Download::Bytes(bytes)),
        Err(error) if error.kind() == ErrorKind::TooLarge => {
            Ok(Download::Gone(format!("larger than {limit} bytes")))
        }
        Err(error) => Err(about(error, url)),
    }
}

fn busy(response: &Response, status: u16, url: &Url) -> Error {
    let kind = match status {
        429 => ErrorKind::RateLimited,
        _ => ErrorKind::Unavailable,
    };
    let error = about(Error::new(kind, OPERATION), url).with("status", status);
    match retry_after(response.headers(), jiff::Timestamp::now()) {
        Some(wait) => error.after(wait),
        None => error,
    }
}

/// A URL that has expired says so in words.
async fn why_forbidden(response: Response) -> String {
    let said = read_limited(OPERATION, response, REASON_LIMIT)
        .await
        .unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let is_expired = ["signature expired", "Bad URL hash", "Bad URL timestamp"]
        .iter()
        .any(|words| said.contains(words));
    if is_expired {
        "the URL has expired".to_owned()
    } else {
        "status 403".to_owned()
    }
}

/// Of the address the host is told, and not the query, which may be a key of its own.
fn about(error: Error, url: &Url) -> Error {
    error.with("host", url.host_str().unwrap_or_default())
}
