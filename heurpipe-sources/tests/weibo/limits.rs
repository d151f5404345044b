//! Limits: of the user, the address and single calls, across restarts.

use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::{Checkpoint, Clock, Digest, Documents, ErrorKind, Retry, Source};
use heurpipe_sources::simulator::SimulatorOptions;
use heurpipe_sources::weibo::WeiboApi;
use heurpipe_stores::documents::MemoryDocuments;
use wiremock::ResponseTemplate;

use crate::support::{
    TOKEN, answering, called, client, failure, get, json, pages, read, simulated,
};

const HOUR: Duration = Duration::from_secs(3600);
const PAGE: &str = r#"{"statuses":[{"id":7,"user":{"id":1}}],"next_cursor":0,"max_id":0}"#;

fn refusal(code: u32) -> ResponseTemplate {
    ResponseTemplate::new(403).set_body_string(format!(r#"{{"error_code":"{code}"}}"#))
}

/// How many pages of a partition can be read one after the other, and the error then.
async fn pages_and_error(source: &WeiboApi, partition: &str) -> (usize, heurpipe_core::Error) {
    let mut read = read(source, partition, Checkpoint::default()).await;
    let error = read.pop().unwrap().unwrap_err();
    (read.len(), error)
}

#[tokio::test]
async fn no_call_is_made_over_the_allowance() {
    let mut options = SimulatorOptions::default();
    options.limits.weibo_calls_per_hour = 30;
    let (_, simulator) = simulated(options).await;
    let source = client(&simulator.weibo_url())
        .home_timeline()
        .complete_texts(false)
        .page_size(1)
        .build()
        .unwrap();
    let (made, error) = pages_and_error(&source, "home").await;
    assert_eq!(made, 30);
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    assert_eq!(error.retry(), Retry::Temporary);
    assert!(error.retry_after().is_some_and(|wait| wait <= HOUR));
    let tally = simulator.calls().of("home_timeline");
    assert_eq!((tally.calls, tally.over_budget), (30, 0));
    let asked = simulator.calls().of("rate_limit_status").calls;
    assert_eq!(asked, 2, "at first and after twenty calls");
}

#[tokio::test]
async fn a_restart_goes_on_where_the_last_run_was() {
    let (clock, hand) = Clock::manual("2026-07-01T08:00:00Z".parse().unwrap());
    let mut options = SimulatorOptions::default();
    options.limits.weibo_calls_per_hour = 5;
    options.clock = Some(clock);
    let (_, simulator) = simulated(options).await;
    let documents = Arc::new(MemoryDocuments::default());
    let started = || {
        client(&simulator.weibo_url())
            .home_timeline()
            .complete_texts(false)
            .page_size(1)
            .clock(clock)
            .ledger(Arc::clone(&documents) as _)
            .build()
            .unwrap()
    };
    let capped = client(&simulator.weibo_url())
        .home_timeline()
        .complete_texts(false)
        .page_size(1)
        .max_pages(3)
        .clock(clock)
        .ledger(Arc::clone(&documents) as _)
        .build()
        .unwrap();
    assert_eq!(pages(&capped, "home", Checkpoint::default()).await.len(), 3);
    drop(capped);
    hand.advance(Duration::from_secs(600));

    let (made, error) = pages_and_error(&started(), "home").await;
    assert_eq!(made, 2, "three of five were made before the restart");
    assert_eq!(error.retry_after(), Some(HOUR - Duration::from_secs(600)));
    let calls = simulator.calls();
    for _ in 0..3 {
        assert_eq!(pages_and_error(&started(), "home").await.0, 0);
    }
    assert_eq!(
        simulator.calls(),
        calls,
        "while closed nothing is called or asked"
    );

    hand.advance(HOUR - Duration::from_secs(600));
    let (made, _) = pages_and_error(&started(), "home").await;
    assert_eq!(made, 5, "in the next hour all are given back");
    let tally = simulator.calls().of("home_timeline");
    assert_eq!((tally.calls, tally.over_budget), (10, 0));
}

#[tokio::test]
async fn what_is_kept_does_not_tell_the_token() {
    let server = answering("statuses/home_timeline", json(PAGE)).await;
    let documents = Arc::new(MemoryDocuments::default());
    let source = client(&server.uri())
        .home_timeline()
        .ledger(Arc::clone(&documents) as _)
        .build()
        .unwrap();
    pages(&source, "home", Checkpoint::default()).await;
    let base = format!("{}/2/", server.uri());
    let digest = Digest::of_parts([base.as_bytes(), TOKEN.as_bytes()]);
    let kept = documents.memo(&format!("weibo.limits/{digest}")).await;
    let kept = kept.unwrap().unwrap();
    assert!(kept.contains(r#""since_asked":1"#), "{kept}");
    assert!(!kept.contains(TOKEN), "{kept}");
}

#[tokio::test]
async fn tokens_do_not_share_what_is_kept() {
    let server = answering("statuses/home_timeline", refusal(10023)).await;
    let documents = Arc::new(MemoryDocuments::default());
    for token in ["one", "another"] {
        let source = client(&server.uri())
            .token(token.to_owned().into())
            .home_timeline()
            .ledger(Arc::clone(&documents) as _)
            .build()
            .unwrap();
        failure(&source, "home").await;
        failure(&source, "home").await;
    }
    assert_eq!(called(&server).await.len(), 2, "one each");
}

#[tokio::test]
async fn the_limit_of_one_call_is_known_beforehand_and_leaves_the_others() {
    let mut options = SimulatorOptions::default();
    let limited = [("search/topics".to_owned(), 2)];
    options.weibo.calls_per_hour_of = limited.into_iter().collect();
    let (world, simulator) = simulated(options).await;
    let topic = world
        .posts()
        .iter()
        .filter(|post| world.author_of(post).id.len() == 10)
        .find_map(|post| post.hashtags.first().cloned())
        .unwrap();
    let source = client(&simulator.weibo_url())
        .topics([&topic])
        .home_timeline()
        .complete_texts(false)
        .page_size(1)
        .max_pages(9)
        .build()
        .unwrap();
    let (made, error) = pages_and_error(&source, &format!("search/{topic}")).await;
    assert_eq!((made, error.kind()), (2, ErrorKind::RateLimited));
    assert_eq!(pages(&source, "home", Checkpoint::default()).await.len(), 9);
    assert_eq!(simulator.calls().of("").over_budget, 0);
}

#[tokio::test]
async fn the_address_has_a_limit_too() {
    let mut options = SimulatorOptions::default();
    options.weibo.address_calls_per_hour = 4;
    let (_, simulator) = simulated(options).await;
    let source = client(&simulator.weibo_url())
        .public_timeline()
        .complete_texts(false)
        .page_size(1)
        .build()
        .unwrap();
    let (made, _) = pages_and_error(&source, "public").await;
    assert_eq!((made, simulator.calls().of("").over_budget), (4, 0));
}

#[tokio::test]
async fn a_refusal_of_one_call_closes_that_call_alone() {
    let server = answering("search/topics", refusal(10024)).await;
    get("statuses/home_timeline")
        .respond_with(json(PAGE))
        .mount(&server)
        .await;
    let documents = Arc::new(MemoryDocuments::default());
    for _ in 0..2 {
        let source = client(&server.uri())
            .topics(["穿搭"])
            .home_timeline()
            .ledger(Arc::clone(&documents) as _)
            .build()
            .unwrap();
        let error = failure(&source, "search/穿搭").await;
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert_eq!(pages(&source, "home", Checkpoint::default()).await.len(), 1);
    }
    assert_eq!(
        called(&server).await,
        [
            "search/topics",
            "statuses/home_timeline",
            "statuses/home_timeline"
        ]
    );
}

#[tokio::test]
async fn a_refusal_of_all_calls_closes_all_until_allowances_are_back() {
    for code in [10022, 10023] {
        let (clock, hand) = Clock::manual("2026-07-01T08:00:00Z".parse().unwrap());
        let server = answering("search/topics", refusal(code)).await;
        get("statuses/home_timeline")
            .respond_with(json(PAGE))
            .mount(&server)
            .await;
        // Others have called with the same token: what was known before the call is out of date.
        get("account/rate_limit_status")
            .respond_with(json(
                r#"{"user_limit":150,"remaining_user_hits":150,"reset_time_in_seconds":900}"#,
            ))
            .up_to_n_times(1)
            .mount(&server)
            .await;
        get("account/rate_limit_status")
            .respond_with(json(
                r#"{"user_limit":150,"remaining_user_hits":0,"reset_time_in_seconds":900}"#,
            ))
            .up_to_n_times(1)
            .mount(&server)
            .await;
        let source = client(&server.uri())
            .topics(["穿搭"])
            .home_timeline()
            .clock(clock)
            .build()
            .unwrap();
        for partition in ["search/穿搭", "home"] {
            let error = failure(&source, partition).await;
            assert_eq!(error.kind(), ErrorKind::RateLimited);
            assert_eq!(error.retry_after(), Some(Duration::from_secs(900)));
        }
        assert_eq!(called(&server).await, ["search/topics"]);
        hand.advance(Duration::from_secs(900));
        assert_eq!(pages(&source, "home", Checkpoint::default()).await.len(), 1);
    }
}

#[tokio::test]
async fn partitions_read_together_ask_once_and_stay_within_the_allowance() {
    let mut options = SimulatorOptions::default();
    options.limits.weibo_calls_per_hour = 12;
    let (world, simulator) = simulated(options).await;
    let source = client(&simulator.weibo_url())
        .users(world.weibo_uids())
        .public_timeline()
        .home_timeline()
        .complete_texts(false)
        .page_size(5)
        .build()
        .unwrap();
    let partitions = source.partitions().await.unwrap();
    let all = partitions
        .iter()
        .map(|partition| read(&source, &partition.0, Checkpoint::default()));
    let read = futures::future::join_all(all).await;
    let served = read.iter().flatten().filter(|page| page.is_ok()).count();
    let calls = simulator.calls();
    assert_eq!(served, 12);
    assert_eq!(calls.of("").over_budget, 0);
    assert_eq!(calls.of("rate_limit_status").calls, 1);
}
