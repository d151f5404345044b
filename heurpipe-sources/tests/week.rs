//! A week of virtual time with small allowances: an operator's schedule reads all partitions of both networks again and again, and the programs
//! are started anew in the middle.
#![allow(clippy::unwrap_used)]

mod simulated;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use heurpipe_core::{Checkpoint, Error, ErrorKind, Page, Partition, Source};
use heurpipe_sources::simulator::WorldOptions;
use heurpipe_stores::documents::MemoryDocuments;
use jiff::{SignedDuration, Timestamp};
use simulated::Bench;

const HOUR: Duration = Duration::from_secs(3600);
const BETWEEN_PASSES: Duration = Duration::from_secs(12 * 3600);
const PASSES: usize = 14;
/// Hashtags that may be asked for in seven days.
const HASHTAGS: usize = 30;
const CALLS_PER_HOUR: usize = 50;
const WEIBO_CALLS_PER_HOUR: usize = 6;
const PAGE: usize = 50;
/// What the clients read again below their watermark unless told otherwise.
const OVERLAP: SignedDuration = SignedDuration::from_hours(48);

/// Ten days, sixty posts a day.
fn world() -> WorldOptions {
    let mut options = WorldOptions::new(13, 600);
    options.days = 10;
    options
}

#[tokio::test]
async fn a_week_keeps_to_all_budgets_wastes_no_call_and_misses_no_post() {
    let bench = Bench::with(world(), 8 * 24 * HOUR, |options| {
        options.limits.graph_calls_per_hour = CALLS_PER_HOUR;
        options.limits.hashtags_per_week = HASHTAGS;
        options.limits.weibo_calls_per_hour = WEIBO_CALLS_PER_HOUR;
    })
    .await;
    let wished = bench.world.hashtags().len();
    assert!(
        wished > HASHTAGS,
        "more hashtags are wished for than may be: {wished}"
    );
    let mut operator = Operator::new(&bench);
    for pass in 0..PASSES {
        if pass == PASSES / 2 {
            operator.restart();
        }
        let next = bench.clock.now() + BETWEEN_PASSES;
        operator.pass().await;
        let left = next.duration_since(bench.clock.now());
        bench
            .hand
            .advance(Duration::try_from(left).unwrap_or_default());
    }

    let calls = bench.simulator.calls();
    let all = calls.of("");
    assert_eq!(all.over_budget, 0, "a call went over its budget");
    assert_eq!(
        calls.of("ig_hashtag_search").calls,
        HASHTAGS as u64,
        "ids are asked for once, whoever restarts"
    );
    assert_eq!(
        operator.postponed.len(),
        2 * (wished - HASHTAGS),
        "the rest waits for the budget"
    );
    let missed: Vec<&String> = operator.wanted.difference(&operator.got).collect();
    assert_eq!(missed, [""; 0], "of {}", operator.wanted.len());
    // Asking how much is left of an allowance is no call that counts.
    let made = all.calls - calls.of("rate_limit_status").calls;
    let needed = operator.needed + HASHTAGS as u64;
    let ratio = made as f64 / needed as f64;
    eprintln!(
        "{made} calls made, {needed} needed: {ratio:.4}; {} posts",
        operator.got.len()
    );
    assert!(made >= needed, "{made} calls made, {needed} needed");
    assert!(
        ratio <= 1.02,
        "{made} calls made, {needed} needed: {ratio:.4}"
    );
}

/// Who runs both clients by a schedule.
struct Operator<'a> {
    bench: &'a Bench,
    /// What outlasts the programs.
    documents: Arc<MemoryDocuments>,
    checkpoints: BTreeMap<Partition, Checkpoint>,
    sources: Vec<Arc<dyn Source>>,
    got: BTreeSet<String>,
    /// What partitions held when they were begun to be read.
    wanted: BTreeSet<String>,
    /// The pages that had to be read; see [`pages_needed`].
    needed: u64,
    /// Partitions whose hashtag had to wait for the budget.
    postponed: BTreeSet<Partition>,
}

impl<'a> Operator<'a> {
    fn new(bench: &'a Bench) -> Self {
        let mut operator = Self {
            bench,
            documents: Arc::new(MemoryDocuments::new()),
            checkpoints: BTreeMap::new(),
            sources: Vec::new(),
            got: BTreeSet::new(),
            wanted: BTreeSet::new(),
            needed: 0,
            postponed: BTreeSet::new(),
        };
        operator.restart();
        operator
    }

