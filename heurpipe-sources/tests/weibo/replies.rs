//! Odd answers.

use heurpipe_core::{Checkpoint, ErrorKind, Incoming, Retry};
use wiremock::matchers::{query_param, query_param_is_missing};
use wiremock::{MockServer, ResponseTemplate};

use crate::support::{answering, asked, called, client, failure, get, ids, json, pages};

const HOME: &str = "statuses/home_timeline";

fn status(id: u64) -> String {
    format!(
        r#"{{"id":{id},"idstr":"{id}","mid":"{id}","created_at":"Tue May 31 17:46:55 +0800 2011","text":"x","user":{{"id":1}}}}"#
    )
}

fn page(ids: &[u64], cursors: &str) -> ResponseTemplate {
    let statuses: Vec<String> = ids.iter().copied().map(status).collect();
    json(&format!(
        r#"{{"statuses":[{}],{cursors}}}"#,
        statuses.join(",")
    ))
}

/// A home timeline: the first page, then the pages from given ids on.
async fn home(first: ResponseTemplate, rest: Vec<(&str, ResponseTemplate)>) -> MockServer {
    let server = MockServer::start().await;
    get(HOME)
        .and(query_param_is_missing("max_id"))
        .respond_with(first)
        .mount(&server)
        .await;
    for (max_id, answer) in rest {
        get(HOME)
            .and(query_param("max_id", max_id))
            .respond_with(answer)
            .mount(&server)
            .await;
    }
    server
}

async fn read_home(server: &MockServer) -> Vec<heurpipe_core::Page> {
    let source = client(&server.uri()).home_timeline().build().unwrap();
    pages(&source, "home", Checkpoint::default()).await
}

