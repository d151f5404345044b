//! What the server says, in core's words.

use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Retry};
use reqwest::StatusCode;
use serde_json::Value;

use crate::http;

/// Longer reasons are cut: some hold the whole query.
const LONGEST_REASON: usize = 400;

/// The error of a call that got no answer.
pub(super) fn unanswered(operation: &'static str, server: &str, error: reqwest::Error) -> Error {
    http::unanswered(operation, "the search server", server, error)
}

/// The error of a call that was refused as a whole.
pub(super) fn refused(
    operation: &'static str,
    server: &str,
    status: StatusCode,
    wait: Option<Duration>,
    body: &[u8],
) -> Error {
    let reason = Reason::of(&serde_json::from_slice(body).unwrap_or(Value::Null));
    let error = classified(operation, status.as_u16(), &reason).with("server", server);
    match wait {
        Some(wait) if error.retry() == Retry::Temporary => error.after(wait),
        _ => error,
    }
}

/// The error of one item of a bulk.
pub(super) fn item(operation: &'static str, status: u16, error: &Value) -> Error {
    classified(operation, status, &Reason::of_error(error))
}

/// The server's type of error and its sentence.
struct Reason {
    kind: String,
    sentence: String,
}

impl Reason {
    fn of(body: &Value) -> Self {
        Self::of_error(&body["error"])
    }

    fn of_error(error: &Value) -> Self {
        // The cause is on the shard; what stands above it says "all shards failed".
        let root = error["root_cause"].get(0).unwrap_or(error);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut sentence = match error {
            Value::String(sentence) => sentence.clone(),
            _ => text(&root["reason"]),
        };
        if let Some(cause) = error["caused_by"]["reason"].as_str() {
            sentence = format!("{sentence}: {cause}");
        }
        sentence.truncate(sentence.floor_char_boundary(LONGEST_REASON));
        Self {
            kind: text(&root["type"]),
            sentence,
        }
    }
}

fn classified(operation: &'static str, status: u16, reason: &Reason) -> Error {
    let new = |kind, message: &str| Error::new(kind, operation).message(message);
    let error = match (status, &*reason.kind) {
        (_, "cluster_block_exception") => new(
            ErrorKind::Unavailable,
            "the search server takes no writes to this index",
        )
        .retryable(Retry::NeedsOperator),
        (401, _) => new(
            ErrorKind::Unauthenticated,
            "the search server refuses the credentials",
        ),
        (403, _) => new(
            ErrorKind::PermissionDenied,
            "the credentials do not permit this on the search server",
        ),
        (404, "index_not_found_exception") => new(
            ErrorKind::Config,
            "the index is not there and the search server makes none by itself",
        ),
        (404, _) => new(ErrorKind::NotFound, "the search server does not know this"),
        (409, _) => new(ErrorKind::Conflict, "somebody else changed it in between"),
        (413, _) => new(
            ErrorKind::TooLarge,
            "the request is larger than the search server takes",
        ),
        (429, _) => new(
            ErrorKind::RateLimited,
            "the search server has too much to do",
        ),
        (500.., _) => new(
            ErrorKind::Unavailable,
            "the search server is not able to answer",
        ),
        (_, "too_many_nested_clauses") | (_, "too_many_clauses") => new(
            ErrorKind::InvalidInput,
            "the filter is more than the search server takes",
        ),
        _ if reason.sentence.contains("nested depth") => new(
            ErrorKind::InvalidInput,
            "the filter nests deeper than the search server allows",
        ),
        _ => new(ErrorKind::InvalidInput, "the search server refuses this"),
    };
    let error = error.with("status", status);
    match reason.sentence.is_empty() {
        true => error,
        false => error.with("reason", &reason.sentence),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_are_tried_again_only_where_that_can_help() {
        for (status, kind, retry) in [
            (429, "es_rejected_execution_exception", Retry::Temporary),
            (429, "cluster_block_exception", Retry::NeedsOperator),
            (403, "cluster_block_exception", Retry::NeedsOperator),
            (503, "unavailable_shards_exception", Retry::Temporary),
            (400, "document_parsing_exception", Retry::Permanent),
            (404, "index_not_found_exception", Retry::NeedsOperator),
            (413, "", Retry::Permanent),
        ] {
            let error = item("test.write", status, &json!({"type": kind, "reason": "so"}));
            assert_eq!(error.retry(), retry, "{status} {kind}");
            assert!(error.to_string().contains("reason=so"), "{error}");
        }
    }

    #[test]
    fn the_reason_is_that_of_the_shard() {
        let body = json!({"error": {"type": "search_phase_execution_exception", "reason": "all shards failed",
            "root_cause": [{"type": "query_shard_exception", "reason": "no such field"}]}, "status": 400});
        let error = refused(
            "test.search",
            "http://es",
            StatusCode::BAD_REQUEST,
            None,
            body.to_string().as_bytes(),
        );
        assert!(error.to_string().contains("no such field"), "{error}");
        let page = refused(
            "test.search",
            "http://es",
            StatusCode::BAD_GATEWAY,
            Some(Duration::from_secs(3)),
            b"<html>",
        );
        assert_eq!(
            (page.kind(), page.retry_after()),
            (ErrorKind::Unavailable, Some(Duration::from_secs(3)))
        );
    }
}
