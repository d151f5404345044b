//! Replies as the API gives them on bad days.

use heurpipe_core::{Checkpoint, ErrorKind, Incoming, Retry};
use heurpipe_sources::simulator::CALLER;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::ResponseTemplate;

use crate::support::*;

const SORRY: &str = "<!DOCTYPE html><html><body>Sorry, something went wrong.</body></html>";

fn html(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(SORRY, "text/html")
}

#[tokio::test]
async fn a_page_of_html_on_502_is_tried_again() {
    let api = Api::start().await;
    api.at(&tags(), [html(502), page(&["1"], None)]).await;
    let source = api.source().tagged().build().unwrap();
    assert_eq!(graph_ids(&pages(&source, "tagged").await), ["1"]);
}

#[tokio::test]
async fn html_for_ever_is_an_outage() {
    let api = Api::start().await;
    api.at(&tags(), [html(502)]).await;
    let source = api.source().tagged().build().unwrap();
    let error = failure(&source, "tagged").await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.retry(), Retry::Temporary);
    assert_eq!(api.requests().await.len(), 2, "one further attempt");
}

#[tokio::test]
async fn an_answer_that_is_cut_is_tried_again() {
    let api = Api::start().await;
    let cut =
        ResponseTemplate::new(200).set_body_raw(r#"{"data":[{"id":"1"},{"i"#, "application/json");
    api.at(&tags(), [cut, page(&["1", "2"], None)]).await;
    let source = api.source().tagged().build().unwrap();
    assert_eq!(graph_ids(&pages(&source, "tagged").await), ["1", "2"]);
}

#[tokio::test]
async fn a_connection_that_breaks_within_an_answer_is_an_outage() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut answered = 0;
        while answered < 2 {
            let (mut connection, _) = listener.accept().await.unwrap();
            let _ = connection.read(&mut [0; 4096]).await.unwrap();
            let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"data\":[";
            connection.write_all(cut).await.unwrap();
            answered += 1;
        }
    });
    let source = source_at(&url).tagged().build().unwrap();
    let error = failure(&source, "tagged").await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    server.await.unwrap();
}

#[tokio::test]
async fn a_refusal_with_status_200_is_a_refusal() {
    let api = Api::start().await;
    let passing = ok(json!({"error": {"message": "try later", "code": 2, "is_transient": true}}));
    let expired = ok(json!({"error": {"message": "expired", "code": 190, "error_subcode": 463}}));
    api.at(&tags(), [passing, page(&["1"], None), expired])
        .await;
    let source = api.source().tagged().build().unwrap();
    assert_eq!(graph_ids(&pages(&source, "tagged").await), ["1"]);
    let error = failure(&source, "tagged").await;
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(error.retry(), Retry::NeedsOperator);
}

#[tokio::test]
async fn an_empty_page_with_a_next_one_is_not_the_end() {
    let api = Api::start().await;
    api.at(CALLER, [own_account()]).await;
    let replies = [
        page(&["1"], Some("A")),
        page(&[], Some("B")),
        page(&[], Some("C")),
        page(&["2"], None),
    ];
    api.at(&own_media(), replies).await;
    let source = api.source().own_media().build().unwrap();
    assert_eq!(graph_ids(&pages(&source, "own").await), ["1", "2"]);
}

#[tokio::test]
async fn a_cursor_that_stays_the_same_may_still_move_on() {
    let api = Api::start().await;
    api.at(CALLER, [own_account()]).await;
    let replies = [
        page(&["1", "2"], Some("SAME")),
        page(&["3", "1"], Some("SAME")),
        page(&["4"], None),
    ];
    api.at(&own_media(), replies).await;
    let source = api.source().own_media().build().unwrap();
    let read = graph_ids(&pages(&source, "own").await);
    assert_eq!(read, ["1", "2", "3", "4"], "each once");
}

#[tokio::test]
async fn a_stream_that_goes_round_in_circles_ends() {
    let api = Api::start().await;
    api.at(CALLER, [own_account()]).await;
    api.at(&own_media(), [page(&["1", "2"], Some("SAME"))])
        .await;
    let source = api.source().own_media().build().unwrap();
    let pages = pages(&source, "own").await;
    assert_eq!(graph_ids(&pages), ["1", "2"]);
    let calls = api.queries(&own_media()).await.len();
    assert_eq!(calls, 1 + 5, "five pages without anything new");
}

