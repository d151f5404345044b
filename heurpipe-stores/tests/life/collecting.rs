//! Pictures that nothing refers to any more.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use heurpipe_core::*;
use heurpipe_stores::life::{Collect, Collected};
use heurpipe_stores::warehouse::ParquetWarehouse;
use jiff::SignedDuration;

use super::fuse::{Where, fused};
use super::world::World;

const ORPHANS: u8 = 7;

fn collect(world: &World, grace: SignedDuration) -> Collect {
    Collect::from(
        world.documents.clone(),
        world.warehouse.clone(),
        world.blobs.clone(),
        grace,
    )
}

fn pictures(record: &Record) -> impl Iterator<Item = Digest> {
    record.post.media.iter().filter_map(|m| match m.fetched {
        Fetched::Stored { digest, .. } => Some(digest),
        _ => None,
    })
}

/// A world whose posts are in both tiers, with a picture that only a dead letter has, and some that nothing has; and what must stay.
async fn with_orphans(seed: u64) -> (World, BTreeSet<Digest>) {
    let (world, posts) = World::random(seed).await;
    world.archive().run().await.unwrap();
    let mut kept: BTreeSet<Digest> = posts.values().flat_map(pictures).collect();
    let digest = world
        .blobs
        .put(Bytes::from_static(b"of a letter"))
        .await
        .unwrap();
    let mut failed = posts.values().next().unwrap().clone();
    let mut picture = Media::image("m", "https://example.com/m");
    picture.fetched = Fetched::Stored {
        digest,
        bytes: 11,
        content_type: "image/jpeg".to_owned(),
    };
    failed.post.media = vec![picture];
    let error = Error::new(ErrorKind::Corrupt, "test");
    let letter = DeadLetter::of_record("trends", "colour", failed, &error);
    world.documents.bury(&[letter]).await.unwrap();
    kept.insert(digest);
    for number in 0..ORPHANS {
        world
            .blobs
            .put(Bytes::from(vec![number; 10]))
            .await
            .unwrap();
    }
    (world, kept)
}

async fn listed(blobs: &Arc<dyn Blobs>) -> BTreeSet<Digest> {
    let listed: Vec<StoredBlob> = blobs.list().try_collect().await.unwrap();
    listed.iter().map(|blob| blob.digest).collect()
}

fn counts(collected: &Collected) -> (u64, u64, u64, u64) {
    let Collected {
        blobs,
        recent,
        unreferenced,
        bytes,
        ..
    } = collected;
    (*blobs, *recent, *unreferenced, *bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_refers_to_goes_and_all_else_stays() {
    for seed in 1..=5 {
        let (world, kept) = with_orphans(seed).await;
        let before = listed(&world.blobs).await;
        let all = before.len() as u64;
        let orphans = u64::from(ORPHANS);
        let hour = SignedDuration::from_hours(1);
        let young = collect(&world, hour).run().await.unwrap();
        assert_eq!(counts(&young), (all, all, 0, 0), "nothing is old enough");

        let surveyed = collect(&world, SignedDuration::ZERO)
            .survey()
            .await
            .unwrap();
        assert_eq!(counts(&surveyed), (all, 0, orphans, 10 * orphans));
        assert_eq!(
            listed(&world.blobs).await,
            before,
            "a survey deletes nothing"
        );
        let done = collect(&world, SignedDuration::ZERO).run().await.unwrap();
        assert_eq!(done, surveyed);
        assert_eq!(listed(&world.blobs).await, kept);
        let again = collect(&world, SignedDuration::ZERO).run().await.unwrap();
        assert_eq!(again.unreferenced, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_at_any_step_it_deletes_nothing_else_and_the_next_does_the_rest() {
    let mut ended = 0;
    for place in [Where::Documents, Where::Blobs] {
        for (step, done) in (1..100).flat_map(|step| [(step, false), (step, true)]) {
            let (world, kept) = with_orphans(2).await;
            let burnt = fused(&world, place, step, done);
            let run = collect(&burnt, SignedDuration::ZERO).run().await;
            assert!(listed(&world.blobs).await.is_superset(&kept));
            if run.is_ok() {
                break;
            }
            ended += 1;
            collect(&world, SignedDuration::ZERO).run().await.unwrap();
            assert_eq!(listed(&world.blobs).await, kept);
        }
    }
    assert!(ended > 2 * usize::from(ORPHANS), "{ended}");
}

/// Blobs into which somebody puts an old picture again, after they were listed for the first time.
struct PutAgain {
    inner: Arc<dyn Blobs>,
    listed: AtomicBool,
}

#[async_trait]
impl Blobs for PutAgain {
    async fn put(&self, bytes: Bytes) -> Result<Digest> {
        self.inner.put(bytes).await
    }

    async fn get(&self, digest: &Digest) -> Result<Bytes> {
        self.inner.get(digest).await
    }

    async fn contains(&self, digest: &Digest) -> Result<bool> {
        self.inner.contains(digest).await
    }

    async fn delete(&self, digest: &Digest) -> Result<()> {
        self.inner.delete(digest).await
    }

    fn list(&self) -> BoxStream<'static, Result<StoredBlob>> {
        let again = self.listed.swap(true, Ordering::SeqCst);
        let inner = self.inner.clone();
        let listed = futures::stream::once(async move {
            if again {
                inner.put(Bytes::from(vec![3; 10])).await?;
            }
            Ok(inner.list())
        });
        Box::pin(listed.try_flatten())
    }
}

/// A run fetches it for a post that is not stored yet.
#[tokio::test]
async fn a_picture_that_is_put_again_meanwhile_stays() {
    let (mut world, mut kept) = with_orphans(1).await;
    let inner = world.blobs.clone();
    world.blobs = Arc::new(PutAgain {
        inner: inner.clone(),
        listed: AtomicBool::new(false),
    });
    let done = collect(&world, SignedDuration::ZERO).run().await.unwrap();
    assert_eq!(done.unreferenced, u64::from(ORPHANS) - 1);
    kept.insert(Digest::of(&[3; 10]));
    assert_eq!(listed(&inner).await, kept);
}

/// A slip in the configuration must not delete all pictures.
#[tokio::test]
async fn other_documents_or_another_warehouse_are_found_out() {
    let (world, _) = with_orphans(1).await;
    let before = listed(&world.blobs).await;
    let mut without_rows = world.clone();
    without_rows.warehouse = Arc::new(ParquetWarehouse::in_memory());
    let mut without_posts = World::empty().await;
    without_posts.blobs = world.blobs.clone();
    for (wrong, expected) in [
        (without_rows, "the warehouse has none"),
        (without_posts, "no post at all"),
    ] {
        let error = collect(&wrong, SignedDuration::ZERO)
            .run()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(listed(&world.blobs).await, before);
}
