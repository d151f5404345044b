//! What the tests share: reading sources, and an API that answers by a script.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use heurpipe_core::{Checkpoint, Error, Incoming, Page, Partition, Post, Result, Source};
use heurpipe_sources::instagram::{InstagramGraph, InstagramGraphBuilder};
use heurpipe_sources::simulator::{CALLER, Simulator, SimulatorOptions, World, WorldOptions};
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub const TOKEN: &str = "simulated-token";

/// A source with one further attempt, which comes at once.
pub fn source_at(url: &str) -> InstagramGraphBuilder {
    InstagramGraph::builder()
        .base_url(url)
        .user_id(CALLER)
        .token(TOKEN.to_owned().into())
        .retries(1, Duration::from_millis(1))
}

pub async fn simulated(options: SimulatorOptions) -> (Arc<World>, Simulator) {
    let world = World::new(WorldOptions::new(11, 900));
    let simulator = Simulator::start(Arc::clone(&world), options).await.unwrap();
    (world, simulator)
}

/// All that reading gives, up to the end or the error.
pub async fn read(source: &InstagramGraph, partition: &str, from: Checkpoint) -> Vec<Result<Page>> {
    let partition = Partition(partition.to_owned());
    source.read(partition, from).collect().await
}

pub async fn pages(source: &InstagramGraph, partition: &str) -> Vec<Page> {
    let read = read(source, partition, Checkpoint::default()).await;
    read.into_iter().map(Result::unwrap).collect()
}

pub async fn failure(source: &InstagramGraph, partition: &str) -> Error {
    let read = read(source, partition, Checkpoint::default()).await;
    read.into_iter().find_map(Result::err).unwrap()
}

/// The posts in order. Whatever is none of them fails the test.
pub fn posts(pages: &[Page]) -> Vec<Post> {
    let items = pages.iter().flat_map(|page| &page.items);
    items
        .map(|item| match item {
            Incoming::Post(post) => (**post).clone(),
            other => panic!("no post: {other:?}"),
        })
        .collect()
}

pub fn by_id(posts: Vec<Post>) -> BTreeMap<String, Post> {
    posts
        .into_iter()
        .map(|post| (post.id.native.to_string(), post))
        .collect()
}

/// The Graph ids of posts that have no other.
pub fn graph_ids(pages: &[Page]) -> Vec<String> {
    posts(pages)
        .into_iter()
        .map(|post| post.id.native.trim_start_matches("graph:").to_owned())
        .collect()
}

/// An API that answers by a script.
pub struct Api(MockServer);

impl Api {
    pub async fn start() -> Self {
        Self(MockServer::start().await)
    }

    pub fn source(&self) -> InstagramGraphBuilder {
        source_at(&self.0.uri())
    }

    /// At this path beneath the version these replies are given in turn, and then the last one for ever.
    pub async fn at(&self, node: &str, replies: impl IntoIterator<Item = ResponseTemplate>) {
        let script = Script(Mutex::new(replies.into_iter().collect()));
        Mock::given(path(format!("/v25.0/{node}")))
            .respond_with(script)
            .mount(&self.0)
            .await;
    }

    /// The queries that came to a path beneath the version, each by name.
    pub async fn queries(&self, node: &str) -> Vec<BTreeMap<String, String>> {
        let path = format!("/v25.0/{node}");
        let of_path = |request: &Request| request.url.path() == path;
        let all = self.requests().await;
        all.iter()
            .filter(|request| of_path(request))
            .map(|request| request.url.query_pairs().into_owned().collect())
            .collect()
    }

    pub async fn requests(&self) -> Vec<Request> {
        self.0.received_requests().await.unwrap()
    }
}

struct Script(Mutex<VecDeque<ResponseTemplate>>);

impl Respond for Script {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let mut replies = self.0.lock().unwrap();
        match replies.len() {
            1 => replies[0].clone(),
            _ => replies.pop_front().unwrap(),
        }
    }
}

pub fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

pub fn refusal(code: i64, subcode: i64, message: &str) -> ResponseTemplate {
    let error = json!({"message": message, "code": code, "error_subcode": subcode});
    ResponseTemplate::new(400).set_body_json(json!({"error": error}))
}

/// A page of media with these ids. With a cursor, the address of the next page holds it, and the token.
pub fn page(ids: &[&str], after: Option<&str>) -> ResponseTemplate {
    let data: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let mut body = json!({"data": data});
    if let Some(after) = after {
        let next =
            format!("https://graph.facebook.com/v25.0/1/media?access_token={TOKEN}&after={after}");
        body["paging"] = json!({"cursors": {"after": after}, "next": next});
    }
    ok(body)
}

/// The path of the user's own media.
pub fn own_media() -> String {
    format!("{CALLER}/media")
}

/// The path of the posts in which the user was tagged.
pub fn tags() -> String {
    format!("{CALLER}/tags")
}

/// The user's account, which is asked for before own media.
pub fn own_account() -> ResponseTemplate {
    ok(json!({"id": CALLER, "username": "me", "followers_count": 12}))
}
