//! What becomes of a URL.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use futures::stream;
use heurpipe_core::{ErrorKind, Platform, Retry};
use url::Url;

use super::*;

async fn world() -> Host {
    let attempts = Arc::new(AtomicUsize::new(0));
    let flaky = move || {
        let attempt = attempts.fetch_add(1, Ordering::Relaxed);
        async move {
            match attempt {
                0 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                1 => StatusCode::TOO_MANY_REQUESTS.into_response(),
                _ => JPEG.into_response(),
            }
        }
    };
    let guarded = |headers: HeaderMap| async move {
        match headers.get("referer") {
            Some(page) if page == "https://weibo.com/" => JPEG.into_response(),
            _ => StatusCode::FORBIDDEN.into_response(),
        }
    };
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        JPEG
    };
    let expired = || async { (StatusCode::FORBIDDEN, "URL signature expired") };
    Host::serve(
        Router::new()
            .route("/ok.jpg", get(|| async { JPEG }))
            .route("/text.jpg", get(|| async { "just a text" }))
            .route("/expired.jpg", get(expired))
            .route("/flaky.jpg", get(flaky))
            .route("/guarded.jpg", get(guarded))
            .route("/slow.jpg", get(slow))
            .route("/down.jpg", get(|| async { StatusCode::BAD_GATEWAY }))
            .route(
                "/moved.jpg",
                get(|| async { Redirect::temporary("/ok.jpg") }),
            )
            .route(
                "/loop.jpg",
                get(|| async { Redirect::temporary("/loop.jpg") }),
            )
            .route(
                "/away.jpg",
                get(|| async { Redirect::temporary("file:///etc/hosts") }),
            )
            .route("/big.jpg", get(big)),
    )
    .await
}

/// Bytes without end and without a length.
async fn big() -> Response {
    let chunks = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[0xff; 4096])));
    axum::body::Body::from_stream(chunks).into_response()
}

#[tokio::test]
async fn a_picture_is_stored_under_its_digest() {
    let host = world().await;
    let fetcher = local().build().unwrap();
    for path in ["ok.jpg", "moved.jpg", "flaky.jpg"] {
        let outcome = fetch(&fetcher, &host.at(&format!("/{path}")))
            .await
            .unwrap();
        let MediaOutcome::Stored {
            digest,
            bytes,
            content_type,
        } = outcome
        else {
            panic!("{path} was not stored: {outcome:?}");
        };
        assert_eq!(bytes, JPEG);
        assert_eq!(content_type, "image/jpeg");
        assert_eq!(fetcher.load(&digest).await.unwrap(), JPEG);
    }
}

#[tokio::test]
async fn what_cannot_be_had_is_gone() {
    let host = world().await;
    let fetcher = local().max_bytes(100_000).build().unwrap();
    for (path, expected) in [
        ("none.jpg", "status 404"),
        ("expired.jpg", "the URL has expired"),
        ("text.jpg", "neither a picture nor a video"),
        ("big.jpg", "larger than 100000 bytes"),
        ("guarded.jpg", "status 403"),
        ("loop.jpg", "redirected too often"),
        ("away.jpg", "refused: not an address of the web"),
    ] {
        let outcome = fetch(&fetcher, &host.at(&format!("/{path}"))).await;
        assert_eq!(reason(outcome), expected, "{path}");
    }
    assert_eq!(
        reason(fetch(&fetcher, "<image url>").await),
        "the URL is none"
    );
}

#[tokio::test]
async fn what_may_pass_is_a_temporary_error() {
    let host = world().await;
    let fetcher = local().build().unwrap();
    for (path, kind) in [
        ("slow.jpg", ErrorKind::Timeout),
        ("down.jpg", ErrorKind::Unavailable),
    ] {
        let url = host.at(&format!("/{path}?key=secret"));
        let error = fetch(&fetcher, &url).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Temporary));
        let text = error.chain().join(" ");
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains("post=weibo:1"), "{text}");
    }
}

