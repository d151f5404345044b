//! Hosts are called as they ask to be.

use std::sync::atomic::{AtomicU16, Ordering};

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use heurpipe_core::{ErrorKind, Retry};

use super::*;

const DISALLOWED: &str = "refused: robots.txt disallows it";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn pictures() -> Router {
    Router::new()
        .route("/open/a.jpg", get(|| async { JPEG }))
        .route("/closed/a.jpg", get(|| async { JPEG }))
        .route(
            "/open/moved.jpg",
            get(|| async { Redirect::temporary("/closed/a.jpg") }),
        )
}

fn rules() -> &'static str {
    "User-agent: heurpipe\nDisallow: /closed/\n"
}

/// A host with these rules.
async fn with_rules() -> Host {
    Host::serve(pictures().route("/robots.txt", get(|| async { rules() }))).await
}

/// A host whose rules are given with a status that can be changed.
async fn with_status(status: u16) -> (Host, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(status));
    let now = Arc::clone(&status);
    let file = get(move || async move {
        let status = StatusCode::from_u16(now.load(Ordering::Relaxed)).unwrap();
        (status, rules())
    });
    let host = Host::serve(pictures().route("/robots.txt", file)).await;
    (host, status)
}

#[tokio::test]
async fn rules_are_asked_for_once_and_obeyed() {
    let host = with_rules().await;
    let fetcher = local().build().unwrap();
    let requests: Vec<MediaRequest> = (0..20)
        .map(|number| request(&host.at(["/open/a.jpg", "/closed/a.jpg"][number % 2])))
        .collect();
    for (number, outcome) in fetcher.fetch(&requests).await.into_iter().enumerate() {
        match number % 2 {
            0 => assert_eq!(stored(outcome), JPEG),
            _ => assert_eq!(reason(outcome), DISALLOWED),
        }
    }
    assert_eq!(host.calls("/robots.txt"), 1);
    assert_eq!(host.calls("/open/a.jpg"), 10);
    assert_eq!(host.calls("/closed/a.jpg"), 0);
}

#[tokio::test]
async fn redirects_lead_to_what_is_allowed_only() {
    let host = with_rules().await;
    let outcome = fetch(&local().build().unwrap(), &host.at("/open/moved.jpg")).await;
    assert_eq!(reason(outcome), DISALLOWED);
    assert_eq!(host.calls("/open/moved.jpg"), 1);
    assert_eq!(host.calls("/closed/a.jpg"), 0);
}

#[tokio::test]
async fn switched_off_nobody_is_asked() {
    let host = with_rules().await;
    let fetcher = local().robots(false).build().unwrap();
    assert_eq!(
        stored(fetch(&fetcher, &host.at("/closed/a.jpg")).await),
        JPEG
    );
    assert_eq!(host.calls("/robots.txt"), 0);
}

#[tokio::test]
async fn rules_that_are_not_shown_are_none() {
    for status in [401, 403, 404, 410] {
        let (host, _) = with_status(status).await;
        let fetcher = local().build().unwrap();
        for _ in 0..2 {
            assert_eq!(
                stored(fetch(&fetcher, &host.at("/closed/a.jpg")).await),
                JPEG
            );
        }
        assert_eq!(host.calls("/robots.txt"), 1, "{status}");
    }
}

#[tokio::test]
async fn while_rules_cannot_be_had_nothing_is_fetched() {
    for (status, kind) in [
        (500, ErrorKind::Unavailable),
        (503, ErrorKind::Unavailable),
        (429, ErrorKind::RateLimited),
    ] {
        let (host, now) = with_status(status).await;
        let fetcher = local().clock(clock()).build().unwrap();
        for _ in 0..2 {
            let error = fetch(&fetcher, &host.at("/open/a.jpg")).await.unwrap_err();
            assert_eq!((error.kind(), error.retry()), (kind, Retry::Temporary));
        }
        // As often as a picture would be tried; then the host is left alone for a while.
        assert_eq!(host.calls("/robots.txt"), 3, "{status}");
        assert_eq!(host.calls("/open/a.jpg"), 0, "{status}");

        now.store(200, Ordering::Relaxed);
        pass(Duration::from_secs(61)).await;
        assert_eq!(stored(fetch(&fetcher, &host.at("/open/a.jpg")).await), JPEG);
    }
}

