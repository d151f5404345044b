//! The clients of both APIs against the simulator, over HTTP.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use heurpipe_core::{
    Blobs, Checkpoint, Digest, Error, ErrorKind, FetchMedia, Incoming, Media, MediaOutcome,
    MediaRequest, Page, Partition, Post, Result, Retry, Source, StoredBlob,
};
use heurpipe_sources::instagram::{InstagramGraph, InstagramGraphBuilder};
use heurpipe_sources::media::MediaFetcher;
use heurpipe_sources::simulator::{Network, Simulator, SimulatorOptions, World, WorldOptions};
use heurpipe_sources::weibo::{WeiboApi, WeiboApiBuilder};
use jiff::Timestamp;

const TOKEN: &str = "simulated-token";

async fn world(options: SimulatorOptions) -> (Arc<World>, Simulator) {
    let world = World::new(WorldOptions::new(11, 900));
    let simulator = Simulator::start(Arc::clone(&world), options).await.unwrap();
    (world, simulator)
}

fn graph(simulator: &Simulator) -> InstagramGraphBuilder {
    InstagramGraph::builder()
        .base_url(simulator.graph_url())
        .user_id("17841405309211844")
        .token(TOKEN.to_owned().into())
        .retries(1, Duration::from_millis(1))
}

fn weibo(simulator: &Simulator) -> WeiboApiBuilder {
    WeiboApi::builder()
        .base_url(format!("{}/2", simulator.weibo_url()))
        .token(TOKEN.to_owned().into())
        .retries(1, Duration::from_millis(1))
}

async fn pages(source: &impl Source, partition: &Partition, from: Checkpoint) -> Vec<Page> {
    let pages: Vec<_> = source.read(partition.clone(), from).collect().await;
    pages.into_iter().map(Result::unwrap).collect()
}

async fn everything(source: &impl Source) -> Vec<Page> {
    let mut all = Vec::new();
    for partition in source.partitions().await.unwrap() {
        all.extend(pages(source, &partition, Checkpoint::default()).await);
    }
    all
}

async fn failure(source: &impl Source) -> Error {
    let partition = source.partitions().await.unwrap().remove(0);
    let read: Vec<_> = source
        .read(partition, Checkpoint::default())
        .collect()
        .await;
    read.into_iter().find_map(Result::err).unwrap()
}

/// The posts by native id. Whatever is none of them fails the test.
fn posts(pages: &[Page]) -> BTreeMap<String, Post> {
    pages
        .iter()
        .flat_map(|page| &page.items)
        .map(|item| match item {
            Incoming::Post(post) => (post.id.native.to_string(), (**post).clone()),
            other => panic!("no post: {other:?}"),
        })
        .collect()
}

fn ids(pages: &[Page]) -> BTreeSet<String> {
    posts(pages).into_keys().collect()
}

/// The ids of the world's posts on a network.
fn made(world: &World, network: Network) -> BTreeSet<String> {
    world
        .posts()
        .iter()
        .filter(|post| world.author_of(post).network == network)
        .map(|post| post.native_id.to_string())
        .collect()
}

/// Whoever resumes after any page gets all that the pages after it hold.
async fn resumes_everywhere(source: &impl Source, partition: &Partition) {
    let all = pages(source, partition, Checkpoint::default()).await;
    assert!(all.len() > 2, "{} has several pages", partition.0);
    for (index, page) in all[..all.len() - 1].iter().enumerate() {
        let rest = pages(source, partition, page.checkpoint.clone()).await;
        let (rest, expected) = (ids(&rest), ids(&all[index + 1..]));
        assert!(
            rest.is_superset(&expected),
            "{} after page {index}",
            partition.0
        );
    }
}

#[tokio::test]
async fn all_posts_of_accounts_are_gathered() {
    let (world, simulator) = world(SimulatorOptions::default()).await;
    let source = graph(&simulator)
        .accounts(world.instagram_accounts())
        .page_size(7)
        .build()
        .unwrap();
    let gathered = posts(&everything(&source).await);
    let expected = made(&world, Network::Instagram);
    assert_eq!(gathered.keys().cloned().collect::<BTreeSet<_>>(), expected);
    for made in world.posts() {
        let author = world.author_of(made);
        if author.network == Network::Instagram {
            let post = &gathered[&made.native_id.to_string()];
            assert_eq!(post.text, made.text);
            assert_eq!(post.counts.likes, made.likes, "hidden is absent");
            assert_eq!(post.published_at, Some(made.published));
            let by = post.author.as_ref().unwrap();
            assert_eq!(by.handle.as_deref(), Some(author.handle.as_str()));
            assert_eq!(by.followers, Some(author.followers));
        }
    }
}

