//! The simulator's faults and its virtual time, over real HTTP.
#![cfg(feature = "simulator")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::{Clock, ClockHand};
use heurpipe_sources::simulator::{
    Fault, FaultRule, FaultTrigger, Faults, Network, Post, Simulator, SimulatorOptions, World,
    WorldOptions,
};
use serde_json::Value;

const DAY: Duration = Duration::from_secs(86_400);
const HOME: &str = "/2/statuses/home_timeline.json";

/// A simulator and a client of it that carries the token.
struct Bench {
    world: Arc<World>,
    simulator: Simulator,
    client: reqwest::Client,
}

impl Bench {
    async fn new(options: SimulatorOptions) -> Self {
        let world = World::new(WorldOptions::new(7, 900));
        let simulator = Simulator::start(Arc::clone(&world), options).await.unwrap();
        Self {
            world,
            simulator,
            client: reqwest::Client::new(),
        }
    }

    async fn playing(script: Faults) -> Self {
        let mut options = SimulatorOptions::default();
        options.faults = script;
        Self::new(options).await
    }

    /// A bench whose time begins so long before the world's end.
    async fn in_time(
        before_the_end: Duration,
        change: impl FnOnce(&mut SimulatorOptions),
    ) -> (Self, ClockHand) {
        let (clock, hand) = Clock::manual(WorldOptions::default().now - before_the_end);
        let mut options = SimulatorOptions::default();
        options.clock = Some(clock);
        change(&mut options);
        (Self::new(options).await, hand)
    }

    async fn answer(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        let url = match path.starts_with("http") {
            true => path.to_owned(),
            false => format!("{}{path}", self.simulator.graph_url()),
        };
        self.client
            .get(url)
            .bearer_auth("simulated-token")
            .send()
            .await
    }

    async fn status(&self, path: &str) -> u16 {
        self.answer(path).await.unwrap().status().as_u16()
    }

    async fn json(&self, path: &str) -> Value {
        self.answer(path).await.unwrap().json().await.unwrap()
    }

    /// The ids of a page of Weibo's, in order.
    async fn mids(&self, path: &str) -> Vec<String> {
        mids(&self.json(path).await)
    }

    fn newest(&self, network: Network, wanted: impl Fn(&Post) -> bool) -> &Post {
        let of = |post: &&Post| self.world.author_of(post).network == network && wanted(post);
        self.world.posts().iter().find(of).unwrap()
    }
}

fn mids(page: &Value) -> Vec<String> {
    let rows = page["statuses"].as_array().unwrap();
    rows.iter()
        .map(|row| row["mid"].as_str().unwrap().to_owned())
        .collect()
}

fn at_call(number: u64, fault: Fault) -> FaultRule {
    FaultRule::new(FaultTrigger::nth(number), fault)
}

fn discovery(account: &str, cursor: &str) -> String {
    format!(
        "/v25.0/me?fields=business_discovery.username({account}){{media.limit(4){cursor}{{id}}}}"
    )
}

#[tokio::test]
async fn calls_are_refused_as_the_script_says_and_then_no_more() {
    let wait = Duration::from_secs(90);
    let script = Faults::none()
        .rule(at_call(1, Fault::TooManyRequests { retry_after: wait }))
        .rule(at_call(2, Fault::ServerError(503)))
        .rule(at_call(3, Fault::ExpiredToken));
    let bench = Bench::playing(script).await;
    let refused = bench.answer(HOME).await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &"90".parse().unwrap())
    );
    let broken = bench.answer(HOME).await.unwrap();
    assert_eq!(broken.status(), 503);
    assert!(broken.text().await.unwrap().starts_with("<html>"));
    assert_eq!(bench.json(HOME).await["error_code"], "21327");
    assert_eq!(bench.status(HOME).await, 200);
    assert_eq!(bench.simulator.faults().injected(), 3);

    bench
        .simulator
        .faults()
        .set(Faults::none().rule(at_call(1, Fault::ExpiredToken)));
    let error = &bench.json("/v25.0/me").await["error"];
    assert_eq!(
        (&error["code"], &error["error_subcode"]),
        (&190.into(), &463.into())
    );
    assert_eq!(bench.status("/v25.0/me").await, 200);
}

#[tokio::test]
async fn bodies_end_early_in_either_way() {
    let script = Faults::none()
        .rule(at_call(1, Fault::CutShort))
        .rule(at_call(2, Fault::CutJson));
    let bench = Bench::playing(script).await;
    let short = bench.answer(HOME).await.unwrap();
    let announced = short.content_length().unwrap();
    assert!(short.bytes().await.is_err(), "the connection breaks");
    let cut = bench.answer(HOME).await.unwrap().bytes().await.unwrap();
    assert_eq!(cut.len() as u64, announced / 2);
    assert!(serde_json::from_slice::<Value>(&cut).is_err());
    assert!(
        serde_json::from_slice::<Value>(&bench.answer(HOME).await.unwrap().bytes().await.unwrap())
            .is_ok()
    );
}