#[tokio::test]
async fn a_host_that_hangs_at_its_rules_is_given_up_in_time() {
    let hangs = get(|| async {
        tokio::time::sleep(DAY).await;
        rules()
    });
    let host = Host::serve(pictures().route("/robots.txt", hangs)).await;
    let fetcher = local()
        .attempts(1, Duration::from_millis(1))
        .timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let error = fetch(&fetcher, &host.at("/open/a.jpg")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.retry(), Retry::Temporary);
    assert_eq!(host.calls("/open/a.jpg"), 0);
}

#[tokio::test]
async fn calls_are_kept_apart() {
    let slowly = get(|| async { "User-agent: *\nCrawl-delay: 0.05\n" });
    let host = Host::serve(pictures().route("/robots.txt", slowly)).await;
    let requests = vec![request(&host.at("/open/a.jpg")); 4];
    let began = std::time::Instant::now();
    for outcome in local().build().unwrap().fetch(&requests).await {
        assert_eq!(stored(outcome), JPEG);
    }
    assert!(began.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn rules_last_a_day() {
    let (host, now) = with_status(404).await;
    let fetcher = local().clock(clock()).build().unwrap();
    let url = host.at("/closed/a.jpg");
    assert_eq!(stored(fetch(&fetcher, &url).await), JPEG);
    now.store(200, Ordering::Relaxed);
    pass(DAY - Duration::from_secs(60)).await;
    assert_eq!(stored(fetch(&fetcher, &url).await), JPEG);
    assert_eq!(host.calls("/robots.txt"), 1);
    pass(Duration::from_secs(61)).await;
    assert_eq!(reason(fetch(&fetcher, &url).await), DISALLOWED);
    assert_eq!(host.calls("/robots.txt"), 2);
}

#[tokio::test]
async fn known_rules_hold_while_the_host_is_silent() {
    let (host, now) = with_status(200).await;
    let fetcher = local().clock(clock()).build().unwrap();
    let closed = host.at("/closed/a.jpg");
    assert_eq!(reason(fetch(&fetcher, &closed).await), DISALLOWED);
    now.store(500, Ordering::Relaxed);
    pass(DAY).await;
    assert_eq!(reason(fetch(&fetcher, &closed).await), DISALLOWED);
    assert_eq!(stored(fetch(&fetcher, &host.at("/open/a.jpg")).await), JPEG);
    assert_eq!(host.calls("/closed/a.jpg"), 0);
    assert_eq!(
        host.calls("/robots.txt"),
        4,
        "tried three times after a day"
    );
}

#[tokio::test]
async fn each_port_has_rules_of_its_own() {
    let (strict, lax) = (with_rules().await, Host::serve(pictures()).await);
    let fetcher = local().build().unwrap();
    let at = |host: &Host| host.at("/closed/a.jpg");
    assert_eq!(reason(fetch(&fetcher, &at(&strict)).await), DISALLOWED);
    assert_eq!(stored(fetch(&fetcher, &at(&lax)).await), JPEG);
}

#[tokio::test]
async fn rules_may_have_moved_but_not_for_ever() {
    let moved = pictures()
        .route(
            "/robots.txt",
            get(|| async { Redirect::permanent("/rules") }),
        )
        .route("/rules", get(|| async { rules() }));
    let host = Host::serve(moved).await;
    let fetcher = local().build().unwrap();
    let outcome = fetch(&fetcher, &host.at("/closed/a.jpg")).await;
    assert_eq!(reason(outcome), DISALLOWED);

    let round = get(|| async { Redirect::permanent("/robots.txt") });
    let host = Host::serve(pictures().route("/robots.txt", round)).await;
    assert_eq!(
        stored(fetch(&fetcher, &host.at("/closed/a.jpg")).await),
        JPEG
    );
    assert_eq!(host.calls("/robots.txt"), 6);
}

#[tokio::test]
async fn of_rules_without_end_the_beginning_counts() {
    let endless = get(|| async {
        let first = Bytes::from_static(b"User-agent: *\nDisallow: /closed/\n");
        let more = Bytes::from_static(b"# and so on\n");
        let lines = stream::iter([first]).chain(stream::repeat(more));
        Body::from_stream(lines.map(Ok::<_, std::io::Error>)).into_response()
    });
    let host = Host::serve(pictures().route("/robots.txt", endless)).await;
    let fetcher = local().timeout(Duration::from_secs(30)).build().unwrap();
    let outcome = fetch(&fetcher, &host.at("/closed/a.jpg")).await;
    assert_eq!(reason(outcome), DISALLOWED);
    assert_eq!(stored(fetch(&fetcher, &host.at("/open/a.jpg")).await), JPEG);
}