    /// Ends both clients and starts new ones.
    fn restart(&mut self) {
        let world = &self.bench.world;
        let topics = world
            .posts()
            .iter()
            .filter(|post| {
                world
                    .author_of(post)
                    .handle
                    .starts_with(|c: char| !c.is_ascii())
            })
            .filter_map(|post| post.hashtags.first());
        let topics: BTreeSet<&String> = topics.take(20).collect();
        let instagram = self.bench.graph().hashtags(world.hashtags());
        let instagram = instagram
            .accounts(world.instagram_accounts())
            .own_media()
            .tagged()
            .mentions(self.bench.mentions())
            .page_size(PAGE as u32)
            .ledger(self.documents.clone());
        let weibo = self
            .bench
            .weibo()
            .users(world.weibo_uids())
            .topics(topics)
            .home_timeline()
            .own_timeline()
            .public_timeline()
            .complete_texts(false)
            .page_size(PAGE as u32)
            .ledger(self.documents.clone());
        self.sources = vec![
            Arc::new(instagram.build().unwrap()),
            Arc::new(weibo.build().unwrap()),
        ];
    }

    /// Reads all partitions to their end, waiting for the allowances as long as the clients say.
    async fn pass(&mut self) {
        for source in self.sources.clone() {
            for partition in source.partitions().await.unwrap() {
                self.read(&*source, &partition).await;
            }
        }
    }

    async fn read(&mut self, source: &dyn Source, partition: &Partition) {
        let from = self.checkpoints.get(partition).cloned().unwrap_or_default();
        let held = self.bench.held(partition);
        let needed = pages_needed(self.bench, partition, &held, &from);
        let mut stream = source.read(partition.clone(), from.clone());
        loop {
            match stream.next().await {
                None => break,
                Some(Ok(page)) => self.keep(partition, page),
                Some(Err(error)) if error.operation() == "instagram.hashtag_budget" => {
                    assert!(error.retry_after().unwrap() <= 7 * 24 * HOUR);
                    self.postponed.insert(partition.clone());
                    return;
                }
                Some(Err(error)) => {
                    self.bench.hand.advance(wait(&error));
                    let from = self.checkpoints.get(partition).cloned().unwrap_or_default();
                    stream = source.read(partition.clone(), from);
                }
            }
        }
        self.needed += needed;
        self.wanted.extend(held);
    }

    fn keep(&mut self, partition: &Partition, page: Page) {
        let ids = page.items.iter().map(|item| item.id().native.to_string());
        self.got.extend(ids);
        self.checkpoints.insert(partition.clone(), page.checkpoint);
    }
}

/// How long an allowance is to be waited for. Nothing else goes wrong here.
fn wait(error: &Error) -> Duration {
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error:?}");
    error.retry_after().unwrap()
}

/// The least number of calls with which a pass over a partition can be made, given what the partition holds and where earlier passes have come
/// to: a stream without order is read to its end, one that begins with the newest down to the first page that is older than the watermark
/// less the overlap, or to its end; an empty stream takes one call to find out.
fn pages_needed(
    bench: &Bench,
    partition: &Partition,
    held: &BTreeSet<String>,
    from: &Checkpoint,
) -> u64 {
    let kind = partition.0.split('/').next().unwrap_or_default();
    if kind == "mentions" {
        return held.len() as u64;
    }
    let is_newest_first = matches!(
        kind,
        "account" | "own" | "users" | "home" | "public" | "user"
    );
    let horizon = from.watermark.as_ref().filter(|_| is_newest_first);
    let horizon = horizon.map_or(Timestamp::MIN, |(at, _)| *at - OVERLAP);
    let posts = bench.world.posts().iter();
    let newest_first: Vec<Timestamp> = posts
        .filter(|post| held.contains(&post.native_id.to_string()))
        .map(|post| post.published)
        .collect();
    let (mut begin, mut pages) = (0, 0);
    loop {
        // As the simulator does, to have short pages in the midst.
        let is_short = kind == "account" && (begin / PAGE) % 3 == 2;
        let end = (begin + PAGE - usize::from(is_short)).min(newest_first.len());
        let page = &newest_first[begin..end];
        pages += 1;
        if end == newest_first.len() || page.iter().all(|at| *at < horizon) {
            return pages;
        }
        begin = end;
    }
}
