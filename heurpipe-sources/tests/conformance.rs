//! Whether all sources uphold what the trait asks of them, and whether the clients of both networks miss nothing when they are killed, when
//! cursors die, when posts appear meanwhile and when the network misbehaves.
#![allow(clippy::unwrap_used)]

#[path = "simulated/runs.rs"]
mod runs;
mod simulated;

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use heurpipe_core::testkit::suite::{self, SourceOptions};
use heurpipe_core::{Checkpoint, ErrorKind, Platform, Post, PostId, Record, Source};
use heurpipe_sources::folder::PictureFolder;
use heurpipe_sources::instagram::InstagramGraph;
use heurpipe_sources::ndjson::{NdjsonSource, to_line};
use heurpipe_sources::simulator::{Fault, FaultRule, FaultTrigger, Faults, Network, WorldOptions};
use heurpipe_sources::weibo::WeiboApi;
use simulated::{Bench, SHANGHAI};

const HOUR: Duration = Duration::from_secs(3600);
const ALL: usize = usize::MAX;
/// Metres around a place that are searched.
const AROUND_M: u32 = 11_000;

/// Six days, fifty posts a day.
fn week() -> WorldOptions {
    let mut options = WorldOptions::new(11, 300);
    options.days = 6;
    options
}

/// Each kind of partition, in pages of a few posts.
fn instagram(bench: &Bench) -> InstagramGraph {
    bench
        .graph()
        .accounts(bench.world.instagram_accounts().into_iter().take(1))
        .hashtags(bench.world.hashtags().into_iter().take(1))
        .own_media()
        .tagged()
        .mentions(bench.mentions())
        .page_size(6)
        .build()
        .unwrap()
}

/// Each kind of partition, in pages of a few posts.
fn weibo(bench: &Bench) -> WeiboApi {
    let is_topic = |post: &&heurpipe_sources::simulator::Post| {
        bench.world.author_of(post).network == Network::Weibo && !post.hashtags.is_empty()
    };
    let topic = bench.world.posts().iter().find(is_topic).unwrap();
    bench
        .weibo()
        .users(bench.world.weibo_uids().into_iter().take(2))
        .topics(topic.hashtags.first())
        .commercial_users(bench.world.weibo_uids().into_iter().skip(2).take(1))
        .commercial_base_url(format!("{}/2", bench.simulator.weibo_url()))
        .home_timeline()
        .own_timeline()
        .public_timeline()
        .nearby(SHANGHAI.0, SHANGHAI.1, AROUND_M)
        .complete_texts(false)
        .page_size(12)
        .build()
        .unwrap()
}

/// Each fault of networks that passes by itself, now and then.
fn bad_weather(seed: u64) -> Faults {
    let now_and_then = |share, fault| FaultRule::new(FaultTrigger::Share(share), fault);
    Faults::seeded(seed)
        .rule(now_and_then(0.08, Fault::ServerError(502)))
        .rule(now_and_then(
            0.06,
            Fault::TooManyRequests {
                retry_after: Duration::from_secs(20),
            },
        ))
        .rule(now_and_then(0.06, Fault::CutShort))
        .rule(now_and_then(0.06, Fault::CutJson))
        .rule(now_and_then(0.5, Fault::Shuffled))
        .rule(now_and_then(0.1, Fault::Repeated))
}

#[tokio::test]
async fn instagram_upholds_the_trait() {
    let bench = Bench::new(week(), Duration::ZERO).await;
    let options = SourceOptions::default().platform(Platform::instagram());
    suite::source(|| instagram(&bench), options)
        .await
        .assert_passed();
}

#[tokio::test]
async fn weibo_upholds_the_trait() {
    let bench = Bench::new(week(), Duration::ZERO).await;
    let options = SourceOptions::default().platform(Platform::weibo());
    suite::source(|| weibo(&bench), options)
        .await
        .assert_passed();
}

#[tokio::test]
async fn a_folder_of_pictures_upholds_the_trait() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..600 {
        std::fs::write(folder.path().join(format!("{number}.jpg")), b"a picture").unwrap();
    }
    let open = || PictureFolder::open(folder.path()).unwrap();
    suite::source(open, SourceOptions::default())
        .await
        .assert_passed();
}

#[tokio::test]
async fn a_file_of_records_upholds_the_trait() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.ndjson");
    let line = |number: u32| {
        let id = PostId::new(Platform::weibo(), number.to_string());
        to_line(&Record::new(Post::new(id, jiff::Timestamp::UNIX_EPOCH))).unwrap()
    };
    let lines: Vec<String> = (0..2000).map(line).collect();
    std::fs::write(&path, lines.join("\n") + "\nno record\n").unwrap();
    let open = || NdjsonSource::open(&path).unwrap();
    suite::source(open, SourceOptions::default())
        .await
        .assert_passed();
}

