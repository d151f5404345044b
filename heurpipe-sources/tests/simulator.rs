//! The simulator over real HTTP.
#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use heurpipe_sources::simulator::render::Cut;
use heurpipe_sources::simulator::{Network, Simulator, SimulatorOptions, World, WorldOptions};
use serde_json::Value;

async fn get(url: String) -> Value {
    reqwest::Client::new()
        .get(url)
        .bearer_auth("simulated-token")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

#[test]
fn the_same_seed_makes_the_same_world_and_another_seed_another() {
    let make = |seed| World::new(WorldOptions::new(seed, 300)).posts().to_vec();
    assert_eq!(make(5), make(5));
    assert_ne!(make(5), make(6));
}

#[test]
fn dresses_are_of_summer_and_coats_of_winter() {
    let world = World::new(WorldOptions::new(7, 8000));
    let count = |cut: Cut, months: [&str; 3]| {
        let of = |month: &String| months.contains(&month.as_str());
        world
            .posts()
            .iter()
            .filter_map(|post| world.truth(world.author_of(post).network, post.native_id))
            .filter(|truth| truth.garment == cut && of(&truth.published.strftime("%m").to_string()))
            .count()
    };
    let (summer, winter) = (["06", "07", "08"], ["12", "01", "02"]);
    assert!(count(Cut::Dress, summer) > count(Cut::Dress, winter));
    assert!(count(Cut::Outwear, winter) > 2 * count(Cut::Outwear, summer));
}

#[tokio::test]
async fn paging_through_business_discovery_gives_every_post_once() {
    let world = World::new(WorldOptions::new(7, 600));
    let simulator = Simulator::start(world.clone(), SimulatorOptions::default())
        .await
        .unwrap();
    let account = &world.authors()[0];
    let expected: HashSet<String> = world
        .posts()
        .iter()
        .filter(|post| world.author_of(post) == account)
        .map(|post| post.id.clone())
        .collect();
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let fields = format!(
            "business_discovery.username({}){{media.limit(4){after}{{id,caption,media_url}}}}",
            account.handle
        );
        let body = get(format!(
            "{}/v25.0/17841405309211844?fields={fields}",
            simulator.graph_url()
        ))
        .await;
        let media = &body["business_discovery"]["media"];
        seen.extend(
            media["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|post| post["id"].as_str().unwrap().to_owned()),
        );
        match media["paging"]["cursors"]["after"].as_str() {
            Some(cursor) => after = format!(".after({cursor})"),
            None => break,
        }
    }
    assert_eq!(seen.len(), expected.len());
    assert_eq!(seen.into_iter().collect::<HashSet<_>>(), expected);
}

#[tokio::test]
async fn recent_media_repeats_its_cursor_and_still_advances() {
    let world = World::new(WorldOptions::new(7, 3000));
    let simulator = Simulator::start(world.clone(), SimulatorOptions::default())
        .await
        .unwrap();
    let url = simulator.graph_url();
    let found = get(format!(
        "{url}/v25.0/ig_hashtag_search?user_id=1&q={}",
        world.hashtags()[0]
    ))
    .await;
    let first = get(format!(
        "{url}/v25.0/{}/recent_media?user_id=1&fields=id&limit=3",
        found["data"][0]["id"].as_str().unwrap()
    ))
    .await;
    let second = get(first["paging"]["next"].as_str().unwrap().to_owned()).await;
    assert_eq!(
        first["paging"]["cursors"]["after"],
        second["paging"]["cursors"]["after"]
    );
    assert_ne!(first["data"], second["data"]);
}

#[tokio::test]
async fn weibo_batches_page_by_max_id_and_pictures_decode() {
    let world = World::new(WorldOptions::new(7, 600));
    let simulator = Simulator::start(world.clone(), SimulatorOptions::default())
        .await
        .unwrap();
    let uids = world.weibo_uids()[..2].join(",");
    let expected = world
        .posts()
        .iter()
        .filter(|post| {
            world.author_of(post).network == Network::Weibo
                && uids.contains(&world.author_of(post).id)
        })
        .count();
    let (mut seen, mut max, mut picture) = (HashSet::new(), 0, String::new());
    loop {
        let page = get(format!(
            "{}/2/statuses/timeline_batch.json?uids={uids}&count=7&max_id={max}",
            simulator.weibo_url()
        ))
        .await;
        for status in page["statuses"].as_array().unwrap() {
            assert!(seen.insert(status["mid"].as_str().unwrap().to_owned()));
            picture = status["original_pic"]
                .as_str()
                .map_or(picture, str::to_owned);
        }
        max = page["max_id"].as_u64().unwrap();
        if max == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), expected);
    let bytes = reqwest::get(picture).await.unwrap().bytes().await.unwrap();
    assert_eq!(image::load_from_memory(&bytes).unwrap().width(), 540);
}

#[tokio::test]
async fn calls_beyond_the_allowance_and_bad_tokens_are_refused() {
    let mut options = SimulatorOptions::default();
    options.limits.graph_calls_per_hour = 2;
    options.limits.weibo_calls_per_hour = 0;
    let simulator = Simulator::start(World::new(WorldOptions::new(7, 100)), options)
        .await
        .unwrap();
    let url = simulator.graph_url();
    let refused: Value = reqwest::get(format!("{url}/v25.0/me?access_token=old"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (
            &refused["error"]["code"],
            &refused["error"]["error_subcode"]
        ),
        (&190.into(), &463.into())
    );
    assert_eq!(
        get(format!("{url}/v25.0/me")).await["id"],
        "17841405309211844"
    );
    assert_eq!(get(format!("{url}/v25.0/me")).await["error"]["code"], 4);
    assert_eq!(
        get(format!("{url}/2/users/show.json?uid=1")).await["error_code"],
        10023
    );
    simulator.shutdown().await;
}
