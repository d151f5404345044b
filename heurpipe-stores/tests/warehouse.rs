//! The Parquet warehouse: what is stored, what a query sees, and what happens when something breaks.
#![cfg(feature = "warehouse")]
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use heurpipe_core::filter::{Keyword, Predicate};
use heurpipe_core::{
    Annotation, Author, Counts, ErrorKind, Filter, Finding, Fingerprint, LedgerEntry,
    LedgerOutcome, Platform, Post, PostId, Producer, Raw, Record, State, Target, Value,
};
use heurpipe_stores::Mode;
use heurpipe_stores::suite::warehouse::{InMemoryPlace, PlaceByUrl};
use heurpipe_stores::suite::{self, Backend};
use heurpipe_stores::warehouse::*;
use jiff::Timestamp;

#[tokio::test(flavor = "multi_thread")]
async fn embedded_backends_conform() {
    let memory = suite::warehouse::run(Backend::named("memory"), async || {
        Ok(Arc::new(InMemoryPlace::default()) as _)
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let in_folders = suite::warehouse::run(Backend::named("folder"), async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let url = format!("file:{}/{number}", folder.path().display());
        Ok(Arc::new(PlaceByUrl::new(url)) as _)
    })
    .await
    .unwrap();
    print!("{}", suite::table(&[memory, in_folders]));
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn id(number: u32) -> PostId {
    PostId::new(Platform::weibo(), number.to_string())
}

/// A record with something of everything.
fn record(number: u32, published: Option<&str>) -> Record {
    let mut post = Post::new(id(number), at("2026-04-01T10:00:00.123456789Z"));
    post.text = format!("连衣裙 no. {number} #Été");
    post.hashtags = vec!["Été".to_owned(), "OOTD".to_owned()];
    post.published_at = published.map(at);
    post.counts = Counts::new(Some(u64::from(number)), None, Some(0));
    let mut author = Author::unknown();
    author.handle = Some("maison".to_owned());
    author.followers = Some(12);
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
    let input = heurpipe_core::InputDigest::of(b"input");
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
fn some(count: u32) -> Vec<Record> {
    (1..=count)
        .map(|n| {
            record(
                n,
                Some(&format!("2026-03-{:02}T12:00:{:02}Z", 1 + n / 10, n % 60)),
            )
        })
        .collect()
}

fn by_id(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by(|a, b| a.id().cmp(b.id()));
    records
}

async fn all(warehouse: &dyn Warehouse) -> Vec<Record> {
    let pages: Vec<Vec<Record>> = warehouse
        .scan(&Filter::All)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    by_id(pages.into_iter().flatten().collect())
}

async fn ask(warehouse: &dyn Warehouse, query: &str, hot: &[Record]) -> Vec<RecordBatch> {
    let answer = warehouse.sql(query, &hot.to_vec()).await.unwrap();
    answer.batches.try_collect().await.unwrap()
}

/// A query that gives one number.
async fn number(warehouse: &dyn Warehouse, query: &str, hot: &[Record]) -> i64 {
    let batches = ask(warehouse, query, hot).await;
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

async fn refusal(warehouse: &dyn Warehouse, query: &str) -> heurpipe_core::Error {
    match warehouse.sql(query, &NoHotRows).await {
        Err(error) => error,
        Ok(answer) => answer.batches.try_collect::<Vec<_>>().await.unwrap_err(),
    }
}

async fn in_folder(folder: &Path) -> ParquetWarehouse {
    ParquetWarehouse::open(folder, Mode::ReadWrite)
        .await
        .unwrap()
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for day in std::fs::read_dir(folder.join("segments")).unwrap() {
        let files = std::fs::read_dir(day.unwrap().path()).unwrap();
        found.extend(files.map(|file| file.unwrap().path()));
    }
    found.sort();
    found
}

#[test]
fn rows_read_back_as_the_records_they_were() {
    let mut given = some(3);
    given.push(record(4, None));
    given[0].post.language_hint = Some("zh".to_owned());
    let rows = rows(&given).unwrap();
    assert_eq!(rows.schema(), posts_schema());
    assert_eq!(records(&rows).unwrap(), given);
    let colours = rows.column_by_name("colour").unwrap().as_list::<i32>();
    assert_eq!(colours.value(1).as_string::<i32>().value(0), "red");
    let languages = rows.column_by_name("language").unwrap();
    assert_eq!(languages.as_string::<i32>().value(0), "zh");
    assert_eq!(languages.null_count(), 3);
}

#[test]
fn a_number_that_json_cannot_hold_is_refused() {
    let mut odd = record(1, None);
    let when = at("2026-04-01T11:00:00Z");
    let score = Value::Number(f64::NAN);
    odd.annotations.push(Annotation::decided(
        Target::Post,
        "score",
        score,
        "ann",
        when,
    ));
    assert_eq!(rows(&[odd]).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn what_is_appended_is_there_and_survives_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let given = some(25);
    let first = in_folder(folder.path()).await;
    let appended = first.append(given.clone()).await.unwrap();
    assert_eq!((appended.manifest, appended.written), (1, 25));

    let again = ParquetWarehouse::open(folder.path(), Mode::ReadOnly)
        .await
        .unwrap();
    assert_eq!(all(&again).await, by_id(given.clone()));
    let coverage = again.verify().await.unwrap();
    assert_eq!((coverage.posts, coverage.segments), (25, 3));
    assert_eq!(coverage.from, given[0].post.published_at);
    assert_eq!(coverage.to, given[24].post.published_at);

    let refused = again.append(some(1)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn appending_again_writes_nothing_and_newer_revisions_supersede() {
    let warehouse = ParquetWarehouse::in_memory();
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
    let now = all(&warehouse).await;
    assert_eq!(now.len(), 20);
    assert_eq!(now.iter().filter(|r| *r.id() == id(7)).count(), 1);
    assert!(now.contains(&newer));
    assert_eq!(
        number(&warehouse, "SELECT count(*) FROM posts", &[]).await,
        20
    );
}

#[tokio::test]
async fn removed_posts_are_gone_from_every_answer_and_may_come_back() {
    let warehouse = ParquetWarehouse::in_memory();
    let given = some(20);
    warehouse.append(given.clone()).await.unwrap();
    assert_eq!(warehouse.remove(&[id(3), id(4), id(999)]).await.unwrap(), 2);
    assert_eq!(warehouse.remove(&[id(3)]).await.unwrap(), 0);
    assert_eq!(all(&warehouse).await.len(), 18);
    let query = "SELECT count(*) FROM posts WHERE native_id IN ('3', '4')";
    assert_eq!(number(&warehouse, query, &[]).await, 0);

    // The same revision in the same place: the deletion vector must not hide the new row.
    warehouse.append(given[2..4].to_vec()).await.unwrap();
    assert_eq!(number(&warehouse, query, &[]).await, 2);
    assert_eq!(all(&warehouse).await, by_id(given));
}

#[tokio::test]
async fn a_scan_gives_exactly_what_the_filter_means() {
    let warehouse = ParquetWarehouse::in_memory();
    let mut given = some(40);
    given.push(record(41, None));
    warehouse.append(given.clone()).await.unwrap();
    let red = Filter::Test(Predicate::Keyword {
        field: "colour".to_owned(),
        any_of: vec![Keyword::Exact("red".to_owned())],
    });
    let late = Filter::Test(Predicate::Time {
        field: heurpipe_core::filter::TimeField::Published,
        lower: std::ops::Bound::Included(at("2026-03-03T00:00:00Z")),
        upper: std::ops::Bound::Unbounded,
    });
    for filter in [
        red.clone(),
        late.clone(),
        red.and(late.clone()),
        late.negated(),
    ] {
        let pages: Vec<Vec<Record>> = warehouse
            .scan(&filter)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let found = by_id(pages.into_iter().flatten().collect());
        let expected: Vec<Record> = given
            .iter()
            .filter(|r| filter.matches(&heurpipe_core::Flat::of(r)))
            .cloned()
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(found, by_id(expected), "{filter:?}");
    }
}

#[tokio::test]
async fn writers_at_once_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut tasks = Vec::new();
    for writer in 0..4 {
        let warehouse = in_folder(folder.path()).await;
        // Each has posts of its own and ten that all of them write.
        let mut mine = some(10);
        mine.extend((0..5).map(|n| record(100 + writer * 10 + n, Some("2026-03-01T00:00:00Z"))));
        tasks.push(tokio::spawn(async move { warehouse.append(mine).await }));
    }
    let mut written = 0;
    for task in tasks {
        written += task.await.unwrap().unwrap().written;
    }
    assert_eq!(written, 10 + 4 * 5);
    let warehouse = in_folder(folder.path()).await;
    assert_eq!(all(&warehouse).await.len(), 30);
    assert_eq!(warehouse.manifest().await.unwrap().number, 4);
}

#[tokio::test]
async fn killed_before_the_commit_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = in_folder(folder.path()).await;
    warehouse.append(some(10)).await.unwrap();
    warehouse
        .append((11..=20).map(|n| record(n, None)).collect())
        .await
        .unwrap();
    let files = segments(folder.path());
    // As if the process had died after it wrote its segment and before it put the manifest.
    std::fs::remove_file(folder.path().join("manifests/00000002.json")).unwrap();
    assert_eq!(all(&warehouse).await.len(), 10);
    assert_eq!(
        number(&warehouse, "SELECT count(*) FROM posts", &[]).await,
        10
    );

    warehouse
        .append((11..=20).map(|n| record(n, None)).collect())
        .await
        .unwrap();
    assert_eq!(all(&warehouse).await.len(), 20);
    assert_eq!(segments(folder.path()), files);
}

/// Posts of both networks that were published on a day, with ids from `first` on.
fn of_both_networks(first: u32, published: &str) -> Vec<Record> {
    let mut records: Vec<Record> = (first..first + 5)
        .map(|number| record(number, Some(published)))
        .collect();
    let mut also = records.clone();
    for record in &mut also {
        let native = record.post.id.native.clone();
        record.post.id = PostId::new(Platform::instagram(), native);
    }
    records.append(&mut also);
    records
}

#[tokio::test]
async fn files_whose_posts_have_other_ids_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = in_folder(folder.path()).await;
    let earlier = of_both_networks(100, "2026-03-01T12:00:00Z");
    let later = of_both_networks(200, "2026-03-02T12:00:00Z");
    warehouse.append(earlier.clone()).await.unwrap();
    let file = segments(folder.path()).remove(0);
    warehouse.append(later.clone()).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();

    let ids = |records: &[Record]| -> Vec<PostId> {
        records.iter().map(|record| record.id().clone()).collect()
    };
    let again = warehouse.append(later.clone()).await.unwrap();
    assert_eq!((again.written, again.unchanged), (0, 10));
    let found = warehouse.get(&ids(&later)).await.unwrap();
    assert_eq!(found.into_iter().flatten().count(), 10);
    assert_eq!(warehouse.remove(&ids(&later[..1])).await.unwrap(), 1);
    warehouse.erase(&ids(&later[1..2])).await.unwrap();
    let missing = warehouse.get(&ids(&earlier)).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");

    std::fs::write(&file, whole).unwrap();
    assert_eq!(all(&warehouse).await.len(), 18);
}

#[tokio::test]
async fn manifests_that_do_not_say_where_ids_lie_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = in_folder(folder.path()).await;
    let records = of_both_networks(100, "2026-03-01T12:00:00Z");
    warehouse.append(records.clone()).await.unwrap();
    let path = folder.path().join("manifests/00000001.json");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let segment = manifest["segments"][0].as_object_mut().unwrap();
    assert!(segment.remove("id_ranges").is_some());
    std::fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();

    let warehouse = in_folder(folder.path()).await;
    let again = warehouse.append(records).await.unwrap();
    assert_eq!((again.written, again.unchanged), (0, 10));
}

#[tokio::test]
async fn a_folder_that_is_begun_anew_is_seen_by_whoever_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let open = in_folder(folder.path()).await;
    open.append(some(10)).await.unwrap();
    open.append((11..=20).map(|n| record(n, None)).collect())
        .await
        .unwrap();
    assert_eq!(open.coverage().await.unwrap().posts, 20);
    for part in ["manifests", "segments"] {
        std::fs::remove_dir_all(folder.path().join(part)).unwrap();
    }
    assert_eq!(open.coverage().await.unwrap().posts, 0);

    let another = in_folder(folder.path()).await;
    for first in [30, 40, 50] {
        let records = (first..first + 5).map(|n| record(n, None)).collect();
        another.append(records).await.unwrap();
    }
    assert_eq!(open.coverage().await.unwrap().posts, 15);
    assert_eq!(open.manifest().await.unwrap().number, 3);
}

#[tokio::test]
async fn a_query_sees_both_tiers_and_hot_rows_win() {
    let warehouse = ParquetWarehouse::in_memory();
    warehouse.append(some(20)).await.unwrap();
    warehouse.remove(&[id(1)]).await.unwrap();
    let mut renewed = record(20, Some("2026-03-03T12:00:20Z"));
    renewed.post.text = "newer".to_owned();
    let hot = vec![renewed, record(21, None), record(22, None)];

    let count = "SELECT count(*) FROM posts";
    assert_eq!(number(&warehouse, count, &hot).await, 21);
    assert_eq!(
        number(&warehouse, &format!("{count} WHERE tier = 'hot'"), &hot).await,
        3
    );
    assert_eq!(
        number(&warehouse, &format!("{count} WHERE tier = 'cold'"), &hot).await,
        18
    );
    let texts = ask(
        &warehouse,
        "SELECT text FROM posts WHERE native_id = '20'",
        &hot,
    )
    .await;
    let texts: Vec<&str> = texts
        .iter()
        .flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten())
        .collect();
    assert_eq!(texts, ["newer"]);

    // Only hot rows, and no rows at all.
    let empty = ParquetWarehouse::in_memory();
    assert_eq!(number(&empty, count, &hot).await, 3);
    assert_eq!(number(&empty, count, &[]).await, 0);
}

#[tokio::test]
async fn attributes_and_times_can_be_asked_for() {
    let warehouse = ParquetWarehouse::in_memory();
    warehouse.append(some(20)).await.unwrap();
    for (query, expected) in [
        (
            "SELECT count(*) FROM posts WHERE array_has(colour, 'red')",
            10,
        ),
        (
            "SELECT count(*) FROM posts WHERE array_has(attributes['colour'], 'red')",
            10,
        ),
        (
            "SELECT count(*) FROM (SELECT unnest(hashtags) AS h FROM posts) WHERE h = 'ete'",
            20,
        ),
        (
            "SELECT count(*) FROM posts WHERE published_at >= '2026-03-02T00:00:00Z'",
            11,
        ),
        (
            "SELECT count(DISTINCT date_trunc('day', published_at)) FROM posts",
            3,
        ),
        ("SELECT sum(likes) FROM posts", 210),
        ("SELECT count(*) FROM posts WHERE comments IS NULL", 20),
    ] {
        assert_eq!(number(&warehouse, query, &[]).await, expected, "{query}");
    }
    let rows = ask(
        &warehouse,
        "SELECT record FROM posts WHERE id = 'weibo:5'",
        &[],
    )
    .await;
    let found: Vec<Record> = rows.iter().flat_map(|b| records(b).unwrap()).collect();
    assert_eq!(found, [some(5).remove(4)]);
}

#[tokio::test]
async fn only_reading_statements_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = in_folder(folder.path()).await;
    warehouse.append(some(2)).await.unwrap();
    for query in [
        "DROP TABLE posts",
        "INSERT INTO posts SELECT * FROM posts",
        "DELETE FROM posts",
        "UPDATE posts SET text = ''",
        "CREATE TABLE t AS SELECT * FROM posts",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/etc'",
        "COPY posts TO '/tmp/stolen.parquet'",
        "EXPLAIN COPY posts TO '/tmp/stolen.parquet'",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN ANALYZE INSERT INTO posts SELECT * FROM posts",
    ] {
        let error = refusal(&warehouse, query).await;
        assert_eq!(
            error.kind(),
            ErrorKind::PermissionDenied,
            "{query}: {error}"
        );
        assert!(error.to_string().contains("read-only"), "{error}");
    }
    for query in [
        "EXPLAIN SELECT * FROM posts",
        "SHOW TABLES",
        "DESCRIBE posts",
    ] {
        assert!(!ask(&warehouse, query, &[]).await.is_empty(), "{query}");
    }
    for query in [
        "",
        "SELECT 1; SELECT 2",
        "SELECT FROM WHERE",
        "SELECT * FROM '/etc/passwd'",
    ] {
        let error = refusal(&warehouse, query).await;
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{query}: {error}");
    }
    let error = refusal(&warehouse, "SELECT colours FROM posts")
        .await
        .to_string();
    assert!(
        error.contains(r#"no column "colours"; did you mean "colour"?"#),
        "{error}"
    );
    let error = refusal(&warehouse, "SELECT zzz FROM posts")
        .await
        .to_string();
    assert!(error.contains("published_at"), "{error}");
    let error = refusal(&warehouse, "SELECT 1 / (likes - likes) FROM posts").await;
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

fn ids_of(numbers: std::ops::Range<u32>) -> Vec<PostId> {
    numbers.map(id).collect()
}

#[tokio::test]
async fn a_damaged_segment_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = in_folder(folder.path()).await;
    warehouse.append(some(25)).await.unwrap();
    let victim = segments(folder.path()).remove(1);
    let name = victim.file_name().unwrap().to_str().unwrap().to_owned();
    let whole = std::fs::read(&victim).unwrap();

    let mut changed = whole.clone();
    changed[100] ^= 0xff;
    std::fs::write(&victim, &changed).unwrap();
    let error = warehouse.verify().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&name), "{error}");

    std::fs::write(&victim, &whole[..whole.len() / 2]).unwrap();
    let scanned = match warehouse.scan(&Filter::All).await {
        Ok(stream) => stream.try_collect::<Vec<_>>().await.unwrap_err(),
        Err(error) => error,
    };
    let asked = refusal(&warehouse, "SELECT text FROM posts").await;
    for error in [scanned, asked] {
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        assert!(error.to_string().contains(&name), "{error}");
    }

    // A footer that speaks of more than there is.
    let mut lying = whole.clone();
    let footer = lying.len() - 8;
    lying[footer..footer + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    std::fs::write(&victim, &lying).unwrap();
    let error = warehouse.get(&ids_of(10..20)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    assert!(error.to_string().contains(&name), "{error}");

    std::fs::remove_file(&victim).unwrap();
    let asked = refusal(&warehouse, "SELECT text FROM posts").await;
    assert_eq!(asked.kind(), ErrorKind::NotFound, "{asked:?}");
    assert!(asked.to_string().contains(&name), "{asked}");

    let manifest = folder.path().join("manifests/00000001.json");
    std::fs::write(&manifest, "{").unwrap();
    let error = warehouse.coverage().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("00000001.json"), "{error}");
}

