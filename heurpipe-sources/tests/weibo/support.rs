//! What the tests share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use heurpipe_core::{Checkpoint, Error, Incoming, Page, Partition, Post, Result, Source};
use heurpipe_sources::simulator::{Simulator, SimulatorOptions, World, WorldOptions};
use heurpipe_sources::weibo::{WeiboApi, WeiboApiBuilder};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockBuilder, MockServer, ResponseTemplate};

pub const TOKEN: &str = "simulated-token";

/// A world of 900 posts and a simulator that serves it.
pub async fn simulated(options: SimulatorOptions) -> (Arc<World>, Simulator) {
    let world = World::new(WorldOptions::new(11, 900));
    let simulator = Simulator::start(Arc::clone(&world), options).await.unwrap();
    (world, simulator)
}

/// A client of a server, without pauses worth waiting for.
pub fn client(url: &str) -> WeiboApiBuilder {
    WeiboApi::builder()
        .base_url(format!("{url}/2"))
        .commercial_base_url(format!("{url}/2"))
        .token(TOKEN.to_owned().into())
        .retries(1, Duration::from_millis(1))
        .longest_pause(Duration::ZERO)
}

/// A GET of a call.
pub fn get(call: &str) -> MockBuilder {
    Mock::given(method("GET")).and(path(format!("/2/{call}.json")))
}

/// A server that answers a call, whatever its parameters, with this.
pub async fn answering(call: &str, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    get(call).respond_with(answer).mount(&server).await;
    server
}

pub fn json(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body, "application/json")
}

/// The paths that were called, in order, without `/2/` and `.json`; how many calls are left is asked aside.
pub async fn called(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .map(|request| {
            let path = request.url.path();
            let path = path.trim_start_matches("/2/").trim_end_matches(".json");
            path.to_owned()
        })
        .filter(|path| path != "account/rate_limit_status")
        .collect()
}

/// The values of a parameter in the calls of a path, in order; empty where it was not given.
pub async fn asked(server: &MockServer, call: &str, parameter: &str) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .filter(|request| request.url.path() == format!("/2/{call}.json"))
        .map(|request| {
            let mut pairs = request.url.query_pairs();
            let value = pairs.find(|(name, _)| name == parameter);
            value.map_or(String::new(), |(_, value)| value.into_owned())
        })
        .collect()
}

pub async fn read(source: &impl Source, partition: &str, from: Checkpoint) -> Vec<Result<Page>> {
    let partition = Partition(partition.to_owned());
    source.read(partition, from).collect().await
}

pub async fn pages(source: &impl Source, partition: &str, from: Checkpoint) -> Vec<Page> {
    let read = read(source, partition, from).await;
    read.into_iter().map(Result::unwrap).collect()
}

pub async fn failure(source: &impl Source, partition: &str) -> Error {
    let read = read(source, partition, Checkpoint::default()).await;
    read.into_iter().find_map(Result::err).unwrap()
}

/// The posts by native id, without what is gone or unreadable.
pub fn posts(pages: &[Page]) -> BTreeMap<String, Post> {
    pages
        .iter()
        .flat_map(|page| &page.items)
        .filter_map(|item| match item {
            Incoming::Post(post) => Some((post.id.native.to_string(), (**post).clone())),
            _ => None,
        })
        .collect()
}

pub fn ids(pages: &[Page]) -> Vec<String> {
    posts(pages).into_keys().collect()
}
