//! What the executor promises: every item settles once, nothing is lost when a run is killed, nothing is done twice.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use heurpipe_core::gate::{ReviewGate, uncertain};
use heurpipe_core::testkit::{Collect, Posts, canonical};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

fn post(number: usize, text: &str) -> Post {
    let id = PostId::new(Platform::new("test"), format!("{number:06}"));
    let mut post = Post::new(id, jiff::Timestamp::UNIX_EPOCH);
    post.text = text.to_owned();
    post
}

fn posts(count: usize) -> Vec<Post> {
    (0..count)
        .map(|n| post(n, &format!("post {n} dress")))
        .collect()
}

/// An enricher that counts how often it is asked.
fn counting(name: &str, version: &str, calls: &Arc<AtomicUsize>) -> impl Enricher + use<> {
    let calls = Arc::clone(calls);
    let given = name.to_owned();
    EnricherFn::new(
        EnricherSpec::new(name, version).gives([name]),
        move |item| {
            calls.fetch_add(1, SeqCst);
            let parity = item.post().text.len() % 2;
            Ok(vec![Finding::label(given.clone(), format!("p{parity}"))])
        },
    )
}

async fn all_records(documents: &dyn Documents) -> BTreeMap<String, String> {
    let scan = Scan::matching(Filter::All).limit(100_000);
    let page = documents.scan(&scan).await.unwrap();
    let entry = |r: &Record| (r.id().to_string(), canonical(r));
    page.records.iter().map(entry).collect()
}

/// The pipeline over what documents hold for it, or over so many new posts.
fn over(
    builder: PipelineBuilder,
    documents: &Arc<MemoryDocuments>,
    name: &str,
    stored: bool,
    count: usize,
) -> Pipeline {
    let builder = match stored {
        true => builder.source(StoredRecords::of_use_case(
            documents.clone(),
            name,
            Filter::All,
        )),
        false => builder.source(Posts::new(posts(count))),
    };
    builder.build().unwrap()
}

fn accounted(report: &RunReport) {
    assert_eq!(report.posts.read, report.posts.settled(), "{report:?}");
}

#[tokio::test]
async fn every_outcome_is_counted_and_kept() {
    let documents = Arc::new(MemoryDocuments::new());
    let sink = Collect::new("out");
    let given: Vec<Post> = vec![
        post(1, "sure dress"),
        post(2, "unsure dress"),
        post(3, "poison"),
        post(4, "nothing of interest"),
    ];
    let garment = EnricherFn::new(
        EnricherSpec::new("garment", "1")
            .gives(["garment"])
            .threshold(0.5),
        |item| {
            let text = &item.post().text;
            if text.contains("poison") {
                return Err(Error::new(ErrorKind::Corrupt, "test.garment").message("cannot look"));
            }
            if !text.contains("dress") {
                return Ok(vec![]);
            }
            let confidence = if text.contains("unsure") { 0.45 } else { 0.95 };
            Ok(vec![
                Finding::label("garment", "dress").confidence(confidence),
            ])
        },
    );
    let report = Pipeline::builder("catalog")
        .documents(documents.clone())
        .review(documents.clone())
        .source(Posts::new(given))
        .enrich(garment)
        .gate(ReviewGate::policy(["garment"], uncertain(0.1)))
        .sink(sink.clone().only("garment:dress".parse().unwrap()))
        .build()
        .unwrap()
        .run(RunOptions::default())
        .await
        .unwrap();
    accounted(&report);
    assert_eq!(report.status, RunStatus::Done);
    let counts = report.posts;
    assert_eq!(
        (
            counts.read,
            counts.delivered,
            counts.filtered,
            counts.held,
            counts.dead_lettered
        ),
        (4, 1, 1, 1, 1)
    );
    assert_eq!(sink.records().len(), 1);
    let letters = documents
        .dead_letters(&DeadLetterScan::of_use_case("catalog"))
        .await
        .unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].stage, "garment");
    assert!(
        letters[0].chain[0].contains("cannot look"),
        "{:?}",
        letters[0].chain
    );
    let tasks = documents.open(Some("catalog"), 10).await.unwrap();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].post.to_string(), "test:000002");
}