#[tokio::test]
async fn rows_in_no_order_lose_nothing() {
    let server = home(
        page(&[70, 90, 80], r#""next_cursor":0,"max_id":0"#),
        Vec::new(),
    )
    .await;
    assert_eq!(ids(&read_home(&server).await), ["70", "80", "90"]);
    // Without cursors the next page begins below the smallest row, which is not the last.
    let server = home(
        page(&[70, 90, 80], r#""total_number":5"#),
        vec![
            ("69", page(&[50, 60], r#""total_number":5"#)),
            ("49", page(&[], r#""total_number":5"#)),
        ],
    )
    .await;
    assert_eq!(
        ids(&read_home(&server).await),
        ["50", "60", "70", "80", "90"]
    );
}

#[tokio::test]
async fn an_empty_page_in_the_midst_is_not_the_end() {
    let server = home(
        page(&[90], r#""next_cursor":80,"max_id":80"#),
        vec![
            ("80", page(&[], r#""next_cursor":70,"max_id":70"#)),
            ("70", page(&[60], r#""next_cursor":0,"max_id":0"#)),
        ],
    )
    .await;
    assert_eq!(ids(&read_home(&server).await), ["60", "90"]);
}

#[tokio::test]
async fn a_cursor_may_stand_in_one_of_two_fields() {
    let server = home(
        page(&[90, 80], r#""next_cursor":75,"max_id":0"#),
        vec![("79", page(&[60], r#""next_cursor":0,"max_id":0"#))],
    )
    .await;
    assert_eq!(ids(&read_home(&server).await), ["60", "80", "90"]);
}

#[tokio::test]
async fn a_page_that_is_served_again_and_again_ends_the_pass() {
    let same = || page(&[90, 80], r#""next_cursor":79,"max_id":79"#);
    let server = home(same(), vec![("79", same())]).await;
    let read = read_home(&server).await;
    assert_eq!(ids(&read), ["80", "90"]);
    assert_eq!(called(&server).await.len(), 2);
    let items = read.iter().map(|page| page.items.len()).sum::<usize>();
    assert_eq!(items, 2, "each post comes once");

    // Numbered pages announce more than they give, for ever.
    let same = page(&[90, 80], r#""total_number":100000"#);
    let server = answering("search/topics", same).await;
    let source = client(&server.uri()).topics(["穿搭"]).build().unwrap();
    let read = pages(&source, "search/穿搭", Checkpoint::default()).await;
    assert_eq!(ids(&read), ["80", "90"]);
    assert!(read.len() < 10, "{} pages", read.len());
}

#[tokio::test]
async fn numbered_pages_may_be_empty_in_the_midst() {
    let server = MockServer::start().await;
    for (number, answer) in [
        ("1", page(&[90], r#""total_number":150"#)),
        ("2", page(&[], r#""total_number":150"#)),
        ("3", page(&[70], r#""total_number":150"#)),
        ("4", page(&[], r#""total_number":150"#)),
    ] {
        get("search/topics")
            .and(query_param("page", number))
            .respond_with(answer)
            .mount(&server)
            .await;
    }
    let source = client(&server.uri()).topics(["穿搭"]).build().unwrap();
    let read = pages(&source, "search/穿搭", Checkpoint::default()).await;
    assert_eq!(ids(&read), ["70", "90"]);
    assert_eq!(asked(&server, "search/topics", "page").await.len(), 4);
}

#[tokio::test]
async fn a_code_may_be_a_text_or_a_number() {
    for body in [
        r#"{"request":"/statuses/home_timeline.json","error_code":"20502","error":"Need you follow uid."}"#,
        r#"{"request":"/statuses/home_timeline.json","error_code":20502,"error":"Need you follow uid."}"#,
    ] {
        let answer = ResponseTemplate::new(400).set_body_string(body);
        let server = answering(HOME, answer).await;
        let source = client(&server.uri()).home_timeline().build().unwrap();
        let error = failure(&source, "home").await;
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert_eq!(error.retry(), Retry::Permanent);
        let told = error.to_string();
        assert!(
            told.contains("Need you follow uid") && told.contains("partition=home"),
            "{told}"
        );
        assert_eq!(called(&server).await.len(), 1, "it is not tried again");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_page_is_tried_again_and_then_an_error_that_passes() {
    let whole = format!(r#"{{"statuses":[{}],"next_cursor":0}}"#, status(90));
    let cut = &whole[..whole.len() / 2];
    for body in ["<html><body>busy</body></html>", cut, "", "null", "[1]"] {
        let server = answering(HOME, json(body)).await;
        let source = client(&server.uri()).home_timeline().build().unwrap();
        let error = failure(&source, "home").await;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{body}");
        assert_eq!(error.retry(), Retry::Temporary, "{body}");
        assert_eq!(called(&server).await.len(), 2, "{body}");
    }
    // One hiccup harms nothing.
    let server = MockServer::start().await;
    get(HOME)
        .respond_with(json(cut))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    get(HOME).respond_with(json(&whole)).mount(&server).await;
    assert_eq!(ids(&read_home(&server).await), ["90"]);
}

#[tokio::test]
async fn no_posts_may_be_an_empty_list() {
    let server = answering("place/nearby_timeline", json("[]")).await;
    let source = client(&server.uri())
        .nearby(31.0, 121.0, 500)
        .build()
        .unwrap();
    let read = pages(&source, "nearby/31,121,500", Checkpoint::default()).await;
    assert_eq!(read.len(), 1);
    assert!(read[0].items.is_empty());
}

#[tokio::test]
async fn each_status_is_judged_by_itself() {
    let body = r#"{"statuses":[
      {"id":9,"text":"no user, so it is gone"},
      {"id":8,"deleted":"1","text":"抱歉，此微博已被作者删除","user":{"id":1}},
      {"id":7,"text":"for friends","user":{"id":1},"visible":{"type":4,"list_id":0}},
      {"id":6,"text":"no pictures named","user":{"id":1}},
      {"id":5,"text":"neither one nor the other","user":"nobody"},
      "not even an object",
      {"id":4,"text":"and one more","user":{"id":1},"pic_urls":[],"geo":"","annotations":""}
    ],"next_cursor":0}"#;
    let server = answering(HOME, json(body)).await;
    let read = read_home(&server).await;
    let told: Vec<String> = read[0]
        .items
        .iter()
        .map(|item| match item {
            Incoming::Post(post) => format!("post {}", post.id.native),
            Incoming::Gone(id) => format!("gone {}", id.native),
            Incoming::Unreadable(unreadable) => format!("unreadable: {}", unreadable.reason),
            other => format!("{other:?}"),
        })
        .map(|told| told.split(": in").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        told,
        [
            "gone 9",
            "gone 8",
            "gone 7",
            "post 6",
            "unreadable: not a status",
            "unreadable: not a status: not an object",
            "post 4"
        ]
    );
}
