//! On a server: `scripts/services/services.sh install|start mongo`, then `eval "$(scripts/services/services.sh env)"`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use heurpipe_core::{
    AnalysisCache, Author, DeadLetter, DeadLetterScan, Digest, Documents, Error, ErrorKind, Filter,
    Finding, Platform, Post, PostId, Raw, Record, Scan, Stored, Subject,
};
use heurpipe_stores::documents::{MemoryDocuments, MongoDocuments};
use heurpipe_stores::suite::Backend;
use heurpipe_stores::{Mode, documents, suite};
use jiff::Timestamp;
use mongodb::bson::{Document, doc};

/// What the test server does otherwise than a real one.
const LACKS: &[(&str, &str)] = &[(
    "ids_stand_in_the_order_of_their_characters",
    "mongo-java-server compares texts as UTF-16, MongoDB by their bytes",
)];

static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// A server to test on, and the databases that were used on it.
pub struct Server {
    uri: String,
    pub client: mongodb::Client,
    names: std::sync::Mutex<Vec<String>>,
}

impl Server {
    /// The server that the environment names; says which it is, or why there is none.
    pub async fn named() -> Option<Self> {
        let Ok(uri) = std::env::var("HEURPIPE_TEST_MONGO_URI") else {
            println!(
                "skipped: HEURPIPE_TEST_MONGO_URI is not set; see scripts/services/services.sh"
            );
            return None;
        };
        let server = Self {
            client: mongodb::Client::with_uri_str(&uri).await.unwrap(),
            uri,
            names: std::sync::Mutex::default(),
        };
        let (_, documents) = server.fresh().await;
        println!("on {} at {}", documents.product(), server.uri);
        Some(server)
    }

    /// A name that no database has.
    pub fn name(&self) -> String {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{number}", std::process::id());
        self.names.lock().unwrap().push(name.clone());
        name
    }

    /// The host and port.
    pub fn host(&self) -> &str {
        let (_, rest) = self.uri.split_once("://").unwrap();
        rest.split(['/', '?']).next().unwrap()
    }

    pub fn url(&self, name: &str) -> String {
        let (_, options) = self.uri.split_once('?').unwrap_or_default();
        format!("mongodb://{}/{name}?{options}", self.host())
    }

    pub async fn open(&self, name: &str, mode: Mode) -> heurpipe_core::Result<MongoDocuments> {
        MongoDocuments::open(&self.url(name), mode).await
    }

    pub async fn fresh(&self) -> (String, MongoDocuments) {
        let name = self.name();
        let documents = self.open(&name, Mode::ReadWrite).await.unwrap();
        (name, documents)
    }

    fn collection(&self, name: &str, collection: &str) -> mongodb::Collection<Document> {
        self.client.database(name).collection(collection)
    }

    async fn refused(&self, name: &str, mode: Mode) -> Error {
        let error = self.open(name, mode).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains(self.host()), "{said}");
        error
    }

    /// Removes what the test left.
    pub async fn clear(&self) {
        let names = std::mem::take(&mut *self.names.lock().unwrap());
        for name in names {
            self.client.database(&name).drop().await.unwrap();
        }
    }
}

pub fn id(native: &str) -> PostId {
    PostId::new(Platform::instagram(), native)
}

