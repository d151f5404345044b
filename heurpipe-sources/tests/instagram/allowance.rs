//! What is used up: the budget of hashtags and the allowance of calls, also over restarts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heurpipe_core::{Clock, Documents, ErrorKind, Retry};
use heurpipe_sources::simulator::{CALLER, SimulatorOptions};
use heurpipe_stores::documents::MemoryDocuments;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::*;

const DAY: Duration = Duration::from_secs(86_400);

fn documents() -> Arc<MemoryDocuments> {
    Arc::new(MemoryDocuments::new())
}

/// A clock that says so many days after the beginning of the test.
fn day(days: i64) -> Clock {
    let beginning: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
    Clock::tokio(beginning + SignedDuration::from_hours(24 * days))
}

/// Almost so many days: the clocks run on while the test does.
fn is_about(wait: Option<Duration>, days: u32) -> bool {
    let off = wait.unwrap().abs_diff(days * DAY);
    off < Duration::from_secs(3600)
}

async fn memo(documents: &MemoryDocuments, part: &str) -> String {
    let name = format!("instagram.graph/{CALLER}/{part}");
    documents.memo(&name).await.unwrap().unwrap_or_default()
}

/// An API with the hashtags `tag0`, `tag1` and so on, under each of which there is one post.
async fn api_with_hashtags(count: usize) -> Api {
    let api = Api::start().await;
    let none = ok(json!({"data": []}));
    api.at(&format!("{CALLER}/recently_searched_hashtags"), [none])
        .await;
    api.at(
        "ig_hashtag_search",
        (0..count).map(|n| ok(json!({"id": format!("178{n}")}))),
    )
    .await;
    for n in 0..count {
        api.at(
            &format!("178{n}/top_media"),
            [page(&[&n.to_string()], None)],
        )
        .await;
    }
    api
}

#[tokio::test]
async fn the_budget_of_hashtags_survives_restarts() {
    let api = api_with_hashtags(31).await;
    let documents = documents();
    let tags: Vec<String> = (0..31).map(|n| format!("tag{n:02}")).collect();
    let at = |clock: Clock| {
        let source = api.source().hashtags(&tags).ledger(documents.clone());
        source.clock(clock).build().unwrap()
    };
    let searches = || async { api.queries("ig_hashtag_search").await.len() };
    let first = at(day(0));
    for tag in &tags[..30] {
        assert_eq!(pages(&first, &format!("hashtag/{tag}/top")).await.len(), 1);
    }
    assert_eq!(searches().await, 30);

    let before = api.requests().await.len();
    let error = failure(&first, "hashtag/tag30/top").await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry(), Retry::Temporary);
    assert!(is_about(error.retry_after(), 7), "{error:?}");
    assert_eq!(api.requests().await.len(), before, "it was not asked for");

    let restarted = at(day(3));
    let error = failure(&restarted, "hashtag/tag30/top").await;
    assert!(is_about(error.retry_after(), 4), "{error:?}");
    pages(&restarted, "hashtag/tag05/top").await;
    assert_eq!(searches().await, 30, "its id is known for ever");

    // Had asking again on the third day started its clock anew, tag05 would still count.
    let later = at(day(8));
    pages(&later, "hashtag/tag30/top").await;
    assert_eq!(searches().await, 31);
    let asked = memo(&documents, "hashtags").await;
    let asked: serde_json::Value = serde_json::from_str(&asked).unwrap();
    assert_eq!(asked["asked"].as_object().unwrap().len(), 1);
    assert_eq!(asked["ids"].as_object().unwrap().len(), 31);
}

#[tokio::test]
async fn sources_of_one_user_count_together() {
    let api = api_with_hashtags(31).await;
    let documents = documents();
    let tags: Vec<String> = (0..31).map(|n| format!("tag{n:02}")).collect();
    let make = |tags: &[String]| {
        let source = api.source().hashtags(tags).ledger(documents.clone());
        source.clock(day(0)).build().unwrap()
    };
    let (one, other) = (make(&tags[..16]), make(&tags[16..]));
    // In turn, so that each has read the ledger before the other writes it.
    for n in 0..15 {
        pages(&one, &format!("hashtag/{}/top", tags[n])).await;
        pages(&other, &format!("hashtag/{}/top", tags[16 + n])).await;
    }
    let error = failure(&one, "hashtag/tag15/top").await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(api.queries("ig_hashtag_search").await.len(), 30);
}

#[tokio::test]
async fn an_empty_ledger_is_told_by_the_api_what_was_asked_for() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let hashtags = world.hashtags();
    let someone_else = source_at(&simulator.graph_url())
        .hashtags(&hashtags[..2])
        .build()
        .unwrap();
    for tag in &hashtags[..2] {
        pages(&someone_else, &format!("hashtag/{tag}/top")).await;
    }
    let documents = documents();
    let source = source_at(&simulator.graph_url())
        .hashtags(&hashtags[2..3])
        .ledger(documents.clone())
        .build()
        .unwrap();
    pages(&source, &format!("hashtag/{}/top", hashtags[2])).await;
    let known: serde_json::Value =
        serde_json::from_str(&memo(&documents, "hashtags").await).unwrap();
    for tag in &hashtags[..3] {
        assert!(known["asked"][tag].is_string(), "{tag}: {known}");
        assert!(known["ids"][tag].is_string(), "{tag}: {known}");
    }
}