#[tokio::test]
async fn a_hashtag_gives_the_same_posts_as_their_accounts() {
    let (world, simulator) = world(SimulatorOptions::default()).await;
    let tags: Vec<String> = world.hashtags().into_iter().take(3).collect();
    let by_tag = graph(&simulator)
        .hashtags(&tags)
        .page_size(5)
        .build()
        .unwrap();
    let by_account = graph(&simulator)
        .accounts(world.instagram_accounts())
        .build()
        .unwrap();
    let known = posts(&everything(&by_account).await);
    let found = posts(&everything(&by_tag).await);
    assert!(!found.is_empty());
    for (id, post) in &found {
        let known = &known[id];
        let has_tag = known
            .hashtags
            .iter()
            .any(|tag| tags.contains(&tag.to_lowercase()));
        assert!(has_tag, "{id}: {:?}", known.hashtags);
        let media = |post: &Post| post.media.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
        let (ours, theirs) = (media(post), media(known));
        assert!(
            ours.iter().all(|id| theirs.contains(id)),
            "{ours:?} {theirs:?}"
        );
        assert_eq!(post.aliases, known.aliases);
    }
    for partition in by_tag.partitions().await.unwrap() {
        let expected = world.posts().iter().filter(|post| {
            world.author_of(post).network == Network::Instagram
                && partition.0.ends_with("/top")
                && post
                    .hashtags
                    .iter()
                    .any(|t| partition.0 == format!("hashtag/{t}/top"))
        });
        let read = ids(&pages(&by_tag, &partition, Checkpoint::default()).await);
        let missing = expected.filter(|post| !read.contains(&post.native_id.to_string()));
        assert_eq!(missing.count(), 0, "{}", partition.0);
    }
}

#[tokio::test]
async fn instagram_resumes_at_every_page() {
    let (world, simulator) = world(SimulatorOptions::default()).await;
    let account = busiest(&world, Network::Instagram, |author| author.handle.clone());
    let source = graph(&simulator)
        .accounts([account])
        .hashtags(world.hashtags().into_iter().take(1))
        .page_size(3)
        .build()
        .unwrap();
    for partition in source.partitions().await.unwrap() {
        if !partition.0.ends_with("/recent") {
            resumes_everywhere(&source, &partition).await;
        }
    }
}

#[tokio::test]
async fn the_next_run_reads_down_to_the_watermark_only() {
    let (world, simulator) = world(SimulatorOptions::default()).await;
    let account = busiest(&world, Network::Instagram, |author| author.handle.clone());
    let source = graph(&simulator)
        .accounts([account])
        .page_size(3)
        .build()
        .unwrap();
    let partition = source.partitions().await.unwrap().remove(0);
    let first = pages(&source, &partition, Checkpoint::default()).await;
    let done = first.last().unwrap().checkpoint.clone();
    assert_eq!(done.resume, None);
    assert!(done.watermark.is_some());
    let second = pages(&source, &partition, done.clone()).await;
    assert!(
        second.len() < first.len(),
        "{} of {}",
        second.len(),
        first.len()
    );
    assert_eq!(second.last().unwrap().checkpoint, done);
}

