//! Real servers in trouble: killed in the middle of bulks, and with no room for what is sent. Nothing is lost, nothing doubled.
//!
//! These tests restart the servers that `scripts/services/services.sh` started, one test at a time. They run where the environment has that script's
//! `HEURPIPE_TEST_SERVICES`, and wipe what the servers hold.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use heurpipe_core::{Platform, Post, PostId, Record, Retry, SearchIndex, SearchRequest, Sink};
use heurpipe_stores::Mode;
use heurpipe_stores::search::ElasticsearchIndex;
use heurpipe_stores::suite::proxy::{Proxy, Trouble};
use heurpipe_stores::suite::service::Service;
use jiff::Timestamp;
use serde_json::Value;

/// A server, and how it is told to have one thread and one place in the queue for writes.
struct Server {
    service: Service,
    url: String,
    narrow: (&'static str, &'static str),
}

const ELASTICSEARCH: (&str, &str) = (
    "HEURPIPE_ES_EXTRA_YML",
    "thread_pool.write.size: 1\nthread_pool.write.queue_size: 1",
);
const OPENSEARCH: (&str, &str) = (
    "HEURPIPE_OPENSEARCH_EXTRA",
    "thread_pool.write.size=1 thread_pool.write.queue_size=1",
);

/// One at a time: the tests restart what they test on.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Server {
    fn named(
        service: &'static str,
        variable: &str,
        narrow: (&'static str, &'static str),
    ) -> Option<Self> {
        let Ok(url) = std::env::var(variable) else {
            println!("skipped: {variable} is not set; see scripts/services/services.sh");
            return None;
        };
        Some(Self {
            service: Service::named(service)?,
            url,
            narrow,
        })
    }

    async fn open(&self, name: &str) -> Arc<ElasticsearchIndex> {
        let index = ElasticsearchIndex::open(&format!("{}/{name}", self.url), Mode::ReadWrite)
            .await
            .unwrap();
        println!("on {}", index.product());
        Arc::new(index)
    }
}

const WRITERS: u64 = 8;
const BATCHES: u64 = 12;
const RECORDS: u64 = 40;

/// Records of four months, so that each batch goes to four shards.
fn batch(writer: u64, number: u64) -> Vec<Arc<Record>> {
    let record = |n: u64| {
        let id = PostId::new(Platform::instagram(), format!("{writer}.{number}.{n}"));
        let mut record = Record::new(Post::new(id, Timestamp::UNIX_EPOCH));
        record.post.published_at = Some(
            format!("2026-{:02}-05T00:00:00Z", n % 4 + 1)
                .parse()
                .unwrap(),
        );
        record.revision = 1;
        Arc::new(record)
    };
    (0..RECORDS).map(record).collect()
}