/// Kills a run after every number of pages, in every partition: with the run that follows it nothing is missed.
async fn is_killed_at_every_page<S: Source>(bench: &Bench, make: impl Fn() -> S) {
    for partition in make().partitions().await.unwrap() {
        let whole = bench
            .run(&make, &partition, Checkpoint::default(), ALL)
            .await;
        let kind = partition
            .0
            .split_once('/')
            .map_or(partition.0.as_str(), |(kind, _)| kind);
        let is_small = matches!(kind, "user" | "tagged" | "mentions" | "nearby");
        assert!(
            is_small || whole.pages > 1,
            "{} has several pages",
            partition.0
        );
        for killed_after in 1..whole.pages {
            let run = bench
                .run(&make, &partition, Checkpoint::default(), killed_after)
                .await;
            let next = bench.run(&make, &partition, run.checkpoint, ALL).await;
            let got: BTreeSet<String> = run.posts.union(&next.posts).cloned().collect();
            let missed: Vec<String> = bench.held(&partition).difference(&got).cloned().collect();
            assert_eq!(
                missed, [""; 0],
                "{} killed after page {killed_after}",
                partition.0
            );
        }
    }
}

#[tokio::test]
async fn instagram_killed_at_any_page_misses_nothing() {
    let bench = Bench::new(week(), Duration::ZERO).await;
    is_killed_at_every_page(&bench, || instagram(&bench)).await;
}

#[tokio::test]
async fn weibo_killed_at_any_page_misses_nothing() {
    let bench = Bench::new(week(), Duration::ZERO).await;
    is_killed_at_every_page(&bench, || weibo(&bench)).await;
}

#[tokio::test]
async fn instagram_killed_at_any_page_in_bad_weather_misses_nothing() {
    let bench = Bench::new(week(), Duration::ZERO).await;
    bench.simulator.faults().set(bad_weather(1));
    is_killed_at_every_page(&bench, || instagram(&bench)).await;
    assert!(bench.simulator.faults().injected() > 50);
}

#[tokio::test]
async fn weibo_killed_at_any_page_in_bad_weather_misses_nothing() {
    let bench = Bench::new(week(), Duration::ZERO).await;
    bench.simulator.faults().set(bad_weather(2));
    is_killed_at_every_page(&bench, || weibo(&bench)).await;
    assert!(bench.simulator.faults().injected() > 50);
}

/// Kills a run after every number of pages, lets half a day pass, and begins again: with the pass that is finished then, and the next one, nothing
/// is missed that was there at any time.
async fn catches_up<S: Source>(make: impl Fn(&Bench) -> S, cursors: Cursors) {
    let bench = Bench::new(week(), 72 * HOUR).await;
    for partition in make(&bench).partitions().await.unwrap() {
        for killed_after in [1, 2, 4] {
            // A world of its own each time, since time does not go back.
            let bench = Bench::new(week(), 72 * HOUR).await;
            let make = || make(&bench);
            let begun = bench
                .run(make, &partition, Checkpoint::default(), killed_after)
                .await;
            let mut wanted = bench.held(&partition);
            bench.hand.advance(12 * HOUR);
            if cursors == Cursors::Die && begun.checkpoint.resume.is_some() {
                let dead = FaultRule::new(FaultTrigger::nth(1), Fault::DeadCursor);
                bench.simulator.faults().set(Faults::none().rule(dead));
            }
            let finished = bench.run(make, &partition, begun.checkpoint, ALL).await;
            wanted.append(&mut bench.held(&partition));
            bench.hand.advance(12 * HOUR);
            let next = bench.run(make, &partition, finished.checkpoint, ALL).await;
            wanted.append(&mut bench.held(&partition));
            let got: BTreeSet<String> = [begun.posts, finished.posts, next.posts]
                .into_iter()
                .flatten()
                .collect();
            let mut missed: BTreeSet<String> = wanted.difference(&got).cloned().collect();
            if partition.0.ends_with("/recent") {
                // What was a day old before the first pass was finished nobody can give any more.
                let reach = bench.clock.now() - 36 * HOUR;
                missed.retain(|id| published(&bench, id) >= reach);
            }
            assert_eq!(
                missed,
                BTreeSet::new(),
                "{} killed after page {killed_after}",
                partition.0
            );
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cursors {
    Last,
    Die,
}

fn published(bench: &Bench, id: &str) -> jiff::Timestamp {
    let posts = bench.world.posts().iter();
    let found = posts.filter(|post| post.native_id.to_string() == id);
    found.map(|post| post.published).next().unwrap()
}

#[tokio::test]
async fn instagram_catches_up_with_what_appeared_between_runs() {
    catches_up(instagram, Cursors::Last).await;
}

#[tokio::test]
async fn instagram_catches_up_when_cursors_die_between_runs() {
    catches_up(instagram, Cursors::Die).await;
}

#[tokio::test]
async fn weibo_catches_up_with_what_appeared_between_runs() {
    catches_up(weibo, Cursors::Last).await;
}

#[tokio::test]
async fn an_expired_token_ends_a_run_and_the_next_goes_on_where_it_was() {
    let bench = Bench::new(week(), Duration::ZERO).await;
    let make = || instagram(&bench);
    let expired = FaultRule::new(FaultTrigger::Always, Fault::ExpiredToken);
    for partition in make().partitions().await.unwrap() {
        let begun = bench.run(make, &partition, Checkpoint::default(), 1).await;
        bench
            .simulator
            .faults()
            .set(Faults::none().rule(expired.clone()));
        let refused = make()
            .read(partition.clone(), begun.checkpoint.clone())
            .next()
            .await;
        let error = refused.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        bench.simulator.faults().set(Faults::none());
        let rest = bench.run(make, &partition, begun.checkpoint, ALL).await;
        let got: BTreeSet<String> = begun.posts.union(&rest.posts).cloned().collect();
        assert!(got.is_superset(&bench.held(&partition)), "{}", partition.0);
    }
}
