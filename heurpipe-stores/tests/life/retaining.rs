//! For how long the search index keeps posts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heurpipe_core::*;
use heurpipe_stores::life::Retention;
use heurpipe_stores::{Mode, search};
use jiff::{SignedDuration, Timestamp};

use super::fuse::{Where, fused};
use super::world::{World, id};

const NOW: &str = "2026-06-01T00:00:00Z";

/// A post so many days old, relevant to these.
fn post(number: u64, days: i64, dated: bool, relevant_to: &[&str]) -> Record {
    let now: Timestamp = NOW.parse().unwrap();
    let then = now - SignedDuration::from_hours(24 * days);
    let mut post = Post::new(id(number), if dated { now } else { then });
    post.published_at = dated.then_some(then);
    let mut record = Record::new(post);
    record.revision = 1;
    for use_case in relevant_to {
        record
            .states
            .insert((*use_case).to_owned(), State::Delivered);
    }
    let filtered = State::Filtered {
        reason: "not relevant".to_owned(),
    };
    record.states.insert("other".to_owned(), filtered);
    record
}

fn limits() -> BTreeMap<String, SignedDuration> {
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    [
        ("trends", days(30)),
        ("catalog", days(100)),
        ("other", days(1)),
    ]
    .map(|(name, limit)| (name.to_owned(), limit))
    .into()
}

/// Posts, each with whether it is past what its use cases say.
fn posts() -> Vec<(Record, bool)> {
    vec![
        (post(1, 29, true, &["trends"]), false),
        (post(2, 31, true, &["trends"]), true),
        (post(3, 31, true, &["trends", "catalog"]), false),
        (post(4, 101, true, &["trends", "catalog"]), true),
        (post(5, 101, true, &["catalog"]), true),
        (post(6, 900, true, &["trends", "for ever"]), false),
        (post(7, 900, true, &["for ever"]), false),
        (post(8, 900, true, &[]), false),
        (post(9, 31, false, &["trends"]), true),
        (post(10, 29, false, &["trends"]), false),
        (post(11, 30, true, &["trends"]), false),
    ]
}

async fn filled(world: &World) {
    let records: Vec<Arc<Record>> = posts().into_iter().map(|(r, _)| Arc::new(r)).collect();
    for outcome in world.search.write(&records).await.unwrap() {
        outcome.unwrap();
    }
    world.search.flush().await.unwrap();
}

async fn found(world: &World) -> BTreeSet<PostId> {
    let request = SearchRequest::new(Filter::All).limit(100);
    let page = world.search.search(&request).await.unwrap();
    page.items
        .iter()
        .map(|record| record.id().clone())
        .collect()
}

fn kept() -> BTreeSet<PostId> {
    let kept = posts().into_iter().filter(|(_, past)| !past);
    kept.map(|(record, _)| record.id().clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_stays_as_long_as_the_longest_of_its_use_cases_says() {
    let folder = tempfile::tempdir().unwrap();
    let now = NOW.parse().unwrap();
    for url in ["memory:", &format!("tantivy:{}", folder.path().display())] {
        let mut world = World::empty().await;
        world.search = search::open(url, Mode::ReadWrite).await.unwrap();
        filled(&world).await;
        let none = Retention::of(world.search.clone(), BTreeMap::new());
        assert_eq!(none.run(now).await.unwrap(), 0);
        let retention = Retention::of(world.search.clone(), limits());
        assert_eq!(retention.survey(now).await.unwrap(), 4);
        assert_eq!(found(&world).await.len(), 11, "a survey removes nothing");
        assert_eq!(retention.run(now).await.unwrap(), 4);
        assert_eq!(found(&world).await, kept());
        assert_eq!(retention.run(now).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn many_pages_are_gone_through() {
    let world = World::empty().await;
    let now = NOW.parse().unwrap();
    let records: Vec<Arc<Record>> = (0..1_750)
        .map(|number| {
            let stays = number % 5 == 0;
            let use_cases: &[&str] = if stays {
                &["trends", "for ever"]
            } else {
                &["trends"]
            };
            Arc::new(post(number, 40, true, use_cases))
        })
        .collect();
    world.search.write(&records).await.unwrap();
    world.search.flush().await.unwrap();
    let retention = Retention::of(world.search.clone(), limits());
    assert_eq!(retention.run(now).await.unwrap(), 1_400);
    let request = SearchRequest::new(Filter::All);
    let left = world.search.search(&request).await.unwrap().total.value;
    assert_eq!(left, 350);
}

#[tokio::test]
async fn interrupted_at_any_step_the_next_does_the_rest() {
    let now = NOW.parse().unwrap();
    let mut ended = 0;
    for (step, done) in (1..20).flat_map(|step| [(step, false), (step, true)]) {
        let world = World::empty().await;
        filled(&world).await;
        let burnt = fused(&world, Where::Search, step, done);
        let run = Retention::of(burnt.search, limits()).run(now).await;
        if run.is_ok() {
            break;
        }
        ended += 1;
        Retention::of(world.search.clone(), limits())
            .run(now)
            .await
            .unwrap();
        assert_eq!(found(&world).await, kept());
    }
    assert!(ended >= 6, "{ended}");
}