#[tokio::test]
async fn a_dead_cursor_begins_the_partition_anew() {
    let (world, simulator) = world(SimulatorOptions::default()).await;
    let account = busiest(&world, Network::Instagram, |author| author.handle.clone());
    let source = graph(&simulator).accounts([account]).build().unwrap();
    let partition = source.partitions().await.unwrap().remove(0);
    let whole = pages(&source, &partition, Checkpoint::default()).await;
    let dead = Checkpoint::at(r#"{"at":"of-a-deleted-post"}"#);
    let again = pages(&source, &partition, dead).await;
    assert_eq!(ids(&again), ids(&whole));
}

#[tokio::test]
async fn all_posts_of_users_are_gathered() {
    let (world, simulator) = world(SimulatorOptions::default()).await;
    let source = weibo(&simulator)
        .users(world.weibo_uids())
        .page_size(30)
        .build()
        .unwrap();
    let gathered = posts(&everything(&source).await);
    let expected = made(&world, Network::Weibo);
    assert_eq!(gathered.keys().cloned().collect::<BTreeSet<_>>(), expected);
    for made in world.posts() {
        if world.author_of(made).network == Network::Weibo {
            let post = &gathered[&made.native_id.to_string()];
            assert_eq!(post.text, made.text.trim(), "long texts are completed");
            assert_eq!(post.published_at, Some(made.published));
            let tagged = post.places.tagged.as_ref().map(|p| p.name.as_str());
            assert_eq!(tagged, made.place.as_ref().map(|p| p.name.as_str()));
        }
    }
    assert!(gathered.values().any(|post| post.repost_of.is_some()));
}

#[tokio::test]
async fn weibo_resumes_at_every_page() {
    let (world, simulator) = world(SimulatorOptions::default()).await;
    let topic = world
        .posts()
        .iter()
        .filter(|post| world.author_of(post).network == Network::Weibo)
        .find_map(|post| post.hashtags.first().cloned())
        .unwrap();
    let source = weibo(&simulator)
        .users([busiest(&world, Network::Weibo, |author| author.id.clone())])
        .topics([topic])
        .home_timeline()
        .complete_texts(false)
        .page_size(4)
        .build()
        .unwrap();
    for partition in source.partitions().await.unwrap() {
        if partition.0 == "home" {
            let home = ids(&pages(&source, &partition, Checkpoint::default()).await);
            assert_eq!(home, made(&world, Network::Weibo));
        } else {
            resumes_everywhere(&source, &partition).await;
        }
    }
}

#[tokio::test]
async fn pictures_of_both_networks_are_fetched() {
    let (world, simulator) = world(SimulatorOptions::default()).await;
    let fetcher = MediaFetcher::builder(Arc::new(Memory::default()))
        .allow_private_hosts(true)
        .build()
        .unwrap();
    let instagram = graph(&simulator)
        .accounts(world.instagram_accounts().into_iter().take(1))
        .build()
        .unwrap();
    let uids: Vec<String> = world.weibo_uids().into_iter().take(1).collect();
    let given = weibo(&simulator).users(&uids).build().unwrap();
    let configured = weibo(&simulator)
        .users(&uids)
        .media_base_url(format!("{}/sinaimg", simulator.media_url()))
        .build()
        .unwrap();
    let all = [
        everything(&instagram).await,
        everything(&given).await,
        everything(&configured).await,
    ];
    for gathered in all {
        let requests: Vec<MediaRequest> = posts(&gathered)
            .into_values()
            .flat_map(|post| {
                let request = |medium: &Media| MediaRequest::new(&post, medium.clone());
                post.media.iter().map(request).collect::<Vec<_>>()
            })
            .take(8)
            .collect();
        let outcomes = fetcher.fetch(&requests).await;
        let stored = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Ok(MediaOutcome::Stored { .. })));
        assert!(stored.count() * 2 > requests.len(), "{outcomes:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_needs_an_operator_and_is_not_told() {
    let (world, simulator) = world(SimulatorOptions::default()).await;
    let secret = "EAAsecret-of-mine";
    let graph = graph(&simulator)
        .token(secret.to_owned().into())
        .accounts(world.instagram_accounts())
        .build()
        .unwrap();
    let weibo = weibo(&simulator)
        .token(secret.to_owned().into())
        .home_timeline()
        .build()
        .unwrap();
    for error in [failure(&graph).await, failure(&weibo).await] {
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
        assert_eq!(error.retry(), Retry::NeedsOperator);
        let told = format!("{error:?} {}", error.chain().join(" "));
        assert!(!told.contains(secret), "{told}");
    }
}

#[tokio::test]
async fn a_used_up_allowance_is_waited_for() {
    let mut options = SimulatorOptions::default();
    options.limits.graph_calls_per_hour = 3;
    options.limits.weibo_calls_per_hour = 3;
    let (world, simulator) = world(options).await;
    let graph = graph(&simulator)
        .accounts([busiest(&world, Network::Instagram, |a| a.handle.clone())])
        .page_size(1)
        .longest_pause(Duration::ZERO)
        .build()
        .unwrap();
    let weibo = weibo(&simulator)
        .home_timeline()
        .complete_texts(false)
        .page_size(1)
        .longest_pause(Duration::ZERO)
        .build()
        .unwrap();
    for error in [failure(&graph).await, failure(&weibo).await] {
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
        assert_eq!(error.retry(), Retry::Temporary);
        assert!(error.retry_after().is_some());
    }
}

/// Whoever has the most posts.
fn busiest(
    world: &World,
    network: Network,
    name: impl Fn(&heurpipe_sources::simulator::Author) -> String,
) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for post in world.posts() {
        let author = world.author_of(post);
        if author.network == network {
            *counts.entry(name(author)).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .unwrap()
        .0
}

#[derive(Default)]
struct Memory(Mutex<HashMap<Digest, Bytes>>);

#[async_trait]
impl Blobs for Memory {
    async fn put(&self, bytes: Bytes) -> Result<Digest> {
        let digest = Digest::of(&bytes);
        self.0.lock().unwrap().insert(digest, bytes);
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Bytes> {
        let bytes = self.0.lock().unwrap().get(digest).cloned();
        bytes.ok_or_else(|| Error::new(ErrorKind::NotFound, "memory.get"))
    }

    async fn contains(&self, digest: &Digest) -> Result<bool> {
        Ok(self.0.lock().unwrap().contains_key(digest))
    }

    async fn delete(&self, digest: &Digest) -> Result<()> {
        self.0.lock().unwrap().remove(digest);
        Ok(())
    }

    fn list(&self) -> BoxStream<'static, Result<StoredBlob>> {
        let blobs = self.0.lock().unwrap();
        let listed: Vec<_> = blobs
            .iter()
            .map(|(digest, bytes)| StoredBlob {
                digest: *digest,
                bytes: bytes.len() as u64,
                put_at: Timestamp::UNIX_EPOCH,
            })
            .map(Ok)
            .collect();
        stream::iter(listed).boxed()
    }
}