#[tokio::test]
async fn answers_are_late() {
    let late = Duration::from_millis(300);
    let bench = Bench::playing(Faults::none().rule(at_call(1, Fault::Late(late)))).await;
    let began = std::time::Instant::now();
    bench.status(HOME).await;
    assert!(began.elapsed() >= late);
}

#[tokio::test]
async fn rows_change_their_order_and_nothing_else() {
    let always = FaultRule::new(FaultTrigger::Always, Fault::Shuffled);
    let bench = Bench::playing(Faults::seeded(1).rule(always)).await;
    let first = bench.mids(HOME).await;
    let again = bench.mids(HOME).await;
    assert_ne!(first, again);
    let sorted = |mut ids: Vec<String>| {
        ids.sort_unstable();
        ids
    };
    assert_eq!(sorted(first), sorted(again));
}

#[tokio::test]
async fn a_page_comes_again_and_leads_to_the_one_that_was_asked_for() {
    let bench = Bench::playing(Faults::none().rule(at_call(1, Fault::Repeated))).await;
    let account = bench.world.instagram_accounts().remove(0);
    let page = bench.json(&discovery(&account, "")).await;
    let media = "/business_discovery/media";
    let cursor = page
        .pointer(&format!("{media}/paging/cursors/after"))
        .unwrap();
    let next = discovery(&account, &format!(".after({})", cursor.as_str().unwrap()));
    assert_eq!(bench.json(&next).await.pointer(media), page.pointer(media));
    assert_ne!(bench.json(&next).await.pointer(media), page.pointer(media));
}

#[tokio::test]
async fn a_numbered_page_begins_with_the_rows_of_the_one_before() {
    let bench = Bench::playing(Faults::none()).await;
    let uids = bench.world.weibo_uids()[..5].join(",");
    let page =
        |number: u32| format!("/2/statuses/timeline_batch.json?uids={uids}&count=5&page={number}");
    let plain = [bench.mids(&page(1)).await, bench.mids(&page(2)).await];
    bench
        .simulator
        .faults()
        .set(Faults::none().rule(at_call(1, Fault::Repeated)));
    assert_eq!(bench.mids(&page(1)).await, plain[0]);
    assert_eq!(bench.mids(&page(2)).await, plain.concat());
    assert_eq!(bench.mids(&page(2)).await, plain[1]);
}

