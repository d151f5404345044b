//! Figures, printed: `cargo test -p heurpipe-stores --test figures -- --ignored --nocapture`. `HEURPIPE_FIGURES` sets how many posts.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Instant;

use heurpipe_core::filter::{Filter, Keyword, Predicate};
use heurpipe_core::{
    Analysed, AnalysisCache, Digest, Documents, FacetRequest, Finding, Fingerprint, InputDigest,
    LedgerEntry, LedgerOutcome, Likeness, PictureHash, Record, Scan, SearchIndex, SearchRequest,
    Sink, Sort, State, Target, TrendRequest,
};
use heurpipe_stores::documents::SqliteDocuments;
use heurpipe_stores::search::TantivyIndex;
use heurpipe_stores::suite::corpus::{Dice, record};
use jiff::{Timestamp, ToSpan};

fn posts() -> Vec<Record> {
    let count = std::env::var("HEURPIPE_FIGURES").map_or(20_000, |n| n.parse().unwrap());
    let begin: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
    let mut dice = Dice::new(5);
    (0..count)
        .map(|number| {
            let mut record = record(&mut dice, number);
            let minutes = dice.below(540 * 24 * 60) as i64;
            record.post.published_at = Some(begin + minutes.minutes());
            record
                .post
                .hashtags
                .push(format!("tag{}", dice.below(5000)));
            record
        })
        .collect()
}

fn a_line() -> LedgerEntry {
    LedgerEntry::new(
        "colour",
        Fingerprint::of(["colour"]),
        Target::Post,
        InputDigest::of(b"input"),
        LedgerOutcome::Done,
        Timestamp::UNIX_EPOCH,
    )
}

fn exact(field: &str, value: &str) -> Filter {
    Filter::Test(Predicate::Keyword {
        field: field.to_owned(),
        any_of: vec![Keyword::Exact(value.to_owned())],
    })
}

fn rate(what: &str, count: usize, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{what}: {:.0}/s ({count} in {seconds:.2} s)",
        count as f64 / seconds
    );
}

