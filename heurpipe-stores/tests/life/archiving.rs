//! From documents to the warehouse, and back when a post comes again.

use std::collections::BTreeMap;
use std::sync::Arc;

use heurpipe_core::testkit::Posts;
use heurpipe_core::*;
use heurpipe_stores::life::Tiered;
use heurpipe_stores::warehouse::{DocumentRows, Warehouse};
use jiff::SignedDuration;

use super::world::{World, id};

#[tokio::test]
async fn settled_posts_of_old_days_move() {
    let (world, posts) = World::random(7).await;
    let days = world.archive().survey().await.unwrap();
    world.check(&posts).await;
    assert_eq!(world.warehouse.coverage().await.unwrap().posts, 0);

    let report = world.archive().run().await.unwrap();
    assert!(report.archived > 0);
    assert_eq!(report.kept, 0);
    let counted: Vec<_> = days.iter().map(|d| (d.day, d.records)).collect();
    let moved: Vec<_> = report.days.iter().map(|d| (d.day, d.archived)).collect();
    assert_eq!(moved, counted);
    world.check_archived(&posts).await;

    let again = world.archive().run().await.unwrap();
    assert_eq!((again.archived, again.manifest), (0, report.manifest));
}

#[tokio::test]
async fn a_late_post_becomes_a_segment_of_its_day() {
    let (world, mut posts) = World::random(3).await;
    world.archive().run().await.unwrap();
    let before = world.warehouse.coverage().await.unwrap();
    let mut post = Post::new(id(999), "2026-03-05T00:00:00Z".parse().unwrap());
    post.published_at = Some("2026-03-01T12:00:00Z".parse().unwrap());
    let mut late = Record::new(post);
    world.documents.commit(&[&late]).await.unwrap();
    late.revision = 1;
    posts.insert(late.id().clone(), late);
    world.archive().run().await.unwrap();
    world.check_archived(&posts).await;
    let after = world.warehouse.coverage().await.unwrap();
    assert_eq!(after.segments, before.segments + 1);

    let compacted = world.warehouse.compact(SignedDuration::ZERO).await.unwrap();
    assert_eq!((compacted.merged, compacted.written), (2, 1));
    world.check_archived(&posts).await;
    let after = world.warehouse.coverage().await.unwrap();
    assert_eq!(after.segments, before.segments);
    let again = world.warehouse.compact(SignedDuration::ZERO).await.unwrap();
    assert_eq!((again.merged, again.manifest), (0, compacted.manifest));
}

#[tokio::test]
async fn files_that_nothing_needs_go_after_a_while() {
    let (world, posts) = World::random(5).await;
    world.archive().run().await.unwrap();
    let rows = world.rows_in_files().await.len();
    let mut again = world.cold().await.into_values().next().unwrap();
    again.revision += 1;
    world.warehouse.append(vec![again]).await.unwrap();
    assert_eq!(world.rows_in_files().await.len(), rows + 1);
    let day = SignedDuration::from_hours(24);
    let compacted = world.warehouse.compact(day).await.unwrap();
    assert_eq!(compacted.deleted, 0, "somebody may be reading");
    // Files are as old as they are to the second.
    let later = SignedDuration::from_secs(-2);
    let compacted = world.warehouse.compact(later).await.unwrap();
    assert!(compacted.deleted > 0);
    assert_eq!(world.rows_in_files().await.len(), rows);
    assert_eq!(
        world.cold().await.len() + world.hot().await.len(),
        posts.len()
    );
}

/// Stores with posts of which none is owed anything but what waits for people, most of them archived.
async fn archived(seed: u64) -> (World, BTreeMap<PostId, Record>) {
    let (world, _) = World::random(seed).await;
    crawl(world.documents.clone(), &world, Vec::new()).await;
    let posts = world.hot().await;
    world.archive().run().await.unwrap();
    (world, posts)
}

/// Crawls posts, over documents that have the warehouse behind them or have not.
async fn crawl(documents: Arc<dyn Documents>, world: &World, posts: Vec<Post>) -> RunReport {
    let pipeline = Pipeline::builder("catalog")
        .documents(documents)
        .source(Posts::new(posts))
        .sink(world.search.clone())
        .build()
        .unwrap();
    pipeline.run(RunOptions::default()).await.unwrap()
}