#[tokio::test]
async fn places_that_cannot_be_used_are_refused_when_opened() {
    for url in ["", "parquet", "bigquery://project/dataset", "file:"] {
        let error = open(url, Mode::ReadWrite).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}: {error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("file:{}/missing", folder.path().display());
    let error = open(&missing, Mode::ReadOnly).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = format!("file:{}/warehouse", file.display());
    let error = open(&below, Mode::ReadWrite).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("file/warehouse"), "{error}");

    let fresh = format!("file:{}/a/b", folder.path().display());
    let warehouse = open(&fresh, Mode::ReadWrite).await.unwrap();
    assert_eq!(warehouse.coverage().await.unwrap(), Coverage::default());
}

#[tokio::test]
async fn answers_are_written_in_every_format() {
    let warehouse = ParquetWarehouse::in_memory();
    warehouse.append(some(12)).await.unwrap();
    let query =
        "SELECT id, likes, comments, hashtags, attributes, published_at FROM posts ORDER BY likes";
    let mut written = std::collections::BTreeMap::new();
    for (name, format) in output::Format::NAMES {
        let answer = warehouse.sql(query, &NoHotRows).await.unwrap();
        let mut bytes = Vec::new();
        let rows = output::write(*format, answer.schema, answer.batches, &mut bytes)
            .await
            .unwrap();
        assert_eq!(rows, 12, "{name}");
        assert_eq!(name.parse::<output::Format>().unwrap(), *format);
        written.insert(*name, bytes);
    }
    let text = |name: &str| String::from_utf8(written[name].clone()).unwrap();
    let csv = text("csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 13);
    assert_eq!(
        lines[0],
        "id,likes,comments,hashtags,attributes,published_at"
    );
    assert_eq!(
        lines[1],
        r#"weibo:1,1,,"[""ete"",""ootd""]","{""colour"":[""blue""]}",2026-03-01T12:00:01Z"#
    );
    let first: serde_json::Value =
        serde_json::from_str(text("ndjson").lines().next().unwrap()).unwrap();
    assert_eq!(first["hashtags"], serde_json::json!(["ete", "ootd"]));
    assert_eq!(first["comments"], serde_json::Value::Null);
    assert!(text("table").contains("| weibo:1 "), "{}", text("table"));

    let arrow = arrow::ipc::reader::StreamReader::try_new(written["arrow"].as_slice(), None);
    let counted: usize = arrow.unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(counted, 12);
    let parquet = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
        bytes::Bytes::from(written["parquet"].clone()),
    );
    let counted: usize = parquet
        .unwrap()
        .build()
        .unwrap()
        .map(|b| b.unwrap().num_rows())
        .sum();
    assert_eq!(counted, 12);
    assert!(
        "xlsx"
            .parse::<output::Format>()
            .unwrap_err()
            .to_string()
            .contains("ndjson")
    );
}

#[tokio::test]
async fn documents_are_the_hot_tier() {
    let documents = heurpipe_stores::documents::open("memory:", Mode::ReadWrite)
        .await
        .unwrap();
    let mut fresh = record(1, None);
    fresh.revision = 0;
    documents.commit(&[&fresh]).await.unwrap();
    let hot = DocumentRows::new(Arc::clone(&documents) as Arc<dyn heurpipe_core::Documents>);
    let warehouse = open("memory:", Mode::ReadWrite).await.unwrap();
    let answer = warehouse.sql("SELECT tier FROM posts", &hot).await.unwrap();
    assert_eq!((answer.hot, answer.cold.posts), (1, 0));
    let rows: Vec<RecordBatch> = answer.batches.try_collect().await.unwrap();
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}