/// Fails whole batches that hold a poison item, as a model on a bad tensor would.
struct Fragile(EnricherSpec);

#[async_trait]
impl Enricher for Fragile {
    fn spec(&self) -> &EnricherSpec {
        &self.0
    }

    async fn enrich(&self, batch: &Batch) -> Result<Enriched> {
        if batch.items.iter().any(|i| i.post().text == "poison") {
            return Err(Error::new(ErrorKind::Corrupt, "test.fragile"));
        }
        let found = |_: &Item| Ok(vec![Finding::label("seen", "yes")]);
        let outcomes = batch.items.iter().map(found).collect();
        Ok(Enriched::new(self.0.fingerprint.clone(), outcomes))
    }
}

#[tokio::test]
async fn a_poison_post_fails_alone() {
    let documents = Arc::new(MemoryDocuments::new());
    let sink = Collect::new("out");
    let mut given = posts(100);
    given[37].text = "poison".to_owned();
    let report = Pipeline::builder("fragile")
        .documents(documents.clone())
        .source(Posts::new(given))
        .enrich(Fragile(EnricherSpec::new("fragile", "1").gives(["seen"])))
        .sink(sink.clone())
        .build()
        .unwrap()
        .run(RunOptions::default())
        .await
        .unwrap();
    accounted(&report);
    assert_eq!(
        (report.posts.delivered, report.posts.dead_lettered),
        (99, 1)
    );
    let letters = documents
        .dead_letters(&DeadLetterScan::all())
        .await
        .unwrap();
    assert_eq!(letters[0].post.to_string(), "test:000037");
}

#[tokio::test]
async fn a_second_run_does_nothing_again() {
    let documents = Arc::new(MemoryDocuments::new());
    let calls = Arc::new(AtomicUsize::new(0));
    let pipeline = |source: Posts| {
        Pipeline::builder("again")
            .documents(documents.clone())
            .source(source)
            .enrich(counting("parity", "1", &calls))
            .sink(Collect::new("out"))
            .build()
            .unwrap()
    };
    let first = pipeline(Posts::new(posts(500)))
        .run(RunOptions::default())
        .await
        .unwrap();
    assert_eq!(first.posts.delivered, 500);
    // The stored checkpoint says that the source was read to its end.
    let second = pipeline(Posts::new(posts(500)))
        .run(RunOptions::default())
        .await
        .unwrap();
    assert_eq!(second.posts.read, 0);
    // New posts are read from there on.
    let third = pipeline(Posts::new(posts(510)))
        .run(RunOptions::default())
        .await
        .unwrap();
    assert_eq!((third.posts.read, third.posts.delivered), (10, 10));
    assert_eq!(calls.load(SeqCst), 510);
}

/// A source of one partition per list, without a memory of its own.
#[tokio::test]
async fn one_post_from_two_calls_becomes_one_record() {
    for order in [[0, 1], [1, 0]] {
        let documents = Arc::new(MemoryDocuments::new());
        let sink = Collect::new("out");
        let nameless = post(7, "a dress");
        let mut signed = post(7, "a dress");
        let mut author = Author::unknown();
        author.handle = Some("maison".to_owned());
        signed.author = Some(author);
        let views = [nameless, signed];
        let given = order.map(|n: usize| views[n].clone()).to_vec();
        let report = Pipeline::builder("merge")
            .documents(documents.clone())
            .source(Posts::new(given).page(1))
            .sink(sink.clone())
            .build()
            .unwrap()
            .run(RunOptions::default())
            .await
            .unwrap();
        accounted(&report);
        assert_eq!(
            (report.posts.delivered, report.posts.filtered),
            (1, 1),
            "{order:?}"
        );
        let records = sink.records();
        assert_eq!(records.len(), 1);
        let author = records[0].post.author.as_ref().unwrap();
        assert_eq!(author.handle.as_deref(), Some("maison"), "{order:?}");
        assert_eq!(all_records(documents.as_ref()).await.len(), 1);
    }
}

