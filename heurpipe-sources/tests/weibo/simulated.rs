//! All partitions against the simulator.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::testkit::suite::{self, SourceOptions};
use heurpipe_core::{Checkpoint, Clock, Crs, ErrorKind, Platform, Retry, Source};
use heurpipe_sources::simulator::{
    Network, Post, Simulator, SimulatorOptions, World, WorldOptions,
};
use jiff::Timestamp;

use crate::support::{client, failure, ids, pages, posts, simulated};

fn set(ids: Vec<String>) -> BTreeSet<String> {
    ids.into_iter().collect()
}

/// The ids of the world's Weibo posts that are as asked.
fn made(world: &World, is_asked: impl Fn(&Post) -> bool) -> BTreeSet<String> {
    world
        .posts()
        .iter()
        .filter(|post| world.author_of(post).network == Network::Weibo && is_asked(post))
        .map(|post| post.native_id.to_string())
        .collect()
}

/// The Weibo user with the most posts, and how many.
fn busiest(world: &World) -> String {
    let count = |uid: &String| made(world, |post| world.author_of(post).id == *uid).len();
    world.weibo_uids().into_iter().max_by_key(count).unwrap()
}

fn a_place(world: &World) -> (f64, f64) {
    let place = world.posts().iter().find_map(|post| post.place.as_ref());
    let place = place.unwrap();
    (place.latitude, place.longitude)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_partitions_uphold_what_sources_must() {
    let world = World::new(WorldOptions::new(11, 300));
    let mut options = SimulatorOptions::default();
    options.weibo.hidden = 0.2;
    let simulator = Simulator::start(Arc::clone(&world), options).await.unwrap();
    let (latitude, longitude) = a_place(&world);
    let url = simulator.weibo_url();
    let clock = Clock::manual(world.options().now).0;
    let make = || {
        client(&url)
            .users(world.weibo_uids().into_iter().take(2))
            .commercial_users([busiest(&world)])
            .topics(["每日穿搭"])
            .nearby(latitude, longitude, 11_000)
            .public_timeline()
            .home_timeline()
            .own_timeline()
            .complete_texts(false)
            .page_size(30)
            .clock(clock)
            .build()
            .unwrap()
    };
    let options = SourceOptions::default().platform(Platform::weibo());
    suite::source(make, options).await.assert_passed();
}

#[tokio::test]
async fn the_public_and_the_home_timeline_give_all_posts() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let source = client(&simulator.weibo_url())
        .public_timeline()
        .home_timeline()
        .complete_texts(false)
        .build()
        .unwrap();
    for partition in ["public", "home"] {
        let read = pages(&source, partition, Checkpoint::default()).await;
        assert_eq!(set(ids(&read)), made(&world, |_| true), "{partition}");
    }
}

#[tokio::test]
async fn short_and_empty_pages_do_not_end_a_timeline() {
    let mut options = SimulatorOptions::default();
    options.weibo.hidden = 0.7;
    let (world, simulator) = simulated(options).await;
    let of_size = |posts| {
        client(&simulator.weibo_url())
            .home_timeline()
            .complete_texts(false)
            .page_size(posts)
            .build()
            .unwrap()
    };
    let whole = pages(&of_size(100), "home", Checkpoint::default()).await;
    let read = pages(&of_size(2), "home", Checkpoint::default()).await;
    let is_empty = |page: &&heurpipe_core::Page| page.items.is_empty();
    let empty = read.iter().filter(is_empty).count();
    assert!(empty > 50, "{empty} pages of {} are empty", read.len());
    assert_eq!(set(ids(&read)), set(ids(&whole)));
    let all = made(&world, |_| true).len();
    assert!(set(ids(&read)).len() < all, "some are hidden");
}

#[tokio::test]
async fn the_users_own_timeline_gives_the_newest_five() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let source = client(&simulator.weibo_url())
        .own_timeline()
        .build()
        .unwrap();
    let read = pages(&source, "user", Checkpoint::default()).await;
    let caller = world.weibo_uids().remove(0);
    let mut newest: Vec<String> = made(&world, |post| world.author_of(post).id == caller)
        .into_iter()
        .collect();
    let newest = newest.split_off(newest.len() - 5);
    let own: BTreeSet<String> = posts(&read)
        .into_values()
        .filter(|post| post.author.as_ref().unwrap().id.as_deref() == Some(&caller))
        .map(|post| post.id.native.to_string())
        .collect();
    assert_eq!(own, newest.into_iter().collect());
}