#[tokio::test]
async fn a_cursor_dies() {
    let bench = Bench::playing(Faults::none().rule(at_call(1, Fault::DeadCursor))).await;
    let account = bench.world.instagram_accounts().remove(0);
    let page = bench.json(&discovery(&account, "")).await;
    let cursor = page
        .pointer("/business_discovery/media/paging/cursors/after")
        .unwrap();
    let next = discovery(&account, &format!(".after({})", cursor.as_str().unwrap()));
    assert_eq!(bench.json(&next).await["error"]["code"], 100);
    assert_eq!(bench.status(&next).await, 200);
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_faults() {
    let script = Faults::seeded(3)
        .rule(FaultRule::new(
            FaultTrigger::Share(0.3),
            Fault::ServerError(500),
        ))
        .rule(FaultRule::new(FaultTrigger::Share(0.5), Fault::Shuffled));
    let mut runs = Vec::new();
    for _ in 0..2 {
        let bench = Bench::playing(script.clone()).await;
        let mut answers = Vec::new();
        for _ in 0..40 {
            let answer = bench.answer(HOME).await.unwrap();
            let status = answer.status().as_u16();
            // Addresses hold the port, which is another one each time.
            let page: Value = answer.json().await.unwrap_or_default();
            answers.push((status, page["statuses"].is_array().then(|| mids(&page))));
        }
        runs.push(answers);
    }
    assert_eq!(runs[0], runs[1]);
    let failed = runs[0].iter().filter(|(status, _)| *status == 500).count();
    assert!((4..24).contains(&failed), "{failed}");
}

#[tokio::test]
async fn deleted_posts_are_gone_from_lists_and_look_ups_and_reposts_say_so() {
    let bench = Bench::playing(Faults::none()).await;
    let page = bench.json(&format!("{HOME}?count=100")).await;
    let rows = page["statuses"].as_array().unwrap();
    let repost = rows
        .iter()
        .find(|row| row["retweeted_status"].is_object())
        .unwrap();
    let original = repost["retweeted_status"]["mid"].as_str().unwrap();
    let deleted = bench.newest(Network::Weibo, |post| post.id == original);
    let show = format!("/2/statuses/show.json?id={original}");
    assert_eq!(bench.status(&show).await, 200);
    bench.simulator.faults().delete(deleted);
    assert_eq!(bench.json(&show).await["error_code"], 20101);
    let show = format!(
        "/2/statuses/show.json?id={}",
        repost["mid"].as_str().unwrap()
    );
    let left = &bench.json(&show).await["retweeted_status"];
    assert_eq!(
        (&left["deleted"], &left["mid"]),
        (&"1".into(), &original.into())
    );
    assert!(left["user"].is_null());

    let newest = mids(&page).into_iter().max().unwrap();
    bench
        .simulator
        .faults()
        .delete(bench.newest(Network::Weibo, |post| post.id == newest));
    assert!(!bench.mids(HOME).await.contains(&newest));
}

#[tokio::test]
async fn likes_are_hidden() {
    let bench = Bench::playing(Faults::none()).await;
    let post = bench.newest(Network::Weibo, |post| post.likes.is_some());
    let show = format!("/2/statuses/show.json?id={}", post.id);
    assert_eq!(
        bench.json(&show).await["attitudes_count"].as_u64(),
        post.likes
    );
    bench.simulator.faults().hide_likes(post);
    assert!(bench.json(&show).await["attitudes_count"].is_null());
}

#[tokio::test]
async fn pictures_expire_and_go() {
    let bench = Bench::playing(
        Faults::none()
            .rule(at_call(1, Fault::PictureExpired))
            .rule(at_call(2, Fault::PictureGone)),
    )
    .await;
    let post = bench.newest(Network::Weibo, |post| !post.media.is_empty());
    let picture = format!("/sinaimg/thumbnail/{}.jpg", post.media[0].key);
    assert_eq!(bench.status(&picture).await, 403);
    assert_eq!(bench.status(&picture).await, 404);
    assert_eq!(bench.status(&picture).await, 200);
}

#[tokio::test]
async fn addresses_of_pictures_last_for_days() {
    let (bench, hand) = Bench::in_time(DAY, |_| ()).await;
    let account = bench.world.instagram_accounts().remove(0);
    let page =
        format!("/v25.0/me?fields=business_discovery.username({account}){{media{{id,media_url}}}}");
    let address = |page: &Value| {
        let rows = page
            .pointer("/business_discovery/media/data")
            .unwrap()
            .as_array()
            .unwrap();
        rows.iter()
            .find_map(|row| row["media_url"].as_str().map(str::to_owned))
            .unwrap()
    };
    let first = address(&bench.json(&page).await);
    hand.advance(3 * DAY);
    assert_eq!(bench.status(&first).await, 200);
    hand.advance(DAY);
    let expired = bench.answer(&first).await.unwrap();
    assert_eq!(expired.status(), 403);
    assert_eq!(expired.text().await.unwrap(), "URL signature expired");
    let renewed = address(&bench.json(&page).await);
    let path = |address: &str| address.split_once('?').unwrap().0.to_owned();
    assert_eq!(path(&renewed), path(&first));
    assert_eq!(bench.status(&renewed).await, 200);
}

#[tokio::test]
async fn posts_appear_and_are_liked_as_time_goes_on() {
    let (bench, hand) = Bench::in_time(DAY, |_| ()).await;
    let home = format!("{HOME}?count=100");
    let before = bench.mids(&home).await;
    let show = format!("/2/statuses/show.json?id={}", before.iter().max().unwrap());
    let likes = async || bench.json(&show).await["reposts_count"].as_u64();
    let liked = likes().await;
    hand.advance(DAY);
    let after = bench.mids(&home).await;
    let new = after
        .iter()
        .filter(|mid| *mid > before.iter().max().unwrap());
    assert!(new.count() > 0);
    assert!(likes().await > liked);
}

#[tokio::test]
async fn allowances_come_back_with_the_hours_and_calls_are_told() {
    let hour = Duration::from_secs(3600);
    let (bench, hand) = Bench::in_time(10 * DAY, |options| {
        options.limits.weibo_calls_per_hour = 2;
        options.limits.hashtags_per_week = 1;
    })
    .await;
    assert_eq!(
        [bench.status(HOME).await, bench.status(HOME).await],
        [200, 200]
    );
    hand.advance(hour / 2);
    assert_eq!(bench.json(HOME).await["error_code"], "10023");
    let limit = bench.json("/2/account/rate_limit_status.json").await;
    assert_eq!(
        (
            &limit["remaining_user_hits"],
            &limit["reset_time_in_seconds"]
        ),
        (&0.into(), &1800.into())
    );
    hand.advance(hour / 2);
    assert_eq!(bench.status(HOME).await, 200);

    let search = |tag: &str| format!("/v25.0/ig_hashtag_search?user_id=1&q={tag}");
    let tags = bench.world.hashtags();
    assert_eq!(bench.status(&search(&tags[0])).await, 200);
    assert_eq!(bench.json(&search(&tags[1])).await["error"]["code"], 18);
    hand.advance(7 * DAY);
    assert_eq!(bench.status(&search(&tags[1])).await, 200);

    let calls = bench.simulator.calls();
    let home = calls.of("home_timeline");
    assert_eq!((home.calls, home.over_budget, home.failed), (4, 1, 0));
    assert_eq!(calls.of("ig_hashtag_search").over_budget, 1);
    assert_eq!(calls.of(""), calls.by_credential["simulated-token"]);
}
