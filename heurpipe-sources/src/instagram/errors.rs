//! What the Graph API's refusals mean.

use std::time::Duration;

use heurpipe_core::{Error, ErrorKind, Result, Retry};
use jiff::Timestamp;

use super::wire::{Refusal, Refused};
use crate::http::{Reply, retry_after, scrubbed};

/// What tells how long to wait after a limit, the best first: the time that the API told in its usage header, `Retry-After`, a rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    pub regain: Option<Duration>,
    pub rest: Duration,
    pub now: Timestamp,
}

impl Waits {
    fn after(&self, reply: &Reply) -> Duration {
        let asked = || retry_after(&reply.headers, self.now);
        self.regain.or_else(asked).unwrap_or(self.rest)
    }
}

/// Gives the body of an answer that is none of the many ways to say no.
///
/// The code decides, then the subcode, then the HTTP status, which is 400 for nearly everything. An error may also come with status 200, and a
/// body may be HTML.
///
/// # Errors
/// The refusal as kind and retry class; limits carry the time to wait.
pub(super) fn accepted(operation: &'static str, reply: Reply, waits: Waits) -> Result<Vec<u8>> {
    let is_success = (200..300).contains(&reply.status);
    if is_success && !begins_with_error(&reply.body) {
        return Ok(reply.body);
    }
    let wait = waits.after(&reply);
    match serde_json::from_slice::<Refused>(&reply.body) {
        Ok(body) => Err(refused(operation, reply.status, &body.error, wait)),
        Err(_) if is_success => Ok(reply.body),
        Err(_) => Err(by_status(operation, reply.status, wait)),
    }
}

/// Whether `error` is the first member of the body. Asked of every good answer, which is not to be read twice.
fn begins_with_error(body: &[u8]) -> bool {
    let within = body.trim_ascii_start().strip_prefix(b"{");
    within.is_some_and(|within| within.trim_ascii_start().starts_with(b"\"error\""))
}

/// The subcode for media that are older than the account's switch to a professional one.
const BEFORE_SWITCH: i64 = 2_108_006;

/// Whether a medium is not shown because it is older than the account's switch to a professional one: it may well be there.
pub(super) fn is_before_switch(error: &Error) -> bool {
    let subcode = BEFORE_SWITCH.to_string();
    error
        .context()
        .any(|(key, value)| key == "subcode" && value == subcode)
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
        100 if subcode == BEFORE_SWITCH => Verdict::Gone,
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
        492 => "the session of the token has ended",
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
#[path = "errors_tests.rs"]
mod tests;
