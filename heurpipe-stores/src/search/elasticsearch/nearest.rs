//! What is nearest to a vector.
//!
//! The server walks a graph of neighbours over vectors of one byte a number, and finds nearly the nearest. So it is asked for more than are wanted; these are compared
//! with the vectors in their records, which gives their scores and their order exactly.

use heurpipe_core::{Error, ErrorKind, Filter, Result, Similar, SimilarRequest};
use serde_json::{Value, json};

use super::super::cursor::Place;
use super::super::nearest::nearest as score_of;
use super::client::Client;
use super::filter::query;
use super::mapping::key;
use super::page::record;
use super::vectors::{self, LONGEST, PATH};

pub(super) const OPERATION: &str = "elasticsearch.similar";

/// So many more are asked for than are wanted, and half as many again.
const SPARE: usize = 20;

/// So many are looked at in each index at least.
const CANDIDATES: usize = 200;

/// The nearest records among the documents of one name.
pub(super) async fn nearest(
    client: &Client,
    name: &str,
    request: &SimilarRequest,
) -> Result<Vec<Similar>> {
    let wanted = request.direction()?;
    let dimensions = wanted.dimensions();
    let field = vectors::field(&request.attribute, dimensions);
    let (Some(field), Some(numbers)) = (field, vectors::filled_up(&wanted)) else {
        return Err(Error::new(ErrorKind::Unsupported, OPERATION)
            .message(format!(
                "the search server compares vectors of at most {LONGEST} numbers"
            ))
            .with("dimensions", dimensions));
    };
    let asked = request.limit + request.limit / 2 + SPARE;
    let mut knn = json!({
        "field": format!("{PATH}.{field}"),
        "query_vector": numbers,
        "k": asked,
        "num_candidates": (2 * asked).max(CANDIDATES),
    });
    if let Some(condition) = condition(request) {
        knn["filter"] = condition;
    }
    let body = json!({
        "size": asked,
        "knn": knn,
        "track_total_hits": false,
        "_source": ["record"],
    });
    let found = client.search(OPERATION, name, body).await?;
    let mut similar = Vec::with_capacity(found.hits.hits.len());
    for hit in found.hits.hits {
        let id = hit.id.clone();
        let record = record(hit)?;
        if let Some(score) = score_of(&wanted, &record, &request.attribute) {
            similar.push((Place::by_score(score, id), Similar { record, score }));
        }
    }
    similar.sort_by(|(a, _), (b, _)| a.cmp(b));
    similar.truncate(request.limit);
    Ok(similar.into_iter().map(|(_, similar)| similar).collect())
}

/// What holds of every record that the server looks at; none: nothing.
fn condition(request: &SimilarRequest) -> Option<Value> {
    if request.filter == Filter::All && request.without.is_empty() {
        return None;
    }
    let keys: Vec<String> = request
        .without
        .iter()
        .map(|id| key(&id.to_string()))
        .collect();
    Some(
        json!({"bool": {"filter": [query(&request.filter)], "must_not": [{"terms": {"id": keys}}]}}),
    )
}
