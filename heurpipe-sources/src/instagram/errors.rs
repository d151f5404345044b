//! What the Graph API's refusals mean.

use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Result, Retry};
use jiff::Timestamp;

use super::wire::{Refusal, Refused};
use crate::http::{Reply, retry_after, scrubbed};

/// Gives the body of an answer that is none of the many ways to say no.
///
/// The code decides, then the subcode, then the HTTP status, which is 400 for nearly everything. An error may also come with status 200, and a
/// body may be HTML.
///
/// # Errors
/// The refusal as kind and retry class; limits carry the time to wait, `regain` where the API told it.
pub(super) fn accepted(
    operation: &'static str,
    reply: Reply,
    regain: Option<Duration>,
    rest: Duration,
) -> Result<Vec<u8>> {
    let is_success = (200..300).contains(&reply.status);
    let may_be_refusal = reply.body.trim_ascii_start().starts_with(b"{\"error\"");
    if is_success && !may_be_refusal {
        return Ok(reply.body);
    }
    let refusal = serde_json::from_slice::<Refused>(&reply.body).map(|body| body.error);
    match refusal {
        Ok(refusal) => {
            let asked = retry_after(&reply.headers, Timestamp::now());
            let wait = regain.or(asked).unwrap_or(rest);
            Err(refused(operation, reply.status, &refusal, wait))
        }
        Err(_) if is_success => Ok(reply.body),
        Err(_) => {
            let asked = retry_after(&reply.headers, Timestamp::now());
            Err(by_status(operation, reply.status, asked.unwrap_or(rest)))
        }
    }
}

fn refused(operation: &'static str, status: u16, refusal: &Refusal, wait: Duration) -> Error {
    let verdict = verdict(refusal);
    let error = match verdict {
        Verdict::Unknown => by_status(operation, status, wait),
        Verdict::Limit => Error::new(ErrorKind::RateLimited, operation).after(wait),
        Verdict::HashtagBudget => Error::new(ErrorKind::RateLimited, operation)
            .message("30 different hashtags were asked for within 7 days")
            .retryable(Retry::NeedsOperator),
        Verdict::Transient => Error::new(ErrorKind::Unavailable, operation),
        Verdict::Token(why) => Error::new(ErrorKind::Unauthenticated, operation).message(why),
        Verdict::Blocked => Error::new(ErrorKind::PermissionDenied, operation)
            .message("the app or account is blocked for a while for what it did"),
        Verdict::Permission => Error::new(ErrorKind::PermissionDenied, operation)
            .message("the token lacks a permission"),
        Verdict::MaybeGone => {
            Error::new(ErrorKind::NotFound, operation).retryable(Retry::Temporary)
        }
        Verdict::Gone => Error::new(ErrorKind::NotFound, operation),
        Verdict::BadRequest => Error::new(ErrorKind::InvalidInput, operation),
    };
    with_details(error, status, refusal)
}

/// What a refusal comes down to.
enum Verdict {
    Limit,
    HashtagBudget,
    Transient,
    Token(&'static str),
    Blocked,
    Permission,
    /// It does not exist, or a limit in disguise: worth a little patience.
    MaybeGone,
    Gone,
    BadRequest,
    Unknown,
}

fn verdict(refusal: &Refusal) -> Verdict {
    let subcode = refusal.error_subcode.unwrap_or(0);
    match refusal.code.unwrap_or(0) {
        // Limits come first: they say that they are transient too, but seconds do not help.
        4 | 17 | 32 | 341 | 613 | 80_000..=80_099 => Verdict::Limit,
        18 => Verdict::HashtagBudget,
        102 | 190 => Verdict::Token(token_trouble(subcode)),
        368 => Verdict::Blocked,
        10 | 200..=299 => Verdict::Permission,
        _ if refusal.is_transient == Some(true) => Verdict::Transient,
        1 | 2 => Verdict::Transient,
        100 if subcode == 33 => Verdict::MaybeGone,
        100 if subcode == 2_108_006 => Verdict::Gone,
        24 | 110 | 803 | 9009 => Verdict::Gone,
        100 | 2500 => Verdict::BadRequest,
        _ => Verdict::Unknown,
    }
}

fn token_trouble(subcode: i64) -> &'static str {
    match subcode {
        458 => "the app was removed from the account",
        459 | 464 => "the account must pass a checkpoint first",
        460 => "the token died with a change of password",
        463 => "the token has expired",
        _ => "the token is not valid",
    }
}

