//! On replies that a real server gives rarely.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use heurpipe_core::{
    Error, ErrorKind, Platform, Post, PostId, Record, Retry, SearchIndex, SearchRequest, Sink,
};
use heurpipe_stores::Mode;
use heurpipe_stores::search::{self, ElasticsearchIndex};
use jiff::Timestamp;
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path, path_regex};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

fn reply(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

/// A server that says it is OpenSearch and has no indices.
async fn server() -> MockServer {
    let server = MockServer::start().await;
    let about = json!({"version": {"number": "2.19.1", "distribution": "opensearch"}});
    Mock::given(method("GET"))
        .and(path("/"))
        .respond_with(reply(200, about))
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path_regex("_mapping$"))
        .respond_with(reply(200, json!({})))
        .mount(&server)
        .await;
    let absent = reply(
        404,
        json!({"error": {"type": "resource_not_found_exception"}, "status": 404}),
    );
    Mock::given(method("GET"))
        .and(path_regex("^/_index_template"))
        .respond_with(absent)
        .mount(&server)
        .await;
    Mock::given(method("PUT"))
        .and(path_regex("^/_index_template"))
        .respond_with(reply(200, json!({})))
        .mount(&server)
        .await;
    server
}

async fn open(server: &MockServer) -> ElasticsearchIndex {
    ElasticsearchIndex::open(&server.uri(), Mode::ReadWrite)
        .await
        .unwrap()
}

async fn refused(server: &MockServer) -> Error {
    ElasticsearchIndex::open(&server.uri(), Mode::ReadWrite)
        .await
        .unwrap_err()
}

fn records(count: u32) -> Vec<Arc<Record>> {
    let record = |number: u32| {
        let id = PostId::new(Platform::instagram(), number.to_string());
        Arc::new(Record::new(Post::new(id, Timestamp::UNIX_EPOCH)))
    };
    (0..count).map(record).collect()
}

fn item(status: u16, kind: &str) -> Value {
    match status {
        200..=299 => json!({"index": {"status": status}}),
        _ => json!({"index": {"status": status, "error": {"type": kind, "reason": "so"}}}),
    }
}

/// Answers bulks by what it is told of the ids in them, and keeps their sizes.
struct Bulks<F> {
    sizes: Arc<std::sync::Mutex<Vec<usize>>>,
    answer: F,
}

