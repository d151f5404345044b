#![allow(clippy::unwrap_used)]

mod addresses;
mod fetching;
mod renewing;
mod resuming;
mod robots;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use heurpipe_core::{Clock, FetchMedia, ItemResult, Media, MediaOutcome, MediaRequest, PostId};
use heurpipe_stores::blobs::MemoryBlobs;
use tokio::net::TcpListener;

use super::{MediaFetcher, MediaFetcherBuilder};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture cut short";

fn builder() -> MediaFetcherBuilder {
    MediaFetcher::builder(Arc::new(MemoryBlobs::new()))
        .attempts(3, Duration::from_millis(1))
        .timeout(Duration::from_millis(500))
}

/// May call the test's own hosts.
fn local() -> MediaFetcherBuilder {
    builder().allow_private_hosts(true)
}

fn request(url: &str) -> MediaRequest {
    let post = "weibo:1".parse::<PostId>().unwrap();
    MediaRequest::new(post, Media::image("a", url))
}

async fn fetch(fetcher: &MediaFetcher, url: &str) -> ItemResult<MediaOutcome> {
    fetcher.fetch(&[request(url)]).await.remove(0)
}

fn reason(outcome: ItemResult<MediaOutcome>) -> String {
    match outcome.unwrap() {
        MediaOutcome::Gone { reason } => reason,
        MediaOutcome::Stored { .. } => panic!("it was stored"),
    }
}

fn stored(outcome: ItemResult<MediaOutcome>) -> Vec<u8> {
    match outcome.unwrap() {
        MediaOutcome::Stored { bytes, .. } => bytes.to_vec(),
        MediaOutcome::Gone { reason } => panic!("{reason}"),
    }
}

/// A host of the test's own, which lives until the test ends.
struct Host {
    url: String,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Host {
    async fn serve(routes: Router) -> Self {
        let calls = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&calls);
        let routes = routes.layer(from_fn(move |request: Request, next: Next| {
            log.lock().unwrap().push(request.uri().path().to_owned());
            next.run(request)
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, calls }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// How often a path was called.
    fn calls(&self, path: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| *call == path).count()
    }
}

/// A clock that goes with tokio's time, which [`pass`] moves on.
fn clock() -> Clock {
    Clock::tokio("2026-05-01T10:00:00Z".parse().unwrap())
}

/// Lets time pass without waiting; then it goes on as ever, so that sockets work.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