/// A sink that becomes durable at flush: what was written and not flushed is lost when the run is killed.
#[derive(Clone)]
struct Volatile {
    spec: SinkSpec,
    written: Arc<std::sync::Mutex<Vec<Arc<Record>>>>,
    durable: Collect,
}

impl Volatile {
    fn new() -> Self {
        Self {
            spec: SinkSpec::new("volatile").durable_at_flush(),
            written: Arc::default(),
            durable: Collect::new("durable"),
        }
    }

    fn crash(&self) {
        self.written.lock().unwrap().clear();
    }
}

#[async_trait]
impl Sink for Volatile {
    fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    async fn write(&self, records: &[Arc<Record>]) -> Result<Vec<ItemResult<()>>> {
        self.written.lock().unwrap().extend_from_slice(records);
        Ok(records.iter().map(|_| Ok(())).collect())
    }

    async fn flush(&self) -> Result<()> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let written = std::mem::take(&mut *self.written.lock().unwrap());
        self.durable.write(&written).await?;
        Ok(())
    }
}

fn crashing_pipeline(
    documents: &Arc<MemoryDocuments>,
    sink: &Volatile,
    calls: &Arc<AtomicUsize>,
) -> Pipeline {
    let slow = EnricherFn::new(
        EnricherSpec::new("length", "1")
            .needs(["parity"])
            .gives(["length"]),
        |item| {
            Ok(vec![Finding::label(
                "length",
                item.post().text.len().to_string(),
            )])
        },
    );
    Pipeline::builder("crash")
        .documents(documents.clone())
        .source(Posts::new(posts(600)).page(20))
        .enrich(slow)
        .enrich(counting("parity", "1", calls))
        .sink(sink.clone().only("parity:p0".parse().unwrap()))
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_killed_anywhere_ends_as_an_unbroken_one() {
    let calls = Arc::new(AtomicUsize::new(0));
    let unbroken = Arc::new(MemoryDocuments::new());
    let whole = Volatile::new();
    let report = crashing_pipeline(&unbroken, &whole, &calls)
        .run(RunOptions::default())
        .await
        .unwrap();
    accounted(&report);
    let expected = all_records(unbroken.as_ref()).await;
    let delivered: Vec<String> = whole
        .durable
        .records()
        .iter()
        .map(|r| canonical(r))
        .collect();
    assert!(!delivered.is_empty());

    for kill in 0..20_u64 {
        let documents = Arc::new(MemoryDocuments::new());
        let sink = Volatile::new();
        let mut options = RunOptions::default();
        options.settle_every = 64;
        let pipeline = crashing_pipeline(&documents, &sink, &calls);
        let run = tokio::spawn(async move { pipeline.run(options).await });
        tokio::time::sleep(Duration::from_micros(kill * 1400)).await;
        run.abort();
        let _ = run.await;
        sink.crash();
        let report = crashing_pipeline(&documents, &sink, &calls)
            .run(RunOptions::default())
            .await
            .unwrap();
        accounted(&report);
        assert_eq!(
            all_records(documents.as_ref()).await,
            expected,
            "killed after {kill} x 1.4 ms"
        );
        let now: Vec<String> = sink
            .durable
            .records()
            .iter()
            .map(|r| canonical(r))
            .collect();
        assert_eq!(now, delivered, "killed after {kill} x 1.4 ms");
    }
}

#[tokio::test]
async fn a_new_version_runs_that_enricher_and_what_depends_on_it() {
    let documents = Arc::new(MemoryDocuments::new());
    let sink = Collect::new("out");
    let [parity, shout, length] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let pipeline = |version: &str, stored: bool| {
        let counter = Arc::clone(&shout);
        let dependent = EnricherFn::new(
            EnricherSpec::new("shout", "1")
                .needs(["parity"])
                .gives(["shout"]),
            move |item| {
                counter.fetch_add(1, SeqCst);
                let parity = item.record.effective()["parity"].clone();
                Ok(vec![Finding::new(
                    "shout",
                    Value::Labels(parity.into_iter().collect()),
                )])
            },
        );
        let builder = Pipeline::builder("versions")
            .documents(documents.clone())
            .enrich(dependent)
            .enrich(counting("parity", version, &parity))
            .enrich(counting("length", "1", &length))
            .sink(sink.clone());
        over(builder, &documents, "versions", stored, 50)
    };
    pipeline("1", false)
        .run(RunOptions::default())
        .await
        .unwrap();
    let calls = || [&parity, &shout, &length].map(|c| c.swap(0, SeqCst));
    assert_eq!(calls(), [50, 50, 50]);

    let idle = pipeline("1", true);
    assert_eq!(
        idle.survey(&Filter::All, &Force::Nothing)
            .await
            .unwrap()
            .stale,
        0
    );
    let survey = pipeline("2", true)
        .survey(&Filter::All, &Force::Nothing)
        .await
        .unwrap();
    assert_eq!((survey.records, survey.stale), (50, 50));
    let by_name: BTreeMap<&str, u64> = survey
        .enrichers
        .iter()
        .map(|e| (e.name.as_str(), e.records))
        .collect();
    assert_eq!(
        by_name,
        BTreeMap::from([("length", 0), ("parity", 50), ("shout", 50)])
    );

    let report = pipeline("2", true)
        .run(RunOptions::default())
        .await
        .unwrap();
    accounted(&report);
    assert_eq!(report.posts.delivered, 50);
    assert_eq!(calls(), [50, 50, 0]);
    assert_eq!(
        pipeline("2", true)
            .survey(&Filter::All, &Force::Nothing)
            .await
            .unwrap()
            .stale,
        0
    );
}

#[tokio::test]
async fn sinks_learn_that_a_post_is_no_longer_relevant() {
    let documents = Arc::new(MemoryDocuments::new());
    let sink = Collect::new("out");
    let pipeline = |label: &'static str, version: &str, stored: bool| {
        let model = EnricherFn::new(
            EnricherSpec::new("garment", version).gives(["garment"]),
            move |_| Ok(vec![Finding::label("garment", label)]),
        );
        let builder = Pipeline::builder("catalog")
            .documents(documents.clone())
            .enrich(model)
            .sink(sink.clone().only("garment:dress".parse().unwrap()));
        over(builder, &documents, "catalog", stored, 3)
    };
    let first = pipeline("dress", "1", false);
    first.run(RunOptions::default()).await.unwrap();
    assert!(
        sink.records()
            .iter()
            .all(|r| r.relevant_to().eq(["catalog"]))
    );

    let second = pipeline("hat", "2", true);
    let report = second.run(RunOptions::default()).await.unwrap();
    accounted(&report);
    assert_eq!(report.posts.filtered, 3, "{report:?}");
    let stored = all_records(documents.as_ref()).await;
    for record in sink.records() {
        assert_eq!(record.relevant_to().count(), 0);
        assert!(record.effective()["garment"].contains("hat"));
        assert_eq!(stored[&record.id().to_string()], canonical(&record));
    }
}