pub fn record(native: &str) -> Record {
    Record::new(Post::new(id(native), Timestamp::UNIX_EPOCH))
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    let Some(server) = Server::named().await else {
        return;
    };
    let memory = suite::documents::run(Backend::named("memory"), async || {
        Ok(Arc::new(MemoryDocuments::new()) as _)
    })
    .await
    .unwrap();
    let backend = Backend {
        lacks: LACKS,
        ..Backend::named("mongodb")
    };
    let mongodb = suite::documents::run(backend, async || {
        let name = server.name();
        Ok(documents::open(&server.url(&name), Mode::ReadWrite).await?)
    })
    .await
    .unwrap();
    print!("{}", suite::table(&[memory, mongodb]));
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_see_the_same() {
    let Some(server) = Server::named().await else {
        return;
    };
    let name = server.name();
    let absent = server.refused(&name, Mode::ReadOnly).await;
    assert_eq!(absent.kind(), ErrorKind::NotFound);
    let database = server.client.database(&name);
    let collections = database.list_collection_names().await.unwrap();
    assert_eq!(collections, [""; 0], "a reader makes nothing");

    let (first, second) = tokio::join!(
        server.open(&name, Mode::ReadWrite),
        server.open(&name, Mode::ReadWrite)
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    first.commit(&[&record("1")]).await.unwrap();
    first.erase(&[id("2")]).await.unwrap();
    let reader = server.open(&name, Mode::ReadOnly).await.unwrap();
    for other in [&second, &reader] {
        let found = other.load(&[id("1"), id("2")]).await.unwrap();
        assert!(matches!(&found[0], Stored::Known(record) if record.revision == 1));
        assert_eq!(found[1], Stored::Tombstoned);
    }
    let refused = reader.commit(&[&record("3")]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    for refused in [
        reader.save_memo("a", "b").await,
        reader.erase(&[id("1")]).await.map(drop),
        reader.remember(&[(Digest::of(b"1"), vec![])]).await,
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_our_database_is_refused_and_left_alone() {
    let Some(server) = Server::named().await else {
        return;
    };
    let theirs = server.name();
    let records = server.collection(&theirs, "records");
    records.insert_one(doc! {"_id": "theirs"}).await.unwrap();
    for mode in [Mode::ReadWrite, Mode::ReadOnly] {
        let error = server.refused(&theirs, mode).await;
        let expected = match mode {
            Mode::ReadWrite => (ErrorKind::Corrupt, "another program"),
            Mode::ReadOnly => (ErrorKind::NotFound, "no database of this name"),
        };
        assert_eq!(error.kind(), expected.0);
        assert!(error.to_string().contains(expected.1), "{error}");
    }
    let database = server.client.database(&theirs);
    let names = database.list_collection_names().await.unwrap();
    assert_eq!(names, ["records"], "nothing is written");

    let (newer, documents) = server.fresh().await;
    drop(documents);
    let about = server.collection(&newer, "heurpipe");
    let raise = about.update_one(doc! {"_id": "format"}, doc! {"$set": {"version": 99}});
    raise.await.unwrap();
    for mode in [Mode::ReadWrite, Mode::ReadOnly] {
        let error = server.refused(&newer, mode).await;
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("version 99"), "{error}");
    }
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_somebody_changed_is_named() {
    let Some(server) = Server::named().await else {
        return;
    };
    let (name, documents) = server.fresh().await;
    drop(documents);
    let runs = server.collection(&name, "runs");
    runs.drop_index("by_time").await.unwrap();
    let other = mongodb::IndexModel::builder()
        .keys(doc! {"started": 1})
        .options(
            mongodb::options::IndexOptions::builder()
                .name("by_time".to_owned())
                .build(),
        )
        .build();
    runs.create_index(other).await.unwrap();
    let error = server.refused(&name, Mode::ReadWrite).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    for part in ["another definition", "index=by_time", "collection=runs"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    runs.drop_index("by_time").await.unwrap();
    server.open(&name, Mode::ReadWrite).await.unwrap();
    let names = runs.list_index_names().await.unwrap();
    assert!(names.contains(&"by_time".to_owned()), "it is made again");
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_others_stay() {
    let Some(server) = Server::named().await else {
        return;
    };
    let (name, documents) = server.fresh().await;
    let mut written = record("1");
    written.post.hashtags = vec!["red".to_owned()];
    documents.commit(&[&written]).await.unwrap();
    let records = server.collection(&name, "records");
    let theirs = doc! {"later": {"version": 7}, "note": "kept"};
    let found = records.update_one(doc! {}, doc! {"$set": theirs}).await;
    assert_eq!(found.unwrap().matched_count, 1);

    written.revision = 1;
    written.post.hashtags.clear();
    documents.commit(&[&written]).await.unwrap()[0]
        .as_ref()
        .unwrap();
    let stored = records.find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(stored.get_str("note").unwrap(), "kept");
    assert_eq!(stored.get_document("later").unwrap(), &doc! {"version": 7});
    assert_eq!(stored.get_i64("revision").unwrap(), 2);

    documents.remove(&[(id("1"), 2)]).await.unwrap()[0]
        .as_ref()
        .unwrap();
    let stored = records.find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(stored.get_str("note").unwrap(), "kept");
    let gone = ["record", "live", "keywords", "published", "text"];
    assert!(
        gone.iter().all(|field| !stored.contains_key(field)),
        "{stored}"
    );
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_too_large_stops_no_other() {
    let Some(server) = Server::named().await else {
        return;
    };
    let (_, documents) = server.fresh().await;
    let payload = |megabytes: usize| {
        let mut record = record(&format!("of {megabytes} MB"));
        let text = "x".repeat(megabytes * 1024 * 1024);
        let raw = Raw::from_value(&text).unwrap();
        record.post.raw.insert("api".to_owned(), raw);
        record
    };
    let (small, large, too_large) = (record("small"), payload(15), payload(16));
    let outcomes = documents
        .commit(&[&small, &too_large, &large])
        .await
        .unwrap();
    let kinds: Vec<_> = outcomes
        .into_iter()
        .map(|o| o.map_err(|error| error.kind()))
        .collect();
    assert_eq!(kinds, [Ok(1), Err(ErrorKind::TooLarge), Ok(1)]);
    assert_eq!(documents.count(&Scan::default()).await.unwrap(), 2);
    let ids = [large.id().clone(), too_large.id().clone()];
    let found = documents.load(&ids).await.unwrap();
    let mut expected = large;
    expected.revision = 1;
    assert_eq!(found, [Stored::Known(Box::new(expected)), Stored::Unknown]);

    // The letter about it tells that it failed, without it.
    let error = Error::new(ErrorKind::TooLarge, "mongodb.commit");
    let letter = DeadLetter::of_record("catalog", "settle", too_large, &error);
    documents.bury(std::slice::from_ref(&letter)).await.unwrap();
    let found = documents
        .dead_letters(&DeadLetterScan::all())
        .await
        .unwrap();
    assert_eq!((&found[0].key, &found[0].record), (&letter.key, &None));
    assert!(
        found[0]
            .chain
            .last()
            .unwrap()
            .contains("without its record")
    );
    let excerpt = found[0].excerpt.as_deref().unwrap();
    assert!(excerpt.starts_with("{\"key\":\"catalog/"), "{excerpt}");
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn great_pages_come_in_batches() {
    let Some(server) = Server::named().await else {
        return;
    };
    let (_, documents) = server.fresh().await;
    let records: Vec<Record> = (0..2_500).map(|n| record(&format!("{n:04}"))).collect();
    let borrowed: Vec<&Record> = records.iter().collect();
    documents.commit(&borrowed).await.unwrap();
    let all = Scan::matching(Filter::All);
    for (limit, found) in [(2_499, 2_499), (2_500, 2_500), (10_000, 2_500)] {
        let page = documents.scan(&all.clone().limit(limit)).await.unwrap();
        assert_eq!(page.records.len(), found);
        assert_eq!(page.next.is_some(), limit < 2_500);
        assert!(page.records.is_sorted_by_key(|r| r.id().clone()));
    }
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_does_not_tell_who_was_erased() {
    let Some(server) = Server::named().await else {
        return;
    };
    let (name, documents) = server.fresh().await;
    let mut post = record("1704067200123").post;
    let mut author = Author::unknown();
    author.handle = Some("maison.marker".to_owned());
    post.author = Some(author);
    let record = Record::new(post);
    documents.commit(&[&record]).await.unwrap();
    let error = Error::new(ErrorKind::Corrupt, "decode");
    let letter = DeadLetter::of_record("catalog", "decode", record, &error);
    documents.bury(&[letter]).await.unwrap();
    let author = Subject::Author("instagram:@maison.marker".parse().unwrap());
    let found = documents.refuse(&[author]).await.unwrap();
    assert_eq!(found, [id("1704067200123")]);
    documents.erase(&found).await.unwrap();

    let database = server.client.database(&name);
    let mut looked_at = 0;
    for collection in database.list_collection_names().await.unwrap() {
        let collection = database.collection::<Document>(&collection);
        let mut rows = collection.find(doc! {}).await.unwrap();
        while rows.advance().await.unwrap() {
            let bytes = rows.current().as_bytes();
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains("maison.marker"), "{text}");
            assert!(!text.contains("1704067200123"), "{text}");
            looked_at += 1;
        }
    }
    assert!(looked_at >= 3, "the format and two tombstones");
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_analyses_are_remembered_than_may_be() {
    let Some(server) = Server::named().await else {
        return;
    };
    let (name, documents) = server.fresh().await;
    let cache = documents.remember_at_most(3);
    let key = |n: u8| Digest::of(&[n]);
    let colour = |label: &str| vec![Finding::label("colour", label)];
    // The one that comes again is not the youngest by that.
    for (number, label) in [(1, "a"), (2, "b"), (1, "a"), (3, "c"), (4, "d")] {
        let analysis = (key(number), colour(label));
        cache.remember(&[analysis]).await.unwrap();
    }
    let expected = [
        None,
        Some(colour("b")),
        Some(colour("c")),
        Some(colour("d")),
    ];
    assert_eq!(
        cache.recall(&[1, 2, 3, 4].map(key)).await.unwrap(),
        expected
    );
    let more: Vec<_> = (10..20).map(|n| (key(n), colour("e"))).collect();
    cache.remember(&more).await.unwrap();
    let known = cache.recall(&[4, 16, 17, 19].map(key)).await.unwrap();
    let known: Vec<bool> = known.iter().map(Option::is_some).collect();
    assert_eq!(known, [false, false, true, true]);
    let kept = server.collection(&name, "findings");
    assert_eq!(kept.count_documents(doc! {}).await.unwrap(), 3);
    server.clear().await;
}
