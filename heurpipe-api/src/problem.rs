//! Errors as RFC 9457 problems.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use heurpipe_core::{Error, ErrorKind};
use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is: `about:blank` where the status says it all, else `urn:heurpipe:problem:` and a name.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What was wrong with this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// For a filter that cannot be read: the character at which it goes wrong, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: None,
            position: None,
        }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST).detail(detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND).detail(detail)
    }

    /// A filter that cannot be read.
    pub(crate) fn bad_filter(error: &Error) -> Self {
        let mut problem =
            Self::bad_request(sentence(error)).named("filter", "The filter cannot be read");
        problem.position = error
            .context()
            .find(|(key, _)| *key == "column")
            .and_then(|(_, column)| column.parse().ok());
        problem
    }

    /// Gives it a type and a title of its own, for programs that have to tell it from others of its status.
    pub(crate) fn named(mut self, name: &str, title: &str) -> Self {
        self.kind = format!("urn:heurpipe:problem:{name}");
        self.title = title.to_owned();
        self
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The status in words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What was wrong with this request; empty where the status says it all.
    pub fn explanation(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }

    /// For a filter that cannot be read: the character at which it goes wrong, counted from 1.
    pub fn position(&self) -> Option<usize> {
        self.position
    }
}

/// The error's own sentence, without operation and context.
fn sentence(error: &Error) -> String {
    let text = error.to_string();
    let sentence = text
        .strip_prefix(error.operation())
        .and_then(|rest| rest.strip_prefix(": "))
        .unwrap_or(&text);
    let end = sentence
        .rfind(&format!(" ({}", error.kind()))
        .unwrap_or(sentence.len());
    sentence[..end].to_owned()
}

/// An error of a store. What the caller can do something about is told; the rest is logged and kept back.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let told = |status| Self::new(status).detail(sentence(&error));
        match error.kind() {
            ErrorKind::InvalidInput => told(StatusCode::BAD_REQUEST),
            ErrorKind::NotFound => told(StatusCode::NOT_FOUND),
            ErrorKind::Unsupported => told(StatusCode::NOT_IMPLEMENTED),
            ErrorKind::TooLarge => told(StatusCode::BAD_REQUEST),
            kind => {
                tracing::error!(error = ?error, "a request failed");
                match kind {
                    ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::RateLimited => {
                        Self::new(StatusCode::SERVICE_UNAVAILABLE)
                            .detail("a store cannot answer now; try again in a moment")
                    }
                    _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR)
                        .detail("a store failed; the log says why"),
                }
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}