#[tokio::test]
async fn a_commercial_user_is_read_in_a_span_of_time() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let uid = busiest(&world);
    let end = world.options().now;
    let since = end - Duration::from_secs(200 * 86_400);
    let build = |since: Option<Timestamp>, now: Timestamp| {
        let builder = client(&simulator.weibo_url())
            .commercial_users([&uid])
            .complete_texts(false)
            .page_size(2)
            .clock(Clock::manual(now).0);
        match since {
            Some(since) => builder.published_since(since),
            None => builder,
        }
        .build()
        .unwrap()
    };
    let partition = format!("user/{uid}");
    let by_user = |post: &Post| world.author_of(post).id == uid;
    let is_by_user = |id: &String| made(&world, by_user).contains(id);

    let read = pages(&build(None, end), &partition, Checkpoint::default()).await;
    let all: BTreeSet<String> = ids(&read).into_iter().filter(is_by_user).collect();
    assert_eq!(all, made(&world, by_user));

    let read = pages(&build(Some(since), end), &partition, Checkpoint::default()).await;
    let some: BTreeSet<String> = ids(&read).into_iter().filter(is_by_user).collect();
    let expected = made(&world, |post| by_user(post) && post.published >= since);
    assert_eq!(some, expected);
    assert!(!some.is_empty() && some.len() < all.len());

    // The pass of an earlier day does not see what came later; the next one reads on from there, less the overlap.
    let first = pages(&build(None, since), &partition, Checkpoint::default()).await;
    let done = first.last().unwrap().checkpoint.clone();
    let (mark, _) = done.watermark.clone().unwrap();
    assert!(mark <= since);
    let next = pages(&build(None, end), &partition, done).await;
    let next: BTreeSet<String> = ids(&next).into_iter().filter(is_by_user).collect();
    let overlap = Duration::from_secs(48 * 3600);
    let expected = made(&world, |post| {
        by_user(post) && post.published >= mark - overlap
    });
    assert_eq!(next, expected);
}

#[tokio::test]
async fn posts_around_a_point_are_found_in_its_reference_system() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let (latitude, longitude) = a_place(&world);
    let partition = format!("nearby/{latitude},{longitude},11132");
    for crs in [None, Some(Crs::Wgs84), Some(Crs::Gcj02)] {
        let mut builder = client(&simulator.weibo_url())
            .nearby(latitude, longitude, 11_132)
            .complete_texts(false)
            .clock(Clock::manual(world.options().now).0);
        if let Some(crs) = crs {
            builder = builder.nearby_crs(crs);
        }
        let source = builder.build().unwrap();
        assert_eq!(source.partitions().await.unwrap()[0].0, partition);
        let read = pages(&source, &partition, Checkpoint::default()).await;
        let found = posts(&read);
        assert!(found.len() > 1, "{}", found.len());
        for post in found.values() {
            let tagged = post.places.tagged.as_ref().unwrap();
            assert!((tagged.latitude.unwrap() - latitude).abs() < 0.11);
            assert_eq!(tagged.crs, crs);
        }
    }
}

#[tokio::test]
async fn a_missing_permission_ends_its_own_partition() {
    let mut options = SimulatorOptions::default();
    options.weibo.advanced = false;
    options.weibo.commercial = false;
    let (world, simulator) = simulated(options).await;
    let uid = world.weibo_uids().remove(0);
    let source = client(&simulator.weibo_url())
        .topics(["每日穿搭"])
        .users([&uid])
        .commercial_users([&uid])
        .home_timeline()
        .complete_texts(false)
        .build()
        .unwrap();
    for partition in [
        "search/每日穿搭",
        &format!("users/{uid}"),
        &format!("user/{uid}"),
    ] {
        let error = failure(&source, partition).await;
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert_eq!(error.retry(), Retry::NeedsOperator);
        let told = error.to_string();
        assert!(
            told.contains("lacks the permission") && told.contains(partition),
            "{told}"
        );
    }
    let home = pages(&source, "home", Checkpoint::default()).await;
    assert_eq!(set(ids(&home)), made(&world, |_| true));
}

#[tokio::test]
async fn the_time_of_collection_is_the_clocks() {
    let (_, simulator) = simulated(SimulatorOptions::default()).await;
    let now: Timestamp = "2026-07-01T08:00:00Z".parse().unwrap();
    let source = client(&simulator.weibo_url())
        .own_timeline()
        .clock(Clock::manual(now).0)
        .build()
        .unwrap();
    let read = pages(&source, "user", Checkpoint::default()).await;
    assert!(posts(&read).values().all(|post| post.collected_at == now));
}
