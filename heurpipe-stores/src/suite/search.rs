//! What every search index must do.

use std::collections::BTreeMap;
use std::sync::Arc;

use heurpipe_core::filter::{Filter, Keyword, Predicate};
use heurpipe_core::{
    ErrorKind, FacetCount, FacetRequest, Flat, Interval, Platform, Post, PostId, Record,
    SearchIndex, SearchRequest, Series, Sort, TrendRequest,
};
use jiff::Timestamp;

use super::corpus::Dice;
use super::differential::{fill_index, write};
use super::{Check, Failure};

/// Runs every check on an index of its own.
///
/// # Errors
/// Those of the index where it should not fail.
///
/// # Panics
/// Where the index is wrong.
pub async fn run(fresh: impl AsyncFn() -> Result<Arc<dyn SearchIndex>, Failure>) -> Check {
    the_older_never_replaces_the_newer(fresh().await?).await?;
    removed_is_gone(fresh().await?).await?;
    pages_neither_overlap_nor_leave_gaps(fresh().await?).await?;
    a_cursor_of_another_order_is_refused(fresh().await?).await?;
    facets_count_records(fresh().await?).await?;
    trends_have_no_gaps(fresh().await?).await?;
    trends_split(fresh().await?).await
}

fn id(native: &str) -> PostId {
    PostId::new(Platform::instagram(), native)
}

fn record(native: &str, revision: u64, text: &str) -> Record {
    let mut record = Record::new(Post::new(id(native), Timestamp::UNIX_EPOCH));
    record.post.text = text.to_owned();
    record.revision = revision;
    record
}

async fn the_older_never_replaces_the_newer(index: Arc<dyn SearchIndex>) -> Check {
    let (old, new) = (record("1", 1, "old"), record("1", 2, "new"));
    write(&*index, &[new.clone(), old.clone()]).await?;
    index.flush().await?;
    assert_eq!(
        index.get(&id("1")).await?.as_ref(),
        Some(&new),
        "in one batch"
    );
    write(&*index, std::slice::from_ref(&old)).await?;
    index.flush().await?;
    assert_eq!(
        index.get(&id("1")).await?.as_ref(),
        Some(&new),
        "after a flush"
    );
    write(&*index, &[new.clone(), new]).await?;
    let newest = record("1", 3, "newest");
    write(&*index, std::slice::from_ref(&newest)).await?;
    index.flush().await?;
    let page = index.search(&SearchRequest::default().limit(9)).await?;
    assert_eq!(
        (page.total.value, page.items),
        (1, vec![newest]),
        "one, once"
    );
    Ok(())
}

async fn removed_is_gone(index: Arc<dyn SearchIndex>) -> Check {
    write(&*index, &[record("1", 1, ""), record("2", 1, "")]).await?;
    index.flush().await?;
    write(&*index, &[record("3", 1, "")]).await?;
    index.remove(&[id("1"), id("3"), id("absent")]).await?;
    index.flush().await?;
    let page = index.search(&SearchRequest::default().limit(9)).await?;
    assert_eq!(page.items, [record("2", 1, "")]);
    assert_eq!(index.get(&id("1")).await?, None);
    write(&*index, &[record("1", 1, "")]).await?;
    index.flush().await?;
    assert!(index.get(&id("1")).await?.is_some(), "it may come back");
    Ok(())
}

fn in_order(records: &[Record], sort: Sort) -> Vec<PostId> {
    let mut sorted: Vec<&Record> = records.iter().collect();
    sorted.sort_by_key(|r| r.id().to_string());
    // Stable sorts: ties stay in the order of ids.
    match sort {
        Sort::Newest => sorted.sort_by_key(|r| {
            let time = r.post.published_at;
            (time.is_none(), std::cmp::Reverse(time))
        }),
        Sort::Oldest => {
            sorted.sort_by_key(|r| (r.post.published_at.is_none(), r.post.published_at))
        }
        Sort::MostLiked => sorted.sort_by_key(|r| {
            let likes = r.post.counts.likes;
            (likes.is_none(), std::cmp::Reverse(likes))
        }),
    }
    sorted.iter().map(|r| r.id().clone()).collect()
}

async fn pages_neither_overlap_nor_leave_gaps(index: Arc<dyn SearchIndex>) -> Check {
    let records = fill_index(&*index, &mut Dice::new(11), 250).await?;
    for sort in [Sort::Newest, Sort::Oldest, Sort::MostLiked] {
        let mut request = SearchRequest::new(Filter::All).sort(sort).limit(7);
        let mut found = Vec::new();
        loop {
            let page = index.search(&request).await?;
            assert_eq!(page.total.value, 250, "the total is of all pages");
            found.extend(page.items.iter().map(|r| r.id().clone()));
            if page.next.is_none() {
                break;
            }
            request = request.cursor(page.next);
        }
        assert_eq!(found, in_order(&records, sort), "{sort:?}");
    }
    let all = index.search(&SearchRequest::default().limit(250)).await?;
    assert_eq!(all.next, None, "a full last page is the last");
    let none = index.search(&SearchRequest::default().limit(0)).await?;
    assert_eq!((none.items.len(), none.total.value), (0, 250));
    for item in &all.items {
        assert!(records.contains(item), "records come back as they were");
    }
    Ok(())
}

