//! The document suite on every backend, and what only a file can get wrong.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use heurpipe_core::{
    Analysed, AnalysisCache, Author, DeadLetterScan, Digest, Documents, Error, ErrorKind, Filter,
    Finding, Likeness, PictureHash, Platform, Post, PostId, Record, Retry, ReviewQueue, Scan,
    Stored, Subject,
};
use heurpipe_stores::documents::{MemoryDocuments, SqliteDocuments};
use heurpipe_stores::suite::Backend;
use heurpipe_stores::{Mode, documents, suite};
use jiff::Timestamp;

fn url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("some/documents.db").display())
}

fn record(native: &str) -> Record {
    let id = PostId::new(Platform::instagram(), native);
    Record::new(Post::new(id, Timestamp::UNIX_EPOCH))
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_backends_conform() {
    let memory = suite::documents::run(Backend::named("memory"), async || {
        Ok(Arc::new(MemoryDocuments::new()) as _)
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let sqlite = suite::documents::run(Backend::named("sqlite"), async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = folder.path().join(number.to_string());
        Ok(documents::open(&url(&folder), Mode::ReadWrite).await?)
    })
    .await
    .unwrap();
    print!("{}", suite::table(&[memory, sqlite]));
}

#[tokio::test]
async fn what_was_committed_survives_the_end_of_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    let store = SqliteDocuments::open(&path).await.unwrap();
    store.commit(&[&record("1")]).await.unwrap();
    store.erase(&[record("2").id().clone()]).await.unwrap();

    // The files as a killed process leaves them: never closed, the log never merged.
    let killed = folder.path().join("killed.db");
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", path.display());
        std::fs::copy(from, format!("{}{suffix}", killed.display())).unwrap();
    }
    let store = SqliteDocuments::open(&killed).await.unwrap();
    let ids = [record("1").id().clone(), record("2").id().clone()];
    let found = store.load(&ids).await.unwrap();
    assert!(matches!(&found[0], Stored::Known(record) if record.revision == 1));
    assert_eq!(found[1], Stored::Tombstoned);
}

#[tokio::test]
async fn a_second_writer_is_told_who_the_first_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    let first = SqliteDocuments::open(&path).await.unwrap();
    let error = SqliteDocuments::open(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.retry(), Retry::NeedsOperator);
    let pid = std::process::id().to_string();
    assert!(
        error
            .to_string()
            .contains(&format!("process {pid} is writing"))
    );

    let reader = SqliteDocuments::open_read_only(&path).await.unwrap();
    first.commit(&[&record("1")]).await.unwrap();
    assert_eq!(reader.count(&Scan::default()).await.unwrap(), 1);
    let refused = reader.commit(&[&record("2")]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);

    drop(first);
    SqliteDocuments::open(&path).await.unwrap();
}

#[tokio::test]
async fn the_lock_of_a_dead_process_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    std::fs::write(folder.path().join("documents.db.lock"), "1\n").unwrap();
    SqliteDocuments::open(&path).await.unwrap();
    let held = std::fs::read_to_string(folder.path().join("documents.db.lock")).unwrap();
    assert_eq!(held.trim(), std::process::id().to_string());
}

async fn open_error(path: &Path) -> Error {
    let error = SqliteDocuments::open(path).await.unwrap_err();
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    error
}