fn by_status(operation: &'static str, status: u16, wait: Duration) -> Error {
    let error = match status {
        401 => Error::new(ErrorKind::Unauthenticated, operation),
        403 => Error::new(ErrorKind::PermissionDenied, operation),
        404 => Error::new(ErrorKind::NotFound, operation),
        429 => Error::new(ErrorKind::RateLimited, operation).after(wait),
        500.. => Error::new(ErrorKind::Unavailable, operation),
        _ => Error::new(ErrorKind::InvalidInput, operation),
    };
    error.with("status", status)
}

/// Adds what the API said, without what must not be logged.
fn with_details(mut error: Error, status: u16, refusal: &Refusal) -> Error {
    error = error.with("status", status);
    if let Some(code) = refusal.code {
        error = error.with("code", code);
    }
    if let Some(subcode) = refusal.error_subcode {
        error = error.with("subcode", subcode);
    }
    if let Some(trace) = &refusal.fbtrace_id {
        error = error.with("trace", scrubbed(trace));
    }
    let said: String = scrubbed(&refusal.message).chars().take(300).collect();
    error.with("said", said)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use reqwest::header::HeaderMap;

    use super::*;

    const REST: Duration = Duration::from_secs(300);

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn error(status: u16, body: &str) -> Error {
        accepted("graph.call", reply(status, body), None, REST).unwrap_err()
    }

    fn coded(code: i64, subcode: i64) -> Error {
        let body =
            format!(r#"{{"error":{{"message":"no","code":{code},"error_subcode":{subcode}}}}}"#);
        error(400, &body)
    }

    #[test]
    fn every_code_has_its_class() {
        use ErrorKind::{
            InvalidInput, NotFound, PermissionDenied, RateLimited, Unauthenticated, Unavailable,
        };
        use Retry::{NeedsOperator, Permanent, Temporary};
        for (code, subcode, kind, retry) in [
            (1, 0, Unavailable, Temporary),
            (2, 0, Unavailable, Temporary),
            (4, 2_446_079, RateLimited, Temporary),
            (17, 2_446_079, RateLimited, Temporary),
            (32, 0, RateLimited, Temporary),
            (613, 1996, RateLimited, Temporary),
            (341, 0, RateLimited, Temporary),
            (80_002, 0, RateLimited, Temporary),
            (368, 0, PermissionDenied, NeedsOperator),
            (102, 0, Unauthenticated, NeedsOperator),
            (190, 463, Unauthenticated, NeedsOperator),
            (10, 0, PermissionDenied, NeedsOperator),
            (200, 0, PermissionDenied, NeedsOperator),
            (299, 0, PermissionDenied, NeedsOperator),
            (100, 0, InvalidInput, Permanent),
            (100, 33, NotFound, Temporary),
            (100, 2_108_006, NotFound, Permanent),
            (110, 0, NotFound, Permanent),
            (9009, 0, NotFound, Permanent),
            (803, 0, NotFound, Permanent),
            (2500, 0, InvalidInput, Permanent),
            (24, 2_207_024, NotFound, Permanent),
            (18, 2_207_034, RateLimited, NeedsOperator),
        ] {
            let error = coded(code, subcode);
            assert_eq!(
                (error.kind(), error.retry()),
                (kind, retry),
                "{code}/{subcode}"
            );
        }
    }

    #[test]
    fn limits_say_how_long_to_wait() {
        let body = r#"{"error":{"code":4,"is_transient":true}}"#;
        assert_eq!(error(400, body).retry_after(), Some(REST));
        let regain = Some(Duration::from_secs(1200));
        let error = accepted("graph.call", reply(400, body), regain, REST).unwrap_err();
        assert_eq!(error.retry_after(), regain);
    }

    #[test]
    fn bodies_that_are_no_json_are_judged_by_status() {
        assert_eq!(error(502, "<html>").kind(), ErrorKind::Unavailable);
        assert_eq!(error(429, "").retry_after(), Some(REST));
        assert_eq!(error(404, "").retry(), Retry::Permanent);
    }

    #[test]
    fn a_refusal_may_come_with_status_200() {
        let error = error(200, r#"{"error":{"code":190,"error_subcode":460}}"#);
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert!(accepted("graph.call", reply(200, r#"{"data":[]}"#), None, REST).is_ok());
    }

    #[test]
    fn what_the_api_says_is_kept_without_the_token() {
        let error = error(
            400,
            r#"{"error":{"message":"bad access_token=EAAsecret","code":100,"fbtrace_id":"A7"}}"#,
        );
        let text = error.chain().join(" ");
        assert!(
            text.contains("trace=A7") && text.contains("said=bad"),
            "{text}"
        );
        assert!(!text.contains("EAAsecret"), "{text}");
    }
}
