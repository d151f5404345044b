//! Each stream against the simulator: what is there is read, all of it, and lands where it belongs.

use std::collections::BTreeSet;

use heurpipe_core::testkit::suite::{self, SourceOptions};
use heurpipe_core::{Clock, Platform, Source};
use heurpipe_sources::simulator::{CALLER, Network, SimulatorOptions, World};
use serde_json::Value;

use crate::support::*;

fn made(world: &World, indices: &[usize]) -> BTreeSet<String> {
    let posts = indices.iter().map(|index| &world.posts()[*index]);
    posts.map(|post| post.native_id.to_string()).collect()
}

fn mentions(world: &World) -> Vec<String> {
    let indices = world.mentions_of_caller();
    indices
        .iter()
        .map(|index| world.posts()[*index].id.clone())
        .collect()
}

#[tokio::test]
async fn own_media_are_the_callers_with_all_that_only_they_see() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let now = "2026-07-01T00:00:00Z".parse().unwrap();
    let source = source_at(&simulator.graph_url())
        .own_media()
        .page_size(4)
        .clock(Clock::tokio(now))
        .build()
        .unwrap();
    let read = pages(&source, "own").await;
    let gathered = posts(&read);
    assert!(gathered.is_sorted_by(|one, next| one.published_at >= next.published_at));
    let gathered = by_id(gathered);
    let caller = world.caller();
    let own = || {
        world
            .posts()
            .iter()
            .filter(|post| world.author_of(post) == caller)
    };
    let expected: BTreeSet<_> = own().map(|post| post.native_id.to_string()).collect();
    assert_eq!(gathered.keys().cloned().collect::<BTreeSet<_>>(), expected);
    for made in own() {
        let post = &gathered[&made.native_id.to_string()];
        assert_eq!(post.text, made.text);
        assert_eq!(post.counts.likes, Some(made.likes.unwrap_or_default()));
        assert!(post.counts.reposts.is_some());
        assert_eq!(*post.aliases[0].native, format!("graph:{}", made.id));
        assert!(post.collected_at >= now);
        let author = post.author.as_ref().unwrap();
        assert_eq!(author.handle.as_deref(), Some(caller.handle.as_str()));
        assert_eq!(author.followers, Some(caller.followers), "as of collection");
        let album: Vec<_> = made
            .media
            .iter()
            .map(|m| format!("{}.jpg", m.key))
            .collect();
        let media: Vec<_> = post.media.iter().map(|m| m.id.clone()).collect();
        assert_eq!(media, album, "in the order of the album");
        let account: Value = serde_json::from_str(post.raw["graph.user"].as_str()).unwrap();
        assert_eq!(account["id"], CALLER);
        assert!(account["biography"].is_string());
        let medium: Value = serde_json::from_str(post.raw["graph.own"].as_str()).unwrap();
        assert_eq!(medium["ig_id"], made.native_id.to_string());
        assert_eq!(medium["owner"]["id"], CALLER);
        assert!(medium["copyright_check_information"]["status"].is_object());
    }
}

#[tokio::test]
async fn own_media_are_the_same_posts_as_others_see() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let handle = &world.caller().handle;
    let source = source_at(&simulator.graph_url())
        .own_media()
        .accounts([handle])
        .build()
        .unwrap();
    let own = by_id(posts(&pages(&source, "own").await));
    let others = by_id(posts(&pages(&source, &format!("account/{handle}")).await));
    assert_eq!(own.len(), others.len());
    for (id, seen) in &others {
        assert_eq!(seen.aliases, own[id].aliases);
        assert_eq!(seen.author, own[id].author);
        assert_eq!(seen.raw.len(), 2, "the post and its account");
    }
}

#[tokio::test]
async fn posts_that_show_the_caller_say_who_wrote_them() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let source = source_at(&simulator.graph_url())
        .tagged()
        .mentions(mentions(&world))
        .page_size(4)
        .build()
        .unwrap();
    for (partition, indices) in [
        ("tagged", world.tags_of_caller()),
        ("mentions", world.mentions_of_caller()),
    ] {
        let gathered = by_id(posts(&pages(&source, partition).await));
        let expected = made(&world, &indices);
        assert!(expected.len() > 4, "{partition}");
        assert_eq!(gathered.keys().cloned().collect::<BTreeSet<_>>(), expected);
        for index in indices {
            let made = &world.posts()[index];
            let post = &gathered[&made.native_id.to_string()];
            let author = post.author.as_ref().unwrap().handle.clone();
            assert_eq!(author, Some(world.author_of(made).handle.clone()));
            assert_eq!(post.counts.likes, made.likes, "hidden is absent");
        }
    }
}

#[tokio::test]
async fn all_streams_uphold_what_a_source_must() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let make = || {
        source_at(&simulator.graph_url())
            .own_media()
            .tagged()
            .mentions(mentions(&world).into_iter().take(4))
            .accounts([&world.instagram_accounts()[0]])
            .hashtags(&world.hashtags()[..1])
            .page_size(12)
            .build()
            .unwrap()
    };
    assert_eq!(make().partitions().await.unwrap().len(), 6);
    let options = SourceOptions::default().platform(Platform::instagram());
    let report = suite::source(make, options).await;
    report.assert_passed();
    assert_eq!(report.upheld().count(), report.checks.len(), "{report}");
}

#[tokio::test]
async fn the_simulator_speaks_of_single_media_as_the_api_does() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let get = |path: String| {
        let url = format!("{}/v25.0/{path}", simulator.graph_url());
        let request = reqwest::Client::new().get(url).bearer_auth(TOKEN).send();
        async move { request.await.unwrap().json::<Value>().await.unwrap() }
    };
    let caller = world.caller();
    let album = world
        .posts()
        .iter()
        .find(|post| world.author_of(post) == caller && post.media.len() > 1)
        .unwrap();
    let children = get(format!(
        "{}/children?fields=id,media_type,media_url,permalink,thumbnail_url,timestamp",
        album.id
    ))
    .await;
    let ids: Vec<_> = children["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["id"])
        .collect();
    let expected: Vec<_> = album.media.iter().map(|medium| &medium.graph_id).collect();
    assert_eq!(ids, expected);
    let medium = get(format!("{}?fields=id,children{{id}},view_count", album.id)).await;
    assert_eq!(
        medium["error"]["code"], 100,
        "authors have no view_count: {medium}"
    );
    let medium = get(format!("{}?fields=shortcode,children{{id}}", album.id)).await;
    assert_eq!(
        medium["children"]["data"].as_array().unwrap().len(),
        expected.len()
    );
    let others = world.posts().iter().find(|post| {
        let author = world.author_of(post);
        author.network == Network::Instagram && author != caller
    });
    let refused = get(others.unwrap().id.clone()).await;
    assert_eq!(refused["error"]["error_subcode"], 33);
    assert_eq!(
        get("17841400000000000/media".to_owned()).await["error"]["error_subcode"],
        33
    );
}
