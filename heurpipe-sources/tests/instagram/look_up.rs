//! Single posts that are known already.

use heurpipe_core::{ErrorKind, KnownPost, LookUpPost, Platform, Post, PostId, Sighting};
use heurpipe_sources::instagram::InstagramGraph;
use heurpipe_sources::simulator::{CALLER, Network, SimulatorOptions, World};
use serde_json::json;

use crate::support::*;

fn known(native: &str, author: Option<&str>) -> KnownPost {
    let mut known = KnownPost::from(PostId::new(Platform::instagram(), native));
    known.author = author.map(str::to_owned);
    known
}

fn there(sighting: Sighting) -> Post {
    match sighting {
        Sighting::There(post) => *post,
        other => panic!("{other:?}"),
    }
}

/// Any source does: looking up does not depend on what it reads.
async fn world_and_source() -> (std::sync::Arc<World>, InstagramGraph, impl Sized) {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let source = source_at(&simulator.graph_url()).own_media().page_size(5);
    (world, source.build().unwrap(), simulator)
}

#[tokio::test]
async fn own_media_are_found_by_either_of_their_ids() {
    let (_world, source, _simulator) = world_and_source().await;
    let own = posts(&pages(&source, "own").await);
    let last = own.last().unwrap();
    let by_alias = there(source.look_up(&KnownPost::from(last)).await.unwrap());
    assert_eq!(by_alias.id, last.id);
    assert_eq!(by_alias.counts, last.counts);
    assert_eq!(by_alias.media, last.media);
    let handle = last.author.as_ref().unwrap().handle.as_deref();
    let by_number = known(&last.id.native, handle);
    let by_number = there(source.look_up(&by_number).await.unwrap());
    assert_eq!(by_number.id, last.id);
}

#[tokio::test]
async fn own_media_that_are_no_longer_there_are_gone() {
    let (world, source, _simulator) = world_and_source().await;
    let gone = known("graph:17899999999999999", Some(&world.caller().handle));
    assert_eq!(source.look_up(&gone).await.unwrap(), Sighting::Gone);
}

#[tokio::test]
async fn own_media_of_before_the_account_was_professional_may_be_there() {
    let api = Api::start().await;
    api.at(CALLER, [own_account()]).await;
    api.at(
        "11",
        [refusal(100, 2_108_006, "Media posted before conversion")],
    )
    .await;
    let source = api.source().own_media().build().unwrap();
    let sighting = source
        .look_up(&known("graph:11", Some("me")))
        .await
        .unwrap();
    assert_eq!(sighting, Sighting::CannotTell);
}

#[tokio::test]
async fn posts_of_others_are_found_among_those_of_their_author() {
    let (world, source, _simulator) = world_and_source().await;
    let others = || {
        world.posts().iter().filter(|post| {
            let author = world.author_of(post);
            author.network == Network::Instagram && author != world.caller()
        })
    };
    for made in others().take(3).chain(others().skip(500).take(3)) {
        let author = world.author_of(made);
        let graph_id = format!("graph:{}", made.id);
        for native in [made.native_id.to_string(), graph_id] {
            let wanted = known(&native, Some(&author.handle.to_uppercase()));
            let post = there(source.look_up(&wanted).await.unwrap());
            assert_eq!(*post.id.native, *made.native_id.to_string());
            assert_eq!(post.author.unwrap().followers, Some(author.followers));
        }
    }
}

#[tokio::test]
async fn what_is_not_found_among_others_may_be_hidden() {
    let (world, source, _simulator) = world_and_source().await;
    let account = &world.instagram_accounts()[0];
    for wanted in [
        known("1", Some(account)),
        known("graph:1", Some(account)),
        known("3828948013003891280", Some("nobody.at.all")),
        known("3828948013003891280", Some("no){handle}")),
        known("3828948013003891280", None),
    ] {
        let sighting = source.look_up(&wanted).await.unwrap();
        assert_eq!(sighting, Sighting::CannotTell, "{wanted:?}");
    }
}

#[tokio::test]
async fn the_search_ends_where_the_post_would_have_to_stand() {
    let api = Api::start().await;
    let media = json!({"data": [{"id": "5", "timestamp": "2026-02-01T10:00:00+0000"}],
        "paging": {"cursors": {"after": "A"}}});
    let found = ok(json!({"business_discovery": {"id": "9", "username": "brand", "media": media}}));
    api.at(CALLER, [own_account(), found]).await;
    let source = api.source().own_media().build().unwrap();
    // Its number was given out on 9 February 2026.
    let wanted = known("3828948013003891280", Some("brand"));
    let sighting = source.look_up(&wanted).await.unwrap();
    assert_eq!(sighting, Sighting::CannotTell);
    assert_eq!(
        api.requests().await.len(),
        2,
        "the own account and one page"
    );
    source.look_up(&wanted).await.unwrap();
    assert_eq!(
        api.requests().await.len(),
        3,
        "the own handle is known by now"
    );
}

#[tokio::test]
async fn without_an_answer_nothing_is_said() {
    let api = Api::start().await;
    let replies = [own_account(), refusal(190, 463, "Session has expired")];
    api.at(CALLER, replies).await;
    let source = api.source().own_media().build().unwrap();
    for native in ["graph:11", "3828948013003891280"] {
        let error = source
            .look_up(&known(native, Some("brand")))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
}