#[tokio::test]
async fn a_referer_is_sent_for_its_platform() {
    let host = world().await;
    let fetcher = local()
        .referer(&Platform::weibo(), "https://weibo.com/")
        .build()
        .unwrap();
    let outcome = fetch(&fetcher, &host.at("/guarded.jpg")).await;
    assert!(matches!(outcome.unwrap(), MediaOutcome::Stored { .. }));
}

#[tokio::test]
async fn files_are_read_beneath_folders_that_were_named() {
    let folder = tempfile::tempdir().unwrap();
    let allowed = folder.path().join("allowed");
    std::fs::create_dir(&allowed).unwrap();
    std::fs::write(allowed.join("a b.jpg"), JPEG).unwrap();
    std::fs::write(folder.path().join("outside.jpg"), JPEG).unwrap();
    std::os::unix::fs::symlink(folder.path().join("outside.jpg"), allowed.join("link.jpg"))
        .unwrap();
    let fetcher = builder()
        .allow_files_under(&allowed)
        .unwrap()
        .build()
        .unwrap();
    let url = |path: PathBuf| Url::from_file_path(path).unwrap().to_string();

    let inside = fetch(&fetcher, &url(allowed.join("a b.jpg")))
        .await
        .unwrap();
    assert!(matches!(inside, MediaOutcome::Stored { .. }));
    for outside in [
        url(folder.path().join("outside.jpg")),
        url(allowed.join("link.jpg")),
        format!("{}/../outside.jpg", url(allowed.clone())),
    ] {
        let reason = reason(fetch(&fetcher, &outside).await);
        assert!(
            reason.starts_with("refused: the file lies outside"),
            "{outside}: {reason}"
        );
    }
    assert_eq!(
        reason(fetch(&fetcher, &url(allowed.join("none.jpg"))).await),
        "there is no such file"
    );
    assert_eq!(
        reason(fetch(&fetcher, &url(allowed)).await),
        "refused: no ordinary file"
    );
}

#[tokio::test]
async fn outcomes_stand_in_the_order_of_the_requests() {
    let host = world().await;
    let requests: Vec<MediaRequest> = (0..40)
        .map(|number| {
            let file = ["ok.jpg", "none.jpg"][number % 2];
            let medium = Media::image("a", host.at(&format!("/{file}")));
            let post: PostId = format!("weibo:{number}").parse().unwrap();
            MediaRequest::new(post, medium)
        })
        .collect();
    let outcomes = local().build().unwrap().fetch(&requests).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        let is_stored = matches!(outcome, Ok(MediaOutcome::Stored { .. }));
        assert_eq!(is_stored, number % 2 == 0, "{number}");
    }
    assert_eq!(outcomes.len(), 40);
}

#[cfg(feature = "archive")]
#[tokio::test]
async fn pictures_within_a_zip_are_read_where_the_zip_was_named() {
    use std::io::Write;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in [("media/a b.jpg", JPEG), ("media/note.jpg", b"words")] {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
    let url = |name: &str| {
        let mut url = Url::from_file_path(path.canonicalize().unwrap()).unwrap();
        url.query_pairs_mut().append_pair("in", name);
        url.to_string()
    };
    let named = builder().allow_files_under(&path).unwrap().build().unwrap();
    let outcome = fetch(&named, &url("media/a b.jpg")).await.unwrap();
    assert!(
        matches!(outcome, MediaOutcome::Stored { content_type, .. } if content_type == "image/jpeg")
    );
    assert_eq!(
        reason(fetch(&named, &url("media/none.jpg")).await),
        "there is no such file in the ZIP"
    );
    assert_eq!(
        reason(fetch(&named, &url("media/note.jpg")).await),
        "neither a picture nor a video"
    );
    let other = builder().build().unwrap();
    assert!(reason(fetch(&other, &url("media/a b.jpg")).await).starts_with("refused"));
}
