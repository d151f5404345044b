//! Texts that lists cut, asked for one by one.

use heurpipe_core::{Checkpoint, ErrorKind, Retry};
use wiremock::matchers::query_param;
use wiremock::{MockServer, ResponseTemplate};

use crate::support::{answering, called, client, failure, get, json, pages, posts};

const CUT: &str = r#"{"statuses":[
  {"id":7,"text":"开头...全文","isLongText":true,"user":{"id":1}},
  {"id":6,"text":"转发","user":{"id":1},"retweeted_status":{"id":5,"text":"原文...全文","isLongText":true,"user":{"id":2}}}
 ],"next_cursor":0}"#;

async fn server(answer_for_seven: ResponseTemplate) -> MockServer {
    let server = answering("statuses/home_timeline", json(CUT)).await;
    get("statuses/show")
        .and(query_param("id", "7"))
        .respond_with(answer_for_seven)
        .mount(&server)
        .await;
    get("statuses/show")
        .and(query_param("id", "5"))
        .and(query_param("isGetLongText", "1"))
        .respond_with(json(
            r#"{"id":5,"text":"原文...全文","longText":{"longTextContent":"原文很长很长，写完了。"},"user":{"id":2}}"#,
        ))
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn texts_of_posts_and_of_what_they_pass_on_are_completed() {
    let whole = json(r#"{"id":7,"text":"开头，中间，还有结尾。","user":{"id":1}}"#);
    let server = server(whole).await;
    let source = client(&server.uri()).home_timeline().build().unwrap();
    let posts = posts(&pages(&source, "home", Checkpoint::default()).await);
    assert_eq!(posts["7"].text, "开头，中间，还有结尾。");
    assert_eq!(posts["5"].text, "原文很长很长，写完了。");
    assert!(!posts["7"].raw.contains_key("weibo.show.refused"));
}

#[tokio::test]
async fn a_text_that_cannot_be_had_stays_cut_and_the_post_says_why() {
    for (status, body, code) in [
        (
            400,
            r#"{"error_code":20101,"error":"target weibo does not exist!"}"#,
            "20101",
        ),
        (
            403,
            r#"{"error_code":"20112","error":"no permission to view"}"#,
            "20112",
        ),
        (
            403,
            r#"{"error_code":10014,"error":"Insufficient app permissions!"}"#,
            "10014",
        ),
    ] {
        let refused = ResponseTemplate::new(status).set_body_string(body);
        let server = server(refused).await;
        let source = client(&server.uri()).home_timeline().build().unwrap();
        let posts = posts(&pages(&source, "home", Checkpoint::default()).await);
        assert_eq!(posts["7"].text, "开头...全文");
        let why = posts["7"].raw["weibo.show.refused"].as_str();
        assert!(why.contains(&format!("code={code}")), "{why}");
        assert_eq!(posts["5"].text, "原文很长很长，写完了。");
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_had_for_now_is_an_error() {
    for (answer, kind, retry) in [
        (
            ResponseTemplate::new(502).set_body_string("<html>"),
            ErrorKind::Unavailable,
            Retry::Temporary,
        ),
        (
            ResponseTemplate::new(403).set_body_string(r#"{"error_code":10024}"#),
            ErrorKind::RateLimited,
            Retry::Temporary,
        ),
        (
            ResponseTemplate::new(403).set_body_string(r#"{"error_code":21327}"#),
            ErrorKind::Unauthenticated,
            Retry::NeedsOperator,
        ),
    ] {
        let server = server(answer).await;
        let source = client(&server.uri()).home_timeline().build().unwrap();
        let error = failure(&source, "home").await;
        assert_eq!((error.kind(), error.retry()), (kind, retry));
        assert!(error.to_string().contains("post=7"), "{error}");
    }
}

#[tokio::test]
async fn nothing_is_completed_where_that_is_switched_off() {
    let server = server(ResponseTemplate::new(500)).await;
    let source = client(&server.uri())
        .home_timeline()
        .complete_texts(false)
        .build()
        .unwrap();
    let posts = posts(&pages(&source, "home", Checkpoint::default()).await);
    assert_eq!(posts["7"].text, "开头...全文");
    assert_eq!(called(&server).await, ["statuses/home_timeline"]);
}
