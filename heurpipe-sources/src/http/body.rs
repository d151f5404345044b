//! Reading a body without trusting its length.

use futures::StreamExt;
use heurpipe_core::{Error, ErrorKind, Result};

use super::failed;

/// The body, unless it is longer than `limit` bytes: then reading stops there.
///
/// # Errors
/// `TooLarge` beyond the limit; `Unavailable` or `Timeout` when the connection breaks before the end.
pub(crate) async fn read_limited(
    operation: &'static str,
    response: reqwest::Response,
    limit: usize,
) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    read_onto(operation, response, limit, &mut body).await?;
    Ok(body)
}

/// Appends the body to what is there, unless both together are longer than `limit` bytes. What came before an error stays appended.
///
/// # Errors
/// As [`read_limited`].
pub(crate) async fn read_onto(
    operation: &'static str,
    response: reqwest::Response,
    limit: usize,
    body: &mut Vec<u8>,
) -> Result<()> {
    let too_large = || {
        Error::new(ErrorKind::TooLarge, operation)
            .message("the answer is larger than allowed")
            .with("limit_bytes", limit)
    };
    let announced = response.content_length().unwrap_or(0);
    if announced > limit.saturating_sub(body.len()) as u64 {
        return Err(too_large());
    }
    body.reserve(usize::try_from(announced).unwrap_or(0));
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| failed(operation, error))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(())
}