#[tokio::test]
async fn a_hashtag_that_the_api_does_not_count_is_not_counted_here() {
    let mut options = SimulatorOptions::default();
    options.limits.hashtags_per_week = 1;
    let (world, simulator) = simulated(options).await;
    let hashtags = world.hashtags();
    let documents = documents();
    let source = source_at(&simulator.graph_url())
        .hashtags(&hashtags[..2])
        .ledger(documents.clone())
        .build()
        .unwrap();
    pages(&source, &format!("hashtag/{}/top", hashtags[0])).await;
    let error = failure(&source, &format!("hashtag/{}/top", hashtags[1])).await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(
        error.retry(),
        Retry::NeedsOperator,
        "others have used it up"
    );
    let known: serde_json::Value =
        serde_json::from_str(&memo(&documents, "hashtags").await).unwrap();
    assert_eq!(known["asked"].as_object().unwrap().len(), 1, "{known}");
}

#[tokio::test]
async fn a_dead_token_is_told_before_anything_is_counted() {
    let api = Api::start().await;
    let searched = format!("{CALLER}/recently_searched_hashtags");
    api.at(
        &searched,
        [
            refusal(190, 463, "expired"),
            refusal(10, 0, "no permission"),
        ],
    )
    .await;
    api.at("ig_hashtag_search", [ok(json!({"id": "178"}))])
        .await;
    api.at("178/top_media", [page(&["1"], None)]).await;
    let source = api.source().hashtags(["ootd"]).build().unwrap();
    let error = failure(&source, "hashtag/ootd/top").await;
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    // Who may not ask what was counted counts for themselves.
    assert_eq!(graph_ids(&pages(&source, "hashtag/ootd/top").await), ["1"]);
}

fn with_usage(reply: ResponseTemplate, percent: u32) -> ResponseTemplate {
    let usage = json!({"call_count": percent, "total_time": 1, "total_cputime": 1});
    reply.insert_header("x-app-usage", usage.to_string().as_str())
}

#[tokio::test]
async fn a_restart_does_not_call_on_while_throttled() {
    let api = Api::start().await;
    let replies = [
        with_usage(page(&["1"], None), 100),
        with_usage(page(&["1"], None), 5),
    ];
    api.at(&tags(), replies).await;
    let documents = documents();
    let beginning: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
    let after = |minutes: i64| {
        let clock = Clock::tokio(beginning + SignedDuration::from_mins(minutes));
        let source = api.source().tagged().ledger(documents.clone());
        // No pause: what is tested is the block.
        source
            .clock(clock)
            .longest_pause(Duration::ZERO)
            .build()
            .unwrap()
    };
    pages(&after(0), "tagged").await;
    let error = failure(&after(2), "tagged").await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    // Nobody said when the allowance comes back: an hour is waited, of which two minutes have passed.
    assert!(error.retry_after().unwrap() <= Duration::from_secs(58 * 60 + 1));
    assert_eq!(api.requests().await.len(), 1, "it was not called");
    pages(&after(61), "tagged").await;
    assert_eq!(api.requests().await.len(), 2);
}

#[tokio::test]
async fn without_a_header_the_last_usage_stands() {
    let api = Api::start().await;
    let replies = [with_usage(page(&["1"], None), 60), page(&["1"], None)];
    api.at(&tags(), replies).await;
    let documents = documents();
    let source = api.source().tagged().ledger(documents.clone());
    let source = source.build().unwrap();
    pages(&source, "tagged").await;
    pages(&source, "tagged").await;
    assert_eq!(api.requests().await.len(), 2);
    let usage: serde_json::Value = serde_json::from_str(&memo(&documents, "usage").await).unwrap();
    assert_eq!(usage["percent"], 60.0);
}

#[tokio::test]
async fn the_pace_slows_down_before_the_limit_is_hit() {
    let mut options = SimulatorOptions::default();
    options.limits.graph_calls_per_hour = 10;
    let (_, simulator) = simulated(options).await;
    let longest = Duration::from_millis(400);
    let source = source_at(&simulator.graph_url())
        .tagged()
        .leave_out(["alt_text"])
        .longest_pause(longest)
        .build()
        .unwrap();
    for _ in 0..8 {
        pages(&source, "tagged").await;
    }
    // Eight of ten calls are made at once. From 80 and 90 percent on the pause is a fifth and three fifths of the longest.
    let started = Instant::now();
    pages(&source, "tagged").await;
    pages(&source, "tagged").await;
    assert!(started.elapsed() >= longest.mul_f64(0.8 - 0.05));
    let error = failure(&source, "tagged").await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
}

#[tokio::test]
async fn a_used_up_business_allowance_says_when_it_is_back() {
    let mut options = SimulatorOptions::default();
    options.limits.graph_calls_per_hour = 1;
    let (_, simulator) = simulated(options).await;
    let client = || {
        let source = source_at(&simulator.graph_url()).tagged();
        source.longest_pause(Duration::ZERO).build().unwrap()
    };
    pages(&client(), "tagged").await;
    let error = failure(&client(), "tagged").await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    // The call that used it up falls out within the hour, which is told in minutes.
    let wait = error.retry_after().unwrap().as_secs();
    assert!(
        wait % 60 == 0 && (50 * 60..=60 * 60).contains(&wait),
        "{wait}"
    );
    assert!(error.to_string().contains("code=80002"), "{error}");
}
