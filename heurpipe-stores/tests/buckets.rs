//! Blobs and the warehouse in buckets: Google Cloud Storage's XML API as `scripts/services/gcs` serves it before fake-gcs-server, and S3 as moto serves it.
//!
//! Not to be seen on these: signatures and credentials (neither server checks any), and on moto that an object is created only where there is none.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::TryStreamExt;
use heurpipe_core::{Blobs, ErrorKind, Filter, Platform, Post, PostId, Record};
use heurpipe_stores::blobs::BucketBlobs;
use heurpipe_stores::warehouse::{self, NoHotRows, Warehouse};
use heurpipe_stores::{Mode, blobs, suite};

/// A server of buckets.
struct Server {
    scheme: &'static str,
    url: String,
    bucket: String,
    parameters: &'static str,
}

impl Server {
    /// Nothing, with a printed reason, where the environment names none.
    fn named(scheme: &'static str, variable: &str, parameters: &'static str) -> Option<Self> {
        let Ok(url) = std::env::var(variable) else {
            println!("skipped: {variable} names no server; see scripts/services/services.sh");
            return None;
        };
        let bucket = std::env::var("HEURPIPE_TEST_BUCKET").unwrap();
        Some(Self {
            scheme,
            url,
            bucket,
            parameters,
        })
    }

    fn gcs() -> Option<Self> {
        Self::named("gs", "HEURPIPE_TEST_GCS_URL", "credentials=none")
    }

    fn s3() -> Option<Self> {
        Self::named(
            "s3",
            "HEURPIPE_TEST_S3_URL",
            "credentials=env:HEURPIPE_TEST_S3_CREDENTIALS&region=us-east-1",
        )
    }

    /// A folder that nobody used before.
    fn fresh(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("tests/{}-{number}", std::process::id());
        self.at(&self.bucket, &folder)
    }

    fn at(&self, bucket: &str, folder: &str) -> String {
        let (scheme, url, parameters) = (self.scheme, &self.url, self.parameters);
        format!("{scheme}://{bucket}/{folder}?endpoint={url}&{parameters}")
    }

    async fn blobs_conform(&self) {
        suite::blobs::run(async || Ok(blobs::open(&self.fresh(), Mode::ReadWrite).await?))
            .await
            .unwrap();
    }

    async fn readers_write_nothing(&self) {
        let url = self.fresh();
        let writer = BucketBlobs::open(&url, Mode::ReadWrite).await.unwrap();
        let digest = writer.put(Bytes::from_static(b"a")).await.unwrap();
        let reader = BucketBlobs::open(&url, Mode::ReadOnly).await.unwrap();
        assert_eq!(&*reader.get(&digest).await.unwrap(), b"a");
        for refused in [
            reader.put(Bytes::from_static(b"b")).await.map(|_| ()),
            reader.delete(&digest).await,
        ] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
        }
        assert!(writer.contains(&digest).await.unwrap());
    }

    async fn another_bucket_is_not_there(&self) {
        let url = self.at("heurpipe-absent", "blobs");
        let error = blobs::open(&url, Mode::ReadWrite).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains("no such bucket"), "{error}");
    }

    async fn a_warehouse_keeps_and_replaces_rows(&self) {
        let url = self.fresh();
        let warehouse = warehouse::open(&url, Mode::ReadWrite).await.unwrap();
        let rows: Vec<Record> = (0..50).map(|number| record(number, 1)).collect();
        let appended = warehouse.append(rows.clone()).await.unwrap();
        assert_eq!((appended.manifest, appended.written), (1, 50));
        let again = warehouse.append(rows).await.unwrap();
        assert_eq!((again.manifest, again.unchanged), (1, 50));
        let newer = warehouse.append(vec![record(7, 2)]).await.unwrap();
        assert_eq!((newer.written, newer.superseded), (1, 1));
        assert_eq!(warehouse.remove(&[id(8)]).await.unwrap(), 1);

        let reader = warehouse::open(&url, Mode::ReadOnly).await.unwrap();
        let found: Vec<Vec<Record>> = reader
            .scan(&Filter::All)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let mut found: Vec<(String, u64)> = found
            .concat()
            .iter()
            .map(|record| (record.id().native.to_string(), record.revision))
            .collect();
        found.sort();
        let mut expected: Vec<(String, u64)> = (0..50)
            .filter(|number| *number != 8)
            .map(|number| (number.to_string(), if number == 7 { 2 } else { 1 }))
            .collect();
        expected.sort();
        assert_eq!(found, expected);
        assert_eq!(rows_by_sql(&*reader).await, 49);
        let refused = reader.append(vec![record(99, 1)]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    }
}