#[tokio::test]
async fn what_is_not_our_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database, but long enough to be one".repeat(100),
    )
    .unwrap();
    assert_eq!(open_error(&text).await.kind(), ErrorKind::Corrupt);
    assert!(
        std::fs::read_to_string(&text)
            .unwrap()
            .starts_with("not a database")
    );

    let path = folder.path().join("theirs.db");
    let theirs = rusqlite::Connection::open(&path).unwrap();
    theirs.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(theirs);
    let error = open_error(&path).await;
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("another program"), "{error}");

    let path = folder.path().join("newer.db");
    drop(SqliteDocuments::open(&path).await.unwrap());
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let error = open_error(&path).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("version 99"), "{error}");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    // A folder below a file cannot be made, even by root.
    let error = SqliteDocuments::open(file.join("documents.db"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(
        error.to_string().contains(file.to_str().unwrap()),
        "{error}"
    );

    let absent = folder.path().join("absent.db");
    let error = SqliteDocuments::open_read_only(&absent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!absent.exists());
}

#[tokio::test]
async fn a_url_that_nobody_knows_names_those_that_are_known() {
    for url in ["mysql://somewhere", "nonsense"] {
        let error = documents::open(url, Mode::ReadWrite).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(
            error.to_string().contains("supported are sqlite:PATH, "),
            "{error}"
        );
    }
    let error = documents::open("sqlite:", Mode::ReadWrite)
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
}

fn colour(label: &str) -> Vec<Finding> {
    vec![Finding::label("colour", label)]
}

/// Of four analyses three are remembered, and the one that comes again is not the youngest by that.
async fn forgets_the_oldest(cache: &dyn AnalysisCache) {
    let key = |n: u8| Digest::of(&[n]);
    for (number, label) in [(1, "a"), (2, "b"), (1, "a"), (3, "c"), (4, "d")] {
        let analysis = (key(number), colour(label));
        cache.remember(&[analysis]).await.unwrap();
    }
    let keys = [1, 2, 3, 4].map(key);
    let expected = [
        None,
        Some(colour("b")),
        Some(colour("c")),
        Some(colour("d")),
    ];
    assert_eq!(cache.recall(&keys).await.unwrap(), expected);

    let more: Vec<_> = (10..20).map(|n| (key(n), colour("e"))).collect();
    cache.remember(&more).await.unwrap();
    let keys = [4, 16, 17, 19].map(key);
    let known = cache.recall(&keys).await.unwrap();
    let known: Vec<bool> = known.iter().map(Option::is_some).collect();
    assert_eq!(known, [false, false, true, true]);
}

#[tokio::test]
async fn no_more_analyses_are_remembered_than_may_be() {
    forgets_the_oldest(&MemoryDocuments::new().remember_at_most(3)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    let store = SqliteDocuments::open(&path).await.unwrap();
    forgets_the_oldest(&store.remember_at_most(3)).await;
    let store = SqliteDocuments::open(&path).await.unwrap();
    let known = store.recall(&[Digest::of(&[19])]).await.unwrap();
    assert_eq!(known, [Some(colour("e"))], "the next process knows");
}

/// What a picture looks like: all its bits are those of the number.
fn analysed(number: u8) -> Analysed {
    Analysed {
        key: Digest::of(&[number]),
        picture: Digest::of(&[number, number]),
        likeness: Likeness {
            group: Digest::of(b"group"),
            hash: PictureHash(u64::from_ne_bytes([number; 8])),
        },
    }
}

/// With the findings goes what their pictures look like.
async fn forgets_likenesses_too(cache: &dyn AnalysisCache) {
    for number in 1..=4 {
        let one = analysed(number);
        let analysis = (one.key, colour("a"));
        cache.remember(&[analysis]).await.unwrap();
        cache.remember_near(&[one]).await.unwrap();
    }
    let asked = [1, 2, 3, 4].map(|number| analysed(number).likeness);
    let near = cache.recall_near(&asked, 0).await.unwrap();
    let known: Vec<bool> = near.iter().map(Option::is_some).collect();
    assert_eq!(known, [false, true, true, true]);
}

#[tokio::test]
async fn no_more_likenesses_are_remembered_than_analyses() {
    forgets_likenesses_too(&MemoryDocuments::new().remember_at_most(3)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    let store = SqliteDocuments::open(&path).await.unwrap();
    forgets_likenesses_too(&store.remember_at_most(3)).await;
    let database = rusqlite::Connection::open(&path).unwrap();
    let kept = database.query_row("SELECT count(*) FROM likenesses", (), |row| row.get(0));
    assert_eq!(kept, Ok(3), "and no more rows are there");
    let store = SqliteDocuments::open(&path).await.unwrap();
    let near = store.recall_near(&[analysed(4).likeness], 0).await.unwrap();
    assert!(near[0].is_some(), "the next process knows");
}

const VERSION_1: &str = include_str!("fixtures/documents-1.sql");
const VERSION_2: &str = include_str!("fixtures/documents-2.sql");
const VERSION_3: &str = include_str!("fixtures/documents-3.sql");

/// A database as an earlier version wrote it.
fn written(path: &Path, dump: &str) {
    let database = rusqlite::Connection::open(path).unwrap();
    database.execute_batch(dump).unwrap();
}

/// The tables and indexes, as they were made.
fn tables(path: &Path) -> BTreeSet<String> {
    let database = rusqlite::Connection::open(path).unwrap();
    let mut statement = database
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
        .unwrap();
    let tables = statement.query_map((), |row| row.get(0)).unwrap();
    tables.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_database_of_version_1_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    written(&path, VERSION_1);
    let store = SqliteDocuments::open(&path).await.unwrap();

    let page = store.scan(&Scan::matching(Filter::All)).await.unwrap();
    assert_eq!(page.records.len(), 3);
    let texts: Vec<&Record> = page
        .records
        .iter()
        .filter(|r| r.ledger.len() == 2)
        .collect();
    assert_eq!(texts.len(), 2);
    let groups = store.analyses("trends").await.unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(
        (groups[0].records, &groups[0].analysis),
        (2, &texts[0].analysis())
    );
    let scan = Scan::matching(Filter::All).of_use_case("catalog");
    let scan = scan.in_state("catalog", "dead");
    let groups = store.analyses("catalog").await.unwrap();
    let scan = scan.with_analyses(vec![groups[0].analysis.clone()]);
    let page = store.scan(&scan).await.unwrap();
    assert_eq!(page.records[0].analysis(), groups[0].analysis);

    let counts = store.dead_letter_counts(None).await.unwrap();
    let counts: Vec<_> = counts
        .iter()
        .map(|c| (&*c.use_case, &*c.stage, &*c.cause, c.letters))
        .collect();
    assert_eq!(
        counts,
        [
            ("catalog", "colour", "corrupt", 1),
            ("trends", "source", "invalid_input", 1)
        ]
    );
    let letters = store.dead_letters(&DeadLetterScan::all()).await.unwrap();
    let letters: Vec<&str> = letters.iter().map(|l| &*l.stage).collect();
    assert_eq!(letters, ["source", "colour"]);
    assert_eq!(store.runs(10).await.unwrap().len(), 2);

    drop(store);
    let fresh = folder.path().join("fresh.db");
    drop(SqliteDocuments::open(&fresh).await.unwrap());
    assert_eq!(tables(&path), tables(&fresh));
    SqliteDocuments::open_read_only(&path).await.unwrap();
}

#[tokio::test]
async fn a_database_of_version_2_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    written(&path, VERSION_2);
    let store = SqliteDocuments::open(&path).await.unwrap();
    let page = store.scan(&Scan::matching(Filter::All)).await.unwrap();
    let colours: Vec<_> = page
        .records
        .iter()
        .map(|r| r.effective()["colour"].clone())
        .collect();
    assert_eq!(
        colours,
        [["grey".to_owned()].into(), ["pink".to_owned()].into()]
    );

    // What was found is known still, and may be found by what its picture looks like from now on.
    let key = "1ff0bb7ff10e80181e8b9d2b2011fe255f51592d8d33fd4daed7941fd6f72abf";
    let one = Analysed {
        key: key.parse().unwrap(),
        ..analysed(1)
    };
    store.remember_near(&[one]).await.unwrap();
    let near = store.recall_near(&[one.likeness], 4).await.unwrap();
    let findings = store.recall(&[one.key]).await.unwrap().remove(0);
    assert!(findings.is_some());
    assert_eq!(near[0].as_ref().map(|near| near.picture), Some(one.picture));
    assert_eq!(near[0].as_ref().map(|near| near.findings.clone()), findings);

    drop(store);
    let fresh = folder.path().join("fresh.db");
    drop(SqliteDocuments::open(&fresh).await.unwrap());
    assert_eq!(tables(&path), tables(&fresh));
}

#[tokio::test]
async fn a_database_of_version_3_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    written(&path, VERSION_3);
    let store = SqliteDocuments::open(&path).await.unwrap();
    let days = store.days(&Scan::matching(Filter::All)).await.unwrap();
    let days: Vec<_> = days
        .iter()
        .map(|count| (count.day.map(|day| day.to_string()), count.records))
        .collect();
    assert_eq!(days, [(None, 2), (Some("2026-03-01".to_owned()), 1)]);

    // What is about a post is found by it, although it was written before posts were looked for.
    let torn = store.dead_letters(&DeadLetterScan::all()).await.unwrap();
    let torn = torn.iter().find(|letter| letter.record.is_some()).unwrap();
    let erased = store.erase(std::slice::from_ref(&torn.post)).await.unwrap();
    assert_eq!((erased.records, erased.dead_letters), (1, 2));
    let asked = ReviewQueue::open(&store, None, 10).await.unwrap().remove(0);
    let erased = store.erase(&[asked.post]).await.unwrap();
    assert_eq!((erased.records, erased.tasks), (1, 1));
    let author = "instagram:@maison".parse().unwrap();
    let found = store.refuse(&[Subject::Author(author)]).await.unwrap();
    assert_eq!(found, ["instagram:7".parse().unwrap()]);

    drop(store);
    let fresh = folder.path().join("fresh.db");
    drop(SqliteDocuments::open(&fresh).await.unwrap());
    assert_eq!(tables(&path), tables(&fresh));
}

#[tokio::test]
async fn a_database_does_not_tell_who_was_erased() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    let store = SqliteDocuments::open(&path).await.unwrap();
    let mut post = record("1704067200123").post;
    let mut author = Author::unknown();
    author.handle = Some("maison.marker".to_owned());
    post.author = Some(author);
    store.commit(&[&Record::new(post)]).await.unwrap();
    let author = Subject::Author("instagram:@maison.marker".parse().unwrap());
    let found = store.refuse(&[author]).await.unwrap();
    store.erase(&found).await.unwrap();
    // The store is open still: neither freed pages nor the log keep what was in them.
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("maison.marker"));
        assert!(!text.contains("1704067200123"));
    }
}

#[tokio::test]
async fn a_database_of_an_earlier_version_is_not_changed_by_a_reader() {
    for (version, dump) in [
        ("version 1", VERSION_1),
        ("version 2", VERSION_2),
        ("version 3", VERSION_3),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("documents.db");
        written(&path, dump);
        let before = tables(&path);
        let error = SqliteDocuments::open_read_only(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(version), "{error}");
        assert_eq!(tables(&path), before);
    }
}

#[tokio::test]
async fn a_record_of_version_1_that_cannot_be_read_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    written(&path, VERSION_1);
    let database = rusqlite::Connection::open(&path).unwrap();
    let broken = "UPDATE records SET body = '{' WHERE platform = 'folder'";
    assert_eq!(database.execute(broken, ()).unwrap(), 1);
    drop(database);
    let store = SqliteDocuments::open(&path).await.unwrap();
    let groups = store.analyses("trends").await.unwrap();
    assert_eq!(groups[0].records, 2);
    let all = Scan::matching(Filter::All);
    let error = store.scan(&all).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
