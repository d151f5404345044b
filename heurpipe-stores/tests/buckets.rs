//! Blobs and the warehouse in buckets: Google Cloud Storage's XML API as `scripts/services/gcs` serves it before fake-gcs-server, and S3 as moto serves it.
//!
//! Not to be seen on these: signatures and credentials (neither server checks any), and on moto that an object is created only where there is none.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use heurpipe_core::{Blobs, Digest, ErrorKind, Filter, Platform, Post, PostId, Record, Retry};
use heurpipe_stores::blobs::BucketBlobs;
use heurpipe_stores::suite::proxy::{Proxy, Trouble};
use heurpipe_stores::suite::warehouse::{InMemoryPlace, PlaceByUrl};
use heurpipe_stores::suite::{self, Backend};
use heurpipe_stores::{Mode, blobs, warehouse};

const GCS: Backend = Backend {
    name: "fake-gcs-server",
    lacks: &[],
};

/// Why moto cannot show that of two writers one wins.
const OVERWRITES: &str = "moto creates an object also where one is";

const MOTO: Backend = Backend {
    name: "moto",
    lacks: &[
        ("writers_at_once_lose_nothing", OVERWRITES),
        ("of_writers_of_one_post_the_newest_stays", OVERWRITES),
        ("removing_and_writing_at_once_lose_nothing", OVERWRITES),
    ],
};

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

    async fn blobs_conform(&self, backend: Backend) {
        let findings = suite::blobs::run(backend, async || {
            Ok(blobs::open(&self.fresh(), Mode::ReadWrite).await?)
        })
        .await
        .unwrap();
        print!("{}", suite::table(&[findings]));
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

    /// The suite of the warehouse, beside that in memory.
    async fn warehouse_conforms(&self, backend: Backend) {
        let memory = suite::warehouse::run(Backend::named("memory"), async || {
            Ok(Arc::new(InMemoryPlace::default()) as _)
        })
        .await
        .unwrap();
        let there = suite::warehouse::run(backend, async || {
            Ok(Arc::new(PlaceByUrl::new(self.fresh())) as _)
        })
        .await
        .unwrap();
        print!("{}", suite::table(&[memory, there]));
    }
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
    server.blobs_conform(GCS).await;
    server.readers_write_nothing().await;
    server.another_bucket_is_not_there().await;
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

/// Through a network that is slow, falls silent and ends connections: what was acknowledged is there, once.
#[tokio::test(flavor = "multi_thread")]
async fn fake_gcs_server_by_a_slow_network() {
    let Some(server) = Server::gcs() else { return };
    let ms = Duration::from_millis;
    let trouble = Trouble::new(11)
        .late(6, ms(20)..ms(400))
        .cut_after(3_000..40_000)
        .silent_for(ms(200)..ms(1_500));
    let address = server
        .url
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let proxy = Proxy::before(address, trouble).await.unwrap();
    let direct = server.fresh();
    let slow = direct.replace(&server.url, &format!("http://{}", proxy.address()));
    assert_ne!(slow, direct);
    let writers = (0..2).map(|writer| {
        let url = slow.clone();
        async move {
            let warehouse = insist(|| warehouse::open(&url, Mode::ReadWrite)).await;
            let blobs = insist(|| blobs::open(&url, Mode::ReadWrite)).await;
            for number in 0..8 {
                let batch: Vec<Record> = (0..5)
                    .map(|n| record(writer * 1_000 + number * 10 + n, 1))
                    .collect();
                insist(|| warehouse.append(batch.clone())).await;
                let picture = Bytes::from(vec![(writer * 8 + number) as u8; 3_000]);
                insist(|| blobs.put(picture.clone())).await;
            }
        }
    });
    futures::future::join_all(writers).await;
    let (late, cuts) = (proxy.late(), proxy.cuts());
    println!("{late} pieces of answers came late, {cuts} connections fell silent and ended");
    let warehouse = warehouse::open(&direct, Mode::ReadOnly).await.unwrap();
    let coverage = warehouse.coverage().await.unwrap();
    let pages: Vec<Vec<Record>> = warehouse
        .scan(&Filter::All)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let mut ids: Vec<String> = pages.concat().iter().map(|r| r.id().to_string()).collect();
    ids.sort();
    ids.dedup();
    println!("80 records acknowledged: {} there", ids.len());
    assert_eq!(
        (ids.len(), pages.concat().len(), coverage.posts),
        (80, 80, 80)
    );
    let blobs = blobs::open(&direct, Mode::ReadOnly).await.unwrap();
    for number in 0..16 {
        let picture = vec![number; 3_000];
        let found = blobs.get(&Digest::of(&picture)).await.unwrap();
        assert_eq!(&*found, &*picture);
    }
    assert!(late > 10 && cuts > 2, "{late} late, {cuts} cut");
}

/// What is tried again until it succeeds: whatever may succeed later.
async fn insist<T, F: Future<Output = heurpipe_core::Result<T>>>(call: impl Fn() -> F) -> T {
    for _ in 0..100 {
        match call().await {
            Ok(value) => return value,
            Err(error) => assert_eq!(error.retry(), Retry::Temporary, "{error:?}"),
        }
    }
    panic!("the server does not come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn fake_gcs_server_warehouse() {
    let Some(server) = Server::gcs() else { return };
    server.warehouse_conforms(GCS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_warehouse() {
    let Some(server) = Server::s3() else { return };
    server.warehouse_conforms(MOTO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moto() {
    let Some(server) = Server::s3() else { return };
    server.blobs_conform(Backend::named(MOTO.name)).await;
    server.readers_write_nothing().await;
    server.another_bucket_is_not_there().await;
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
    assert_eq!(error.retry(), Retry::Temporary, "{error:?}");
}
