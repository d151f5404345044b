//! Connections that end in the middle of batches, fall silent or are slow: what was acknowledged is there, nothing is lost, nothing is done twice.

use std::collections::BTreeMap;
use std::time::Duration;

use heurpipe_core::{Documents, ErrorKind, Filter, PostId, Record, Retry, Scan, Stored};
use heurpipe_stores::Mode;
use heurpipe_stores::documents::MongoDocuments;
use heurpipe_stores::suite::proxy::{Proxy, Trouble};

use super::server::{Server, id, record};

const WRITERS: usize = 4;
const ROUNDS: usize = 6;
const RECORDS: usize = 60;

/// What is tried again until it succeeds: whatever may succeed later.
async fn insist<T, F: Future<Output = heurpipe_core::Result<T>>>(call: impl Fn() -> F) -> T {
    for _ in 0..200 {
        match call().await {
            Ok(value) => return value,
            Err(error) => assert_eq!(error.retry(), Retry::Temporary, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server does not come back");
}

/// Puts its mark on every record once a round, whatever the connection does, and tells which revisions were acknowledged.
async fn write(store: MongoDocuments, writer: usize) -> Vec<(PostId, u64)> {
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let mark = format!("{writer}-{round}");
        let mut open: Vec<PostId> = (0..RECORDS).map(|n| id(&format!("{n:03}"))).collect();
        open.rotate_left(writer * 17);
        while !open.is_empty() {
            let stored = insist(|| store.load(&open)).await;
            let mut records: Vec<Record> = Vec::new();
            for (post, stored) in open.iter().zip(stored) {
                let mut record = match stored {
                    Stored::Known(record) => *record,
                    Stored::Unknown => record(&post.native),
                    other => panic!("{post}: {other:?}"),
                };
                // An attempt of which nothing was heard may have been carried out.
                if !record.post.hashtags.contains(&mark) {
                    record.post.hashtags.push(mark.clone());
                    records.push(record);
                }
            }
            open = records.iter().map(|record| record.id().clone()).collect();
            let borrowed: Vec<&Record> = records.iter().collect();
            let Ok(outcomes) = store.commit(&borrowed).await else {
                continue;
            };
            for (record, outcome) in records.iter().zip(outcomes) {
                match outcome {
                    Ok(revision) => acknowledged.push((record.id().clone(), revision)),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                }
            }
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_lose_and_double_nothing() {
    let Some(server) = Server::named().await else {
        return;
    };
    // A batch has about 80,000 bytes.
    let proxy = written_through(&server, Trouble::new(7).cut_after(2_000..402_000)).await;
    assert!(proxy.cuts() > 10, "only {} cut", proxy.cuts());
    server.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_and_silent_network_loses_and_doubles_nothing() {
    let Some(server) = Server::named().await else {
        return;
    };
    let trouble = Trouble::new(8)
        .late(5, ms(20)..ms(400))
        .cut_after(100_000..1_500_000)
        .silent_for(ms(500)..ms(3_000));
    let proxy = written_through(&server, trouble).await;
    let (late, cuts) = (proxy.late(), proxy.cuts());
    println!("{late} pieces of answers came late, {cuts} connections fell silent");
    assert!(late > 10 && cuts > 2, "{late} late, {cuts} cut");
    server.clear().await;
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Several writers through a network in trouble; what is there in the end is looked at without it.
async fn written_through(server: &Server, trouble: Trouble) -> Proxy {
    let (name, direct) = server.fresh().await;
    let proxy = Proxy::before(server.host(), trouble).await.unwrap();
    let url = format!(
        "mongodb://{}/{name}?directConnection=true&serverSelectionTimeoutMS=5000",
        proxy.address()
    );
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let store = insist(|| MongoDocuments::open(&url, Mode::ReadWrite)).await;
        writers.push(tokio::spawn(write(store, writer)));
    }
    let mut acknowledged: BTreeMap<PostId, Vec<u64>> = BTreeMap::new();
    for writer in writers {
        for (post, revision) in writer.await.unwrap() {
            acknowledged.entry(post).or_default().push(revision);
        }
    }

    let page = direct.scan(&Scan::matching(Filter::All)).await.unwrap();
    assert_eq!(page.records.len(), RECORDS);
    let mut marks: Vec<String> = (0..WRITERS)
        .flat_map(|writer| (0..ROUNDS).map(move |round| format!("{writer}-{round}")))
        .collect();
    marks.sort();
    let mut unheard = 0;
    for record in &page.records {
        let mut found = record.post.hashtags.clone();
        found.sort();
        assert_eq!(found, marks, "each mark once: {}", record.id());
        assert_eq!(record.revision, marks.len() as u64, "a revision a mark");
        let heard = acknowledged.get_mut(record.id()).unwrap();
        heard.sort_unstable();
        assert!(heard.windows(2).all(|two| two[0] < two[1]), "each once");
        assert!(heard.iter().all(|revision| *revision <= record.revision));
        unheard += marks.len() - heard.len();
    }
    println!(
        "{} revisions on {RECORDS} records by {WRITERS} writers, {} connections cut: 0 lost, 0 doubled, {unheard} whose acknowledgement was cut off",
        RECORDS * marks.len(),
        proxy.cuts()
    );
    proxy
}
