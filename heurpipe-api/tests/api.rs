//! Every call and page, over stores in memory.
#![allow(clippy::unwrap_used)]

#[path = "../examples/corpus/mod.rs"]
mod corpus;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use heurpipe_core::{Annotation, Documents, Platform, Post, PostId, Record, Sink, Target};
use heurpipe_stores::documents::memory::MemoryDocuments;
use heurpipe_stores::search::memory::MemorySearch;
use jiff::Timestamp;
use serde_json::Value;
use tower::ServiceExt;

const POSTS: u64 = 60;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

async fn site() -> Router {
    heurpipe_api::router(corpus::state(POSTS).await.unwrap())
}

async fn ask(site: &Router, request: Request<Body>) -> Answer {
    let response = site.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
    }
}

async fn get(site: &Router, address: &str) -> Answer {
    ask(site, Request::get(address).body(Body::empty()).unwrap()).await
}

async fn problem(site: &Router, address: &str) -> Value {
    let answer = get(site, address).await;
    assert_eq!(
        answer.header(header::CONTENT_TYPE),
        "application/problem+json",
        "{address}"
    );
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status.as_u16());
    problem
}

#[tokio::test]
async fn pages_of_posts_hold_every_post_once_in_order() {
    let site = site().await;
    for sort in ["newest", "oldest", "most_liked"] {
        let (mut seen, mut likes, mut address) = (
            BTreeSet::new(),
            Vec::new(),
            format!("/v1/posts?limit=7&sort={sort}"),
        );
        loop {
            let page = get(&site, &address).await.json();
            assert_eq!(page["total"]["value"], POSTS);
            assert_eq!(page["total"]["relation"], "eq");
            for item in page["items"].as_array().unwrap() {
                assert!(seen.insert(item["post"]["id"].as_str().unwrap().to_owned()));
                likes.push(item["post"]["counts"]["likes"].as_u64().unwrap());
            }
            let Some(next) = page["next"].as_str() else {
                break;
            };
            address = format!("/v1/posts?limit=7&sort={sort}&cursor={next}");
        }
        assert_eq!(seen.len() as u64, POSTS, "{sort}");
        if sort == "most_liked" {
            assert!(likes.is_sorted_by(|a, b| a >= b));
        }
    }
}

#[tokio::test]
async fn an_item_is_told_as_the_contract_says() {
    let site = site().await;
    let page = get(&site, "/v1/posts?filter=id:%22weibo:10000%22")
        .await
        .json();
    let item = &page["items"][0];
    assert_eq!(*item, get(&site, "/v1/posts/weibo/10000").await.json());
    let keys: Vec<&String> = item.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 6);
    for key in [
        "post",
        "annotations",
        "effective",
        "ledger",
        "states",
        "revision",
    ] {
        assert!(item.get(key).is_some(), "{key}");
    }
    assert_eq!(item["revision"], 1);
    assert_eq!(
        item["effective"]["colour"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(page["coverage"]["tiers"][0], "hot");
    assert_eq!(page["coverage"]["from"], "2025-01-06T09:00:00Z");
}

#[tokio::test]
async fn facets_add_up_and_follow_the_filter() {
    let site = site().await;
    let all = get(&site, "/v1/facets?fields=platform,colour").await.json();
    let sum = |counts: &Value| -> u64 {
        counts
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["count"].as_u64().unwrap())
            .sum()
    };
    assert_eq!(sum(&all["facets"]["platform"]), POSTS);
    assert_eq!(sum(&all["facets"]["colour"]), POSTS);
    let weibo = get(&site, "/v1/facets?fields=platform&filter=platform:weibo")
        .await
        .json();
    assert_eq!(
        weibo["facets"]["platform"],
        serde_json::json!([{"value": "weibo", "count": 20}])
    );
}

#[tokio::test]
async fn trends_count_what_posts_say() {
    let site = site().await;
    let trends = get(
        &site,
        "/v1/trends?attribute=platform&interval=month&from=2025-01-01&to=2026-01-01",
    )
    .await
    .json();
    let series = trends["series"].as_array().unwrap();
    let total: u64 = series
        .iter()
        .flat_map(|s| s["points"].as_array().unwrap())
        .map(|p| p["count"].as_u64().unwrap())
        .sum();
    assert_eq!(total, POSTS);
    assert_eq!(trends["interval"], "month");
    let split = get(&site, "/v1/trends?attribute=platform&split=country")
        .await
        .json();
    assert!(
        split["series"]
            .as_array()
            .unwrap()
            .iter()
            .all(|s| s["split"].is_string())
    );
}

