//! On real servers: `scripts/services/services.sh install|start es opensearch`, then `eval "$(scripts/services/services.sh env)"`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use heurpipe_core::{
    Annotation, ErrorKind, FacetRequest, Filter, Platform, Post, PostId, Record, SearchIndex,
    SearchRequest, SimilarRequest, Similarity, Sink, Target,
};
use heurpipe_stores::Mode;
use heurpipe_stores::search::{ElasticsearchIndex, MemorySearch, Rebuild};
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
        .ask(reqwest::Method::PUT, &format!("{name}-v2-2026-01"), strict)
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
    let made = json!({"mappings": {"_meta": {"heurpipe": {"format": 2, "analyser": 0}}}});
    server
        .ask(put.clone(), &format!("{older}-v2-2026-01"), made)
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
    let expected = ["2026-01", "2026-02", "undated"].map(|month| format!("{name}-v2-{month}"));
    assert_eq!(server.indices(&name).await, BTreeSet::from(expected));
    let behind = server
        .ask(reqwest::Method::GET, &format!("_alias/{name}"), Value::Null)
        .await;
    assert_eq!(behind.as_object().unwrap().len(), 3, "all behind the alias");
}

/// A new index is built beside the old one, takes its place at once, and is written to as the old one was; also by whoever has the old one open.
async fn the_index_is_rebuilt_in_its_place(server: &Server) {
    let name = server.name();
    let url = format!("{}/{name}", server.url);
    let (january, march) = ("2026-01-05T00:00:00Z", "2026-03-05T00:00:00Z");
    let old = server.open(&name, Mode::ReadWrite).await.unwrap();
    write(&old, &[record("1", 1, january), record("2", 1, january)]).await;
    old.flush().await.unwrap();
    let reader = server.open(&name, Mode::ReadOnly).await.unwrap();
    let of = |natives: &[(&str, u64)]| -> Vec<(String, u64)> {
        natives.iter().map(|(n, r)| ((*n).to_owned(), *r)).collect()
    };

    let abandoned = ElasticsearchIndex::rebuild(&url).await.unwrap();
    abandoned
        .index()
        .write(&[record("9", 1, march)])
        .await
        .unwrap();
    let rebuild = ElasticsearchIndex::rebuild(&url).await.unwrap();
    let late = abandoned.publish().await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Conflict, "the later one wins");
    let new = rebuild.index();
    for outcome in new
        .write(&[
            record("1", 1, january),
            record("3", 1, march),
            record("4", 1, ""),
        ])
        .await
        .unwrap()
    {
        outcome.unwrap();
    }
    new.flush().await.unwrap();
    assert_eq!(
        all(&reader).await,
        of(&[("1", 1), ("2", 1)]),
        "until it is published"
    );
    // An erasure meanwhile reaches both.
    old.remove(&[id("4"), id("2")]).await.unwrap();
    old.flush().await.unwrap();

    rebuild.publish().await.unwrap();
    assert_eq!(all(&reader).await, of(&[("3", 1), ("1", 1)]));
    let expected = ["2026-01", "2026-03"].map(|month| format!("{name}-v2r2-{month}"));
    let indices = server.indices(&name).await;
    assert!(
        expected.iter().all(|index| indices.contains(index)),
        "{indices:?}"
    );
    assert!(
        indices.iter().all(|index| index.contains("-v2r2-")),
        "{indices:?}"
    );
    assert!(!server.has_template(&format!("{name}-r2")).await);
    assert_eq!(
        rebuild.publish().await.unwrap_err().kind(),
        ErrorKind::Conflict
    );

    // Whoever has the old one open, and who opens the new one, in a month that is new.
    write(&old, &[record("1", 2, january)]).await;
    old.flush().await.unwrap();
    let later = server.open(&name, Mode::ReadWrite).await.unwrap();
    write(&later, &[record("3", 2, "2026-04-05T00:00:00Z")]).await;
    later.flush().await.unwrap();
    assert_eq!(all(&reader).await, of(&[("3", 2), ("1", 2)]));
}

