#![allow(clippy::unwrap_used)]

use reqwest::header::HeaderMap;

use super::*;

const REST: Duration = Duration::from_secs(300);
const WAITS: Waits = Waits {
    regain: None,
    rest: REST,
    now: Timestamp::UNIX_EPOCH,
};

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: HeaderMap::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn error(status: u16, body: &str) -> Error {
    accepted("graph.call", reply(status, body), WAITS).unwrap_err()
}

fn coded(code: i64, subcode: i64) -> Error {
    let body = format!(r#"{{"error":{{"message":"no","code":{code},"error_subcode":{subcode}}}}}"#);
    error(400, &body)
}

/// The table of documented codes, line by line. Whatever is a limit says how long to wait; nothing else does.
#[test]
fn every_documented_code_has_its_kind_and_its_retry() {
    use ErrorKind::{
        InvalidInput, NotFound, PermissionDenied, RateLimited, Unauthenticated, Unavailable,
    };
    use Retry::{NeedsOperator, Permanent, Temporary};
    for (meaning, codes, kind, retry) in [
        ("transient", &[(1, 0), (2, 0)][..], Unavailable, Temporary),
        (
            "app call limit",
            &[(4, 0), (4, 2_446_079)],
            RateLimited,
            Temporary,
        ),
        (
            "user call limit",
            &[(17, 0), (17, 2_446_079)],
            RateLimited,
            Temporary,
        ),
        ("page call limit", &[(32, 0)], RateLimited, Temporary),
        (
            "custom rate",
            &[(613, 0), (613, 1996)],
            RateLimited,
            Temporary,
        ),
        (
            "business use case: instagram",
            &[(80_002, 0)],
            RateLimited,
            Temporary,
        ),
        (
            "business use cases: others",
            &[
                (80_000, 0),
                (80_001, 0),
                (80_003, 0),
                (80_004, 0),
                (80_014, 0),
            ],
            RateLimited,
            Temporary,
        ),
        ("feed action limit", &[(341, 0)], RateLimited, Temporary),
        (
            "blocked for policy",
            &[(368, 0)],
            PermissionDenied,
            NeedsOperator,
        ),
        (
            "session or token",
            &[
                (102, 0),
                (102, 463),
                (190, 0),
                (190, 458),
                (190, 459),
                (190, 460),
                (190, 463),
                (190, 464),
                (190, 467),
                (190, 492),
            ],
            Unauthenticated,
            NeedsOperator,
        ),
        (
            "permission missing",
            &[(10, 0), (200, 0), (230, 0), (299, 0)],
            PermissionDenied,
            NeedsOperator,
        ),
        ("bad parameter", &[(100, 0)], InvalidInput, Permanent),
        (
            "gone or a disguised limit",
            &[(100, 33)],
            NotFound,
            Temporary,
        ),
        (
            "older than the professional account",
            &[(100, 2_108_006)],
            NotFound,
            Permanent,
        ),
        (
            "user unknown",
            &[(110, 0), (110, 2_207_013), (9009, 0)],
            NotFound,
            Permanent,
        ),
        ("alias does not exist", &[(803, 0)], NotFound, Permanent),
        (
            "path cannot be parsed",
            &[(2500, 0)],
            InvalidInput,
            Permanent,
        ),
        (
            "hashtag does not exist",
            &[(24, 0), (24, 2_207_024)],
            NotFound,
            Permanent,
        ),
        (
            "more than 30 hashtags",
            &[(18, 0), (18, 2_207_034)],
            RateLimited,
            NeedsOperator,
        ),
    ] {
        for (code, subcode) in codes {
            let error = coded(*code, *subcode);
            let found = (error.kind(), error.retry());
            assert_eq!(found, (kind, retry), "{meaning}: {code}/{subcode}");
            let waits = kind == RateLimited && retry == Temporary;
            assert_eq!(error.retry_after().is_some(), waits, "{meaning}: {code}");
        }
    }
}

#[test]
fn what_says_that_it_passes_is_temporary_whatever_its_code() {
    for code in [0, 100, 12_345] {
        let body = format!(r#"{{"error":{{"code":{code},"is_transient":true}}}}"#);
        let error = error(400, &body);
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{code}");
        assert_eq!(error.retry(), Retry::Temporary, "{code}");
    }
    let limit = error(400, r#"{"error":{"code":4,"is_transient":true}}"#);
    assert_eq!(limit.retry_after(), Some(REST), "seconds do not help here");
}

#[test]
fn what_is_wrong_with_a_token_is_told() {
    for (subcode, says) in [
        (458, "removed"),
        (459, "checkpoint"),
        (460, "password"),
        (463, "expired"),
        (464, "checkpoint"),
        (467, "not valid"),
        (492, "session"),
    ] {
        let text = coded(190, subcode).to_string();
        assert!(text.contains(says), "{subcode}: {text}");
    }
}

#[test]
fn limits_say_how_long_to_wait() {
    let body = r#"{"error":{"code":80002}}"#;
    let waits = Waits {
        regain: Some(Duration::from_secs(1200)),
        ..WAITS
    };
    let told = accepted("graph.call", reply(400, body), waits).unwrap_err();
    assert_eq!(told.retry_after(), Some(Duration::from_secs(1200)));
    let mut asked = reply(400, body);
    asked.headers.insert("retry-after", "120".parse().unwrap());
    let asked = accepted("graph.call", asked, WAITS).unwrap_err();
    assert_eq!(asked.retry_after(), Some(Duration::from_secs(120)));
    assert_eq!(error(400, body).retry_after(), Some(REST));
}

#[test]
fn bodies_that_are_no_json_are_judged_by_status() {
    use ErrorKind::{
        InvalidInput, NotFound, PermissionDenied, RateLimited, Unauthenticated, Unavailable,
    };
    for (status, kind) in [
        (302, InvalidInput),
        (400, InvalidInput),
        (401, Unauthenticated),
        (403, PermissionDenied),
        (404, NotFound),
        (429, RateLimited),
        (500, Unavailable),
        (502, Unavailable),
        (504, Unavailable),
    ] {
        let error = error(status, "<!DOCTYPE html><html>Sorry</html>");
        assert_eq!(error.kind(), kind, "{status}");
    }
    assert_eq!(error(429, "").retry_after(), Some(REST));
    assert_eq!(
        error(500, r#"{"error":{"code":54321}}"#).kind(),
        Unavailable
    );
}

#[test]
fn a_refusal_may_come_with_status_200() {
    for body in [
        r#"{"error":{"code":190,"error_subcode":460}}"#,
        "{\n  \"error\" : {\"code\": 190, \"error_subcode\": 460}\n}",
    ] {
        assert_eq!(error(200, body).kind(), ErrorKind::Unauthenticated);
    }
    for body in [r#"{"data":[]}"#, r#"{"error_like":1}"#, "[]"] {
        assert!(accepted("graph.call", reply(200, body), WAITS).is_ok());
    }
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

#[test]
fn recorded_refusals_are_understood() {
    let Some(folder) = crate::instagram::samples::folder() else {
        return;
    };
    let body = std::fs::read_to_string(folder.join("ig_login_exception.json")).unwrap();
    let error = error(400, &body);
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("trace=A7Oj"), "{error}");
}
