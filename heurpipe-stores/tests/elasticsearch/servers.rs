//! On real servers: `scripts/services/services.sh install|start es opensearch`, then `eval "$(scripts/services/services.sh env)"`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use heurpipe_core::{
    ErrorKind, FacetRequest, Filter, Platform, Post, PostId, Record, SearchIndex, SearchRequest,
    Sink,
};
use heurpipe_stores::Mode;
use heurpipe_stores::search::{ElasticsearchIndex, MemorySearch};
use heurpipe_stores::suite;
use heurpipe_stores::suite::Backend;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A server to test on, and the names of indices that were used on it.
struct Server {
    product: &'static str,
    url: String,
    http: reqwest::Client,
    names: std::sync::Mutex<Vec<String>>,
}

static NUMBER: AtomicUsize = AtomicUsize::new(0);

impl Server {
    /// The server that a variable of the environment names; says which it is, or why there is none.
    async fn named(product: &'static str, variable: &str) -> Option<Self> {
        let Ok(url) = std::env::var(variable) else {
            println!("skipped: {variable} is not set; see scripts/services/services.sh");
            return None;
        };
        let server = Self {
            product,
            url: url.trim_end_matches('/').to_owned(),
            http: reqwest::Client::new(),
            names: std::sync::Mutex::default(),
        };
        let (_, index) = server.fresh().await;
        println!("on {} at {url}", index.product());
        Some(server)
    }

    /// A name that no index has.
    fn name(&self) -> String {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{number}", std::process::id());
        self.names.lock().unwrap().push(name.clone());
        name
    }

    async fn open(&self, name: &str, mode: Mode) -> heurpipe_core::Result<ElasticsearchIndex> {
        ElasticsearchIndex::open(&format!("{}/{name}", self.url), mode).await
    }

    async fn fresh(&self) -> (String, ElasticsearchIndex) {
        let name = self.name();
        let index = self.open(&name, Mode::ReadWrite).await.unwrap();
        (name, index)
    }

