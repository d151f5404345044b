//! What the Open API's refusals mean.

use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Result, Retry};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::limits::Scope;
use super::wire::Refusal;
use crate::http::{Reply, retry_after, scrubbed};
use crate::lenient;

/// The pause that a full queue on the other side asks for.
const SLOWER: Duration = Duration::from_secs(30);

/// The status does not exist.
pub(super) const NO_SUCH_STATUS: u32 = 20101;
/// The status is not for the user who gave the token.
pub(super) const NOT_FOR_THIS_USER: [u32; 2] = [20112, 20502];

/// The app lacks the permission for a call.
const LACKING_PERMISSION: [u32; 2] = [10005, 10014];

/// A refusal, with what it says of limits.
#[derive(Debug)]
pub(super) struct Refused {
    pub error: Error,
    /// What was called too often, if that is why. The error tells a time to wait only where the answer does.
    pub limit: Option<Scope>,
}

/// Gives the body of an answer that is no refusal. The code decides, then the HTTP status.
///
/// # Errors
/// The refusal as kind and retry class.
pub(super) fn accepted(
    operation: &'static str,
    reply: Reply,
    now: Timestamp,
) -> Result<Vec<u8>, Refused> {
    let is_success = (200..300).contains(&reply.status);
    let refusal = refusal(&reply.body);
    if refusal.is_none() && is_success {
        return Ok(reply.body);
    }
    let code = refusal.as_ref().and_then(code);
    let told = retry_after(&reply.headers, now);
    let mut error = match code.and_then(|code| by_code(operation, code)) {
        Some(error) => error,
        None => by_status(operation, reply.status),
    };
    let limit = limit(code, &error);
    if let (Some(_), Some(wait)) = (limit, told) {
        error = error.after(wait);
    }
    Err(Refused {
        error: with_details(error, reply.status, refusal.as_ref()),
        limit,
    })
}

fn refusal(body: &[u8]) -> Option<Refusal> {
    let answer: &RawValue = serde_json::from_slice(body).ok()?;
    lenient::object::<Refusal>(answer)
        .ok()
        .filter(|refusal| refusal.error_code.is_some() || refusal.error.is_some())
}

/// Reads the body of an answer.
///
/// # Errors
/// `Unavailable` where it has another form: an answer that is cut short or garbled is no fault of the request, and the next may be whole.
pub(super) fn read<T: DeserializeOwned>(operation: &'static str, body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        Error::new(ErrorKind::Unavailable, operation)
            .message("the answer does not have the form it must have")
            .with("bytes", body.len())
            .cause(error)
    })
}

/// The API's own code of a refusal; none where there was no such answer.
pub(super) fn code_of(error: &Error) -> Option<u32> {
    let (_, code) = error.context().find(|(key, _)| *key == "code")?;
    code.parse().ok()
}

/// Whether the post that was asked for cannot be had whenever it is asked for, although others can.
pub(super) fn is_about_this_post(error: &Error) -> bool {
    let lacks_permission = code_of(error).is_some_and(|code| LACKING_PERMISSION.contains(&code));
    error.retry() == Retry::Permanent || lacks_permission
}

/// The code, or that of the name by which OAuth calls it.
fn code(refusal: &Refusal) -> Option<u32> {
    if let Some(code) = &refusal.error_code {
        return code.parse().ok();
    }
    match refusal.error.as_deref()? {
        "expired_token" => Some(21327),
        "access_denied" => Some(21330),
        "temporarily_unavailable" => Some(21331),
        _ => None,
    }
}

fn limit(code: Option<u32>, error: &Error) -> Option<Scope> {
    match code {
        Some(10022 | 10023) => Some(Scope::All),
        Some(10024) => Some(Scope::ThisCall),
        // A full queue on the other side is no limit of ours.
        Some(10009) => None,
        _ => (error.kind() == ErrorKind::RateLimited).then_some(Scope::All),
    }
}

