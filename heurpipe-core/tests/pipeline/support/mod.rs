//! What the tests are made of: posts, parts that are watched, and short ways to look at what came of a run.

pub mod documents;
pub mod parts;
pub mod pictures;

use std::sync::Arc;

use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;
use heurpipe_stores::documents::MemoryDocuments;

pub use parts::{Events, Gate, Probe, Watched, Written};

/// The pipeline that most tests build.
pub const NAME: &str = "tested";

pub fn id(number: usize) -> PostId {
    PostId::new(Platform::new("test"), format!("{number:06}"))
}

pub fn post(number: usize, text: &str) -> Post {
    let mut post = Post::new(id(number), jiff::Timestamp::UNIX_EPOCH);
    post.text = text.to_owned();
    post
}

pub fn posts(count: usize) -> Vec<Post> {
    (0..count).map(|n| post(n, &format!("post {n}"))).collect()
}

/// Posts with these texts, numbered from 0.
pub fn texts(texts: &[&str]) -> Posts {
    Posts::new(texts.iter().enumerate().map(|(n, t)| post(n, t)).collect())
}

pub fn memory() -> Arc<MemoryDocuments> {
    Arc::new(MemoryDocuments::new())
}

pub fn filter(text: &str) -> Filter {
    text.parse().unwrap()
}

/// An error of this kind.
pub fn error(kind: ErrorKind) -> Error {
    Error::new(kind, "test.call").message("as the test wants it")
}

/// The pipeline that most tests build, with its documents.
pub fn with(documents: &Arc<MemoryDocuments>) -> PipelineBuilder {
    Pipeline::builder(NAME)
        .documents(documents.clone())
        .review(documents.clone())
}

/// Builds and runs with these options; every item that was read has an outcome.
pub async fn run_with(builder: PipelineBuilder, options: RunOptions) -> RunReport {
    let report = builder.build().unwrap().run(options).await.unwrap();
    assert_eq!(report.posts.read, report.posts.settled(), "{report:?}");
    report
}

/// Builds and runs.
pub async fn run(builder: PipelineBuilder) -> RunReport {
    run_with(builder, RunOptions::default()).await
}

/// Options under which batches of so many posts go one after the other.
pub fn one_by_one(batch: usize) -> RunOptions {
    let mut options = RunOptions::default();
    options.batch = batch;
    options.workers = 1;
    options.settle_every = batch;
    options
}

pub fn stage<'a>(report: &'a RunReport, name: &str) -> &'a StageReport {
    let mut stages = report.stages.iter();
    stages.find(|stage| stage.name == name).unwrap()
}

/// The texts of what a sink has, in order of ids.
pub fn collected(sink: &Collect) -> Vec<String> {
    let records = sink.records();
    records.iter().map(|r| r.post.text.clone()).collect()
}

pub async fn record(documents: &dyn Documents, number: usize) -> Record {
    match documents.load(&[id(number)]).await.unwrap().remove(0) {
        Stored::Known(record) => *record,
        other => panic!("post {number} is {other:?}"),
    }
}

/// What the ledger of a stored post says of an enricher on the post as a whole.
pub async fn line(documents: &dyn Documents, number: usize, enricher: &str) -> LedgerOutcome {
    let record = record(documents, number).await;
    let line = record.ledger_entry(enricher, &Target::Post);
    line.unwrap().outcome.clone()
}

/// The state in which a post was left.
pub async fn state(documents: &dyn Documents, number: usize) -> State {
    record(documents, number).await.states[NAME].clone()
}

pub async fn letters(documents: &dyn Documents) -> Vec<DeadLetter> {
    let all = DeadLetterScan::all();
    documents.dead_letters(&all).await.unwrap()
}

/// Everything stored, in canonical form.
pub async fn everything(documents: &dyn Documents) -> Vec<String> {
    let scan = Scan::matching(Filter::All).limit(100_000);
    let records = documents.scan(&scan).await.unwrap().records;
    records.iter().map(testkit::canonical).collect()
}
