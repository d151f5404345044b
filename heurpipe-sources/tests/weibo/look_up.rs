//! Single posts that are known already.

use heurpipe_core::{ErrorKind, KnownPost, LookUpPost, Platform, PostId, Result, Sighting};
use heurpipe_sources::simulator::{Network, SimulatorOptions};
use heurpipe_sources::weibo::WeiboApi;
use wiremock::ResponseTemplate;

use crate::support::{answering, called, client, json, simulated};

fn source(url: &str) -> WeiboApi {
    client(url).home_timeline().build().unwrap()
}

fn known(id: &str) -> KnownPost {
    KnownPost::from(id.parse::<PostId>().unwrap())
}

async fn look_up(answer: ResponseTemplate) -> Result<Sighting> {
    let server = answering("statuses/show", answer).await;
    source(&server.uri()).look_up(&known("weibo:7")).await
}

#[tokio::test]
async fn a_post_that_is_there_is_given_as_it_is_now() {
    let (world, simulator) = simulated(SimulatorOptions::default()).await;
    let source = source(&simulator.weibo_url());
    assert_eq!(source.platform(), Platform::weibo());
    let of_weibo =
        |post: &&heurpipe_sources::simulator::Post| world.author_of(post).network == Network::Weibo;
    for made in world.posts().iter().filter(of_weibo).take(40) {
        let id = format!("weibo:{}", made.native_id);
        let Sighting::There(post) = source.look_up(&known(&id)).await.unwrap() else {
            panic!("{id} is there");
        };
        assert_eq!(post.id.to_string(), id);
        assert_eq!(post.text, made.text.trim(), "with its whole text");
        assert_eq!(post.counts.likes, made.likes);
        assert!(post.raw.contains_key("weibo.show"));
    }
    let missing = source.look_up(&known("weibo:12345")).await.unwrap();
    assert_eq!(missing, Sighting::Gone);
}

#[tokio::test]
async fn gone_is_said_only_where_the_network_says_so() {
    let refused = |body: &str| ResponseTemplate::new(400).set_body_string(body);
    for (answer, expected) in [
        (refused(r#"{"error_code":20101}"#), Sighting::Gone),
        (refused(r#"{"error_code":"20101"}"#), Sighting::Gone),
        (refused(r#"{"error_code":20112}"#), Sighting::CannotTell),
        (refused(r#"{"error_code":"20502"}"#), Sighting::CannotTell),
        (
            json(r#"{"id":7,"deleted":"1","text":"抱歉，此微博已被作者删除"}"#),
            Sighting::Gone,
        ),
        (
            json(r#"{"id":7,"user":{"id":1},"visible":{"type":1,"list_id":0}}"#),
            Sighting::Gone,
        ),
        (json(r#"{"id":7,"text":"x"}"#), Sighting::CannotTell),
    ] {
        let told = format!("{answer:?}");
        assert_eq!(look_up(answer).await.unwrap(), expected, "{told}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    for (answer, kind) in [
        // A page that is not found may be anything, a limit in disguise for one.
        (
            ResponseTemplate::new(404).set_body_string("<html>"),
            ErrorKind::NotFound,
        ),
        (ResponseTemplate::new(503), ErrorKind::Unavailable),
        (
            ResponseTemplate::new(403).set_body_string(r#"{"error_code":10023}"#),
            ErrorKind::RateLimited,
        ),
        (
            ResponseTemplate::new(403).set_body_string(r#"{"error_code":21327}"#),
            ErrorKind::Unauthenticated,
        ),
        (json(r#"{"id":8,"user":{"id":1}}"#), ErrorKind::Unavailable),
        (json(r#"{"id":7,"user":"nobody"}"#), ErrorKind::InvalidInput),
    ] {
        let told = format!("{answer:?}");
        let error = look_up(answer).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{told}");
    }
}

#[tokio::test]
async fn a_post_is_found_under_whichever_of_its_ids() {
    let server = answering("statuses/show", json(r#"{"id":7,"user":{"id":1}}"#)).await;
    let source = source(&server.uri());
    let mut post = known("weibo:bid:Hy");
    assert_eq!(source.look_up(&post).await.unwrap(), Sighting::CannotTell);
    post.aliases = vec!["instagram:9".parse().unwrap(), "weibo:7".parse().unwrap()];
    let sighting = source.look_up(&post).await.unwrap();
    assert!(matches!(sighting, Sighting::There(_)), "{sighting:?}");
    let foreign = source.look_up(&known("instagram:7")).await.unwrap();
    assert_eq!(foreign, Sighting::CannotTell);
    assert_eq!(called(&server).await.len(), 1);
}