#[tokio::test]
async fn wrong_requests_are_problems_that_say_what_to_do() {
    let site = site().await;
    let bad = problem(&site, "/v1/posts?filter=colour:red%20likes:%3E%3Dmany").await;
    assert_eq!(bad["status"], 400);
    assert_eq!(bad["position"], 20);
    assert!(
        bad["detail"]
            .as_str()
            .unwrap()
            .contains("expected a number"),
        "{bad}"
    );

    for (address, status, part) in [
        ("/v1/posts?fliter=x", 400, "fliter"),
        ("/v1/posts?sort=best", 400, "most_liked"),
        ("/v1/posts?limit=0", 400, "at least 1"),
        ("/v1/posts?limit=501", 400, "at most 500"),
        ("/v1/posts?limit=x", 400, "limit"),
        ("/v1/posts?cursor=nonsense", 400, "cursor"),
        ("/v1/posts/weibo/none", 404, "weibo:none"),
        ("/v1/posts/weibo/none/similar", 404, "weibo:none"),
        (
            "/v1/posts/weibo/10000/similar?limit=101",
            400,
            "at most 100",
        ),
        (
            "/v1/posts/weibo/10000/similar?atribute=look",
            400,
            "attribute",
        ),
        (
            "/v1/posts/weibo/10000/similar?filter=likes:many",
            400,
            "expected a number",
        ),
        (
            "/v1/posts/weibo/10000/similar?attribute=style",
            404,
            "has no vector of `style`, but of look",
        ),
        ("/v1/facets", 400, "fields"),
        ("/v1/facets?fields=Not%20a%20field", 400, "Not a field"),
        ("/v1/trends", 400, "attribute"),
        ("/v1/trends?attribute=colour&interval=hour", 400, "week"),
        ("/v1/trends?attribute=colour&from=soon", 400, "2026-01-31"),
        ("/v1/runs?limit=9999", 400, "at most 200"),
        ("/v1/media/short", 400, "64 hexadecimal digits"),
        ("/v1/nothing", 404, "nothing at this address"),
    ] {
        let problem = problem(&site, address).await;
        assert_eq!(problem["status"], status, "{address}");
        assert!(
            problem["detail"].as_str().unwrap().contains(part),
            "{address}: {problem}"
        );
    }
    let post = ask(
        &site,
        Request::post("/v1/posts").body(Body::empty()).unwrap(),
    )
    .await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        post.header(header::CONTENT_TYPE),
        "application/problem+json"
    );
}

