//! Posts asked for once more: what is due, what comes of the answers, and what a pipeline makes of it.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use heurpipe_core::testkit::suite::{self, SourceOptions};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::{
    Checkpoint, Clock, Counts, Documents, Error, ErrorKind, Incoming, KnownPost, LookUpPost, Page,
    Partition, Pipeline, Platform, Post, PostId, Record, Result, RunOptions, RunReport, Sighting,
    Source, State, Stored,
};
use heurpipe_sources::recheck::Recheck;
use heurpipe_stores::documents::MemoryDocuments;
use jiff::Timestamp;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

type Answer = dyn Fn(&KnownPost) -> Result<Sighting> + Send + Sync;

/// A network that remembers what it was asked for.
struct Network {
    platform: Platform,
    answer: Box<Answer>,
    asked: Mutex<Vec<String>>,
}

impl Network {
    fn new(
        platform: &str,
        answer: impl Fn(&KnownPost) -> Result<Sighting> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            platform: Platform::new(platform),
            answer: Box::new(answer),
            asked: Mutex::default(),
        })
    }

    /// What it was asked for since this was last called.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

#[async_trait]
impl LookUpPost for Network {
    fn platform(&self) -> Platform {
        self.platform.clone()
    }

    async fn look_up(&self, known: &KnownPost) -> Result<Sighting> {
        self.asked.lock().unwrap().push(known.id.to_string());
        (self.answer)(known)
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When posts were gathered.
fn gathered() -> Timestamp {
    time("2026-03-01T08:00:00Z")
}

/// A clock that stands still so long after posts were gathered.
fn after(passed: Duration) -> Clock {
    Clock::tokio(gathered() + passed)
}

fn post(id: &str, likes: u64) -> Post {
    let mut post = Post::new(id.parse().unwrap(), gathered());
    post.published_at = Some(gathered() - DAY);
    post.counts = Counts::new(Some(likes), None, None);
    post
}

fn seen(id: &PostId, at: Timestamp, likes: u64) -> Sighting {
    let mut post = Post::new(id.clone(), at);
    post.counts = Counts::new(Some(likes), None, None);
    Sighting::There(Box::new(post))
}

async fn documents(posts: impl IntoIterator<Item = Post>) -> Arc<MemoryDocuments> {
    let documents = Arc::new(MemoryDocuments::new());
    let records: Vec<Record> = posts.into_iter().map(Record::new).collect();
    let records: Vec<&Record> = records.iter().collect();
    for outcome in documents.commit(&records).await.unwrap() {
        outcome.unwrap();
    }
    documents
}

/// A network where every post is there, with seven likes.
fn calm() -> Arc<Network> {
    Network::new("weibo", |known| Ok(seen(&known.id, gathered() + DAY, 7)))
}

fn recheck(documents: &Arc<MemoryDocuments>, network: &Arc<Network>) -> Recheck {
    let documents: Arc<dyn Documents> = Arc::clone(documents) as _;
    let network: Arc<dyn LookUpPost> = Arc::clone(network) as _;
    Recheck::of(documents, vec![network]).clock(after(2 * DAY))
}

async fn read(source: &Recheck, from: Checkpoint) -> Vec<Result<Page>> {
    let partition = source.partitions().await.unwrap().remove(0);
    source.read(partition, from).collect().await
}

/// Reads to the end and gives the checkpoint there.
async fn pass(source: &Recheck, from: Checkpoint) -> Checkpoint {
    let pages = read(source, from.clone()).await;
    let pages: Vec<Page> = pages.into_iter().map(Result::unwrap).collect();
    pages
        .into_iter()
        .last()
        .map_or(from, |page| page.checkpoint)
}

#[tokio::test(start_paused = true)]
async fn it_upholds_what_sources_must() {
    let mut posts: Vec<Post> = (0..350).map(|n| post(&format!("weibo:{n}"), 5)).collect();
    posts.extend((0..30).map(|n| post(&format!("instagram:{n}"), 5)));
    let documents = documents(posts).await;
    let fates = |known: &KnownPost| match known.id.native.len() {
        1 => Ok(Sighting::Gone),
        2 => Ok(Sighting::CannotTell),
        _ => Ok(seen(&known.id, gathered() + DAY, 7)),
    };
    let networks = ["weibo", "instagram"].map(|name| Network::new(name, fates));
    let clock = after(2 * DAY);
    let make = || {
        let networks = networks
            .clone()
            .map(|network| network as Arc<dyn LookUpPost>);
        Recheck::of(documents.clone(), networks.to_vec()).clock(clock)
    };
    let report = suite::source(make, SourceOptions::default()).await;
    report.assert_passed();
    assert_eq!(report.upheld().count(), report.checks.len(), "{report}");
}

#[tokio::test(start_paused = true)]
async fn each_network_is_asked_for_its_own_posts_by_all_that_is_known_of_them() {
    let mut known = post("weibo:1", 5);
    known.aliases = vec!["weibo:mblog-1".parse().unwrap()];
    let documents = documents([known.clone(), post("instagram:2", 5)]).await;
    let expected = KnownPost::from(&known);
    let network = Network::new("weibo", move |known| {
        assert_eq!(*known, expected);
        Ok(Sighting::Gone)
    });
    let source = recheck(&documents, &network);
    let partitions = source.partitions().await.unwrap();
    assert_eq!(partitions, [Partition("weibo".to_owned())]);
    pass(&source, Checkpoint::default()).await;
    assert_eq!(network.asked(), ["weibo:1"]);
}

#[tokio::test(start_paused = true)]
async fn only_what_is_due_is_asked_for() {
    let mut undated = post("weibo:undated", 5);
    undated.published_at = None;
    let mut old = post("weibo:old", 5);
    old.published_at = Some(gathered() - 90 * DAY);
    let mut fresh = post("weibo:fresh", 5);
    fresh.collected_at = gathered() + 2 * DAY - HOUR;
    let mut popular = post("weibo:popular", 5000);
    popular.text = "a dress".to_owned();
    let documents = documents([undated, old, fresh, popular, post("weibo:plain", 5)]).await;
    let mut gone = Record::new(post("weibo:gone", 5));
    gone.mark_gone(gathered());
    let mut of_catalog = Record::new(post("weibo:of_catalog", 5));
    of_catalog
        .states
        .insert("catalog".to_owned(), State::Delivered);
    documents.commit(&[&gone, &of_catalog]).await.unwrap();

    let network = calm();
    let all = || recheck(&documents, &network);
    for (source, expected) in [
        (
            all(),
            vec!["of_catalog", "old", "plain", "popular", "undated"],
        ),
        (
            all().published_within(30 * DAY),
            vec!["of_catalog", "plain", "popular"],
        ),
        (
            all().filter("likes:>=100".parse().unwrap()),
            vec!["popular"],
        ),
        (all().of_use_case("catalog"), vec!["of_catalog"]),
        (
            all()
                .not_seen_within(HOUR)
                .filter("likes:<100".parse().unwrap()),
            vec!["fresh", "of_catalog", "old", "plain", "undated"],
        ),
        (all().not_seen_within(3 * DAY), vec![]),
    ] {
        pass(&source, Checkpoint::default()).await;
        let expected: Vec<String> = expected.iter().map(|id| format!("weibo:{id}")).collect();
        assert_eq!(network.asked(), expected, "{source:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_pass_waits_for_the_interval() {
    let documents = documents([post("weibo:1", 7)]).await;
    let network = calm();
    let end = pass(&recheck(&documents, &network), Checkpoint::default()).await;
    assert_eq!(network.asked().len(), 1);
    for (passed, times) in [(2 * DAY + 23 * HOUR, 0), (3 * DAY, 1)] {
        let later = recheck(&documents, &network).clock(after(passed));
        pass(&later, end.clone()).await;
        assert_eq!(network.asked().len(), times, "{passed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_was_broken_off_goes_on_by_its_own_time() {
    let posts = (100..350).map(|n| post(&format!("weibo:{n}"), 5));
    let documents = documents(posts).await;
    let network = calm();
    let begun = recheck(&documents, &network);
    let partition = begun.partitions().await.unwrap().remove(0);
    let mut stream = begun.read(partition, Checkpoint::default());
    let first = stream.next().await.unwrap().unwrap();
    drop(stream);
    assert_eq!(first.items.len(), 100);
    network.asked();

    // Seen by somebody else in between: due by the clock of the day after, and not by that of the pass.
    let id = "weibo:349".parse().unwrap();
    let Stored::Known(mut known) = documents.load(&[id]).await.unwrap().remove(0) else {
        panic!("it is stored");
    };
    let mut again = post("weibo:349", 9);
    again.collected_at = gathered() + 2 * DAY;
    known.absorb(again);
    documents.commit(&[&known]).await.unwrap();
    let later = recheck(&documents, &network).clock(after(9 * DAY));
    pass(&later, first.checkpoint).await;
    let asked = network.asked();
    assert_eq!(asked.len(), 149);
    assert_eq!(asked[0], "weibo:200");
    assert!(!asked.contains(&"weibo:349".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_limit_ends_the_stream_after_what_was_answered() {
    let documents = documents((0..9).map(|n| post(&format!("weibo:{n}"), 5))).await;
    let left = Arc::new(AtomicUsize::new(4));
    let calls = Arc::clone(&left);
    let network = Network::new("weibo", move |known| {
        let has_one =
            calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        match has_one {
            Ok(_) => Ok(seen(&known.id, gathered() + DAY, 7)),
            Err(_) => Err(Error::new(ErrorKind::RateLimited, "test.look_up").after(HOUR)),
        }
    });
    let source = recheck(&documents, &network).at_once(1);
    let mut pages = read(&source, Checkpoint::default()).await;
    assert_eq!(pages.len(), 2);
    let error = pages.remove(1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(HOUR));
    let page = pages.remove(0).unwrap();
    assert_eq!(page.items.len(), 4);

    // At once again: not even one call.
    let refused = read(&source, page.checkpoint.clone()).await;
    assert_eq!(refused.len(), 1);
    assert!(refused[0].is_err());
    network.asked();
    left.store(100, Ordering::Relaxed);
    pass(&source, page.checkpoint).await;
    assert_eq!(
        network.asked(),
        ["weibo:4", "weibo:5", "weibo:6", "weibo:7", "weibo:8"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_stands_in_nobodys_way() {
    let documents = documents((0..3).map(|n| post(&format!("weibo:{n}"), 5))).await;
    let network = Network::new("weibo", |known| match &*known.id.native {
        "1" => Err(Error::new(ErrorKind::InvalidInput, "test.look_up").message("no post")),
        _ => Ok(seen(&known.id, gathered() + DAY, 7)),
    });
    let pages = read(&recheck(&documents, &network), Checkpoint::default()).await;
    let items: Vec<Incoming> = pages
        .into_iter()
        .flat_map(|page| page.unwrap().items)
        .collect();
    assert!(
        matches!(&items[..], [Incoming::Post(_), Incoming::Unreadable(item), Incoming::Post(_)]
            if item.place == "recheck/weibo:1" && item.reason.contains("no post")),
        "{items:?}"
    );
}

/// What a network says of a post in one run.
#[derive(Clone, Copy)]
enum Fate {
    Likes(u64),
    Gone,
    Unsaid,
}

/// A network whose posts have a fate, so many days after they were gathered.
fn life(
    days: Arc<AtomicU32>,
    fate: impl Fn(&str, u32) -> Fate + Send + Sync + 'static,
) -> Arc<Network> {
    Network::new("weibo", move |known| {
        let days = days.load(Ordering::Relaxed);
        Ok(match fate(&known.id.native, days) {
            Fate::Likes(likes) => seen(&known.id, gathered() + days * DAY, likes),
            Fate::Gone => Sighting::Gone,
            Fate::Unsaid => Sighting::CannotTell,
        })
    })
}

async fn run(
    documents: &Arc<MemoryDocuments>,
    source: impl Source + 'static,
    sink: &Collect,
    clock: Clock,
) -> RunReport {
    let mut options = RunOptions::default();
    options.clock = clock;
    Pipeline::builder("catalog")
        .documents(documents.clone())
        .source(source)
        .sink(sink.clone())
        .build()
        .unwrap()
        .run(options)
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn counts_become_a_series_and_gone_posts_stay() {
    let days = Arc::new(AtomicU32::new(2));
    let network = life(Arc::clone(&days), |post, days| match (post, days) {
        ("grows", 2) => Fate::Likes(10),
        ("grows", _) => Fate::Likes(15),
        ("rests", _) => Fate::Likes(5),
        ("vanishes", 2) => Fate::Likes(8),
        ("vanishes", _) => Fate::Gone,
        _ => Fate::Unsaid,
    });

    let documents = Arc::new(MemoryDocuments::new());
    let sink = Collect::new("rows");
    let gathering = Posts::new(
        ["grows", "rests", "vanishes", "unsaid"]
            .map(|id| {
                let mut post = post(&format!("weibo:{id}"), 5);
                post.text = format!("a post that {id}");
                post
            })
            .to_vec(),
    );
    let report = run(&documents, gathering, &sink, after(Duration::ZERO)).await;
    assert_eq!(report.posts.delivered, 4);

    let first = run(
        &documents,
        recheck(&documents, &network),
        &sink,
        after(2 * DAY),
    )
    .await;
    assert_eq!(
        (first.posts.read, first.posts.delivered),
        (3, 2),
        "{first:?}"
    );
    days.store(4, Ordering::Relaxed);
    let later = recheck(&documents, &network).clock(after(4 * DAY));
    let second = run(&documents, later, &sink, after(4 * DAY)).await;
    assert_eq!(
        (second.posts.read, second.posts.delivered),
        (3, 2),
        "{second:?}"
    );

    network.asked();
    let too_soon = recheck(&documents, &network).clock(after(4 * DAY + HOUR));
    let third = run(&documents, too_soon, &sink, after(4 * DAY + HOUR)).await;
    assert_eq!((third.posts.read, network.asked().len()), (0, 0));

    let ids = ["grows", "rests", "vanishes", "unsaid"];
    let ids = ids.map(|id| format!("weibo:{id}").parse().unwrap());
    let stored = documents.load(&ids).await.unwrap();
    let series = |index: usize| {
        let Stored::Known(record) = &stored[index] else {
            panic!("{} is not stored", ids[index]);
        };
        let seen = record.observations.iter();
        let seen = seen.map(|seen| (seen.at, seen.counts.likes, seen.gone));
        (record.clone(), seen.collect::<Vec<_>>())
    };
    let at = |days: u32| gathered() + days * DAY;
    let (grown, seen) = series(0);
    assert_eq!(
        seen,
        [
            (at(0), Some(5), false),
            (at(2), Some(10), false),
            (at(4), Some(15), false),
        ]
    );
    assert_eq!(grown.post.counts.likes, Some(15));
    assert_eq!(
        grown.post.text, "a post that grows",
        "nothing is overwritten"
    );
    assert_eq!(grown.states["catalog"], State::Delivered);
    assert_eq!(series(1).1, [(at(0), Some(5), false)]);
    let (vanished, seen) = series(2);
    assert_eq!(
        seen,
        [
            (at(0), Some(5), false),
            (at(2), Some(8), false),
            (at(4), Some(8), true),
        ]
    );
    assert_eq!(vanished.post.text, "a post that vanishes");
    assert_eq!(series(3).1, [(at(0), Some(5), false)]);

    let rows = sink.records();
    assert_eq!(rows.len(), 4, "sinks keep what is gone");
    let gone = |row: &&Arc<Record>| row.observations.last().unwrap().gone;
    assert_eq!(rows.iter().filter(gone).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_post_is_found_again_under_its_stored_id() {
    let documents = documents([post("instagram:graph:1", 5)]).await;
    let network = Network::new("instagram", |_| {
        let mut post = post("instagram:42", 9);
        post.aliases = vec!["instagram:graph:1".parse().unwrap()];
        post.collected_at = gathered() + DAY;
        Ok(Sighting::There(Box::new(post)))
    });
    let page = read(&recheck(&documents, &network), Checkpoint::default()).await;
    let item = page.into_iter().next().unwrap().unwrap().items.remove(0);
    let Incoming::Post(again) = item else {
        panic!("it is a post: {item:?}");
    };
    assert_eq!(again.id.to_string(), "instagram:graph:1");
    assert_eq!(again.aliases, ["instagram:42".parse().unwrap()]);

    run(
        &documents,
        recheck(&documents, &network),
        &Collect::new("rows"),
        after(2 * DAY),
    )
    .await;
    let id = "instagram:graph:1".parse().unwrap();
    let Stored::Known(record) = documents.load(&[id]).await.unwrap().remove(0) else {
        panic!("it is stored");
    };
    assert_eq!(record.post.aliases, ["instagram:42".parse().unwrap()]);
    assert_eq!(record.observations.len(), 2);
}