#[tokio::test]
async fn a_condition_that_comes_true_runs_the_enricher() {
    let documents = Arc::new(MemoryDocuments::new());
    let dear = Arc::new(AtomicUsize::new(0));
    let pipeline = |label: &'static str, version: &str, stored: bool| {
        let cheap = EnricherFn::new(
            EnricherSpec::new("cheap", version).gives(["cheap"]),
            move |_| Ok(vec![Finding::label("cheap", label)]),
        );
        let builder = Pipeline::builder("cascade")
            .documents(documents.clone())
            .enrich(counting("dear", "1", &dear).when("cheap:interesting".parse().unwrap()))
            .enrich(cheap)
            .sink(Collect::new("out"));
        over(builder, &documents, "cascade", stored, 10)
    };
    pipeline("dull", "1", false)
        .run(RunOptions::default())
        .await
        .unwrap();
    assert_eq!(dear.load(SeqCst), 0);
    pipeline("interesting", "2", true)
        .run(RunOptions::default())
        .await
        .unwrap();
    assert_eq!(dear.load(SeqCst), 10);
}

#[tokio::test]
async fn unreadable_items_become_dead_letters() {
    struct Broken(SourceSpec);
    #[async_trait]
    impl Source for Broken {
        fn spec(&self) -> &SourceSpec {
            &self.0
        }
        async fn partitions(&self) -> Result<Vec<Partition>> {
            Ok(vec![Partition("all".to_owned())])
        }
        fn read(
            &self,
            _: Partition,
            _: Checkpoint,
        ) -> futures::stream::BoxStream<'static, Result<Page>> {
            let unreadable = Unreadable::new("file.ndjson:3", "not JSON", "{oops");
            let page = Page {
                items: vec![
                    Incoming::Post(Box::new(post(1, "fine"))),
                    Incoming::Unreadable(Box::new(unreadable)),
                ],
                checkpoint: Checkpoint::at("2"),
            };
            Box::pin(futures::stream::iter([Ok(page)]))
        }
    }
    let documents = Arc::new(MemoryDocuments::new());
    let report = Pipeline::builder("broken")
        .documents(documents.clone())
        .source(Broken(SourceSpec::new("broken", "")))
        .sink(Collect::new("out"))
        .build()
        .unwrap()
        .run(RunOptions::default())
        .await
        .unwrap();
    accounted(&report);
    assert_eq!((report.posts.delivered, report.posts.dead_lettered), (1, 1));
    let letters = documents
        .dead_letters(&DeadLetterScan::all())
        .await
        .unwrap();
    assert_eq!(letters[0].post.to_string(), "unreadable:file.ndjson:3");
}

