//! A page of results in order.
//!
//! A cursor is a place in the order, as with the other indices, and no point in time that the server would have to keep: it may be used after any while, by any
//! process, and on either product. A record that changes between two pages may be on both or on neither.

use heurpipe_core::{Error, ErrorKind, Record, Result, SearchPage, SearchRequest, Sort, Total};
use serde_json::{Value, json};

use super::super::cursor::{Place, Rank};
use super::client::{Client, Found, Hit};
use super::filter::query;
use crate::codec;

const OPERATION: &str = "elasticsearch.search";

/// So many records come with one answer: the server keeps an answer in memory as a whole.
const MOST_HITS: usize = 500;

/// The number that results are sorted by, and whether the greatest comes first.
fn sorted_by(sort: Sort) -> (&'static str, bool) {
    match sort {
        Sort::Newest => ("published_ns", true),
        Sort::Oldest => ("published_ns", false),
        Sort::MostLiked => ("likes_order", true),
    }
}

/// A page.
pub(super) async fn page(
    client: &Client,
    name: &str,
    request: &SearchRequest,
) -> Result<SearchPage> {
    let cursor = request.cursor.as_deref();
    let mut after = cursor
        .map(|cursor| Place::from_cursor(cursor, request.sort))
        .transpose()?;
    let query = query(&request.filter);
    // One more than asked for tells whether there are more.
    let wanted = request.limit.saturating_add(1);
    let mut total = None;
    let mut found: Vec<(Place, Record)> = Vec::new();
    loop {
        let size = (wanted - found.len()).min(MOST_HITS);
        let body = body(&query, request.sort, after.as_ref(), size, total.is_none());
        let answer = client.search(OPERATION, name, body).await?;
        total.get_or_insert_with(|| total_of(&answer));
        let count = answer.hits.hits.len();
        for hit in answer.hits.hits {
            found.push(read(hit, request.sort)?);
        }
        if count < size || found.len() >= wanted {
            break;
        }
        after = found.last().map(|(place, _)| place.clone());
    }
    let more = found.len() > request.limit;
    found.truncate(request.limit);
    let last = found.last().filter(|_| more);
    Ok(SearchPage {
        next: last.map(|(place, _)| place.to_cursor(request.sort)),
        items: found.into_iter().map(|(_, record)| record).collect(),
        total: total.unwrap_or_default(),
    })
}

fn body(query: &Value, sort: Sort, after: Option<&Place>, size: usize, count: bool) -> Value {
    let (field, descending) = sorted_by(sort);
    let order = if descending { "desc" } else { "asc" };
    let mut body = json!({
        "size": size,
        "query": {"bool": {"filter": [query]}},
        "sort": [{field: {"order": order, "missing": "_last"}}, {"id": "asc"}],
        "track_total_hits": count,
        "_source": ["record"],
    });
    if let Some(after) = after {
        body["search_after"] = json!([
            after
                .rank
                .to_long(descending)
                .unwrap_or(missing(descending)),
            after.id
        ]);
    }
    body
}

/// The number by which the server sorts what has none. No record has it as its own.
fn missing(descending: bool) -> i64 {
    if descending { i64::MIN } else { i64::MAX }
}

fn total_of(answer: &Found) -> Total {
    match &answer.hits.total {
        Some(counted) => Total {
            value: counted.value,
            relation: counted.relation,
        },
        None => Total::default(),
    }
}

fn read(hit: Hit, sort: Sort) -> Result<(Place, Record)> {
    let (_, descending) = sorted_by(sort);
    let number = hit
        .sort
        .first()
        .and_then(Value::as_i64)
        .filter(|number| *number != missing(descending));
    let place = Place {
        rank: Rank::of_long(number, descending),
        id: hit.id.clone(),
    };
    Ok((place, record(hit)?))
}

/// The record of a document.
///
/// # Errors
/// `Corrupt` when it has none.
pub(super) fn record(hit: Hit) -> Result<Record> {
    match hit.source {
        Some(source) => codec::decode(source.record.as_bytes()),
        None => Err(Error::new(ErrorKind::Corrupt, OPERATION)
            .message("the index has a document without its record")
            .with("index", hit.index)
            .with("document", hit.id)),
    }
}