async fn a_cursor_of_another_order_is_refused(index: Arc<dyn SearchIndex>) -> Check {
    write(&*index, &[record("1", 1, ""), record("2", 1, "")]).await?;
    index.flush().await?;
    let first = index.search(&SearchRequest::default().limit(1)).await?;
    for (cursor, sort) in [
        (first.next, Sort::MostLiked),
        (Some("nonsense".to_owned()), Sort::Newest),
    ] {
        let request = SearchRequest::default().sort(sort).cursor(cursor);
        let kind = index.search(&request).await.map_err(|e| e.kind());
        assert_eq!(kind.err(), Some(ErrorKind::InvalidInput));
    }
    Ok(())
}

fn brand(value: &str) -> Filter {
    Filter::Test(Predicate::Keyword {
        field: "brand".to_owned(),
        any_of: vec![Keyword::Prefix(value.to_owned())],
    })
}

async fn facets_count_records(index: Arc<dyn SearchIndex>) -> Check {
    let records = fill_index(&*index, &mut Dice::new(12), 250).await?;
    for filter in [Filter::All, brand(""), brand("").negated()] {
        let fields = ["brand", "colour", "hashtag", "platform", "id", "absent"];
        let request = FacetRequest {
            filter: filter.clone(),
            fields: fields.map(str::to_owned).to_vec(),
            limit: 5,
        };
        let facets = index.facets(&request).await?;
        assert_eq!(facets.len(), fields.len(), "an answer for each field");
        for field in fields {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for flat in records.iter().map(Flat::of).filter(|f| filter.matches(f)) {
                for value in flat.values(field) {
                    *counts.entry(value.to_owned()).or_default() += 1;
                }
            }
            let mut expected: Vec<FacetCount> = counts
                .into_iter()
                .map(|(value, count)| FacetCount { value, count })
                .collect();
            expected.sort_by_key(|c| std::cmp::Reverse(c.count));
            expected.truncate(5);
            assert_eq!(facets[field], expected, "{field} among {filter:?}");
        }
    }
    Ok(())
}

fn published(native: &str, at: &str, colours: &[&str], country: &str) -> Result<Record, Failure> {
    let mut record = record(native, 1, "");
    record.post.published_at = if at.is_empty() {
        None
    } else {
        Some(at.parse()?)
    };
    let colours = colours.iter().map(|c| (*c).to_owned()).collect();
    record.post.given.insert("colour".to_owned(), colours);
    let countries = vec![country.to_owned()];
    record.post.given.insert("market".to_owned(), countries);
    Ok(record)
}

async fn fill_with_colours(index: &dyn SearchIndex) -> Check {
    let records = [
        published("1", "2026-01-05T00:00:00Z", &["red", "pink"], "fr")?,
        published("2", "2026-01-11T23:59:59Z", &["red"], "it")?,
        published("3", "2026-01-12T00:00:00Z", &["blue"], "fr")?,
        published("4", "2026-01-26T12:00:00Z", &["red"], "fr")?,
        published("5", "2026-02-20T12:00:00Z", &[], "fr")?,
        published("6", "", &["red"], "fr")?,
    ];
    write(index, &records[..3]).await?;
    index.flush().await?;
    write(index, &records[3..]).await?;
    Ok(index.flush().await?)
}

/// Value, split, and count and total of each point.
type Short = (String, String, Vec<(u64, u64)>);

fn short(series: &[Series]) -> Vec<Short> {
    series
        .iter()
        .map(|s| {
            let points = s.points.iter().map(|p| (p.count, p.total)).collect();
            (s.value.clone(), s.split.clone().unwrap_or_default(), points)
        })
        .collect()
}

async fn trends_have_no_gaps(index: Arc<dyn SearchIndex>) -> Check {
    fill_with_colours(&*index).await?;
    let mut request = TrendRequest::new("colour");
    request.limit = 2;
    let series = index.trends(&request).await?;
    let red = (
        "red".to_owned(),
        String::new(),
        vec![(2, 2), (0, 1), (0, 0), (1, 1)],
    );
    // One blue, one pink: of equals the first by name.
    let blue = (
        "blue".to_owned(),
        String::new(),
        vec![(0, 2), (1, 1), (0, 0), (0, 1)],
    );
    assert_eq!(short(&series), [red, blue]);
    let monday: Timestamp = "2026-01-05T00:00:00Z".parse()?;
    assert_eq!(series[0].points[0].start, monday);

    request.from = Some(monday);
    request.to = Some("2026-01-12T00:00:00Z".parse()?);
    request.interval = Interval::Day;
    let series = index.trends(&request).await?;
    assert_eq!(
        series[0].points.len(),
        7,
        "to the last that counts, not to the end"
    );
    assert_eq!(series[1].value, "pink", "the end is not in it");

    request.interval = Interval::Month;
    (request.from, request.to) = (None, None);
    request.filter = brand("nobody");
    assert_eq!(index.trends(&request).await?, []);
    Ok(())
}

async fn trends_split(index: Arc<dyn SearchIndex>) -> Check {
    fill_with_colours(&*index).await?;
    let mut request = TrendRequest::new("colour");
    request.interval = Interval::Month;
    request.split = Some("market".to_owned());
    request.limit = 1;
    let series = index.trends(&request).await?;
    let expected = [
        ("red".to_owned(), "fr".to_owned(), vec![(2, 4)]),
        ("red".to_owned(), "it".to_owned(), vec![(1, 4)]),
    ];
    assert_eq!(short(&series), expected);
    Ok(())
}
