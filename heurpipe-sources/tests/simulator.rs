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
fn the_same_seed_draws_the_same_bytes() {
    let bytes = |seed| {
        let world = World::new(WorldOptions::new(seed, 20));
        let shown = world.posts().iter().flat_map(|post| &post.media);
        shown
            .filter_map(|medium| world.picture(&medium.key, Some(180)).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(bytes(5), bytes(5));
    assert_ne!(bytes(5), bytes(6));
}

#[test]
fn about_one_post_in_a_hundred_is_of_the_last_day() {
    for (posts, least, most) in [(100, 12, 20), (10_000, 100, 150)] {
        let world = World::new(WorldOptions::new(7, posts));
        let now = world.options().now.as_second();
        let recent = world
            .posts()
            .iter()
            .filter(|post| now - post.published.as_second() < 86_400)
            .count();
        assert!((least..=most).contains(&recent), "{recent} of {posts}");
    }
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
async fn recent_media_repeats_its_cursor_and_gives_every_pass_everything() {
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
    let edge = format!(
        "{url}/v25.0/{}/recent_media?user_id=1&fields=id&limit=2",
        found["data"][0]["id"].as_str().unwrap()
    );
    let whole = pass(edge.clone()).await;
    assert!(whole.len() > 2, "{} pages", whole.len());
    let cursor = |page: &Value| {
        page["paging"]["cursors"]["after"]
            .as_str()
            .map(str::to_owned)
    };
    let within = &whole[..whole.len() - 1];
    assert!(within.iter().all(|page| cursor(page) == cursor(&whole[0])));
    let again = pass(edge.clone()).await;
    assert_eq!(ids(&again), ids(&whole));
    assert_eq!(
        ids(&whole).len(),
        ids(&whole).iter().collect::<HashSet<_>>().len()
    );

    // Who was stopped after a page goes on with the next one; whose pass has ended is given everything.
    let first = get(edge).await;
    let next = first["paging"]["next"].as_str().unwrap().to_owned();
    let rest = pass(next.clone()).await;
    assert_eq!(ids(&rest), ids(&whole)[2..]);
    let late = pass(next).await;
    assert_eq!(ids(&late), ids(&whole));
}

/// All pages from an address on.
async fn pass(mut url: String) -> Vec<Value> {
    let mut pages = Vec::new();
    loop {
        let page = get(url).await;
        let next = page["paging"]["next"].as_str().map(str::to_owned);
        pages.push(page);
        match next {
            Some(next) => url = next,
            None => return pages,
        }
    }
}

fn ids(pages: &[Value]) -> Vec<String> {
    pages
        .iter()
        .flat_map(|page| page["data"].as_array().unwrap())
        .map(|post| post["id"].as_str().unwrap().to_owned())
        .collect()
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
    assert_eq!(image::load_from_memory(&bytes).unwrap().width(), 432);
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
    assert_eq!(
        get(format!("{url}/v25.0/me")).await["error"]["code"],
        80_002
    );
    assert_eq!(
        get(format!("{url}/2/users/show.json?uid=1")).await["error_code"],
        10023
    );
    simulator.shutdown().await;
}

#[tokio::test]
async fn long_texts_are_cut_in_lists_and_whole_when_asked_for() {
    let world = World::new(WorldOptions::new(7, 600));
    let simulator = Simulator::start(world.clone(), SimulatorOptions::default())
        .await
        .unwrap();
    let url = simulator.weibo_url();
    let page = get(format!("{url}/2/statuses/home_timeline.json?count=100")).await;
    let statuses = page["statuses"].as_array().unwrap();
    let cut = statuses
        .iter()
        .find(|status| status["isLongText"] == true)
        .unwrap();
    let whole = get(format!(
        "{url}/2/statuses/show.json?id={}",
        cut["mid"].as_str().unwrap()
    ))
    .await;
    let made = world
        .posts()
        .iter()
        .find(|post| cut["mid"] == post.id)
        .unwrap();
    assert!(cut["text"].as_str().unwrap().chars().count() <= 140);
    assert_eq!(
        whole["text"].as_str().unwrap().trim_end_matches('\u{200b}'),
        made.text
    );
    let away = |status: &&Value| {
        let declared = status["user"]["location"].as_str().unwrap();
        let region = status["region_name"].as_str().unwrap();
        let region = region.trim_start_matches("发布于 ");
        !declared.starts_with(region)
    };
    let away = statuses.iter().filter(away).count();
    assert!((1..40).contains(&away), "{away} are sent from elsewhere");
    for post in world.posts() {
        if let Some(status) = statuses.iter().find(|status| status["mid"] == post.id) {
            assert_eq!(
                status["attitudes_count"].as_u64(),
                post.likes,
                "hidden is absent"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn allowances_hold_under_load() {
    const EACH: usize = 300;
    let mut options = SimulatorOptions::default();
    options.limits.graph_calls_per_hour = 200;
    options.limits.weibo_calls_per_hour = 150;
    let world = World::new(WorldOptions::new(7, 3000));
    let simulator = Simulator::start(world.clone(), options).await.unwrap();
    let base = simulator.graph_url();
    let (accounts, uids) = (world.instagram_accounts(), world.weibo_uids());
    let client = reqwest::Client::new();
    let call = |url: String| {
        let request = client.get(url).bearer_auth("simulated-token").send();
        async move {
            let response = request.await.unwrap();
            let usage = response.headers().get("x-app-usage").map(|usage| {
                serde_json::from_slice::<Value>(usage.as_bytes()).unwrap()["call_count"]
                    .as_u64()
                    .unwrap()
            });
            (usage, response.json::<Value>().await.unwrap())
        }
    };
    let started = std::time::Instant::now();
    let calls = (0..2 * EACH).map(|index| {
        let of = index / 2;
        call(if index % 2 == 0 {
            let account = &accounts[of % accounts.len()];
            format!("{base}/v25.0/me?fields=business_discovery.username({account}){{username,media.limit(25){{id,caption,timestamp,like_count,children{{id,media_url}}}}}}")
        } else {
            let uid = &uids[of % uids.len()];
            format!("{base}/2/statuses/timeline_batch.json?uids={uid}&count=20")
        })
    });
    let answers: Vec<_> = futures::StreamExt::collect(futures::StreamExt::buffer_unordered(
        futures::stream::iter(calls),
        16,
    ))
    .await;
    let rate = 2.0 * EACH as f64 / started.elapsed().as_secs_f64();
    eprintln!("{rate:.0} requests/s");

    let graph: Vec<_> = answers
        .iter()
        .filter_map(|(usage, body)| usage.map(|usage| (usage, body)))
        .collect();
    let refused = |usage: u64| {
        graph
            .iter()
            .filter(move |(of, body)| *of == usage && body["error"]["code"] == 4)
            .count()
    };
    assert_eq!(graph.len(), EACH);
    assert_eq!(refused(100), EACH - 200, "the usage says 100 when refused");
    let served = graph
        .iter()
        .filter(|(_, body)| body["business_discovery"]["username"].is_string());
    assert_eq!(served.count(), 200);
    for share in [1, 25, 50, 99] {
        assert_eq!(graph.iter().filter(|(of, _)| *of == share).count(), 2);
    }
    let weibo = || answers.iter().filter(|(usage, _)| usage.is_none());
    let out_of_rate = weibo().filter(|(_, body)| body["error_code"] == 10023);
    assert_eq!(out_of_rate.count(), EACH - 150);
    let served = weibo().filter(|(_, body)| body["statuses"].is_array());
    assert_eq!(served.count(), 150);
    let (_, left) = call(format!("{base}/2/account/rate_limit_status.json")).await;
    assert_eq!(left["remaining_user_hits"], 0, "asking costs nothing");
}
