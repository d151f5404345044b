//! What the clients of web services share.

#[cfg(any(feature = "instagram", feature = "weibo"))]
mod api;
mod body;
#[cfg(any(feature = "instagram", feature = "weibo"))]
mod kept;
#[cfg(any(feature = "instagram", feature = "weibo"))]
mod pace;
mod retry_after;
#[cfg(any(feature = "instagram", feature = "weibo"))]
mod scrub;

use heurpipe_core::{Error, ErrorKind};

#[cfg(any(feature = "instagram", feature = "weibo"))]
pub(crate) use api::{Http, Reply, Wire, base_url};
pub(crate) use body::read_limited;
#[cfg(feature = "media")]
pub(crate) use body::read_onto;
#[cfg(any(feature = "instagram", feature = "weibo"))]
pub(crate) use kept::Kept;
#[cfg(feature = "instagram")]
pub(crate) use pace::Standing;
#[cfg(any(feature = "instagram", feature = "weibo"))]
pub(crate) use pace::{Pace, Pacing};
pub(crate) use retry_after::retry_after;
#[cfg(any(feature = "instagram", feature = "weibo"))]
pub(crate) use scrub::{scrubbed, scrubbed_payload};

/// How the clients name themselves.
pub(crate) const USER_AGENT: &str = concat!("heurpipe/", env!("CARGO_PKG_VERSION"));

/// The error of a call that brought no answer. The address is left out: it may carry what must not be logged.
pub(crate) fn failed(operation: &'static str, error: reqwest::Error) -> Error {
    let (kind, message) = if error.is_timeout() {
        (ErrorKind::Timeout, "no answer in time")
    } else if error.is_connect() {
        (ErrorKind::Unavailable, "no connection")
    } else if error.is_builder() {
        (ErrorKind::InvalidInput, "the request cannot be made")
    } else {
        (ErrorKind::Unavailable, "the connection broke")
    };
    Error::new(kind, operation)
        .message(message)
        .cause(error.without_url())
}
