//! URLs that have expired are had again from their network.

use async_trait::async_trait;
use axum::http::StatusCode;
use axum::routing::get;
use heurpipe_core::{
    Error, ErrorKind, KnownPost, LookUpPost, Platform, Post, Result, Retry, Sighting,
};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::media::renewal::EXPIRED;

type Answers = Box<dyn Fn(usize) -> Result<Sighting> + Send + Sync>;

/// A network that gives an answer by how often it was asked before.
struct Network {
    answers: Answers,
    asked: Mutex<Vec<PostId>>,
}

impl Network {
    fn that(answers: impl Fn(usize) -> Result<Sighting> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            answers: Box::new(answers),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl LookUpPost for Network {
    fn platform(&self) -> Platform {
        Platform::weibo()
    }

    async fn look_up(&self, post: &KnownPost) -> Result<Sighting> {
        let before = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(post.id.clone());
            asked.len() - 1
        };
        // Whoever else wants the post comes while this one waits.
        tokio::task::yield_now().await;
        (self.answers)(before)
    }
}

async fn host() -> Host {
    let expired = || async { (StatusCode::FORBIDDEN, "URL signature expired") };
    let routes = Router::new()
        .route("/dead/{file}", get(expired))
        .route("/live/{file}", get(|| async { JPEG }));
    Host::serve(routes).await
}

fn now() -> Timestamp {
    clock().now()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn medium(id: &str, url: String, expires_at: Option<Timestamp>) -> Media {
    let mut medium = Media::image(id, url);
    medium.url_expires_at = expires_at;
    medium
}

/// A post's medium whose URL expired an hour ago.
fn expired(host: &Host, post: &str, id: &str) -> MediaRequest {
    let url = host.at(&format!("/dead/{id}.jpg"));
    let medium = medium(id, url, Some(now() - hours(1)));
    MediaRequest::new(post.parse::<PostId>().unwrap(), medium)
}

/// A post as the network gives it, with these media.
fn there(media: Vec<Media>) -> Sighting {
    let mut post = Post::new("weibo:1".parse().unwrap(), now());
    post.media = media;
    Sighting::There(Box::new(post))
}

fn with(network: &Arc<Network>) -> MediaFetcher {
    let network: Arc<dyn LookUpPost> = Arc::clone(network) as _;
    let builder = local().clock(clock()).refresh_with(network);
    builder.build().unwrap()
}

#[tokio::test]
async fn a_post_is_asked_for_once_for_all_its_expired_urls() {
    let host = host().await;
    let live = |id: &str| {
        let url = host.at(&format!("/live/{id}.jpg"));
        medium(id, url, Some(now() + hours(24)))
    };
    let media = vec![live("a"), live("b"), live("c")];
    let network = Network::that(move |_| Ok(there(media.clone())));
    let requests = ["a", "b", "c"].map(|id| expired(&host, "weibo:1", id));
    let other = expired(&host, "weibo:2", "a");
    let outcomes = with(&network)
        .fetch(&[requests.as_slice(), &[other]].concat())
        .await;
    assert_eq!(outcomes.len(), 4);
    for outcome in outcomes {
        assert_eq!(stored(outcome), JPEG);
    }
    let mut asked = network.asked.lock().unwrap().clone();
    asked.sort();
    assert_eq!(asked, ["weibo:1", "weibo:2"].map(|id| id.parse().unwrap()));
    for id in ["a", "b", "c"] {
        assert_eq!(host.calls(&format!("/dead/{id}.jpg")), 0);
    }
    assert_eq!(host.calls("/live/a.jpg"), 2);
}

#[tokio::test]
async fn a_refused_signature_is_renewed_once() {
    let host = host().await;
    let unknown = |file: &str| medium("a", host.at(file), None);
    let request = MediaRequest::new("weibo:1".parse::<PostId>().unwrap(), unknown("/dead/a.jpg"));
    for (renewed, expected) in [("/live/a.jpg", None), ("/dead/b.jpg", Some(EXPIRED))] {
        let media = vec![unknown(renewed)];
        let network = Network::that(move |_| Ok(there(media.clone())));
        let outcome = with(&network)
            .fetch(std::slice::from_ref(&request))
            .await
            .remove(0);
        match expected {
            None => assert_eq!(stored(outcome), JPEG),
            Some(expected) => assert_eq!(reason(outcome), expected),
        }
        assert_eq!(network.asked(), 1);
    }
    assert_eq!(host.calls("/dead/a.jpg"), 2);
    assert_eq!(host.calls("/dead/b.jpg"), 1);
}

#[tokio::test]
async fn what_the_network_cannot_renew_is_gone() {
    let host = host().await;
    let live = host.at("/live/a.jpg");
    let same = host.at("/dead/a.jpg");
    let sightings = [
        (Sighting::Gone, "the post is gone"),
        (Sighting::CannotTell, EXPIRED),
        (there(Vec::new()), "the post no longer has this medium"),
        (
            there(vec![medium("a", live, Some(now() - hours(1)))]),
            EXPIRED,
        ),
        (there(vec![medium("a", same, None)]), EXPIRED),
    ];
    for (sighting, expected) in sightings {
        let network = Network::that(move |_| Ok(sighting.clone()));
        let outcomes = with(&network)
            .fetch(&[expired(&host, "weibo:1", "a")])
            .await;
        for outcome in outcomes {
            assert_eq!(reason(outcome), expected);
        }
    }
    assert_eq!(host.calls("/dead/a.jpg") + host.calls("/live/a.jpg"), 0);
}

#[tokio::test]
async fn without_anybody_to_ask_an_expired_url_is_gone() {
    let host = host().await;
    let weibo = Network::that(|_| Ok(Sighting::Gone));
    for fetcher in [local().clock(clock()).build().unwrap(), with(&weibo)] {
        let request = expired(&host, "instagram:1", "a");
        let outcome = fetcher.fetch(&[request]).await.remove(0);
        assert_eq!(reason(outcome), EXPIRED);
    }
    assert_eq!(weibo.asked(), 0, "it is not of this network");
    assert_eq!(host.calls("/dead/a.jpg"), 0);
}

#[tokio::test]
async fn a_network_that_does_not_answer_now_is_asked_again_by_the_next_call() {
    let host = host().await;
    let live = medium("a", host.at("/live/a.jpg"), None);
    let network = Network::that(move |before| match before {
        0 => Err(Error::new(ErrorKind::RateLimited, "test.look_up").after(Duration::from_secs(60))),
        _ => Ok(there(vec![live.clone()])),
    });
    let fetcher = with(&network);
    let requests = ["a", "b"].map(|id| expired(&host, "weibo:1", id));
    for outcome in fetcher.fetch(&requests).await {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert_eq!(error.retry(), Retry::Temporary);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
    }
    assert_eq!(network.asked(), 1);
    let outcome = fetcher.fetch(&requests[..1]).await.remove(0);
    assert_eq!(stored(outcome), JPEG);
    assert_eq!(network.asked(), 2);
}

#[tokio::test]
async fn only_what_a_person_can_mend_stays_an_error() {
    let host = host().await;
    let request = expired(&host, "weibo:1", "a");
    let outcome_of = |kind| {
        let network = Network::that(move |_| Err(Error::new(kind, "test.look_up")));
        let request = request.clone();
        async move { with(&network).fetch(&[request]).await.remove(0) }
    };
    let error = outcome_of(ErrorKind::Unauthenticated).await.unwrap_err();
    assert_eq!(error.retry(), Retry::NeedsOperator);
    assert_eq!(reason(outcome_of(ErrorKind::InvalidInput).await), EXPIRED);
}