fn by_code(operation: &'static str, code: u32) -> Option<Error> {
    let error = |kind| Error::new(kind, operation);
    Some(match code {
        10001 | 10002 | 10003 | 10010 | 10011 | 21331 | 23201 => error(ErrorKind::Unavailable),
        10009 => error(ErrorKind::RateLimited)
            .message("the API has too much to do")
            .after(SLOWER),
        10022 => error(ErrorKind::RateLimited).message("too many calls from this address"),
        10023 => error(ErrorKind::RateLimited).message("too many calls for this user"),
        10024 => error(ErrorKind::RateLimited).message("this call was made too often"),
        10004 => error(ErrorKind::PermissionDenied).message("the API refuses this address"),
        10005 | 10014 => {
            error(ErrorKind::PermissionDenied).message("the app lacks the permission for this call")
        }
        21330 => error(ErrorKind::PermissionDenied).message("the user denied access"),
        10006 => error(ErrorKind::Config).message("the app's key is missing"),
        21322..=21326 | 21328 | 21329 => {
            error(ErrorKind::Config).message("the authorisation was asked for wrongly")
        }
        21314..=21317 | 21332 => {
            error(ErrorKind::Unauthenticated).message("the token is not valid")
        }
        21319 => error(ErrorKind::Unauthenticated).message("the token was revoked"),
        21327 => error(ErrorKind::Unauthenticated).message("the token has expired"),
        20003 => error(ErrorKind::NotFound).message("there is no such user"),
        NO_SUCH_STATUS => error(ErrorKind::NotFound).message("there is no such post"),
        23805 => error(ErrorKind::NotFound).message("there is no such place"),
        code if NOT_FOR_THIS_USER.contains(&code) => error(ErrorKind::PermissionDenied)
            .message("not shown to the user who gave the token")
            .retryable(Retry::Permanent),
        10012 | 10013 | 10016..=10018 | 10020 | 10021 => {
            error(ErrorKind::InvalidInput).message("the API does not understand the call")
        }
        _ => return None,
    })
}

fn by_status(operation: &'static str, status: u16) -> Error {
    let kind = match status {
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::PermissionDenied,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        500.. => ErrorKind::Unavailable,
        _ => ErrorKind::InvalidInput,
    };
    Error::new(kind, operation)
}