#[tokio::test]
async fn a_limit_leaves_the_rest_for_the_next_run() {
    let documents = Arc::new(MemoryDocuments::new());
    let sink = Collect::new("out");
    let pipeline = Pipeline::builder("limited")
        .documents(documents.clone())
        .source(Posts::new(posts(250)).page(40))
        .sink(sink.clone())
        .build()
        .unwrap();
    let mut options = RunOptions::default();
    options.limit = Some(100);
    let first = pipeline.run(options).await.unwrap();
    accounted(&first);
    assert_eq!(first.posts.read, 100);
    let second = pipeline.run(RunOptions::default()).await.unwrap();
    accounted(&second);
    assert_eq!(sink.records().len(), 250);
}

#[test]
fn the_builder_names_what_is_missing() {
    let base = || {
        Pipeline::builder("p")
            .source(Posts::texts(["x"]))
            .sink(Collect::new("out"))
    };
    let spec = |name: &str| EnricherSpec::new(name, "1").gives([name]);
    let plain = |spec: EnricherSpec| EnricherFn::new(spec, |_| Ok(vec![]));
    let error = |builder: PipelineBuilder| builder.build().unwrap_err().to_string();

    let text = error(Pipeline::builder("p").sink(Collect::new("out")));
    assert!(text.contains("no source"), "{text}");
    let text = error(base().enrich(plain(spec("a").needs(["nobody"]))));
    assert!(
        text.contains("enricher=a") && text.contains("missing=nobody"),
        "{text}"
    );
    let text = error(
        base()
            .enrich(plain(spec("a").needs(["b"])))
            .enrich(plain(spec("b").needs(["a"]))),
    );
    assert!(text.contains("circle"), "{text}");
    let text = error(base().enrich(plain(spec("a"))).enrich(plain(spec("a"))));
    assert!(text.contains("one name"), "{text}");
    let text = error(base().enrich(plain(spec("likes"))));
    assert!(text.contains("attribute=likes"), "{text}");
    let text = error(base().enrich(plain(spec("a").pixels(PixelRequest::new(8, 8, Fit::Crop)))));
    assert!(text.contains("fetch_media"), "{text}");
    let gate = ReviewGate::policy(["a"], uncertain(0.1));
    let text = error(base().enrich(plain(spec("a"))).gate(gate));
    assert!(text.contains("missing=documents"), "{text}");
    let text = error(base().sink(Collect::new("out")));
    assert!(text.contains("kind=sink"), "{text}");
}