#[tokio::test]
async fn media_are_told_by_their_bytes_and_kept_for_good() {
    let site = site().await;
    let item = get(&site, "/v1/posts/weibo/10000").await.json();
    let digest = item["post"]["media"][0]["fetched"]["stored"]["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let address = format!("/v1/media/{digest}");
    let picture = get(&site, &address).await;
    assert_eq!(picture.status, StatusCode::OK);
    assert_eq!(picture.header(header::CONTENT_TYPE), "image/png");
    assert_eq!(picture.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert!(picture.header(header::CACHE_CONTROL).contains("immutable"));
    assert!(
        picture
            .header(header::CONTENT_SECURITY_POLICY)
            .contains("sandbox")
    );
    let tag = picture.header(header::ETAG).to_owned();
    let again = Request::get(&address).header(header::IF_NONE_MATCH, tag);
    let again = ask(&site, again.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (again.status, again.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    let unknown = get(&site, &format!("/v1/media/{}", "0".repeat(64))).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn markup_in_posts_never_becomes_markup_of_pages() {
    let site = site().await;
    for address in [
        "/",
        "/explore",
        "/explore?filter=%22%3Cscript%3Ealert",
        "/explore?filter=alert",
        "/trends?filter=%3Cb%3E",
    ] {
        let page = get(&site, address).await;
        assert!(
            page.header(header::CONTENT_TYPE).starts_with("text/html"),
            "{address}"
        );
        assert!(
            page.header(header::CONTENT_SECURITY_POLICY)
                .starts_with("default-src 'self'")
        );
        let text = page.text();
        assert!(
            !text.contains("<script>") && !text.contains("<b>"),
            "{address}"
        );
        assert_eq!(
            text.matches("<script").count(),
            1,
            "{address}: our own file alone"
        );
    }
    let found = get(&site, "/explore?filter=alert").await.text();
    assert!(
        found.contains("&#60;script&#62;alert"),
        "the caption is shown as text"
    );
}

#[tokio::test]
async fn a_bad_filter_on_a_page_shows_where_it_goes_wrong() {
    let site = site().await;
    for path in ["/explore", "/trends"] {
        let page = get(&site, &format!("{path}?filter=likes:many")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        let text = page.text();
        assert!(
            text.contains("likes:<span class=\"caret\">m</span>any"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_explore_page_pages_through_all_posts() {
    let site = site().await;
    let first = get(&site, "/explore").await.text();
    assert_eq!(first.matches("<article").count(), 48);
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    let second = get(&site, &next).await.text();
    assert_eq!(second.matches("<article").count() as u64, POSTS - 48);
    assert!(!second.contains("rel=\"next\""));
}

#[tokio::test]
async fn pages_show_posts_runs_and_trends() {
    let site = site().await;
    let overview = get(&site, "/").await.text();
    assert!(overview.contains("bottleneck") && overview.contains("catalog"));
    let post = get(&site, "/posts/weibo/10000").await;
    assert_eq!(post.status, StatusCode::OK);
    assert!(post.text().contains("https://example.org/p/0"));
    let trends = get(&site, "/trends?attribute=colour&split=platform")
        .await
        .text();
    assert_eq!(trends.matches("<svg class=\"chart\"").count(), 2);
    let missing = Request::get("/posts/weibo/none").header(header::ACCEPT, "text/html");
    let missing = ask(&site, missing.body(Body::empty()).unwrap()).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.text().contains("there is no post weibo:none"));
    for asset in ["/assets/style.css", "/assets/keys.js", "/assets/icon.svg"] {
        assert_eq!(get(&site, asset).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn empty_stores_say_what_to_do() {
    let site = heurpipe_api::router(corpus::state(0).await.unwrap());
    assert!(get(&site, "/").await.text().contains("heurpipe demo"));
    assert!(get(&site, "/explore").await.text().contains("No posts yet"));
    assert!(
        get(&site, "/trends")
            .await
            .text()
            .contains("Nothing to plot")
    );
    let posts = get(&site, "/v1/posts").await.json();
    assert_eq!(posts["coverage"]["from"], Value::Null);
}

/// Vectors of a post, by attribute; each of a picture of its own.
type Vectors<'a> = &'a [(&'a str, &'a [f32])];

/// The site over these posts.
async fn gallery(posts: &[(&str, Vectors<'_>)]) -> Router {
    let documents = Arc::new(MemoryDocuments::new());
    let index = Arc::new(MemorySearch::new());
    for (native, vectors) in posts {
        let id = PostId::new(Platform::weibo(), *native);
        let mut record = Record::new(Post::new(id, Timestamp::UNIX_EPOCH));
        for (number, (attribute, vector)) in vectors.iter().enumerate() {
            let target = Target::Media(number.to_string());
            let value = heurpipe_core::Value::Vector(vector.to_vec());
            let at = Timestamp::UNIX_EPOCH;
            let annotation = Annotation::decided(target, attribute, value, "ann", at);
            record.annotations.push(annotation);
        }
        for outcome in documents.commit(&[&record]).await.unwrap() {
            record.revision = outcome.unwrap();
        }
        index.write(&[Arc::new(record)]).await.unwrap();
    }
    let blobs = Arc::new(heurpipe_stores::blobs::memory::MemoryBlobs::new());
    heurpipe_api::router(heurpipe_api::AppState::builder(documents, index, blobs).build())
}

/// The native ids of an answer's items, and their scores in hundredths.
fn nearest(answer: &Value) -> Vec<(&str, i64)> {
    let items = answer["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| {
            let id = item["post"]["id"].as_str().unwrap();
            let score = item["score"].as_f64().unwrap();
            let native = id.trim_start_matches("weibo:");
            (native, (score * 100.0).round() as i64)
        })
        .collect()
}

#[tokio::test]
async fn posts_are_near_by_their_nearest_pictures() {
    let site = gallery(&[
        ("1", &[("look", &[1.0, 0.0]), ("look", &[0.0, 1.0])]),
        ("2", &[("look", &[0.8, 0.6])]),
        ("3", &[("look", &[0.0, 2.0]), ("look", &[-1.0, 0.0])]),
        ("4", &[("look", &[-1.0, 0.0])]),
        ("5", &[]),
        ("6", &[("look", &[1.0]), ("style", &[1.0])]),
    ])
    .await;
    let answer = get(&site, "/v1/posts/weibo/1/similar").await.json();
    assert_eq!(nearest(&answer), [("3", 100), ("2", 80), ("4", 0)]);
    assert_eq!(answer["attribute"], "look");
    assert_eq!(answer["coverage"]["tiers"][0], "hot");
    let item = answer["items"][1].as_object().unwrap();
    let mut alone = get(&site, "/v1/posts/weibo/2").await.json();
    alone["score"] = item["score"].clone();
    assert_eq!(
        item,
        alone.as_object().unwrap(),
        "as posts are told everywhere"
    );
    let address = "/v1/posts/weibo/1/similar?attribute=look&limit=1&filter=-id:%22weibo:3%22";
    let answer = get(&site, address).await.json();
    assert_eq!(
        nearest(&answer),
        [("2", 80)],
        "the filter holds before the limit"
    );

    let none = problem(&site, "/v1/posts/weibo/5/similar").await;
    assert_eq!(none["status"], 404);
    assert_eq!(none["type"], "urn:heurpipe:problem:no-vector");
    let several = problem(&site, "/v1/posts/weibo/6/similar").await;
    assert_eq!(several["status"], 400);
    let detail = several["detail"].as_str().unwrap();
    assert!(detail.contains("name one of look, style"), "{detail}");
    let answer = get(&site, "/v1/posts/weibo/6/similar?attribute=style").await;
    assert_eq!(nearest(&answer.json()), []);
}

#[tokio::test]
async fn a_posts_page_shows_what_looks_like_it() {
    let site = gallery(&[
        ("1", &[("look", &[1.0, 0.0])]),
        ("2", &[("look", &[0.8, 0.6])]),
        ("3", &[("look", &[1.0])]),
        ("4", &[]),
    ])
    .await;
    let page = get(&site, "/posts/weibo/1").await.text();
    let row = page.split("Looks like this</h2>").nth(1).unwrap();
    let row = row.split("</section>").next().unwrap();
    assert_eq!(row.matches("<article").count(), 1);
    assert!(row.contains("href=\"/posts/weibo/2\""), "{row}");
    let json = "/v1/posts/weibo/1/similar?attribute=look";
    assert!(row.contains(json), "{row}");
    assert_eq!(get(&site, json).await.status, StatusCode::OK);
    for post in ["3", "4"] {
        let page = get(&site, &format!("/posts/weibo/{post}")).await.text();
        assert!(
            !page.contains("Looks like this"),
            "nothing is near to {post}"
        );
    }
}

#[tokio::test]
async fn an_erased_post_is_not_found() {
    let documents = Arc::new(MemoryDocuments::new());
    let id = PostId::new(Platform::weibo(), "1");
    let post = Post::new(id.clone(), Timestamp::UNIX_EPOCH);
    documents.commit(&[&Record::new(post)]).await.unwrap();
    let state = heurpipe_api::AppState::builder(
        documents.clone(),
        Arc::new(MemorySearch::new()),
        Arc::new(heurpipe_stores::blobs::memory::MemoryBlobs::new()),
    );
    let site = heurpipe_api::router(state.build());
    assert_eq!(get(&site, "/v1/posts/weibo/1").await.status, StatusCode::OK);
    documents.erase(&[id]).await.unwrap();
    assert_eq!(
        get(&site, "/v1/posts/weibo/1").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_description_names_every_call_and_each_call_is_there() {
    let site = site().await;
    let description = get(&site, "/openapi.json").await.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3."));
    let paths: BTreeSet<&str> = description["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "/healthz",
        "/openapi.json",
        "/readyz",
        "/v1/facets",
        "/v1/media/{digest}",
        "/v1/posts",
        "/v1/posts/{platform}/{id}",
        "/v1/posts/{platform}/{id}/similar",
        "/v1/runs",
        "/v1/trends",
    ];
    assert_eq!(paths, BTreeSet::from(expected));
    for address in [
        "/healthz",
        "/readyz",
        "/v1/runs",
        "/v1/posts",
        "/v1/facets?fields=brand",
        "/v1/trends?attribute=colour",
        "/v1/posts/weibo/10000/similar",
    ] {
        assert_eq!(
            get(&site, address).await.status,
            StatusCode::OK,
            "{address}"
        );
    }
    let schemas = &description["components"]["schemas"];
    let mut references = Vec::new();
    collect_references(&description, &mut references);
    for reference in references {
        let name = reference.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.get(name).is_some(), "{reference} leads nowhere");
    }
    let page = get(&site, "/v1/posts?limit=1").await.json();
    for key in page.as_object().unwrap().keys() {
        assert!(schemas["Posts"]["properties"].get(key).is_some(), "{key}");
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.push(reference.clone());
            }
            fields
                .values()
                .for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn only_this_machine_is_served_without_keys() {
    let site = site().await;
    for (host, status) in [
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("rebound.example", 421),
    ] {
        let request = Request::get("/v1/posts").header(header::HOST, host);
        let answer = ask(&site, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{host}");
    }
    let listener = heurpipe_api::bind("0.0.0.0:0").await.unwrap();
    let state = corpus::state(0).await.unwrap();
    let error = heurpipe_api::serve(listener, state, std::future::ready(()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), heurpipe_core::ErrorKind::Config);
}
