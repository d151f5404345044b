//! The picture hosts of both networks.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::{Service, Shared};

/// A picture of Instagram. Its address says until when it is served.
pub(super) async fn instagram(
    State(service): Shared,
    Path(path): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let expiry = query
        .get("oe")
        .and_then(|hexadecimal| i64::from_str_radix(hexadecimal, 16).ok())
        .and_then(|second| Timestamp::from_second(second).ok());
    if expiry.is_some_and(|expiry| expiry <= service.world.now()) {
        return expired();
    }
    let file = path.rsplit('/').next().unwrap_or_default().to_owned();
    picture(service, file, None).await
}

/// A picture of Weibo in one of its sizes.
pub(super) async fn weibo(
    State(service): Shared,
    Path((size, file)): Path<(String, String)>,
) -> Response {
    let width = match size.as_str() {
        "thumb150" => Some(150),
        "thumbnail" => Some(120),
        "orj360" => Some(360),
        "bmiddle" => Some(440),
        "orj960" | "mw690" | "mw1024" | "mw2000" | "large" | "original" | "woriginal" => None,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    picture(service, file, width).await
}

/// The answer to an address whose time is over.
pub(super) fn expired() -> Response {
    (StatusCode::FORBIDDEN, "URL signature expired").into_response()
}

/// The answer to an address of nothing.
pub(super) fn gone() -> Response {
    (StatusCode::NOT_FOUND, "not found").into_response()
}

/// Renders on the blocking pool, since a picture takes milliseconds of pure computing.
async fn picture(service: Arc<Service>, file: String, width: Option<u32>) -> Response {
    let rendered = tokio::task::spawn_blocking(move || {
        let key = file.strip_suffix(".jpg").unwrap_or(&file);
        service.world.world().picture(key, width)
    });
    match rendered.await {
        Ok(Ok(Some(bytes))) => ([(header::CONTENT_TYPE, "image/jpeg")], bytes).into_response(),
        Ok(Ok(None)) => gone(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