    async fn ask(&self, method: reqwest::Method, path: &str, body: Value) -> Value {
        let request = self.http.request(method, format!("{}/{path}", self.url));
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn indices(&self, name: &str) -> BTreeSet<String> {
        let found = self
            .ask(
                reqwest::Method::GET,
                &format!("{name},{name}-*/_mapping?ignore_unavailable=true"),
                Value::Null,
            )
            .await;
        found.as_object().unwrap().keys().cloned().collect()
    }

    async fn has_template(&self, name: &str) -> bool {
        let found = self
            .ask(
                reqwest::Method::GET,
                &format!("_index_template/{name}"),
                Value::Null,
            )
            .await;
        found["index_templates"][0].is_object()
    }

    /// Removes what the test left.
    async fn clear(&self) {
        let names = std::mem::take(&mut *self.names.lock().unwrap());
        for name in names {
            for index in self.indices(&name).await {
                self.ask(reqwest::Method::DELETE, &index, Value::Null).await;
            }
            self.ask(
                reqwest::Method::DELETE,
                &format!("_index_template/{name}"),
                Value::Null,
            )
            .await;
        }
    }
}

fn id(native: &str) -> PostId {
    PostId::new(Platform::instagram(), native)
}

fn record(native: &str, revision: u64, published: &str) -> Arc<Record> {
    let mut record = Record::new(Post::new(id(native), Timestamp::UNIX_EPOCH));
    record.post.published_at = (!published.is_empty()).then(|| published.parse().unwrap());
    record.revision = revision;
    Arc::new(record)
}

async fn write(index: &ElasticsearchIndex, records: &[Arc<Record>]) {
    for outcome in index.write(records).await.unwrap() {
        outcome.unwrap();
    }
}

/// All that is found, as ids with revisions.
async fn all(index: &ElasticsearchIndex) -> Vec<(String, u64)> {
    let page = index
        .search(&SearchRequest::default().limit(10_000))
        .await
        .unwrap();
    assert_eq!(page.total.value, page.items.len() as u64);
    page.items
        .iter()
        .map(|r| (r.id().native.to_string(), r.revision))
        .collect()
}

async fn conforms(server: &Server) {
    let memory = suite::search::run(Backend::named("memory"), async || {
        Ok(Arc::new(MemorySearch::new()) as _)
    })
    .await
    .unwrap();
    let fresh = async || Ok(Arc::new(server.fresh().await.1) as _);
    let there = suite::search::run(Backend::named(server.product), fresh)
        .await
        .unwrap();
    print!("{}", suite::table(&[memory, there]));
}

/// A corrected time of publication moves a post to another index; it is in one of them only, the newest revision, whoever wrote which.
async fn a_post_that_moves_is_there_once(server: &Server) {
    let (name, index) = server.fresh().await;
    let other = server.open(&name, Mode::ReadWrite).await.unwrap();
    let (january, march) = ("2026-01-05T00:00:00Z", "2026-03-05T00:00:00Z");
    write(&index, &[record("1", 1, january), record("2", 1, january)]).await;
    index.flush().await.unwrap();
    write(&index, &[record("1", 2, march), record("2", 2, "")]).await;
    index.flush().await.unwrap();
    assert_eq!(
        all(&index).await,
        [("1".to_owned(), 2), ("2".to_owned(), 2)],
        "corrected"
    );

    write(&index, &[record("1", 1, january)]).await;
    index.flush().await.unwrap();
    assert_eq!(
        all(&index).await,
        [("1".to_owned(), 2), ("2".to_owned(), 2)],
        "the older never replaces the newer"
    );

    write(&index, &[record("1", 3, january)]).await;
    write(&other, &[record("1", 4, march)]).await;
    index.flush().await.unwrap();
    other.flush().await.unwrap();
    assert_eq!(
        all(&index).await,
        [("1".to_owned(), 4), ("2".to_owned(), 2)],
        "of two writers"
    );
    assert_eq!(index.get(&id("1")).await.unwrap().unwrap().revision, 4);

    write(&index, &[record("1", 5, january)]).await;
    index.remove(&[id("1"), id("2"), id("3")]).await.unwrap();
    index.flush().await.unwrap();
    assert_eq!(all(&index).await, [], "removed wherever it was");
}

/// More values than a shard tells at once, spread over two indices: counts are exact all the same.
async fn counts_are_exact(server: &Server) {
    let (_, index) = server.fresh().await;
    let memory = MemorySearch::new();
    let mut records = Vec::new();
    for number in 0..2_600_u32 {
        let published = ["2026-01-05T00:00:00Z", "2026-02-05T00:00:00Z"][number as usize % 2];
        let mut record = (*record(&number.to_string(), 1, published)).clone();
        record.post.hashtags = vec![format!("tag{number}"), format!("shared{}", number % 1_300)];
        records.push(Arc::new(record));
    }
    write(&index, &records).await;
    memory.write(&records).await.unwrap();
    index.flush().await.unwrap();
    let fields = ["hashtag", "id", "platform", "absent"].map(str::to_owned);
    let mut request = FacetRequest {
        fields: fields.to_vec(),
        ..FacetRequest::default()
    };
    for limit in [0, 1, 7, 10_000] {
        request.limit = limit;
        assert_eq!(
            index.facets(&request).await.unwrap(),
            memory.facets(&request).await.unwrap(),
            "{limit}"
        );
    }
    let page = index
        .search(&SearchRequest::default().limit(5_000))
        .await
        .unwrap();
    assert_eq!(
        (page.items.len(), page.next),
        (2_600, None),
        "more than come with one answer"
    );
}

/// What the server refuses of one record is told of that one, and the others are written.
async fn items_are_told_apart(server: &Server) {
    let (name, index) = server.fresh().await;
    // Somebody made an index of ours by hand.
    let strict = json!({"mappings": {"dynamic": "strict", "properties": {"id": {"type": "keyword"}, "keywords": {"type": "boolean"}}}});
    server
        .ask(reqwest::Method::PUT, &format!("{name}-v1-2026-01"), strict)
        .await;
    let records = [
        record("1", 1, "2026-01-05T00:00:00Z"),
        record("2", 1, "2026-02-05T00:00:00Z"),
        record("3", u64::MAX, ""),
    ];
    let outcomes = index.write(&records).await.unwrap();
    for number in [0, 2] {
        let error = outcomes[number].as_ref().unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::InvalidInput, heurpipe_core::Retry::Permanent),
            "{error}"
        );
    }
    assert!(
        outcomes[0]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("reason=")
    );
    assert!(outcomes[1].is_ok());
    index.flush().await.unwrap();
    assert_eq!(all(&index).await, [("2".to_owned(), 1)]);
}