/// Indices that another version made are replaced; those of others are left alone.
async fn indices_of_another_version_are_rebuilt(server: &Server) {
    let put = reqwest::Method::PUT;
    let name = server.name();
    let url = format!("{}/{name}", server.url);
    let older = json!({
        "mappings": {"_meta": {"heurpipe": {"format": 0, "analyser": 0}}},
        "aliases": {&name: {}},
    });
    server
        .ask(put.clone(), &format!("{name}-v0-2026-01"), older)
        .await;
    let error = server.open(&name, Mode::ReadOnly).await.unwrap_err();
    assert!(error.to_string().contains("heurpipe reindex"), "{error}");
    let rebuild = ElasticsearchIndex::rebuild(&url).await.unwrap();
    rebuild.index().write(&[record("1", 1, "")]).await.unwrap();
    rebuild.publish().await.unwrap();
    let reader = server.open(&name, Mode::ReadOnly).await.unwrap();
    assert_eq!(all(&reader).await, [("1".to_owned(), 1)]);

    let foreign = server.name();
    server.ask(put, &foreign, json!({})).await;
    let error = ElasticsearchIndex::rebuild(&format!("{}/{foreign}", server.url))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

/// A record with a picture that looks like this.
fn looking(native: &str, attribute: &str, vector: &[f32]) -> Arc<Record> {
    let mut record = (*record(native, 1, "2026-01-05T00:00:00Z")).clone();
    let value = heurpipe_core::Value::Vector(vector.to_vec());
    let decided = Annotation::decided(Target::Post, attribute, value, "ann", Timestamp::UNIX_EPOCH);
    record.annotations.push(decided);
    Arc::new(record)
}

/// The native ids of what is near.
async fn near(index: &ElasticsearchIndex, attribute: &str, vector: &[f32]) -> Vec<String> {
    let request = SimilarRequest::new(attribute, vector);
    let similar = index.similar(&request).await.unwrap();
    similar
        .iter()
        .map(|s| s.record.id().native.to_string())
        .collect()
}

/// Indices of version 1, which had no vectors, are refused until they are rebuilt, and serve those that have them open until then.
async fn indices_without_vectors_are_rebuilt(server: &Server) {
    let put = reqwest::Method::PUT;
    let name = server.name();
    let url = format!("{}/{name}", server.url);
    let exact = json!({"type": "keyword"});
    let first = json!({
        "mappings": {
            "dynamic": "strict",
            "_meta": {"heurpipe": {"format": 1, "analyser": heurpipe_core::text::ANALYSER_VERSION}},
            "properties": {"id": exact, "keywords": exact, "published_ns": {"type": "long"}, "record": {"type": "object", "enabled": false}},
        },
        "aliases": {&name: {}},
    });
    server
        .ask(put.clone(), &format!("{name}-v1-2026-01"), first)
        .await;
    let old = json!({"id": "instagram:1", "keywords": [], "record": "{}"});
    let path = format!("{name}-v1-2026-01/_doc/instagram:1?refresh=true");
    server.ask(put, &path, old).await;
    for mode in [Mode::ReadOnly, Mode::ReadWrite] {
        let error = server.open(&name, mode).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("heurpipe reindex"), "{error}");
        assert!(error.to_string().contains("format=1 (known: 2)"), "{error}");
    }

    let rebuild = ElasticsearchIndex::rebuild(&url).await.unwrap();
    let records = [
        looking("1", "look", &[1.0, 0.0]),
        looking("2", "look", &[0.0, 1.0]),
    ];
    for outcome in rebuild.index().write(&records).await.unwrap() {
        outcome.unwrap();
    }
    rebuild.index().flush().await.unwrap();
    let behind = server
        .ask(reqwest::Method::GET, &format!("{name}/_count"), Value::Null)
        .await;
    assert_eq!(behind["count"], 1, "the old one serves until then");
    rebuild.publish().await.unwrap();
    let reader = server.open(&name, Mode::ReadOnly).await.unwrap();
    assert_eq!(all(&reader).await.len(), 2);
    let indices = server.indices(&name).await;
    assert_eq!(indices, BTreeSet::from([format!("{name}-v2r1-2026-01")]));
    if reader.similarity() != Similarity::Unsupported {
        assert_eq!(near(&reader, "look", &[0.9, 0.1]).await, ["1", "2"]);
    }
}

/// What the server says of vectors is what the index says of itself, and a mapping that is full refuses no post.
async fn vectors_are_compared_where_the_server_does(server: &Server) {
    let (name, index) = server.fresh().await;
    let fields: Vec<String> = (0..9).map(|n| format!("look{n}")).collect();
    if index.product().starts_with("OpenSearch") {
        assert_eq!(index.similarity(), Similarity::Unsupported);
        write(&index, &[looking("1", "look", &[1.0, 0.0])]).await;
        let error = index
            .similar(&SimilarRequest::new("look", [1.0]))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("opensearch-knn"), "{error}");
        return;
    }
    assert_eq!(index.similarity(), Similarity::Approximate);
    let ours = server
        .ask(
            reqwest::Method::GET,
            &format!("_index_template/{name}"),
            Value::Null,
        )
        .await;
    let mut template = ours["index_templates"][0]["index_template"]["template"].clone();
    // Room for a few of these fields.
    template["settings"]["index"]["mapping"]["total_fields"]["limit"] = json!(15);
    let narrow = json!({
        "index_patterns": [format!("{name}-v2-*")],
        "priority": 600,
        "template": template,
    });
    let path = format!("_index_template/{name}-narrow");
    let put = server.ask(reqwest::Method::PUT, &path, narrow).await;
    assert_eq!(put["acknowledged"], true, "{put}");
    for (number, field) in fields.iter().enumerate() {
        write(&index, &[looking(&number.to_string(), field, &[1.0, 0.0])]).await;
    }
    index.flush().await.unwrap();
    server
        .ask(reqwest::Method::DELETE, &path, Value::Null)
        .await;
    assert_eq!(all(&index).await.len(), fields.len(), "no post is refused");
    assert_eq!(near(&index, "look0", &[1.0, 0.0]).await, ["0"]);
    assert_eq!(near(&index, "look8", &[1.0, 0.0]).await, [""; 0]);
}

/// More vectors than a document may have in the server leave the rest in the record.
async fn a_post_may_have_any_number_of_vectors(server: &Server) {
    let (_, index) = server.fresh().await;
    let mut many = (*record("many", 1, "")).clone();
    for number in 0..10_050_u16 {
        let value = heurpipe_core::Value::Vector(vec![f32::from(number), 1.0]);
        let target = Target::Media(format!("{number:05}"));
        let at = Timestamp::UNIX_EPOCH;
        let decided = Annotation::decided(target, "look", value, "ann", at);
        many.annotations.push(decided);
    }
    let many = Arc::new(many);
    write(&index, &[Arc::clone(&many)]).await;
    index.flush().await.unwrap();
    assert_eq!(index.get(many.id()).await.unwrap().as_ref(), Some(&*many));
    if index.similarity() != Similarity::Unsupported {
        assert_eq!(near(&index, "look", &[1.0, 1.0]).await, ["many"]);
    }
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
    the_index_is_rebuilt_in_its_place,
    indices_of_another_version_are_rebuilt,
    indices_without_vectors_are_rebuilt,
    vectors_are_compared_where_the_server_does,
    a_post_may_have_any_number_of_vectors,
);
