//! Where there is no server, or another one.

use std::time::{Duration, Instant};

use heurpipe_core::{Error, ErrorKind, Retry};
use heurpipe_stores::{Mode, documents};
use tokio::net::TcpListener;

async fn refused(url: &str) -> Error {
    documents::open(url, Mode::ReadWrite).await.err().unwrap()
}

/// A URL of a place at which nothing is waited for long.
fn url(port: u16) -> String {
    format!("mongodb://127.0.0.1:{port}/a?serverSelectionTimeoutMS=700&connectTimeoutMS=300")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = refused(&url(port)).await;
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Temporary)
    );
    let said = error.to_string();
    assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
    assert!(said.contains("refused"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let began = Instant::now();
    let error = refused(&url(port)).await;
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout),
        "{error}"
    );
    assert_eq!(error.retry(), Retry::Temporary);
    assert!(began.elapsed() < Duration::from_secs(60));
    drop(listener);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_kind_is_no_document_server() {
    let http = wiremock::MockServer::start().await;
    let error = refused(&url(http.address().port())).await;
    let said = error.to_string();
    assert!(said.contains("none that is fit for this"), "{said}");
    assert!(said.contains("reason="), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_with_a_password_is_refused_and_not_repeated() {
    for url in [
        "mongodb://user:hunter2@localhost/a",
        "mongodb+srv://user:hunter2@localhost/a",
    ] {
        let error = refused(url).await;
        assert_eq!(error.kind(), ErrorKind::Config);
        let said = format!("{error} {error:?}");
        assert!(said.contains("credentials=env:NAME"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