#[tokio::test]
async fn a_pass_reads_as_many_pages_as_it_may_and_the_next_goes_on() {
    let api = Api::start().await;
    api.at(CALLER, [own_account()]).await;
    let replies = [
        page(&["1"], Some("A")),
        page(&["2"], Some("B")),
        page(&["3"], None),
    ];
    api.at(&own_media(), replies).await;
    let source = api.source().own_media().max_pages(2).build().unwrap();
    let first = pages(&source, "own").await;
    assert_eq!(graph_ids(&first), ["1", "2"]);
    let from = first[1].checkpoint.clone();
    let second = read(&source, "own", from).await;
    let second: Vec<_> = second.into_iter().map(Result::unwrap).collect();
    assert_eq!(graph_ids(&second), ["3"]);
    let cursors: Vec<_> = api
        .queries(&own_media())
        .await
        .into_iter()
        .map(|query| query.get("after").cloned())
        .collect();
    assert_eq!(cursors, [None, Some("A".to_owned()), Some("B".to_owned())]);
}

#[tokio::test]
async fn a_hashtags_id_comes_in_two_forms() {
    for found in [json!({"id": "178"}), json!({"data": [{"id": "178"}]})] {
        let api = Api::start().await;
        api.at(
            &format!("{CALLER}/recently_searched_hashtags"),
            [ok(json!({"data": []}))],
        )
        .await;
        api.at("ig_hashtag_search", [ok(found)]).await;
        api.at("178/top_media", [page(&["1"], None)]).await;
        let source = api.source().hashtags(["ootd"]).build().unwrap();
        assert_eq!(graph_ids(&pages(&source, "hashtag/ootd/top").await), ["1"]);
    }
}

#[tokio::test]
async fn a_field_that_is_unknown_here_is_done_without() {
    let api = Api::start().await;
    let unknown = |field| {
        let message = format!(
            "(#100) Tried accessing nonexisting field ({field}) on node type (ShadowIGMedia)"
        );
        refusal(100, 0, &message)
    };
    let found = |after: Option<&str>, id: &str| {
        let cursors = after.map_or(json!({}), |after| json!({"cursors": {"after": after}}));
        let media = json!({"data": [{"id": id}], "paging": cursors});
        ok(
            json!({"business_discovery": {"id": "9", "username": "brand", "media": media}, "id": "1"}),
        )
    };
    let replies = [
        unknown("name"),
        unknown("view_count"),
        found(Some("A"), "11"),
        found(None, "12"),
    ];
    api.at(CALLER, replies).await;
    let source = api.source().accounts(["brand"]).build().unwrap();
    assert_eq!(
        graph_ids(&pages(&source, "account/brand").await),
        ["11", "12"]
    );
    let asked = api.queries(CALLER).await;
    assert_eq!(asked.len(), 4);
    let has = |query: usize, field: &str| {
        let fields = &asked[query]["fields"];
        fields.split([',', '{', '}']).any(|word| word == field)
    };
    assert!(has(0, "name") && has(0, "view_count") && has(0, "username"));
    assert!(!has(1, "name") && has(1, "view_count") && has(1, "username"));
    for query in [2, 3] {
        assert!(!has(query, "name") && !has(query, "view_count") && has(query, "username"));
    }
}

#[tokio::test]
async fn a_field_that_must_be_known_is_not_done_without() {
    let api = Api::start().await;
    let message =
        "(#100) Tried accessing nonexisting field (permalink) on node type (ShadowIGMedia)";
    api.at(&tags(), [refusal(100, 0, message)]).await;
    let source = api.source().tagged().build().unwrap();
    let error = failure(&source, "tagged").await;
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(api.requests().await.len(), 1);
}

