//! What the Open API's refusals mean.

use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Result, Retry};
use jiff::Timestamp;

use super::wire::Refusal;
use crate::http::{Reply, retry_after, scrubbed};

/// The pause that a full queue on the other side asks for.
const SLOWER: Duration = Duration::from_secs(30);

/// Gives the body of an answer that is no refusal. The code decides, then the HTTP status.
///
/// # Errors
/// The refusal as kind and retry class. Limits carry the time to wait where the answer tells it, else `rest`.
pub(super) fn accepted(operation: &'static str, reply: Reply, rest: Duration) -> Result<Vec<u8>> {
    let is_success = (200..300).contains(&reply.status);
    let refusal = serde_json::from_slice::<Refusal>(&reply.body)
        .ok()
        .filter(|refusal| refusal.error_code.is_some() || refusal.error.is_some());
    let Some(refusal) = refusal else {
        if is_success {
            return Ok(reply.body);
        }
        let wait = retry_after(&reply.headers, Timestamp::now()).unwrap_or(rest);
        return Err(by_status(operation, reply.status, wait));
    };
    let wait = retry_after(&reply.headers, Timestamp::now()).unwrap_or(rest);
    Err(refused(operation, reply.status, &refusal, wait))
}

fn refused(operation: &'static str, status: u16, refusal: &Refusal, wait: Duration) -> Error {
    let code = refusal.error_code.as_deref().and_then(|c| c.parse().ok());
    let error = match code.unwrap_or(0) {
        10001 | 10002 | 10003 | 10010 | 10011 | 21331 | 23201 => {
            Error::new(ErrorKind::Unavailable, operation)
        }
        10009 => Error::new(ErrorKind::RateLimited, operation).after(SLOWER),
        10022..=10024 => Error::new(ErrorKind::RateLimited, operation).after(wait),
        10004 => Error::new(ErrorKind::PermissionDenied, operation)
            .message("the API refuses this address"),
        10005 | 10014 | 21330 => {
            Error::new(ErrorKind::PermissionDenied, operation).message("the app lacks a permission")
        }
        10006 | 21322..=21326 | 21328 | 21329 => Error::new(ErrorKind::Config, operation),
        21314..=21317 | 21332 => {
            Error::new(ErrorKind::Unauthenticated, operation).message("the token is not valid")
        }
        21319 => Error::new(ErrorKind::Unauthenticated, operation).message("the token was revoked"),
        21327 => Error::new(ErrorKind::Unauthenticated, operation).message("the token has expired"),
        20003 | 20101 | 23805 => Error::new(ErrorKind::NotFound, operation),
        20112 | 20502 => {
            Error::new(ErrorKind::PermissionDenied, operation).retryable(Retry::Permanent)
        }
        10012 | 10013 | 10016..=10018 | 10020 | 10021 => {
            Error::new(ErrorKind::InvalidInput, operation)
        }
        _ => by_status(operation, status, wait),
    };
    with_details(error, status, refusal)
}

fn by_status(operation: &'static str, status: u16, wait: Duration) -> Error {
    match status {
        401 => Error::new(ErrorKind::Unauthenticated, operation),
        403 => Error::new(ErrorKind::PermissionDenied, operation),
        404 => Error::new(ErrorKind::NotFound, operation),
        429 => Error::new(ErrorKind::RateLimited, operation).after(wait),
        500.. => Error::new(ErrorKind::Unavailable, operation),
        _ => Error::new(ErrorKind::InvalidInput, operation),
    }
    .with("status", status)
}

/// Adds what the API said, without what must not be logged.
fn with_details(mut error: Error, status: u16, refusal: &Refusal) -> Error {
    error = error.with("status", status);
    if let Some(code) = &refusal.error_code {
        error = error.with("code", scrubbed(code));
    }
    let said: Vec<&str> = [&refusal.error, &refusal.error_description]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let said: String = scrubbed(&said.join(": ")).chars().take(300).collect();
    error.with("said", said)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use reqwest::header::HeaderMap;

    use super::*;

    const REST: Duration = Duration::from_secs(300);

    fn error(status: u16, body: &str) -> Error {
        let reply = Reply {
            status,
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        };
        accepted("weibo.call", reply, REST).unwrap_err()
    }

    #[test]
    fn every_code_has_its_class() {
        use ErrorKind::{
            Config, InvalidInput, NotFound, PermissionDenied, RateLimited, Unauthenticated,
            Unavailable,
        };
        use Retry::{NeedsOperator, Permanent, Temporary};
        for (code, kind, retry) in [
            (10001, Unavailable, Temporary),
            (10011, Unavailable, Temporary),
            (23201, Unavailable, Temporary),
            (21331, Unavailable, Temporary),
            (10009, RateLimited, Temporary),
            (10022, RateLimited, Temporary),
            (10023, RateLimited, Temporary),
            (10024, RateLimited, Temporary),
            (10004, PermissionDenied, NeedsOperator),
            (10014, PermissionDenied, NeedsOperator),
            (10006, Config, NeedsOperator),
            (21324, Config, NeedsOperator),
            (10012, InvalidInput, Permanent),
            (10020, InvalidInput, Permanent),
            (20003, NotFound, Permanent),
            (20101, NotFound, Permanent),
            (20502, PermissionDenied, Permanent),
            (21315, Unauthenticated, NeedsOperator),
            (21327, Unauthenticated, NeedsOperator),
            (21332, Unauthenticated, NeedsOperator),
        ] {
            let as_number = format!(r#"{{"error_code":{code},"error":"no"}}"#);
            let as_text = format!(r#"{{"error_code":"{code}","error":"no"}}"#);
            for body in [as_number, as_text] {
                let error = error(403, &body);
                assert_eq!((error.kind(), error.retry()), (kind, retry), "{body}");
            }
        }
    }

    #[test]
    fn limits_say_how_long_to_wait() {
        let error = error(403, r#"{"error_code":"10023","error":"out of rate"}"#);
        assert_eq!(error.retry_after(), Some(REST));
    }

    #[test]
    fn bodies_that_are_no_json_are_judged_by_status() {
        assert_eq!(error(502, "<html>").kind(), ErrorKind::Unavailable);
        assert_eq!(error(404, "").kind(), ErrorKind::NotFound);
    }

    #[test]
    fn what_the_api_says_is_kept_without_the_token() {
        let error = error(
            400,
            r#"{"error":"expired_token","error_code":21327,"error_description":"access_token=2.00secret is over"}"#,
        );
        let text = error.chain().join(" ");
        assert!(
            text.contains("code=21327") && text.contains("expired_token"),
            "{text}"
        );
        assert!(!text.contains("2.00secret"), "{text}");
    }
}