/// Adds what the API said, without what must not be logged.
fn with_details(mut error: Error, status: u16, refusal: Option<&Refusal>) -> Error {
    error = error.with("status", status);
    let Some(refusal) = refusal else {
        return error;
    };
    if let Some(code) = code(refusal) {
        error = error.with("code", code);
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

    use reqwest::header::{HeaderMap, RETRY_AFTER};

    use super::*;

    fn refused(status: u16, headers: HeaderMap, body: &str) -> Refused {
        let reply = Reply {
            status,
            headers,
            body: body.as_bytes().to_vec(),
        };
        accepted("weibo.call", reply, Timestamp::UNIX_EPOCH).unwrap_err()
    }

    fn error(status: u16, body: &str) -> Error {
        refused(status, HeaderMap::new(), body).error
    }

    /// The API's codes, as its documentation lists them, with what each of them asks of the caller.
    const CODES: &[(&[u32], ErrorKind, Retry)] = &[
        (
            &[10001, 10002, 10003, 10010, 10011, 23201],
            ErrorKind::Unavailable,
            Retry::Temporary,
        ),
        (&[10009], ErrorKind::RateLimited, Retry::Temporary),
        (&[10004], ErrorKind::PermissionDenied, Retry::NeedsOperator),
        (&[10022], ErrorKind::RateLimited, Retry::Temporary),
        (&[10023], ErrorKind::RateLimited, Retry::Temporary),
        (&[10024], ErrorKind::RateLimited, Retry::Temporary),
        (
            &[10005, 10014],
            ErrorKind::PermissionDenied,
            Retry::NeedsOperator,
        ),
        (&[10006], ErrorKind::Config, Retry::NeedsOperator),
        (
            &[10012, 10013, 10016, 10017, 10018, 10020, 10021],
            ErrorKind::InvalidInput,
            Retry::Permanent,
        ),
        (&[20003, 20101], ErrorKind::NotFound, Retry::Permanent),
        (
            &[20502, 20112],
            ErrorKind::PermissionDenied,
            Retry::Permanent,
        ),
        (
            &[21314, 21315, 21316, 21317, 21332, 21327, 21319],
            ErrorKind::Unauthenticated,
            Retry::NeedsOperator,
        ),
        (
            &[21322, 21323, 21324, 21325, 21326, 21328, 21329],
            ErrorKind::Config,
            Retry::NeedsOperator,
        ),
        (&[21330], ErrorKind::PermissionDenied, Retry::NeedsOperator),
        (&[21331], ErrorKind::Unavailable, Retry::Temporary),
        (&[23805], ErrorKind::NotFound, Retry::Permanent),
    ];

    #[test]
    fn every_code_has_its_class_in_every_spelling() {
        for (codes, kind, retry) in CODES {
            for code in *codes {
                for body in [
                    format!(r#"{{"request":"/2/x.json","error_code":{code},"error":"no"}}"#),
                    format!(r#"{{"request":"/2/x.json","error_code":"{code}","error":"no"}}"#),
                    format!(
                        r#"{{"error":"oauth_name","error_code":{code},"request":"/2/x.json","error_description":"no"}}"#
                    ),
                ] {
                    // The HTTP status says less than the code, so it has no say.
                    for status in [200, 400, 403, 503] {
                        let error = error(status, &body);
                        let told = (error.kind(), error.retry(), code_of(&error));
                        assert_eq!(told, (*kind, *retry, Some(*code)), "{status} {body}");
                    }
                }
            }
        }
    }

    #[test]
    fn oauth_names_do_without_a_code() {
        for (name, code) in [
            ("expired_token", 21327),
            ("access_denied", 21330),
            ("temporarily_unavailable", 21331),
        ] {
            let error = error(400, &format!(r#"{{"error":"{name}"}}"#));
            assert_eq!(code_of(&error), Some(code));
        }
        let other = error(400, r#"{"error":"something_else"}"#);
        assert_eq!(
            (other.kind(), code_of(&other)),
            (ErrorKind::InvalidInput, None)
        );
    }

    #[test]
    fn limits_are_of_all_calls_or_of_one() {
        for (status, body, limit) in [
            (403, r#"{"error_code":10022}"#, Some(Scope::All)),
            (403, r#"{"error_code":"10023"}"#, Some(Scope::All)),
            (403, r#"{"error_code":10024}"#, Some(Scope::ThisCall)),
            (429, "<html>", Some(Scope::All)),
            (403, r#"{"error_code":10009}"#, None),
            (403, r#"{"error_code":10014}"#, None),
        ] {
            assert_eq!(
                refused(status, HeaderMap::new(), body).limit,
                limit,
                "{body}"
            );
        }
    }

    #[test]
    fn the_wait_is_told_only_where_the_answer_tells_it() {
        let body = r#"{"error_code":"10023","error":"out of rate"}"#;
        assert_eq!(error(403, body).retry_after(), None);
        let headers = HeaderMap::from_iter([(RETRY_AFTER, "120".parse().unwrap())]);
        let told = refused(403, headers, body).error.retry_after();
        assert_eq!(told, Some(Duration::from_secs(120)));
        let slower = error(403, r#"{"error_code":10009}"#);
        assert_eq!(slower.retry_after(), Some(SLOWER));
    }

    #[test]
    fn bodies_that_are_no_json_are_judged_by_status() {
        for (status, kind) in [
            (502, ErrorKind::Unavailable),
            (404, ErrorKind::NotFound),
            (401, ErrorKind::Unauthenticated),
            (403, ErrorKind::PermissionDenied),
            (400, ErrorKind::InvalidInput),
        ] {
            assert_eq!(error(status, "<html>").kind(), kind);
        }
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
