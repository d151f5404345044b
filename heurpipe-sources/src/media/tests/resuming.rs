//! Downloads that break go on where they broke, and only there.

use std::collections::VecDeque;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// A picture of 24 bytes, in halves.
const FIRST: &[u8] = b"\xff\xd8\xff\xe0 the fir";
const SECOND: &[u8] = b"and the rest";

/// Gives one answer a connection, whether it is complete or not, and keeps what it was asked.
struct Scripted {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    async fn serve(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/a.jpg", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Some(answer) = answers.pop_front() {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(socket.read_u8().await.unwrap());
                }
                let request = String::from_utf8(request).unwrap().to_lowercase();
                log.lock().unwrap().push(request);
                socket.write_all(&answer).await.unwrap();
                socket.shutdown().await.unwrap();
            }
        });
        Self { url, asked }
    }

    /// The header of each request, in order; empty where it had none.
    fn asked(&self, header: &str) -> Vec<String> {
        let value = |request: &String| {
            let line = request
                .lines()
                .find_map(|line| line.strip_prefix(header)?.strip_prefix(": "));
            line.unwrap_or_default().to_owned()
        };
        self.asked.lock().unwrap().iter().map(value).collect()
    }
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn broken(headers: &str) -> Vec<u8> {
    answer(&format!("200 OK\r\ncontent-length: 24\r\n{headers}"), FIRST)
}

fn rest() -> Vec<u8> {
    answer(
        "206 Partial Content\r\ncontent-length: 12\r\ncontent-range: bytes 12-23/24",
        SECOND,
    )
}

fn whole() -> Vec<u8> {
    let head = format!("200 OK\r\ncontent-length: {}", JPEG.len());
    answer(&head, JPEG)
}

/// The first request goes to the picture itself.
fn fetcher() -> MediaFetcher {
    local().robots(false).max_bytes(64).build().unwrap()
}

#[tokio::test]
async fn the_rest_is_asked_for() {
    for (headers, version) in [
        ("etag: \"v1\"", "\"v1\""),
        ("accept-ranges: bytes\r\netag: \"v1\"", "\"v1\""),
        (
            "last-modified: Fri, 01 May 2026 10:00:00 GMT\r\ndate: Sat, 02 May 2026 10:00:00 GMT",
            "fri, 01 may 2026 10:00:00 gmt",
        ),
    ] {
        let host = Scripted::serve([broken(headers), rest()]).await;
        let outcome = fetch(&fetcher(), &host.url).await;
        assert_eq!(stored(outcome), [FIRST, SECOND].concat(), "{headers}");
        assert_eq!(host.asked("range"), ["", "bytes=12-"], "{headers}");
        assert_eq!(host.asked("if-range"), ["", version], "{headers}");
    }
}

#[tokio::test]
async fn without_a_version_all_is_asked_for_again() {
    for headers in [
        "accept-ranges: bytes",
        "etag: W/\"v1\"",
        "accept-ranges: none\r\netag: \"v1\"",
    ] {
        let host = Scripted::serve([broken(headers), whole()]).await;
        assert_eq!(stored(fetch(&fetcher(), &host.url).await), JPEG);
        assert_eq!(host.asked("range"), ["", ""], "{headers}");
    }
}

#[tokio::test]
async fn another_version_begins_anew() {
    let host = Scripted::serve([broken("etag: \"v1\""), whole()]).await;
    assert_eq!(stored(fetch(&fetcher(), &host.url).await), JPEG);
    assert_eq!(host.asked("range"), ["", "bytes=12-"]);
}

#[tokio::test]
async fn a_rest_that_does_not_fit_begins_anew() {
    let elsewhere = answer(
        "206 Partial Content\r\ncontent-length: 12\r\ncontent-range: bytes 6-17/24",
        SECOND,
    );
    let of_another_length = answer(
        "206 Partial Content\r\ncontent-length: 12\r\ncontent-range: bytes 12-23/30",
        SECOND,
    );
    let unnamed = answer("206 Partial Content\r\ncontent-length: 12", SECOND);
    let not_there = answer(
        "416 Range Not Satisfiable\r\ncontent-length: 0\r\ncontent-range: bytes */8",
        b"",
    );
    for misfit in [elsewhere, of_another_length, unnamed, not_there] {
        let host = Scripted::serve([broken("etag: \"v1\""), misfit, whole()]).await;
        assert_eq!(stored(fetch(&fetcher(), &host.url).await), JPEG);
        assert_eq!(host.asked("range"), ["", "bytes=12-", ""]);
    }
}

#[tokio::test]
async fn a_rest_that_breaks_goes_on_too() {
    let (third, fourth) = SECOND.split_at(6);
    let broken_rest = answer(
        "206 Partial Content\r\ncontent-length: 12\r\ncontent-range: bytes 12-23/24",
        third,
    );
    let last = answer(
        "206 Partial Content\r\ncontent-length: 6\r\ncontent-range: bytes 18-23/24",
        fourth,
    );
    let host = Scripted::serve([broken("etag: \"v1\""), broken_rest, last]).await;
    let outcome = fetch(&fetcher(), &host.url).await;
    assert_eq!(stored(outcome), [FIRST, SECOND].concat());
    assert_eq!(host.asked("range"), ["", "bytes=12-", "bytes=18-"]);
}

#[tokio::test]
async fn all_parts_together_stay_within_the_limit() {
    let begun = answer(
        "200 OK\r\netag: \"v1\"\r\ntransfer-encoding: chunked",
        &[b"c\r\n", FIRST, b"\r\n"].concat(),
    );
    let long = answer(
        "206 Partial Content\r\ncontent-length: 60\r\ncontent-range: bytes 12-71/72",
        &[0; 60],
    );
    let host = Scripted::serve([begun, long]).await;
    let outcome = fetch(&fetcher(), &host.url).await;
    assert_eq!(reason(outcome), "larger than 64 bytes");
}

#[tokio::test]
async fn a_part_that_nobody_asked_for_is_no_picture() {
    let host = Scripted::serve([rest()]).await;
    assert_eq!(reason(fetch(&fetcher(), &host.url).await), "status 206");
}