impl<F: Fn(&[String]) -> ResponseTemplate + Send + Sync> Respond for Bulks<F> {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let text = String::from_utf8(request.body.clone()).unwrap();
        assert!(text.ends_with('\n'));
        let ids: Vec<String> = text
            .lines()
            .step_by(2)
            .map(|action| {
                serde_json::from_str::<Value>(action).unwrap()["index"]["_id"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        self.sizes.lock().unwrap().push(ids.len());
        (self.answer)(&ids)
    }
}

async fn on_bulks(
    server: &MockServer,
    answer: impl Fn(&[String]) -> ResponseTemplate + Send + Sync + 'static,
) -> Arc<std::sync::Mutex<Vec<usize>>> {
    let sizes = Arc::new(std::sync::Mutex::new(Vec::new()));
    let bulks = Bulks {
        sizes: Arc::clone(&sizes),
        answer,
    };
    Mock::given(method("POST"))
        .and(path("/_bulk"))
        .and(header("content-type", "application/x-ndjson"))
        .respond_with(bulks)
        .mount(server)
        .await;
    sizes
}

fn answered(ids: &[String], item: impl Fn(&str) -> Value) -> ResponseTemplate {
    let items: Vec<Value> = ids.iter().map(|id| item(id)).collect();
    reply(200, json!({"items": items}))
}

#[tokio::test]
async fn what_has_no_time_is_sent_again_in_smaller_bulks() {
    let server = server().await;
    let calls = AtomicUsize::new(0);
    let sizes = on_bulks(&server, move |ids| {
        let first = calls.fetch_add(1, Ordering::Relaxed) == 0;
        answered(ids, |id| match id.ends_with('7') && first {
            true => item(429, "es_rejected_execution_exception"),
            false => item(201, ""),
        })
    })
    .await;
    let outcomes = open(&server).await.write(&records(20)).await.unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(*sizes.lock().unwrap(), [20, 2], "only what was rejected");
}

#[tokio::test]
async fn a_server_that_never_has_time_is_told_of_each_item() {
    let server = server().await;
    let sizes = on_bulks(&server, |ids| {
        answered(ids, |id| match id.ends_with('1') {
            true => item(429, "es_rejected_execution_exception"),
            false => item(200, ""),
        })
    })
    .await;
    let index = open(&server).await;
    let outcomes = index.write(&records(4)).await.unwrap();
    let told: Vec<_> = outcomes
        .iter()
        .map(|o| o.as_ref().map_err(|e| (e.kind(), e.retry())))
        .collect();
    assert_eq!(
        told,
        [
            Ok(&()),
            Err((ErrorKind::RateLimited, Retry::Temporary)),
            Ok(&()),
            Ok(&())
        ]
    );
    assert!(sizes.lock().unwrap().len() > 5, "not given up at once");
}

#[tokio::test]
async fn each_item_has_an_outcome_of_its_own() {
    let server = server().await;
    on_bulks(&server, |ids| {
        answered(ids, |id| match &id[id.len() - 1..] {
            "0" => item(409, "version_conflict_engine_exception"),
            "1" => item(400, "document_parsing_exception"),
            "2" => item(403, "cluster_block_exception"),
            "3" => item(404, "index_not_found_exception"),
            _ => item(200, ""),
        })
    })
    .await;
    let outcomes = open(&server).await.write(&records(5)).await.unwrap();
    let told: Vec<_> = outcomes
        .iter()
        .map(|o| o.as_ref().map_err(|e| (e.kind(), e.retry())))
        .collect();
    let expected = [
        Ok(&()),
        Err((ErrorKind::InvalidInput, Retry::Permanent)),
        Err((ErrorKind::Unavailable, Retry::NeedsOperator)),
        Err((ErrorKind::Config, Retry::NeedsOperator)),
        Ok(&()),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_bulk_that_is_too_large_is_halved_until_one_is_alone() {
    let server = server().await;
    let sizes = on_bulks(&server, |ids| {
        match ids.len() > 3 || ids.iter().any(|id| id.ends_with('8')) {
            true => ResponseTemplate::new(413),
            false => answered(ids, |_| item(201, "")),
        }
    })
    .await;
    let outcomes = open(&server).await.write(&records(12)).await.unwrap();
    for (number, outcome) in outcomes.iter().enumerate() {
        let kind = outcome.as_ref().map_err(Error::kind);
        assert_eq!(
            kind.err(),
            (number == 8).then_some(ErrorKind::TooLarge),
            "{number}"
        );
    }
    assert_eq!(sizes.lock().unwrap()[..3], [12, 6, 3]);
}

#[tokio::test]
async fn an_answer_for_other_items_is_no_answer() {
    let server = server().await;
    on_bulks(&server, |_| reply(200, json!({"items": [item(200, "")]}))).await;
    let error = open(&server).await.write(&records(2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn an_answer_in_part_is_an_error() {
    let server = server().await;
    for part in [
        json!({"timed_out": true, "_shards": {"failed": 0}, "hits": {"hits": []}}),
        json!({"timed_out": false, "_shards": {"failed": 1}, "hits": {"hits": []}}),
    ] {
        let searching = Mock::given(method("POST"))
            .and(path_regex("_search$"))
            .respond_with(reply(200, part));
        let _guard = searching.mount_as_scoped(&server).await;
        let error = open(&server)
            .await
            .search(&SearchRequest::default())
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::Unavailable, Retry::Temporary)
        );
    }
}

#[tokio::test]
async fn a_total_says_whether_it_is_exact() {
    let server = server().await;
    let found = json!({"timed_out": false, "_shards": {"failed": 0}, "hits": {"total": {"value": 10_000, "relation": "gte"}, "hits": []}});
    Mock::given(method("POST"))
        .and(path_regex("_search$"))
        .respond_with(reply(200, found))
        .mount(&server)
        .await;
    let page = open(&server)
        .await
        .search(&SearchRequest::default())
        .await
        .unwrap();
    assert_eq!(
        (page.total.value, page.total.relation),
        (10_000, heurpipe_core::Relation::Gte)
    );
}

#[tokio::test]
async fn a_search_is_asked_again_while_the_server_restarts() {
    let server = server().await;
    let down = Mock::given(method("POST"))
        .and(path_regex("_search$"))
        .respond_with(ResponseTemplate::new(503));
    down.up_to_n_times(2).mount(&server).await;
    let found = json!({"timed_out": false, "_shards": {"failed": 0}, "hits": {"total": {"value": 0, "relation": "eq"}, "hits": []}});
    Mock::given(method("POST"))
        .and(path_regex("_search$"))
        .respond_with(reply(200, found))
        .mount(&server)
        .await;
    let page = open(&server)
        .await
        .search(&SearchRequest::default())
        .await
        .unwrap();
    assert_eq!(page.total.value, 0);
}

#[tokio::test]
async fn another_server_is_told_apart_and_nothing_is_written() {
    for (about, kind, message) in [
        (
            reply(200, json!({"couchdb": "Welcome"})),
            ErrorKind::Config,
            "neither Elasticsearch nor OpenSearch",
        ),
        (
            ResponseTemplate::new(200).set_body_string("<html>"),
            ErrorKind::Config,
            "neither Elasticsearch nor OpenSearch",
        ),
        (
            ResponseTemplate::new(301),
            ErrorKind::Config,
            "neither Elasticsearch nor OpenSearch",
        ),
        (
            ResponseTemplate::new(401),
            ErrorKind::Unauthenticated,
            "refuses the credentials",
        ),
        (
            ResponseTemplate::new(403),
            ErrorKind::PermissionDenied,
            "do not permit",
        ),
        (
            ResponseTemplate::new(503),
            ErrorKind::Unavailable,
            "not able to answer",
        ),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/"))
            .respond_with(about)
            .mount(&server)
            .await;
        let error = refused(&server).await;
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn credentials_go_with_every_call_and_into_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for (secret, sent) in [
        ("reader:hunter2", "Basic cmVhZGVyOmh1bnRlcjI="),
        ("aHVudGVyMg", "ApiKey aHVudGVyMg"),
    ] {
        let file = folder.path().join("key");
        std::fs::write(&file, secret).unwrap();
        let server = MockServer::start().await;
        let about = reply(
            200,
            json!({"tagline": "You Know, for Search", "version": {"number": "9.2.0"}}),
        );
        Mock::given(path("/"))
            .and(header("authorization", sent))
            .respond_with(about)
            .mount(&server)
            .await;
        let forbidden = reply(
            403,
            json!({"error": {"type": "security_exception", "reason": "unauthorized for user [reader]"}}),
        );
        Mock::given(path_regex("_mapping$"))
            .and(header("authorization", sent))
            .respond_with(forbidden)
            .mount(&server)
            .await;
        let url = format!("{}/looks?credentials=file:{}", server.uri(), file.display());
        let error = ElasticsearchIndex::open(&url, Mode::ReadOnly)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
        assert!(
            error.to_string().contains("unauthorized for user"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    // Nobody listens on the port that the system has just given out and taken back.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/looks", listener.local_addr().unwrap());
    drop(listener);
    let error = search::open(&url, Mode::ReadWrite).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.to_string().contains("cannot be reached") && error.to_string().contains("127.0.0.1"),
        "{error}"
    );
}

/// How often the server was asked to make visible what was written.
async fn refreshes(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .filter(|r| r.url.path().ends_with("_refresh"))
        .count()
}

/// A server on which writes take a while, and refreshes answer as they are told.
async fn slow_server(refreshed: ResponseTemplate) -> MockServer {
    let server = server().await;
    let slow = |ids: &[String]| {
        answered(ids, |_| item(201, "")).set_delay(std::time::Duration::from_millis(800))
    };
    on_bulks(&server, slow).await;
    let nothing = json!({"timed_out": false, "_shards": {"failed": 0}, "hits": {"hits": []}});
    Mock::given(path_regex("_search$"))
        .respond_with(reply(200, nothing))
        .mount(&server)
        .await;
    Mock::given(path_regex("_refresh$"))
        .respond_with(refreshed)
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn a_flush_while_a_write_is_under_way_does_not_stand_for_the_next() {
    let server = slow_server(reply(200, json!({"_shards": {"failed": 0}}))).await;
    let index = Arc::new(open(&server).await);
    let writing = tokio::spawn({
        let index = Arc::clone(&index);
        async move { index.write(&records(1)).await.map(drop) }
    });
    while !server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .any(|r| r.url.path() == "/_bulk")
    {
        tokio::task::yield_now().await;
    }
    index.flush().await.unwrap();
    writing.await.unwrap().unwrap();
    let before = refreshes(&server).await;
    index.flush().await.unwrap();
    assert_eq!(
        refreshes(&server).await,
        before + 1,
        "what was written since is made visible"
    );
    index.flush().await.unwrap();
    assert_eq!(
        refreshes(&server).await,
        before + 1,
        "there is nothing left to flush"
    );
}

#[tokio::test]
async fn a_flush_that_fails_or_is_dropped_is_still_to_be_done() {
    let server = slow_server(reply(200, json!({"_shards": {"failed": 1}}))).await;
    let index = open(&server).await;
    index.write(&records(1)).await.unwrap();
    assert_eq!(
        index.flush().await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    let mut dropped = Box::pin(index.flush());
    assert!(futures::poll!(&mut dropped).is_pending());
    drop(dropped);
    assert_eq!(
        index.flush().await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
}
