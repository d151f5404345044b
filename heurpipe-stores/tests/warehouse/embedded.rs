use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use heurpipe_core::ErrorKind;
use heurpipe_stores::Mode;
use heurpipe_stores::suite::warehouse::{InMemoryPlace, PlaceByUrl};
use heurpipe_stores::suite::{self, Backend};
use heurpipe_stores::warehouse::{Coverage, DocumentRows, open};

use super::fixture::record;

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