#[tokio::test]
async fn fields_can_be_left_out() {
    let api = Api::start().await;
    api.at(CALLER, [own_account()]).await;
    api.at(&own_media(), [page(&["1"], None)]).await;
    let source = api
        .source()
        .own_media()
        .leave_out(["biography", "alt_text"])
        .build()
        .unwrap();
    pages(&source, "own").await;
    let account = &api.queries(CALLER).await[0]["fields"];
    assert!(!account.contains("biography") && account.contains("website"));
    let media = &api.queries(&own_media()).await[0]["fields"];
    assert!(!media.contains("alt_text") && media.contains("shortcode"));
}

#[tokio::test]
async fn a_cursor_that_has_died_begins_the_stream_anew() {
    let bad = refusal(100, 0, "(#100) Invalid cursor");
    let missing = refusal(100, 33, "Unsupported get request");
    // What may be a limit in disguise is tried once more.
    for dead in [vec![bad], vec![missing.clone(), missing]] {
        let api = Api::start().await;
        api.at(CALLER, [own_account()]).await;
        let attempts = dead.len();
        let replies = dead.into_iter().chain([page(&["1"], None)]);
        api.at(&own_media(), replies).await;
        let source = api.source().own_media().build().unwrap();
        let from = Checkpoint::at(r#"{"at":"QVFIdead"}"#);
        let read = read(&source, "own", from).await;
        let pages: Vec<_> = read.into_iter().map(Result::unwrap).collect();
        assert_eq!(graph_ids(&pages), ["1"]);
        let cursors = api.queries(&own_media()).await;
        let cursors = cursors.iter().map(|query| query.get("after"));
        let from_the_dead_one = cursors.clone().take_while(|after| after.is_some());
        assert_eq!(from_the_dead_one.count(), attempts);
        assert_eq!(cursors.count(), attempts + 1);
    }
}

#[tokio::test]
async fn the_token_goes_in_the_header_and_is_kept_nowhere() {
    let api = Api::start().await;
    api.at(CALLER, [own_account()]).await;
    let next = format!("https://graph.facebook.com/v25.0/11/children?access_token={TOKEN}&after=C");
    let album = json!({"id": "11", "children": {"data": [], "paging": {"next": next}}});
    let broken = json!({"id": "12", "timestamp": next});
    let media =
        ok(json!({"data": [album, broken], "paging": {"cursors": {"after": "A"}, "next": next}}));
    let told = refusal(
        190,
        463,
        &format!("Session of access_token={TOKEN} has expired"),
    );
    api.at(&own_media(), [media, told]).await;
    let source = api.source().own_media().build().unwrap();
    let read = read(&source, "own", Checkpoint::default()).await;
    assert_eq!(read.len(), 2);
    assert!(read[1].is_err());
    let kept = format!("{read:?}");
    assert!(kept.contains("children") && kept.contains("after=C"));
    assert!(!kept.contains(TOKEN), "{kept}");
    for request in api.requests().await {
        assert!(!request.url.as_str().contains(TOKEN), "{}", request.url);
        assert_eq!(
            request.headers["authorization"],
            format!("Bearer {TOKEN}").as_str()
        );
    }
}

#[tokio::test]
async fn a_mention_that_is_gone_does_not_take_the_others_with_it() {
    let api = Api::start().await;
    let shown = |id: &str| ok(json!({"mentioned_media": {"id": id, "username": "Fan"}, "id": "1"}));
    // One that may be a limit in disguise is tried once more.
    let gone = || refusal(100, 33, "Unsupported get request");
    api.at(CALLER, [shown("11"), gone(), gone(), shown("13")])
        .await;
    let source = api.source().mentions(["11", "12", "13"]).build().unwrap();
    let pages = pages(&source, "mentions").await;
    assert_eq!(pages.len(), 3);
    let Incoming::Unreadable(missing) = &pages[1].items[0] else {
        panic!("{:?}", pages[1]);
    };
    assert_eq!(missing.place, "instagram/mentions/12");
    assert!(missing.reason.contains("not_found"), "{}", missing.reason);
    let others = [pages[0].clone(), pages[2].clone()];
    assert_eq!(graph_ids(&others), ["11", "13"]);
    let author = posts(&others)[0].author.clone().unwrap();
    assert_eq!(author.handle.as_deref(), Some("fan"));
}