/// Words, keywords and ids of any length are kept and found.
async fn long_values_are_found(server: &Server) {
    let (_, index) = server.fresh().await;
    let mut long = (*record(&"9".repeat(700), 1, "")).clone();
    long.post.text = format!("before {} after", "x".repeat(1 << 15));
    long.post.hashtags = vec!["y".repeat(1 << 15)];
    let other = record(&"9".repeat(701), 1, "");
    write(&index, &[Arc::new(long.clone()), other]).await;
    index.flush().await.unwrap();
    assert_eq!(index.get(long.id()).await.unwrap(), Some(long.clone()));
    for (text, found) in [
        (format!("\"before {} after\"", "x".repeat(1 << 15)), 1),
        (format!("\"{}\"", "x".repeat(1 << 15)), 1),
        (format!("\"{}\"", "x".repeat(255)), 0),
        (format!("hashtag:{}", "y".repeat(1 << 15)), 1),
        ("hashtag:yy*".to_owned(), 1),
    ] {
        let filter: Filter = text.parse().unwrap();
        let page = index.search(&SearchRequest::new(filter)).await.unwrap();
        assert_eq!(page.total.value, found, "{}", &text[..12]);
    }
}

/// What is not ours is left alone, and said in a sentence.
async fn foreign_indices_are_left_alone(server: &Server) {
    let put = reqwest::Method::PUT;
    let name = server.name();
    let absent = server.open(&name, Mode::ReadOnly).await.unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);

    server
        .ask(
            put.clone(),
            &name,
            json!({"mappings": {"properties": {"title": {"type": "text"}}}}),
        )
        .await;
    for mode in [Mode::ReadOnly, Mode::ReadWrite] {
        let error = server.open(&name, mode).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(
            error.to_string().contains("is not one of this program"),
            "{error}"
        );
    }
    assert!(!server.has_template(&name).await, "nothing is written");

    let older = server.name();
    let made = json!({"mappings": {"_meta": {"heurpipe": {"format": 1, "analyser": 0}}}});
    server
        .ask(put.clone(), &format!("{older}-v1-2026-01"), made)
        .await;
    let error = server.open(&older, Mode::ReadWrite).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("must be rebuilt"), "{error}");
    assert!(!server.has_template(&older).await, "nothing is written");

    let theirs = server.name();
    let template = json!({"index_patterns": [format!("{theirs}-elsewhere-*")], "priority": 900});
    server
        .ask(put, &format!("_index_template/{theirs}"), template)
        .await;
    let error = server.open(&theirs, Mode::ReadWrite).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(
        error.to_string().contains("a template of this name"),
        "{error}"
    );
}

async fn readers_see_what_was_flushed_and_write_nothing(server: &Server) {
    let (name, writer) = server.fresh().await;
    assert_eq!(all(&writer).await, [], "an index without anything in it");
    assert_eq!(
        writer.facets(&FacetRequest::default()).await.unwrap().len(),
        0
    );
    write(&writer, &[record("1", 1, "")]).await;
    let reader = server.open(&name, Mode::ReadOnly).await.unwrap();
    assert_eq!(all(&reader).await, [], "not yet flushed");
    writer.flush().await.unwrap();
    assert_eq!(all(&reader).await, [("1".to_owned(), 1)]);
    for refused in [
        reader.write(&[record("2", 1, "")]).await.map(drop),
        reader.remove(&[id("1")]).await,
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}

async fn there_is_an_index_for_each_month(server: &Server) {
    let (name, index) = server.fresh().await;
    write(
        &index,
        &[
            record("1", 1, "2026-01-31T23:59:59Z"),
            record("2", 1, "2026-02-01T00:00:00Z"),
            record("3", 1, ""),
        ],
    )
    .await;
    index.flush().await.unwrap();
    let expected = ["2026-01", "2026-02", "undated"].map(|month| format!("{name}-v1-{month}"));
    assert_eq!(server.indices(&name).await, BTreeSet::from(expected));
    let behind = server
        .ask(reqwest::Method::GET, &format!("_alias/{name}"), Value::Null)
        .await;
    assert_eq!(behind.as_object().unwrap().len(), 3, "all behind the alias");
}

macro_rules! on_server {
    ($server:ident, $variable:literal: $($test:ident),+ $(,)?) => {
        mod $server {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    if let Some(server) = super::Server::named(stringify!($server), $variable).await {
                        super::$test(&server).await;
                        server.clear().await;
                    }
                }
            )+
        }
    };
}

macro_rules! on_servers {
    ($($test:ident),+ $(,)?) => {
        on_server!(elasticsearch, "HEURPIPE_TEST_ES_URL": $($test),+);
        on_server!(opensearch, "HEURPIPE_TEST_OPENSEARCH_URL": $($test),+);
    };
}

on_servers!(
    conforms,
    a_post_that_moves_is_there_once,
    counts_are_exact,
    items_are_told_apart,
    long_values_are_found,
    foreign_indices_are_left_alone,
    readers_see_what_was_flushed_and_write_nothing,
    there_is_an_index_for_each_month,
);
