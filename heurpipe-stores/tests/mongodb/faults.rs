//! Connections that end in the middle of batches: what was acknowledged is there, nothing is lost, nothing is done twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use heurpipe_core::{Documents, ErrorKind, Filter, PostId, Record, Retry, Scan, Stored};
use heurpipe_stores::Mode;
use heurpipe_stores::documents::MongoDocuments;
use heurpipe_stores::suite::corpus::Dice;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::server::{Server, id, record};

const WRITERS: usize = 4;
const ROUNDS: usize = 6;
const RECORDS: usize = 60;

/// Between a client and a server: lets so many bytes pass on each connection, and then ends it wherever it is.
struct Proxy {
    port: u16,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    async fn before(server: String, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cuts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&cuts);
        tokio::spawn(async move {
            let mut dice = Dice::new(seed);
            while let Ok((client, _)) = listener.accept().await {
                // A batch has about 80,000.
                let allowance = 2_000 + dice.below(400_000) as usize;
                let (server, cuts) = (server.clone(), Arc::clone(&counted));
                tokio::spawn(async move {
                    if pass(client, &server, allowance).await {
                        cuts.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        Self { port, cuts }
    }
}

/// Whether the connection was cut, and did not end by itself.
async fn pass(mut client: TcpStream, server: &str, mut allowance: usize) -> bool {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return false;
    };
    let (mut asked, mut answered) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        let (bytes, to) = tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(count) if count > 0 => (&asked[..count], &mut server),
                _ => return false,
            },
            read = server.read(&mut answered) => match read {
                Ok(count) if count > 0 => (&answered[..count], &mut client),
                _ => return false,
            },
        };
        let passing = bytes.len().min(allowance);
        if to.write_all(&bytes[..passing]).await.is_err() {
            return false;
        }
        allowance -= passing;
        if allowance == 0 {
            return true;
        }
    }
}

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
    let (name, direct) = server.fresh().await;
    let proxy = Proxy::before(server.host().to_owned(), 7).await;
    let url = format!(
        "mongodb://127.0.0.1:{}/{name}?directConnection=true&serverSelectionTimeoutMS=5000",
        proxy.port
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
    let cuts = proxy.cuts.load(Ordering::Relaxed);
    println!(
        "{} revisions on {RECORDS} records by {WRITERS} writers, {cuts} connections cut: 0 lost, 0 doubled, {unheard} whose acknowledgement was cut off",
        RECORDS * marks.len()
    );
    assert!(cuts > 10, "only {cuts} connections were cut");
    server.clear().await;
}