/// Writes a batch as a pipeline does: what fails for the moment once more, until it is written.
async fn deliver(index: &ElasticsearchIndex, mut records: Vec<Arc<Record>>) {
    while !records.is_empty() {
        match index.write(&records).await {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                records.retain(|_| match outcomes.next().unwrap() {
                    Ok(()) => false,
                    Err(error) => {
                        assert_eq!(error.retry(), Retry::Temporary, "{error}");
                        true
                    }
                });
            }
            Err(error) => {
                assert_eq!(error.retry(), Retry::Temporary, "{error}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    while let Err(error) = index.flush().await {
        assert_eq!(error.retry(), Retry::Temporary, "{error}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// All writers deliver all of their batches; `delivered` counts these.
async fn deliver_all(index: &Arc<ElasticsearchIndex>, delivered: &Arc<AtomicU64>) {
    let writers = (0..WRITERS).map(|writer| {
        let (index, delivered) = (Arc::clone(index), Arc::clone(delivered));
        tokio::spawn(async move {
            for number in 0..BATCHES {
                deliver(&index, batch(writer, number)).await;
                delivered.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    futures::future::try_join_all(writers).await.unwrap();
}

/// Everything that was delivered is there, once.
async fn all_are_there(index: &ElasticsearchIndex) {
    let page = index
        .search(&SearchRequest::default().limit(usize::MAX))
        .await
        .unwrap();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for record in &page.items {
        *seen.entry(record.id().to_string()).or_default() += 1;
    }
    let expected = WRITERS * BATCHES * RECORDS;
    let doubled = seen.values().filter(|count| **count > 1).count();
    println!(
        "{expected} delivered, {} lost, {doubled} doubled",
        expected - seen.len() as u64
    );
    assert_eq!(
        (seen.len() as u64, page.total.value, doubled),
        (expected, expected, 0)
    );
}

async fn a_server_that_is_killed_loses_nothing(server: Server) {
    let index = server.open("faults-killed").await;
    let delivered = Arc::new(AtomicU64::new(0));
    let running = {
        let (index, delivered) = (Arc::clone(&index), Arc::clone(&delivered));
        tokio::spawn(async move { deliver_all(&index, &delivered).await })
    };
    while delivered.load(Ordering::Relaxed) < WRITERS * BATCHES / 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = delivered.load(Ordering::Relaxed);
    assert!(
        before < WRITERS * BATCHES,
        "there is work left when the server is killed"
    );
    let script = tokio::task::spawn_blocking(move || server.service.run("crash", &[]).unwrap());
    running.await.unwrap();
    script.await.unwrap();
    println!("killed after {before} of {} batches", WRITERS * BATCHES);
    all_are_there(&index).await;
}

async fn a_server_without_room_takes_everything_in_the_end(server: Server) {
    server.service.restart(&[server.narrow]).unwrap();
    let index = server.open("faults-narrow").await;
    deliver_all(&index, &Arc::default()).await;
    all_are_there(&index).await;
    let stats = reqwest::get(format!("{}/_nodes/stats/thread_pool", server.url))
        .await
        .unwrap();
    let stats: Value = stats.json().await.unwrap();
    let rejected = stats["nodes"]
        .as_object()
        .unwrap()
        .values()
        .map(|node| node["thread_pool"]["write"]["rejected"].as_u64().unwrap());
    let rejected: u64 = rejected.sum();
    println!("{rejected} writes were rejected by the server");
    server.service.restart(&[]).unwrap();
    assert!(rejected > 0, "the server had room for everything");
}

/// The server itself is left alone: only the way to it is slow, and falls silent at times.
async fn a_slow_network_loses_nothing(server: Server) {
    let ms = Duration::from_millis;
    let trouble = Trouble::new(9)
        .late(5, ms(20)..ms(400))
        .cut_after(30_000..600_000)
        .silent_for(ms(500)..ms(3_000));
    let address = server
        .url
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let proxy = Proxy::before(address, trouble).await.unwrap();
    let name = format!("faults-slow-{}", std::process::id());
    // Looked at without the proxy, before and afterwards.
    let direct = server.open(&name).await;
    let there = format!("http://{}/{name}", proxy.address());
    let index = loop {
        match ElasticsearchIndex::open(&there, Mode::ReadWrite).await {
            Ok(index) => break Arc::new(index),
            Err(error) => assert_eq!(error.retry(), Retry::Temporary, "{error}"),
        }
    };
    deliver_all(&index, &Arc::default()).await;
    let (late, cuts) = (proxy.late(), proxy.cuts());
    println!("{late} pieces of answers came late, {cuts} connections fell silent");
    all_are_there(&direct).await;
    assert!(late > 10 && cuts > 2, "{late} late, {cuts} cut");
}

macro_rules! on_server {
    ($module:ident, $service:literal, $variable:literal, $narrow:expr) => {
        mod $module {
            #[tokio::test(flavor = "multi_thread")]
            async fn a_server_that_is_killed_loses_nothing() {
                let _alone = super::ALONE.lock().await;
                if let Some(server) = super::Server::named($service, $variable, $narrow) {
                    super::a_server_that_is_killed_loses_nothing(server).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn a_slow_network_loses_nothing() {
                let _alone = super::ALONE.lock().await;
                if let Some(server) = super::Server::named($service, $variable, $narrow) {
                    super::a_slow_network_loses_nothing(server).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn a_server_without_room_takes_everything_in_the_end() {
                let _alone = super::ALONE.lock().await;
                if let Some(server) = super::Server::named($service, $variable, $narrow) {
                    super::a_server_without_room_takes_everything_in_the_end(server).await;
                }
            }
        }
    };
}

on_server!(
    elasticsearch,
    "es",
    "HEURPIPE_TEST_ES_URL",
    super::ELASTICSEARCH
);
on_server!(
    opensearch,
    "opensearch",
    "HEURPIPE_TEST_OPENSEARCH_URL",
    super::OPENSEARCH
);
