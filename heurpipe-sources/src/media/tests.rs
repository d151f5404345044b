#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use heurpipe_core::{Media, PostId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture cut short";

#[derive(Default)]
struct Memory(Mutex<HashMap<Digest, Bytes>>);

#[async_trait]
impl Blobs for Memory {
    async fn put(&self, bytes: Bytes) -> Result<Digest> {
        let digest = Digest::of(&bytes);
        self.0.lock().unwrap().insert(digest, bytes);
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Bytes> {
        let blobs = self.0.lock().unwrap();
        let bytes = blobs.get(digest).cloned();
        bytes.ok_or_else(|| Error::new(ErrorKind::NotFound, "memory.get"))
    }

    async fn contains(&self, digest: &Digest) -> Result<bool> {
        Ok(self.0.lock().unwrap().contains_key(digest))
    }

    async fn delete(&self, digest: &Digest) -> Result<()> {
        self.0.lock().unwrap().remove(digest);
        Ok(())
    }
}

fn builder() -> MediaFetcherBuilder {
    MediaFetcher::builder(Arc::new(Memory::default()))
        .attempts(3, Duration::from_millis(1))
        .timeout(Duration::from_millis(500))
}

fn local() -> MediaFetcher {
    builder().allow_private_hosts(true).build().unwrap()
}

async fn fetch(fetcher: &MediaFetcher, url: &str) -> ItemResult<MediaOutcome> {
    let post = "weibo:1".parse::<PostId>().unwrap();
    let request = MediaRequest::new(post, Media::image("a", url));
    fetcher.fetch(&[request]).await.remove(0)
}

fn reason(outcome: ItemResult<MediaOutcome>) -> String {
    match outcome.unwrap() {
        MediaOutcome::Gone { reason } => reason,
        MediaOutcome::Stored { .. } => panic!("it was stored"),
    }
}

/// Serves until the test ends and gives its address.
async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

async fn world() -> String {
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
    serve(
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
    let fetcher = local();
    for path in ["ok.jpg", "moved.jpg", "flaky.jpg"] {
        let outcome = fetch(&fetcher, &format!("{host}/{path}")).await.unwrap();
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
    let fetcher = builder()
        .allow_private_hosts(true)
        .max_bytes(100_000)
        .build()
        .unwrap();
    for (path, expected) in [
        ("none.jpg", "status 404"),
        ("expired.jpg", "the URL has expired"),
        ("text.jpg", "neither a picture nor a video"),
        ("big.jpg", "larger than 100000 bytes"),
        ("guarded.jpg", "status 403"),
        ("loop.jpg", "redirected too often or to where it may not"),
        ("away.jpg", "status 307"),
    ] {
        let outcome = fetch(&fetcher, &format!("{host}/{path}")).await;
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
    let fetcher = local();
    for (path, kind) in [
        ("slow.jpg", ErrorKind::Timeout),
        ("down.jpg", ErrorKind::Unavailable),
    ] {
        let url = format!("{host}/{path}?key=secret");
        let error = fetch(&fetcher, &url).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Temporary));
        let text = error.chain().join(" ");
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains("post=weibo:1"), "{text}");
    }
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_asked_for_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for body in ["\u{7f}short", "a whole picture"] {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await.unwrap();
            let length = JPEG.len() + 15;
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            socket.write_all(head.as_bytes()).await.unwrap();
            socket.write_all(JPEG).await.unwrap();
            socket.write_all(body.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
        }
    });
    let outcome = fetch(&local(), &format!("http://{address}/a.jpg")).await;
    match outcome.unwrap() {
        MediaOutcome::Stored { bytes, .. } => assert!(bytes.ends_with(b"a whole picture")),
        MediaOutcome::Gone { reason } => panic!("{reason}"),
    }
}

#[tokio::test]
async fn a_referer_is_sent_for_its_platform() {
    let host = world().await;
    let fetcher = builder()
        .allow_private_hosts(true)
        .referer(&Platform::weibo(), "https://weibo.com/")
        .build()
        .unwrap();
    let outcome = fetch(&fetcher, &format!("{host}/guarded.jpg")).await;
    assert!(matches!(outcome.unwrap(), MediaOutcome::Stored { .. }));
}

#[tokio::test]
async fn private_hosts_are_refused_by_number_and_by_name() {
    let host = world().await;
    let fetcher = builder().build().unwrap();
    let port = host.rsplit(':').next().unwrap();
    for url in [
        format!("{host}/ok.jpg"),
        format!("http://localhost:{port}/ok.jpg"),
    ] {
        assert_eq!(
            reason(fetch(&fetcher, &url).await),
            "refused: the host is not in the public internet",
            "{url}"
        );
    }
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
            let medium = Media::image("a", format!("{host}/{file}"));
            let post: PostId = format!("weibo:{number}").parse().unwrap();
            MediaRequest::new(post, medium)
        })
        .collect();
    let outcomes = local().fetch(&requests).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        let is_stored = matches!(outcome, Ok(MediaOutcome::Stored { .. }));
        assert_eq!(is_stored, number % 2 == 0, "{number}");
    }
    assert_eq!(outcomes.len(), 40);
}
