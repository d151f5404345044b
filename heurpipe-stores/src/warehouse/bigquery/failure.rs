//! What the server says, in core's words.

use heurpipe_core::{Error, ErrorKind, Retry};
use reqwest::StatusCode;
use serde::Deserialize;

use crate::http;

/// Longer sentences are cut: some hold the whole query.
const LONGEST_SENTENCE: usize = 600;

/// Under what an error names the job that has ended in it.
pub(super) const FAILED_JOB: &str = "job";

/// The API's word for what went wrong, as `error.errors[]` of a refusal and `status.errorResult` of a job have it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reason {
    pub(super) reason: String,
    pub(super) message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Refused,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    message: String,
    errors: Vec<Reason>,
}

/// The error of a call that got no answer.
pub(super) fn unanswered(operation: &'static str, server: &str, error: reqwest::Error) -> Error {
    http::unanswered(operation, "bigquery", server, error)
}

/// The error of a call that was refused.
pub(super) fn refused(
    operation: &'static str,
    server: &str,
    status: StatusCode,
    body: &[u8],
) -> Error {
    let Refusal { error } = serde_json::from_slice(body).unwrap_or_default();
    let mut reason = error.errors.into_iter().next().unwrap_or_default();
    if reason.message.is_empty() {
        reason.message = error.message;
    }
    classified(operation, Some(status.as_u16()), &reason).with("server", server)
}

/// The error of a job that has ended in one. `others` are what else the server noted.
pub(super) fn failed(
    operation: &'static str,
    job: &str,
    result: &Reason,
    others: &[Reason],
) -> Error {
    let error = classified(operation, None, result).with(FAILED_JOB, job);
    let others: Vec<String> = others
        .iter()
        .filter(|other| other.message != result.message)
        .map(|other| cut(&format!("{}: {}", other.reason, other.message)))
        .collect();
    match others.is_empty() {
        true => error,
        false => error.with("also", others.join("; ")),
    }
}

/// By the reason where there is one: <https://cloud.google.com/bigquery/docs/error-messages>; else by the status.
fn classified(operation: &'static str, status: Option<u16>, reason: &Reason) -> Error {
    let (kind, message) = match (&*reason.reason, status) {
        // The service has no reason of its own for statements that came in each other's way.
        _ if reason.message.contains("concurrent update") => (
            ErrorKind::Conflict,
            "another statement changed the table at the same time",
        ),
        ("authError" | "required", _) | (_, Some(401)) => (
            ErrorKind::Unauthenticated,
            "bigquery refuses the credentials",
        ),
        ("rateLimitExceeded" | "jobRateLimitExceeded", _) | (_, Some(429)) => {
            (ErrorKind::RateLimited, "bigquery asks for a slower pace")
        }
        ("quotaExceeded", _) => (ErrorKind::RateLimited, "a quota of bigquery is used up"),
        (
            "backendError" | "internalError" | "jobBackendError" | "tableUnavailable"
            | "resourceInUse",
            _,
        ) => (ErrorKind::Unavailable, "bigquery is not able to answer"),
        ("accessDenied" | "billingNotEnabled" | "blocked", _) | (_, Some(403)) => (
            ErrorKind::PermissionDenied,
            "the credentials do not permit this in bigquery",
        ),
        ("notFound", _) | (_, Some(404)) => (ErrorKind::NotFound, "bigquery does not know this"),
        ("duplicate", _) | (_, Some(409)) => (ErrorKind::Conflict, "bigquery has this already"),
        ("bytesBilledLimitExceeded" | "resourcesExceeded" | "responseTooLarge", _)
        | (_, Some(413)) => (
            ErrorKind::TooLarge,
            "the query reads or needs more than it may",
        ),
        ("stopped", _) => (ErrorKind::Cancelled, "the job was stopped"),
        (_, Some(500..)) => (ErrorKind::Unavailable, "bigquery is not able to answer"),
        _ => (ErrorKind::InvalidInput, "bigquery refuses this"),
    };
    let mut error = Error::new(kind, operation).message(message);
    if reason.reason == "quotaExceeded" {
        // A quota of a day does not come back while somebody waits.
        error = error.retryable(Retry::NeedsOperator);
    }
    if let Some(status) = status {
        error = error.with("status", status);
    }
    for (key, text) in [("reason", &reason.reason), ("said", &reason.message)] {
        if !text.is_empty() {
            error = error.with(key, cut(text));
        }
    }
    error
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST_SENTENCE)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(status: u16, reason: &str) -> (ErrorKind, Retry) {
        let reason = Reason {
            reason: reason.to_owned(),
            message: "so".to_owned(),
        };
        let error = classified("test.ask", Some(status), &reason);
        assert!(error.to_string().contains("said=so"), "{error}");
        (error.kind(), error.retry())
    }

    #[test]
    fn what_can_help_is_told_by_the_reason() {
        for (status, reason, kind, retry) in [
            (401, "", ErrorKind::Unauthenticated, Retry::NeedsOperator),
            (
                403,
                "accessDenied",
                ErrorKind::PermissionDenied,
                Retry::NeedsOperator,
            ),
            (
                403,
                "rateLimitExceeded",
                ErrorKind::RateLimited,
                Retry::Temporary,
            ),
            (
                403,
                "quotaExceeded",
                ErrorKind::RateLimited,
                Retry::NeedsOperator,
            ),
            (404, "notFound", ErrorKind::NotFound, Retry::Permanent),
            (409, "duplicate", ErrorKind::Conflict, Retry::Temporary),
            (
                400,
                "invalidQuery",
                ErrorKind::InvalidInput,
                Retry::Permanent,
            ),
            (
                400,
                "bytesBilledLimitExceeded",
                ErrorKind::TooLarge,
                Retry::Permanent,
            ),
            (
                503,
                "backendError",
                ErrorKind::Unavailable,
                Retry::Temporary,
            ),
            (502, "", ErrorKind::Unavailable, Retry::Temporary),
        ] {
            assert_eq!(kind_of(status, reason), (kind, retry), "{status} {reason}");
        }
    }

    #[test]
    fn a_failed_job_is_one_sentence() {
        let reason = |reason: &str, message: &str| Reason {
            reason: reason.to_owned(),
            message: message.to_owned(),
        };
        let result = reason("invalid", "Error while reading data");
        let others = [result.clone(), reason("invalid", "column 3 is odd")];
        let text = failed("test.load", "job-1", &result, &others).to_string();
        assert_eq!(
            text,
            "test.load: bigquery refuses this (invalid_input, reason=invalid, said=Error while reading data, job=job-1, also=invalid: column 3 is odd)"
        );
    }
}