fn tiered(world: &World) -> Arc<Tiered> {
    let (documents, warehouse) = (world.documents.clone(), world.warehouse.clone());
    Arc::new(Tiered::new(documents, warehouse))
}

#[tokio::test]
async fn a_post_that_comes_again_as_it_was_stays_where_it_is() {
    let (world, posts) = archived(11).await;
    let archived = world.cold().await.into_values().next().unwrap();
    let report = crawl(tiered(&world), &world, vec![(*archived.post).clone()]).await;
    assert_eq!((report.posts.filtered, report.posts.delivered), (1, 0));
    world.check_archived(&posts).await;
}

#[tokio::test]
async fn a_post_that_comes_again_changed_goes_back_to_documents() {
    let (world, mut posts) = archived(11).await;
    let archived = world.cold().await.into_values().next().unwrap();
    let mut post = (*archived.post).clone();
    post.counts.likes = Some(500);
    post.collected_at = "2026-03-06T00:00:00Z".parse().unwrap();
    let report = crawl(tiered(&world), &world, vec![post]).await;
    assert_eq!(report.posts.delivered, 1);

    // With all that was known of it, and the search index takes it.
    let hot = world.hot().await.remove(archived.id()).unwrap();
    assert_eq!(hot.post.counts.likes, Some(500));
    assert_eq!(hot.observations.len(), 2);
    assert!(hot.revision > archived.revision);
    let found = world.search.get(archived.id()).await.unwrap().unwrap();
    assert_eq!(found.revision, hot.revision);
    posts.insert(hot.id().clone(), hot.clone());
    world.check(&posts).await;

    world.archive().run().await.unwrap();
    world.check_archived(&posts).await;
    assert_eq!(world.cold().await[hot.id()], hot);
}

#[tokio::test]
async fn without_the_warehouse_a_post_that_comes_again_is_filtered() {
    let (world, posts) = archived(13).await;
    let archived = world.cold().await.into_values().next().unwrap();
    let mut post = (*archived.post).clone();
    post.counts.likes = Some(500);
    let report = crawl(world.documents.clone(), &world, vec![post]).await;
    assert_eq!((report.posts.filtered, report.posts.delivered), (1, 0));
    world.check_archived(&posts).await;
}

#[tokio::test]
async fn what_documents_lost_and_gathered_anew_is_not_taken_for_what_is_archived() {
    let (world, _) = World::random(17).await;
    world.archive().run().await.unwrap();
    let archived = world.cold().await.into_values().next().unwrap();
    let anew = World::empty().await;
    let mut record = Record::new(archived.post.clone());
    record.post.text = "gathered anew".to_owned();
    anew.documents.commit(&[&record]).await.unwrap();
    let mixed = World {
        documents: anew.documents.clone(),
        ..world
    };
    let report = mixed.archive().run().await.unwrap();
    assert_eq!((report.archived, report.kept), (0, 1));
    let hot = mixed.hot().await.remove(archived.id()).unwrap();
    assert_eq!(hot.post.text, "gathered anew");
    let rows = DocumentRows::new(mixed.documents.clone());
    assert_eq!(
        Warehouse::sql(&*mixed.warehouse, "SELECT 1", &rows)
            .await
            .unwrap()
            .hot,
        1
    );
}

/// They go by the day on which they were last seen, lie together, and say of themselves no day.
#[tokio::test(flavor = "multi_thread")]
async fn posts_that_do_not_say_when_are_archived_too() {
    let world = World::empty().await;
    for (number, collected) in [(1, "2026-03-03T23:59:59Z"), (2, "2026-03-04T00:00:00Z")] {
        let record = Record::new(Post::new(id(number), collected.parse().unwrap()));
        world.documents.commit(&[&record]).await.unwrap();
    }
    let expected = DayCount {
        day: None,
        records: 1,
    };
    assert_eq!(world.archive().survey().await.unwrap(), [expected]);
    let report = world.archive().run().await.unwrap();
    let days: Vec<_> = report.days.iter().map(|d| (d.day, d.archived)).collect();
    assert_eq!(days, [(None, 1)]);
    let cold: Vec<PostId> = world.cold().await.into_keys().collect();
    let hot: Vec<PostId> = world.hot().await.into_keys().collect();
    assert_eq!((cold, hot), (vec![id(1)], vec![id(2)]));
    let coverage = world.warehouse.coverage().await.unwrap();
    assert_eq!((coverage.posts, coverage.undated), (1, 1));
}
