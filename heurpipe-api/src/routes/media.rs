//! `/v1/media/{digest}`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use heurpipe_core::{Digest, ErrorKind, media_type};

use crate::problem::Problem;
use crate::state::AppState;

/// The bytes come from strangers. Whatever they are, a browser may show them and not run them.
const POLICY: &str = "default-src 'none'; sandbox";

/// Bytes under a digest never change; they may be erased, so shared caches shall not keep them.
const CACHING: &str = "private, max-age=31536000, immutable";

/// A picture or video by the digest of its bytes.
#[utoipa::path(
    get,
    path = "/v1/media/{digest}",
    tag = "posts",
    params(("digest" = String, Path, description = "SHA-256 of the bytes, as `fetched.stored.digest` of a medium gives it")),
    responses(
        (status = 200, description = "The bytes: a picture or video by what they are, else `application/octet-stream` to be saved", content_type = "image/*", body = Vec<u8>),
        (status = 304, description = "The caller has them"),
        (status = 400, description = "That is no digest", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There are no such bytes", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn media(
    State(state): State<AppState>,
    Path(digest): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let digest: Digest = digest
        .parse()
        .map_err(|_| Problem::bad_request("a digest is 64 hexadecimal digits"))?;
    let bytes = state.blobs().get(&digest).await.map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            Problem::not_found("there are no bytes under this digest")
        } else {
            error.into()
        }
    })?;
    let tag = format!("\"{digest}\"");
    let common = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, CACHING.to_owned()),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
    ];
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, content(bytes)).into_response())
}

fn content(bytes: Bytes) -> Response {
    match media_type(&bytes) {
        Some(kind) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        None => (
            [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CONTENT_DISPOSITION, "attachment"),
            ],
            bytes,
        )
            .into_response(),
    }
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}
