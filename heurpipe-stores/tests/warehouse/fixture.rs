//! Records with something of everything, and what a warehouse says of them. The tests of BigQuery use it as well.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use heurpipe_core::{
    Annotation, Author, Counts, Error, Filter, Finding, Fingerprint, InputDigest, LedgerEntry,
    LedgerOutcome, Platform, Post, PostId, Producer, Raw, Record, State, Target,
};
use heurpipe_stores::warehouse::{NoHotRows, Warehouse};
use jiff::Timestamp;

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn id(number: u32) -> PostId {
    PostId::new(Platform::weibo(), number.to_string())
}

/// A record with something of everything.
pub fn record(number: u32, published: Option<&str>) -> Record {
    let mut post = Post::new(id(number), at("2026-04-01T10:00:00.123456789Z"));
    post.text = format!("连衣裙 no. {number} #Été 'quoted' \"twice\" \\ and\nnew");
    post.hashtags = vec!["Été".to_owned(), "OOTD".to_owned()];
    post.published_at = published.map(at);
    post.counts = Counts::new(Some(u64::from(number)), None, Some(0));
    let mut author = Author::unknown();
    author.handle = Some("maison".to_owned());
    author.followers = Some(12);
    author.verified = number.is_multiple_of(3).then_some(true);
    post.author = Some(author);
    let raw = Raw::from_value(&serde_json::json!({"idstr": number.to_string(), "x": 0.1})).unwrap();
    post.raw.insert("statuses".to_owned(), raw);
    let mut record = Record::new(post);
    let fingerprint = Fingerprint::of(["colour", "1"]);
    let producer = Producer {
        name: "colour".to_owned(),
        version: "1".to_owned(),
        fingerprint: fingerprint.clone(),
        threshold: None,
        shadow: false,
    };
    let when = at("2026-04-01T11:00:00Z");
    let colour = if number.is_multiple_of(2) {
        "Red"
    } else {
        "blue"
    };
    let finding = Finding::label("colour", colour).confidence(0.7);
    let found = Annotation::produced(Target::Post, finding, producer, when);
    let input = InputDigest::of(b"input");
    let entry = LedgerEntry::new(
        "colour",
        fingerprint,
        Target::Post,
        input,
        LedgerOutcome::Done,
        when,
    );
    record.enter(entry.cost(1.25), vec![found]);
    record.states.insert("catalog".to_owned(), State::Delivered);
    record.revision = 1;
    record
}

/// Records one to `count`, ten a day from the first of March on.
pub fn some(count: u32) -> Vec<Record> {
    let published = |n: u32| format!("2026-03-{:02}T12:00:{:02}Z", 1 + n / 10, n % 60);
    (1..=count)
        .map(|n| record(n, Some(&published(n))))
        .collect()
}

pub fn by_id(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by(|a, b| a.id().cmp(b.id()));
    records
}

/// The posts that match, by id.
pub async fn found(warehouse: &dyn Warehouse, filter: &Filter) -> Vec<Record> {
    let pages = warehouse.scan(filter).await.unwrap();
    let pages: Vec<Vec<Record>> = pages.try_collect().await.unwrap();
    by_id(pages.concat())
}

pub async fn ask(warehouse: &dyn Warehouse, query: &str, hot: &[Record]) -> Vec<RecordBatch> {
    let answer = warehouse.sql(query, &hot.to_vec()).await.unwrap();
    answer.batches.try_collect().await.unwrap()
}

/// A query that gives one number.
pub async fn number(warehouse: &dyn Warehouse, query: &str, hot: &[Record]) -> i64 {
    let batches = ask(warehouse, query, hot).await;
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

/// Why a query is not answered.
pub async fn refusal(warehouse: &dyn Warehouse, query: &str) -> Error {
    match warehouse.sql(query, &NoHotRows).await {
        Err(error) => error,
        Ok(answer) => answer.batches.try_collect::<Vec<_>>().await.unwrap_err(),
    }
}

/// Appends records twice, then other revisions of two of them, to a warehouse that is empty yet.
pub async fn newer_revisions_supersede(warehouse: &dyn Warehouse) {
    warehouse.append(some(20)).await.unwrap();
    let again = warehouse.append(some(20)).await.unwrap();
    assert_eq!((again.manifest, again.written, again.unchanged), (1, 0, 20));

    // A newer revision, now with another day; an older one of another post; a double of the newer one in the same call.
    let mut newer = record(7, Some("2026-05-01T00:00:00Z"));
    newer.revision = 3;
    let mut double = newer.clone();
    double.revision = 2;
    let mut older = record(8, None);
    older.revision = 0;
    let appended = warehouse
        .append(vec![newer.clone(), older, double])
        .await
        .unwrap();
    assert_eq!(
        (appended.written, appended.superseded, appended.unchanged),
        (1, 1, 2)
    );
    let now = found(warehouse, &Filter::All).await;
    assert_eq!(now.len(), 20);
    assert_eq!(now.iter().filter(|r| *r.id() == id(7)).count(), 1);
    assert!(now.contains(&newer));
    assert_eq!(
        number(warehouse, "SELECT count(*) FROM posts", &[]).await,
        20
    );
}

/// Asks an empty warehouse that is given posts, and documents that know one of them better, for both.
pub async fn hot_rows_win(warehouse: &dyn Warehouse) {
    warehouse.append(some(20)).await.unwrap();
    warehouse.remove(&[id(1)]).await.unwrap();
    let mut renewed = record(20, Some("2026-03-03T12:00:20Z"));
    renewed.post.text = "newer".to_owned();
    let hot = [renewed, record(21, None), record(22, None)];

    let count = "SELECT count(*) FROM posts";
    assert_eq!(number(warehouse, count, &hot).await, 21);
    assert_eq!(
        number(warehouse, &format!("{count} WHERE tier = 'hot'"), &hot).await,
        3
    );
    assert_eq!(
        number(warehouse, &format!("{count} WHERE tier = 'cold'"), &hot).await,
        18
    );
    let texts = ask(
        warehouse,
        "SELECT text FROM posts WHERE native_id = '20'",
        &hot,
    )
    .await;
    let texts: Vec<&str> = texts
        .iter()
        .flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten())
        .collect();
    assert_eq!(texts, ["newer"]);
}
