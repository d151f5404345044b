//! `/posts/{platform}/{id}`: one post with all that is known of it.

use askama::Template;
use axum::extract::{Path, State};
use heurpipe_core::{
    Annotation, By, ErrorKind, Fetched, Filter, LedgerEntry, LedgerOutcome, Media, MediaKind, Post,
    Record, Similar, Similarity, SkipReason, State as PostState, Target, Value,
};

use super::card::{self, Card, Tag};
use super::{Page, links, render, text};
use crate::routes::posts::find;
use crate::routes::similar::like;
use crate::state::AppState;

/// How many posts a row of what is near shows.
const MOST_ALIKE: usize = 6;

/// How many such rows there are, one for each attribute.
const MOST_ROWS: usize = 3;

#[derive(Template)]
#[template(path = "post.html")]
struct PostPage {
    section: &'static str,
    id: String,
    author: String,
    author_posts: Option<String>,
    verified: bool,
    followers: Option<String>,
    platform: String,
    permalink: Option<String>,
    published: Option<String>,
    collected: String,
    text: String,
    hashtags: Vec<Tag>,
    pictures: Vec<Picture>,
    counts: Vec<(&'static str, String)>,
    places: Vec<(&'static str, String)>,
    values: Vec<Values>,
    annotations: Vec<AnnotationRow>,
    alike: Vec<Alike>,
    ledger: Vec<LedgerRow>,
    states: Vec<StateRow>,
    observations: Vec<ObservationRow>,
    revision: u64,
    json: String,
}

/// Posts that are near by one attribute.
struct Alike {
    heading: &'static str,
    attribute: String,
    json: String,
    /// None where the index could not answer.
    cards: Option<Vec<Card>>,
}

struct Picture {
    src: Option<String>,
    is_video: bool,
    alt: String,
    note: String,
}

struct Values {
    heading: String,
    tags: Vec<Tag>,
}

struct AnnotationRow {
    target: String,
    attribute: String,
    value: String,
    swatches: Vec<String>,
    confidence: Option<Confidence>,
    by: String,
    detail: String,
    counts: &'static str,
    at: String,
}

struct Confidence {
    text: String,
    /// 0 to 100.
    width: String,
}

struct LedgerRow {
    enricher: String,
    target: String,
    outcome: String,
    is_failure: bool,
    cpu: String,
    fingerprint: String,
    at: String,
}

struct StateRow {
    use_case: String,
    state: &'static str,
    reason: String,
}

struct ObservationRow {
    at: String,
    likes: String,
    comments: String,
    reposts: String,
    gone: bool,
}

pub(super) async fn page(
    State(state): State<AppState>,
    Path((platform, id)): Path<(String, String)>,
) -> Page {
    let record = find(&state, &platform, &id).await?;
    let alike = alike(&state, &record).await;
    render(&told(&record, alike))
}

/// What is near by each attribute of which the post has vectors. A search index that cannot answer does not keep the post from being shown.
async fn alike(state: &AppState, record: &Record) -> Vec<Alike> {
    if state.search().similarity() == Similarity::Unsupported {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (attribute, vectors) in record.effective_vectors().into_iter().take(MOST_ROWS) {
        let id = record.id();
        let found = like(state, id, attribute, &vectors, &Filter::All, MOST_ALIKE).await;
        let cards = match found {
            Ok(similar) if similar.is_empty() => continue,
            Ok(similar) => Some(cards(&similar, state.facets())),
            Err(error) if error.kind() == ErrorKind::Unsupported => continue,
            Err(error) => {
                tracing::warn!(error = ?error, "what is near to a post could not be found");
                None
            }
        };
        all.push(Alike {
            heading: match is_seen(record, attribute) {
                true => "Looks like this",
                false => "Reads like this",
            },
            attribute: attribute.to_owned(),
            json: links::link(
                &format!("/v1{}/similar", links::post(id)),
                &[("attribute", attribute)],
            ),
            cards,
        });
    }
    all
}

fn cards(similar: &[Similar], facets: &[String]) -> Vec<Card> {
    similar
        .iter()
        .map(|similar| Card::of(&similar.record, facets))
        .collect()
}

/// Whether an attribute was read off pictures.
fn is_seen(record: &Record, attribute: &str) -> bool {
    let mut annotations = record.annotations.iter();
    annotations.any(|a| a.attribute == attribute && a.target.media().is_some())
}

fn told(record: &Record, alike: Vec<Alike>) -> PostPage {
    let post = &record.post;
    let author = post.author.as_ref();
    let key = author.and_then(|author| author.key());
    PostPage {
        section: "explore",
        id: post.id.to_string(),
        author: card::author(post),
        author_posts: key.map(|key| card::tag("author", key).href),
        verified: author.and_then(|a| a.verified).unwrap_or_default(),
        followers: author.and_then(|a| a.followers).map(text::number),
        platform: post.id.platform.to_string(),
        permalink: post
            .permalink
            .as_deref()
            .and_then(links::outside)
            .map(str::to_owned),
        published: post.published_at.map(text::minute),
        collected: text::minute(post.collected_at),
        text: post.text.clone(),
        hashtags: post
            .hashtags
            .iter()
            .map(|h| card::tag("hashtag", h))
            .collect(),
        pictures: post.media.iter().map(|m| picture(post, m)).collect(),
        counts: counts(post),
        places: places(post),
        values: values(record),
        annotations: record
            .annotations
            .iter()
            .map(|a| annotation(post, a))
            .collect(),
        alike,
        ledger: record.ledger.iter().map(|e| ledger(post, e)).collect(),
        states: record.states.iter().map(|(u, s)| state_row(u, s)).collect(),
        observations: record.observations.iter().map(observation).collect(),
        revision: record.revision,
        json: format!("/v1{}", links::post(&post.id)),
    }
}

fn picture(post: &Post, medium: &Media) -> Picture {
    let place = target(post, &Target::Media(medium.id.clone()));
    Picture {
        src: medium.digest().map(|digest| links::media(&digest)),
        is_video: medium.kind == MediaKind::Video,
        alt: medium.alt_text.clone().unwrap_or_else(|| place.clone()),
        note: match &medium.fetched {
            Fetched::Not => format!("{place} was not fetched yet"),
            Fetched::Gone { reason } => format!("{place} is gone: {reason}"),
            Fetched::Stored { .. } => place,
        },
    }
}

fn counts(post: &Post) -> Vec<(&'static str, String)> {
    let counts = &post.counts;
    [
        ("likes", counts.likes),
        ("comments", counts.comments),
        ("reposts", counts.reposts),
        ("views", counts.views),
    ]
    .into_iter()
    .filter_map(|(name, count)| Some((name, text::number(count?))))
    .collect()
}

fn places(post: &Post) -> Vec<(&'static str, String)> {
    [
        ("Tagged place", &post.places.tagged),
        ("Region by IP", &post.places.ip_region),
        ("Declared by the author", &post.places.declared),
    ]
    .into_iter()
    .filter_map(|(claim, place)| {
        let place = place.as_ref()?;
        let country = place.country.as_ref();
        let country = country.filter(|country| **country != place.name);
        Some((
            claim,
            country.map_or(place.name.clone(), |c| format!("{}, {c}", place.name)),
        ))
    })
    .collect()
}

fn values(record: &Record) -> Vec<Values> {
    let effective = record.effective();
    effective
        .iter()
        .map(|(field, values)| Values {
            heading: text::heading(field),
            tags: values.iter().map(|value| card::tag(field, value)).collect(),
        })
        .collect()
}

fn annotation(post: &Post, annotation: &Annotation) -> AnnotationRow {
    let (by, detail) = match &annotation.by {
        By::Person(name) => (name.clone(), "a person".to_owned()),
        By::Producer(producer) => (
            format!("{} {}", producer.name, producer.version),
            producer.fingerprint.to_string(),
        ),
    };
    AnnotationRow {
        target: target(post, &annotation.target),
        attribute: annotation.attribute.clone(),
        value: value(&annotation.value),
        swatches: swatches(&annotation.value),
        confidence: annotation.confidence.map(|sure| Confidence {
            text: format!("{sure:.2}"),
            width: format!("{:.0}", sure.clamp(0.0, 1.0) * 100.0),
        }),
        by,
        detail,
        counts: match &annotation.by {
            By::Producer(producer) if producer.shadow => "no: in trial",
            _ if annotation.stands() => "yes",
            _ => "no: too unsure",
        },
        at: text::minute(annotation.at),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Label(label) => label.clone(),
        Value::Labels(labels) => labels.join(", "),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Vector(vector) => format!("a vector of {} numbers", vector.len()),
        Value::Colours(colours) => colours
            .iter()
            .map(|c| format!("{} {}", c.name, text::share(f64::from(c.share))))
            .collect::<Vec<_>>()
            .join(", "),
        _ => "see the JSON".to_owned(),
    }
}

fn swatches(value: &Value) -> Vec<String> {
    let Value::Colours(colours) = value else {
        return Vec::new();
    };
    let rgb = |[r, g, b]: [u8; 3]| format!("#{r:02x}{g:02x}{b:02x}");
    colours.iter().map(|c| rgb(c.rgb)).collect()
}

fn ledger(post: &Post, entry: &LedgerEntry) -> LedgerRow {
    LedgerRow {
        enricher: entry.enricher.to_string(),
        target: target(post, &entry.target),
        outcome: match &entry.outcome {
            LedgerOutcome::Done => match &entry.origin {
                Some(picture) => format!("as found in nearly the same picture {picture}"),
                None => "done".to_owned(),
            },
            LedgerOutcome::Skipped(SkipReason::Condition) => "not needed".to_owned(),
            LedgerOutcome::Skipped(SkipReason::Budget) => "left for later: budget".to_owned(),
            LedgerOutcome::Skipped(SkipReason::MediaGone) => "the picture is gone".to_owned(),
            LedgerOutcome::Failed(error) => format!("failed: {error}"),
        },
        is_failure: matches!(entry.outcome, LedgerOutcome::Failed(_)),
        cpu: format!("{:.1} ms", entry.cpu_ms),
        fingerprint: entry.fingerprint.to_string(),
        at: text::minute(entry.at),
    }
}

fn state_row(use_case: &str, state: &PostState) -> StateRow {
    StateRow {
        use_case: use_case.to_owned(),
        state: state.name(),
        reason: match state {
            PostState::Held { reason }
            | PostState::Filtered { reason }
            | PostState::Rejected { reason }
            | PostState::Dead { reason } => reason.clone(),
            PostState::Pending { .. } | PostState::Delivered => String::new(),
        },
    }
}

fn observation(seen: &heurpipe_core::Observation) -> ObservationRow {
    let count = |count: Option<u64>| count.map_or_else(|| "hidden".to_owned(), text::number);
    ObservationRow {
        at: text::minute(seen.at),
        likes: count(seen.counts.likes),
        comments: count(seen.counts.comments),
        reposts: count(seen.counts.reposts),
        gone: seen.gone,
    }
}

/// A target by its place among the post's media: media ids mean nothing to people.
fn target(post: &Post, target: &Target) -> String {
    let Some(id) = target.media() else {
        return "post".to_owned();
    };
    let index = post.media.iter().position(|medium| medium.id == id);
    let name = match index {
        Some(index) if post.media[index].kind == MediaKind::Video => format!("video {}", index + 1),
        Some(index) => format!("picture {}", index + 1),
        None => format!("medium {id}"),
    };
    match target {
        Target::Region { .. } => format!("part of {name}"),
        _ => name,
    }
}
