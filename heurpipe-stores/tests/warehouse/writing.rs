use heurpipe_core::{ErrorKind, Filter};
use heurpipe_stores::Mode;
use heurpipe_stores::warehouse::{ParquetWarehouse, Warehouse};

use super::fixture::{by_id, found, id, newer_revisions_supersede, number, record, some};
use super::folder::{in_folder, segments};

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
    assert_eq!(found(&again, &Filter::All).await, by_id(given.clone()));
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
    newer_revisions_supersede(&warehouse).await;
}

#[tokio::test]
async fn removed_posts_are_gone_from_every_answer_and_may_come_back() {
    let warehouse = ParquetWarehouse::in_memory();
    let given = some(20);
    warehouse.append(given.clone()).await.unwrap();
    assert_eq!(warehouse.remove(&[id(3), id(4), id(999)]).await.unwrap(), 2);
    assert_eq!(warehouse.remove(&[id(3)]).await.unwrap(), 0);
    assert_eq!(found(&warehouse, &Filter::All).await.len(), 18);
    let query = "SELECT count(*) FROM posts WHERE native_id IN ('3', '4')";
    assert_eq!(number(&warehouse, query, &[]).await, 0);

    // The same revision in the same place: the deletion vector must not hide the new row.
    warehouse.append(given[2..4].to_vec()).await.unwrap();
    assert_eq!(number(&warehouse, query, &[]).await, 2);
    assert_eq!(found(&warehouse, &Filter::All).await, by_id(given));
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
    assert_eq!(found(&warehouse, &Filter::All).await.len(), 30);
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
    assert_eq!(found(&warehouse, &Filter::All).await.len(), 10);
    assert_eq!(
        number(&warehouse, "SELECT count(*) FROM posts", &[]).await,
        10
    );

    warehouse
        .append((11..=20).map(|n| record(n, None)).collect())
        .await
        .unwrap();
    assert_eq!(found(&warehouse, &Filter::All).await.len(), 20);
    assert_eq!(segments(folder.path()), files);
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
