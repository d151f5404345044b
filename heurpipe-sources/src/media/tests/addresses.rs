//! Hosts that may not be called are not called, however a URL leads to them.

use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::{MethodRouter, get};
use url::Url;

use super::*;
use crate::media::address::PRIVATE;

/// Leads to `/secret` of another name of the same host, at the port that was called.
fn leads_to(name: &'static str) -> MethodRouter {
    get(move |headers: HeaderMap| async move {
        let called = headers["host"].to_str().unwrap();
        let (_, port) = called.rsplit_once(':').unwrap();
        Redirect::temporary(&format!("http://{name}:{port}/secret"))
    })
}

async fn host() -> Host {
    let routes = Router::new()
        .route("/ok.jpg", get(|| async { JPEG }))
        .route("/secret", get(|| async { JPEG }))
        .route("/by_number.jpg", leads_to("127.0.0.1"))
        .route("/by_mapped_number.jpg", leads_to("[::ffff:127.0.0.1]"))
        .route("/by_name.jpg", leads_to("localhost"))
        .route("/robots.txt", leads_to("127.0.0.1"));
    Host::serve(routes).await
}

/// A fetcher for which `media.test` is a public host, and the URL of the host under this name.
fn public(host: &Host) -> (MediaFetcher, String) {
    let address = host.url.strip_prefix("http://").unwrap().parse().unwrap();
    let fetcher = builder()
        .build_with(|client| client.no_proxy().resolve("media.test", address))
        .unwrap();
    (fetcher, format!("http://media.test:{}", address.port()))
}

#[tokio::test]
async fn private_hosts_are_refused_by_number_and_by_name() {
    let host = host().await;
    let fetcher = builder().build_with(|client| client.no_proxy()).unwrap();
    let port = Url::parse(&host.url).unwrap().port().unwrap();
    for name in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        let url = format!("http://{name}:{port}/ok.jpg");
        assert_eq!(reason(fetch(&fetcher, &url).await), PRIVATE, "{url}");
    }
    assert_eq!(host.calls("/ok.jpg"), 0);
    assert_eq!(host.calls("/robots.txt"), 0);
}

#[tokio::test]
async fn no_redirect_leads_from_a_public_host_to_a_private_one() {
    let host = host().await;
    let (fetcher, url) = public(&host);
    for path in ["/by_number.jpg", "/by_mapped_number.jpg", "/by_name.jpg"] {
        let outcome = fetch(&fetcher, &format!("{url}{path}")).await;
        assert_eq!(reason(outcome), PRIVATE, "{path}");
        assert_eq!(host.calls(path), 1);
    }
    assert_eq!(host.calls("/secret"), 0);
}

#[tokio::test]
async fn rules_that_lie_on_a_private_host_are_none() {
    let host = host().await;
    let (fetcher, url) = public(&host);
    let outcome = fetch(&fetcher, &format!("{url}/ok.jpg")).await;
    assert_eq!(stored(outcome), JPEG);
    assert_eq!(host.calls("/robots.txt"), 1);
    assert_eq!(host.calls("/secret"), 0);
}