/// The median and the 99th percentile of a hundred calls.
async fn latency(what: &str, call: impl AsyncFn() -> u64) {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..100 {
        let begun = Instant::now();
        found = call().await;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{what}: p50 {:.2} ms, p99 {:.2} ms ({found} found)",
        times[49], times[98]
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures and takes a while"]
async fn documents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    let store = SqliteDocuments::open(&path).await.unwrap();
    let mut records = posts();
    let mut dice = Dice::new(6);
    for what in ["inserts", "updates"] {
        let begun = Instant::now();
        for batch in records.chunks_mut(256) {
            let borrowed: Vec<&Record> = batch.iter().collect();
            let outcomes = store.commit(&borrowed).await.unwrap();
            for (record, outcome) in batch.iter_mut().zip(outcomes) {
                record.revision = outcome.unwrap();
                record.states.insert("catalog".to_owned(), State::Delivered);
                if dice.once_in(100) {
                    record.enter(a_line(), Vec::new());
                }
            }
        }
        rate(what, records.len(), begun);
    }
    let ids: Vec<_> = records.iter().map(|r| r.id().clone()).collect();
    let begun = Instant::now();
    for batch in ids.chunks(256) {
        store.load(batch).await.unwrap();
    }
    rate("loads", ids.len(), begun);
    for (what, filter) in [
        ("scan a page of a rare tag", exact("hashtag", "tag17")),
        ("scan a page of a common value", exact("platform", "weibo")),
        (
            "scan a page by exclusion",
            exact("platform", "weibo").negated(),
        ),
    ] {
        latency(what, async || {
            let page = store.scan(&Scan::matching(filter.clone())).await.unwrap();
            page.records.len() as u64
        })
        .await;
    }
    let groups = store.analyses("catalog").await.unwrap();
    println!("analyses: {}", groups.len());
    latency("analyses of a use case", async || {
        store.analyses("catalog").await.unwrap().len() as u64
    })
    .await;
    let smallest = groups.iter().min_by_key(|group| group.records).unwrap();
    let few = Scan::matching(Filter::All)
        .of_use_case("catalog")
        .with_analyses(vec![smallest.analysis.clone()]);
    latency("scan the smallest group", async || {
        let mut scan = few.clone();
        let mut found = 0;
        loop {
            let page = store.scan(&scan).await.unwrap();
            found += page.records.len() as u64;
            if page.next.is_none() {
                return found;
            }
            scan = scan.after(page.next);
        }
    })
    .await;
    let analyses: Vec<_> = (0..ids.len())
        .map(|number| {
            let finding = Finding::label("colour", "red").confidence(0.5);
            (Digest::of(&number.to_le_bytes()), vec![finding])
        })
        .collect();
    let begun = Instant::now();
    for batch in analyses.chunks(64) {
        store.remember(batch).await.unwrap();
    }
    rate("analyses remembered", analyses.len(), begun);
    let keys: Vec<Digest> = analyses.iter().map(|(key, _)| *key).collect();
    let begun = Instant::now();
    for batch in keys.chunks(64) {
        store.recall(batch).await.unwrap();
    }
    rate("analyses recalled", keys.len(), begun);
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("bytes a record: {}", bytes / records.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures and takes a while"]
async fn likenesses() {
    const PICTURES: u64 = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    let store = SqliteDocuments::open(&path).await.unwrap();
    // All of one group: the worst case.
    let analysed = |number: u64| {
        let picture = Digest::of(&number.to_le_bytes());
        let mut hash = [0; 8];
        hash.copy_from_slice(&picture.as_bytes()[..8]);
        Analysed {
            key: picture,
            picture,
            likeness: Likeness {
                group: Digest::of(b"group"),
                hash: PictureHash(u64::from_le_bytes(hash)),
            },
        }
    };
    let all: Vec<Analysed> = (0..PICTURES).map(analysed).collect();
    let finding = vec![Finding::label("colour", "red").confidence(0.5)];
    for batch in all.chunks(64) {
        let found: Vec<_> = batch.iter().map(|a| (a.key, finding.clone())).collect();
        store.remember(&found).await.unwrap();
    }
    let begun = Instant::now();
    for batch in all.chunks(64) {
        store.remember_near(batch).await.unwrap();
    }
    rate("likenesses remembered", all.len(), begun);
    for within in [2, 4, 8] {
        let asked: Vec<Likeness> = (PICTURES..PICTURES + 1_000)
            .map(|number| analysed(number).likeness)
            .collect();
        let begun = Instant::now();
        for batch in asked.chunks(64) {
            store.recall_near(batch, within).await.unwrap();
        }
        rate(&format!("looked for within {within}"), asked.len(), begun);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures and takes a while"]
async fn search() {
    let folder = tempfile::tempdir().unwrap();
    let index = TantivyIndex::open(folder.path()).await.unwrap();
    let records: Vec<Arc<Record>> = posts().into_iter().map(Arc::new).collect();
    let begun = Instant::now();
    for batch in records.chunks(256) {
        index.write(batch).await.unwrap();
    }
    index.flush().await.unwrap();
    rate("indexed", records.len(), begun);
    let filters = [
        ("everything", Filter::All),
        ("a rare tag", exact("hashtag", "tag17")),
        ("a brand", exact("brand", "miu miu")),
        ("not a brand", exact("brand", "miu miu").negated()),
        (
            "a phrase",
            Filter::Test(Predicate::Text {
                terms: vec!["summer".to_owned(), "look".to_owned()],
            }),
        ),
    ];
    for (what, filter) in filters {
        for sort in [Sort::Newest, Sort::MostLiked] {
            let request = SearchRequest::new(filter.clone()).sort(sort);
            latency(&format!("search {what}, {sort:?}"), async || {
                index.search(&request).await.unwrap().total.value
            })
            .await;
        }
        let request = FacetRequest {
            filter: filter.clone(),
            fields: ["brand", "colour", "country", "hashtag"]
                .map(str::to_owned)
                .to_vec(),
            limit: 20,
        };
        latency(&format!("facets of {what}"), async || {
            index.facets(&request).await.unwrap()["brand"].len() as u64
        })
        .await;
        let mut request = TrendRequest::new("brand");
        request.filter = filter;
        latency(&format!("trends of {what}"), async || {
            index.trends(&request).await.unwrap().len() as u64
        })
        .await;
    }
}