async fn rows_by_sql(warehouse: &dyn Warehouse) -> i64 {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    let answer = warehouse
        .sql("SELECT count(*) FROM posts", &NoHotRows)
        .await
        .unwrap();
    let batches: Vec<_> = answer.batches.try_collect().await.unwrap();
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

fn id(number: u32) -> PostId {
    PostId::new(Platform::weibo(), number.to_string())
}

fn record(number: u32, revision: u64) -> Record {
    let day = 1 + number % 3;
    let published = format!("2026-03-{day:02}T12:00:00Z").parse().unwrap();
    let mut post = Post::new(id(number), published);
    post.published_at = Some(published);
    post.text = format!("连衣裙 {number}");
    let mut record = Record::new(post);
    record.revision = revision;
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn fake_gcs_server() {
    let Some(server) = Server::gcs() else { return };
    server.blobs_conform().await;
    server.readers_write_nothing().await;
    server.another_bucket_is_not_there().await;
    server.a_warehouse_keeps_and_replaces_rows().await;
}

/// Eight writers at a time on one warehouse: each of their commits is there once.
#[tokio::test(flavor = "multi_thread")]
async fn fake_gcs_server_lets_one_of_two_commits_win() {
    let Some(server) = Server::gcs() else { return };
    let url = server.fresh();
    let writers = (0..8).map(|writer| {
        let url = url.clone();
        async move {
            let warehouse = warehouse::open(&url, Mode::ReadWrite).await?;
            for number in 0..3 {
                warehouse
                    .append(vec![record(writer * 10 + number, 1)])
                    .await?;
            }
            Ok::<_, heurpipe_core::Error>(())
        }
    });
    futures::future::try_join_all(writers).await.unwrap();
    let warehouse = warehouse::open(&url, Mode::ReadOnly).await.unwrap();
    let coverage = warehouse.coverage().await.unwrap();
    assert_eq!((coverage.manifest, coverage.posts), (24, 24));
}

#[tokio::test(flavor = "multi_thread")]
async fn moto() {
    let Some(server) = Server::s3() else { return };
    server.blobs_conform().await;
    server.readers_write_nothing().await;
    server.another_bucket_is_not_there().await;
    server.a_warehouse_keeps_and_replaces_rows().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_url_is_said_without_secrets() {
    for (url, message) in [
        ("gs://", "the url names no bucket"),
        ("s3:///folder", "the url names no bucket"),
        (
            "gs://user:hunter2@bucket",
            "a password does not belong in a url",
        ),
        (
            "gs://bucket?region=eu",
            "the url has a parameter that is not known",
        ),
        (
            "s3://bucket?token=hunter2",
            "the url has a parameter that is not known",
        ),
        ("s3://bucket?credentials=hunter2", "env:NAME or file:PATH"),
        (
            "gs://bucket?credentials=file:/absent",
            "/absent cannot be read",
        ),
        (
            "s3://bucket?endpoint=nowhere",
            "the endpoint cannot be read",
        ),
    ] {
        let error = blobs::open(url, Mode::ReadWrite).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}: {error}");
        assert!(error.to_string().contains(message), "{url}: {error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "hunter2").unwrap();
    for scheme in ["gs", "s3"] {
        let url = format!("{scheme}://bucket?credentials=file:{}", file.display());
        let error = blobs::open(&url, Mode::ReadWrite).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
}

/// A server that is not there is told in a sentence, and may be there later.
#[tokio::test]
async fn a_server_that_does_not_answer_is_told() {
    let url = "gs://bucket?endpoint=http://127.0.0.1:9&credentials=none";
    let error = blobs::open(url, Mode::ReadWrite).await.err().unwrap();
    assert_eq!(error.retry(), heurpipe_core::Retry::Temporary, "{error:?}");
}
