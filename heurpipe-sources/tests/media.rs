//! What a pipeline fetches of a post's media.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::{
    Fetched, Media, MediaCounts, MediaKind, Pipeline, Post, RunOptions, RunReport,
};
use heurpipe_sources::media::MediaFetcher;
use heurpipe_stores::blobs::MemoryBlobs;
use heurpipe_stores::documents::MemoryDocuments;
use jiff::Timestamp;

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture cut short";

/// A host of pictures that keeps which paths were called.
async fn host() -> (String, Arc<Mutex<Vec<String>>>) {
    let calls = Arc::<Mutex<Vec<String>>>::default();
    let log = Arc::clone(&calls);
    let routes = Router::new().fallback(move |request: Request| async move {
        log.lock().unwrap().push(request.uri().path().to_owned());
        JPEG
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, calls)
}

fn medium(kind: MediaKind, url: String) -> Media {
    let mut medium = Media::image(url.clone(), url);
    medium.kind = kind;
    medium
}

async fn run(posts: Vec<Post>, rows: &Collect) -> RunReport {
    let blobs = Arc::new(MemoryBlobs::new());
    let fetcher = MediaFetcher::builder(blobs)
        .allow_private_hosts(true)
        .robots(false);
    Pipeline::builder("catalog")
        .documents(Arc::new(MemoryDocuments::new()))
        .source(Posts::new(posts))
        .fetch_media(fetcher.build().unwrap())
        .sink(rows.clone())
        .build()
        .unwrap()
        .run(RunOptions::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn of_a_video_its_still_is_fetched_and_none_is_invented() {
    let (host, calls) = host().await;
    let video = |name: &str| medium(MediaKind::Video, format!("{host}/{name}.mp4"));
    let still = medium(MediaKind::Thumbnail, format!("{host}/still.jpg"));
    let post = |id: &str, media: Vec<Media>| {
        let mut post = Post::new(id.parse().unwrap(), Timestamp::UNIX_EPOCH);
        post.media = media;
        post
    };
    let posts = vec![
        post("test:with_still", vec![video("a"), still]),
        post("test:without", vec![video("b")]),
    ];
    let rows = Collect::new("rows");
    let report = run(posts, &rows).await;
    assert_eq!(report.posts.delivered, 2);
    let expected = MediaCounts {
        fetched: 1,
        failed: 0,
        reused: 0,
    };
    assert_eq!(report.media, expected);
    assert_eq!(*calls.lock().unwrap(), ["/still.jpg"]);

    let rows = rows.records();
    let media: Vec<_> = rows
        .iter()
        .map(|row| {
            let media = row.post.media.iter();
            let media = media.map(|m| (m.kind, m.fetched != Fetched::Not));
            media.collect::<Vec<_>>()
        })
        .collect();
    let (video, still) = ((MediaKind::Video, false), (MediaKind::Thumbnail, true));
    assert_eq!(media, [vec![video, still], vec![video]]);
    let pictures: Vec<usize> = rows.iter().map(|row| row.post.pictures().count()).collect();
    assert_eq!(pictures, [1, 0]);
    assert!(rows[0].post.media[1].digest().is_some());
}

/// The demo's pictures load only if its host does not answer nonsense as the rules for robots.
#[cfg(feature = "simulator")]
#[tokio::test]
async fn the_simulator_has_no_rules_for_robots() {
    use heurpipe_sources::simulator::{Simulator, SimulatorOptions, World, WorldOptions};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let world = World::new(WorldOptions::new(11, 50));
    let simulator = Simulator::start(world, SimulatorOptions::default())
        .await
        .unwrap();
    let mut socket = tokio::net::TcpStream::connect(simulator.address())
        .await
        .unwrap();
    let request = b"GET /robots.txt HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    socket.write_all(request).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}
