use arrow::array::AsArray;
use heurpipe_core::{ErrorKind, Filter, Flat, Record};
use heurpipe_stores::Mode;
use heurpipe_stores::warehouse::{self, BigQueryWarehouse, Warehouse, records};
use jiff::SignedDuration;

use super::emulator::Server;
use super::fixture::{
    ask, at, by_id, found, hot_rows_win, id, newer_revisions_supersede, number, record, refusal,
    some,
};

async fn open(url: &str) -> BigQueryWarehouse {
    BigQueryWarehouse::open(url, Mode::ReadWrite).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_is_there_and_survives_reopening() {
    let Some(server) = Server::named().await else {
        return;
    };
    let url = server.fresh();
    let nothing = BigQueryWarehouse::open(&url, Mode::ReadOnly)
        .await
        .unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::NotFound, "{nothing}");

    let first = open(&url).await;
    let empty = first.coverage().await.unwrap();
    assert_eq!((empty.manifest, empty.posts, empty.from), (0, 0, None));
    let mut given = some(25);
    given.push(record(26, None));
    let appended = first.append(given.clone()).await.unwrap();
    assert_eq!((appended.manifest, appended.written), (1, 26));

    let again = warehouse::open(&url, Mode::ReadOnly).await.unwrap();
    assert_eq!(found(&*again, &Filter::All).await, by_id(given.clone()));
    let got = again.get(&[id(26), id(99), id(1)]).await.unwrap();
    assert_eq!(got, [Some(given[25].clone()), None, Some(given[0].clone())]);
    let coverage = again.coverage().await.unwrap();
    assert_eq!(
        (coverage.posts, coverage.undated, coverage.segments),
        (26, 1, 4)
    );
    assert_eq!(coverage.from, given[0].post.published_at);
    assert_eq!(coverage.to, given[24].post.published_at);
    let refused = again.append(some(1)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn appending_again_writes_nothing_and_newer_revisions_supersede() {
    let Some(server) = Server::named().await else {
        return;
    };
    let warehouse = open(&server.fresh()).await;
    newer_revisions_supersede(&warehouse).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_posts_are_gone_and_may_come_back() {
    let Some(server) = Server::named().await else {
        return;
    };
    let warehouse = open(&server.fresh()).await;
    let given = some(20);
    warehouse.append(given.clone()).await.unwrap();
    assert_eq!(warehouse.remove(&[id(3), id(4), id(999)]).await.unwrap(), 2);
    assert_eq!(warehouse.remove(&[id(3)]).await.unwrap(), 0);
    assert_eq!(found(&warehouse, &Filter::All).await.len(), 18);
    // The same revision, in the same words: the names of its jobs are others.
    warehouse.append(given[2..4].to_vec()).await.unwrap();
    assert_eq!(found(&warehouse, &Filter::All).await, by_id(given));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_gives_exactly_what_the_filter_means() {
    let Some(server) = Server::named().await else {
        return;
    };
    let warehouse = open(&server.fresh()).await;
    let mut given = some(40);
    given.push(record(41, None));
    given[3].post.published_at = Some(at("2026-03-02T00:00:00.000000900Z"));
    warehouse.append(given.clone()).await.unwrap();
    let mut nothing_found = 0;
    for text in [
        "*",
        "-*",
        "colour:red",
        "-colour:red",
        "colour:re*,blue",
        "colour:*",
        "garment:*",
        "hashtag:ete",
        "hashtag:o* -colour:blue",
        "relevant_to:catalog",
        "platform:weibo",
        "-platform:weibo",
        "platform:insta*",
        "verified:true",
        "-verified:true",
        "author:maison",
        "id:\"weibo:7\"",
        "likes:>=10 likes:<12",
        "-likes:>=10",
        "comments:>=0",
        "-comments:>=0",
        "followers:12",
        "published:2026-03-02",
        "-published:2026-03-02",
        "published:>2026-03-02T00:00:00.0000009Z",
        "published:<=2026-03-02T00:00:00.0000008Z",
        "-published:>=2026-03-02T00:00:00.000001Z",
        "published:*",
        "-published:*",
        "collected:[2026-04-01 TO *]",
        "\"no 7\"",
        "连衣裙 -\"no 7\"",
        "(colour:red OR likes:<5) -(published:2026-03-01 OR verified:true)",
    ] {
        let filter: Filter = text.parse().unwrap();
        let expected = given
            .iter()
            .filter(|r| filter.matches(&Flat::of(r)))
            .cloned();
        let expected = by_id(expected.collect());
        nothing_found += usize::from(expected.is_empty());
        assert_eq!(found(&warehouse, &filter).await, expected, "{text}");
    }
    assert!(nothing_found < 10, "the filters find something");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_sees_both_tiers_and_hot_rows_win() {
    let Some(server) = Server::named().await else {
        return;
    };
    let warehouse = open(&server.fresh()).await;
    hot_rows_win(&warehouse).await;
    let count = "SELECT count(*) FROM posts";
    assert_eq!(number(&warehouse, count, &[]).await, 19);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_times_can_be_asked_for() {
    let Some(server) = Server::named().await else {
        return;
    };
    let warehouse = open(&server.fresh()).await;
    warehouse.append(some(20)).await.unwrap();
    for (query, expected) in [
        (
            "SELECT count(*) FROM posts WHERE 'red' IN UNNEST(colour)",
            10,
        ),
        (
            "SELECT count(*) FROM posts, UNNEST(hashtags) AS h WHERE h = 'ete'",
            20,
        ),
        (
            "SELECT count(*) FROM posts WHERE published_at >= TIMESTAMP '2026-03-02 00:00:00+00'",
            11,
        ),
        (
            "SELECT count(DISTINCT TIMESTAMP_TRUNC(published_at, DAY)) FROM posts",
            3,
        ),
        ("SELECT sum(likes) FROM posts", 210),
        ("SELECT count(*) FROM posts WHERE comments IS NULL", 20),
    ] {
        assert_eq!(number(&warehouse, query, &[]).await, expected, "{query}");
    }
    let rows = ask(
        &warehouse,
        "SELECT record, published_at FROM posts WHERE id = 'weibo:5'",
        &[],
    )
    .await;
    let found: Vec<Record> = rows.iter().flat_map(|b| records(b).unwrap()).collect();
    assert_eq!(found, [some(5).remove(4)]);
    let times = rows[0]
        .column(1)
        .as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
    assert_eq!(times.value(0), at("2026-03-01T12:00:05Z").as_microsecond());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_reading_statements_are_answered() {
    let Some(server) = Server::named().await else {
        return;
    };
    let warehouse = open(&server.fresh()).await;
    warehouse.append(some(2)).await.unwrap();
    for query in [
        "DROP TABLE posts",
        "DELETE FROM posts WHERE TRUE",
        "INSERT INTO posts SELECT * FROM posts",
    ] {
        let error = refusal(&warehouse, query).await;
        assert_eq!(
            error.kind(),
            ErrorKind::PermissionDenied,
            "{query}: {error}"
        );
    }
    for query in [
        "",
        "SELECT 1; SELECT 2",
        "SELECT FROM WHERE",
        "SELECT nothing FROM posts",
        "SELECT * FROM other.t",
    ] {
        let error = refusal(&warehouse, query).await;
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{query}: {error}");
    }
    assert_eq!(
        number(&warehouse, "SELECT count(*) FROM posts", &[]).await,
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_posts_are_gone_and_what_is_left_is_swept() {
    let Some(server) = Server::named().await else {
        return;
    };
    let warehouse = open(&server.fresh()).await;
    warehouse.append(some(10)).await.unwrap();
    let erased = warehouse.erase(&[id(2), id(999)]).await.unwrap();
    assert_eq!((erased.manifest, erased.posts), (2, 1));
    let again = warehouse.erase(&[id(2)]).await.unwrap();
    assert_eq!((again.manifest, again.posts, again.rows), (2, 0, 0));
    assert_eq!(found(&warehouse, &Filter::All).await.len(), 9);
    // What tells the first change has gone; the newest number stays.
    let compacted = warehouse
        .compact(SignedDuration::from_secs(-60))
        .await
        .unwrap();
    assert_eq!((compacted.manifest, compacted.deleted), (2, 1));
    assert_eq!(warehouse.coverage().await.unwrap().manifest, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_lose_nothing_and_double_nothing() {
    let Some(server) = Server::named().await else {
        return;
    };
    let url = server.fresh();
    open(&url).await;
    let writers = (0..3).map(|writer| {
        let url = url.clone();
        async move {
            // Each has posts of its own and ten that all of them write.
            let mut mine = some(10);
            mine.extend(
                (0..5).map(|n| record(100 + writer * 10 + n, Some("2026-03-01T00:00:00Z"))),
            );
            open(&url).await.append(mine).await
        }
    });
    let appended = futures::future::try_join_all(writers).await.unwrap();
    assert_eq!(appended.iter().map(|a| a.written).sum::<u64>(), 10 + 3 * 5);
    let warehouse = open(&url).await;
    assert_eq!(found(&warehouse, &Filter::All).await.len(), 25);
    assert_eq!(warehouse.coverage().await.unwrap().manifest, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said() {
    let Some(server) = Server::named().await else {
        return;
    };
    for (url, message) in [
        (
            server.url("absent", "posts", &server.bucket),
            "no such dataset",
        ),
        (
            server.url(&server.dataset, "posts", "heurpipe-absent"),
            "no such bucket",
        ),
    ] {
        let error = BigQueryWarehouse::open(&url, Mode::ReadWrite)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}
