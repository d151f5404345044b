//! Pages, and the order in which they come.

use std::sync::Arc;

use heurpipe_core::{ErrorKind, Filter, PostId, Record, SearchIndex, SearchRequest, Sort};

use super::super::corpus::Dice;
use super::super::differential::{fill_index, write};
use super::super::{Check, Failure};
use super::{checks, fill, id, record};

checks!(
    dyn SearchIndex;
    pages_neither_overlap_nor_leave_gaps,
    a_cursor_of_another_order_is_refused,
    ties_are_broken_by_id,
    what_has_no_value_comes_last,
    a_page_has_as_many_as_asked_for,
    a_cursor_goes_on_after_its_place_whatever_came_since,
    a_cursor_serves_a_page_of_another_size,
    the_total_is_of_the_filter,
);

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

/// A record with a time of publication and likes.
fn ranked(native: &str, published: Option<i64>, likes: Option<u64>) -> Result<Record, Failure> {
    let mut record = record(native, 1, "");
    record.post.published_at = published.map(jiff::Timestamp::from_second).transpose()?;
    record.post.counts.likes = likes;
    Ok(record)
}

async fn in_pages_of(
    index: &dyn SearchIndex,
    sort: Sort,
    size: usize,
) -> Result<Vec<String>, Failure> {
    let mut request = SearchRequest::default().sort(sort).limit(size);
    let mut natives = Vec::new();
    loop {
        let page = index.search(&request).await?;
        natives.extend(page.items.iter().map(|r| r.id().native.to_string()));
        match page.next {
            Some(next) => request = request.cursor(Some(next)),
            None => return Ok(natives),
        }
    }
}

async fn ties_are_broken_by_id(index: Arc<dyn SearchIndex>) -> Check {
    let natives = ["b", "a", "10", "9", "é", "B"];
    let records: Result<Vec<Record>, Failure> = natives
        .iter()
        .map(|native| ranked(native, Some(5), Some(5)))
        .collect();
    fill(&*index, &records?).await?;
    for sort in [Sort::Newest, Sort::Oldest, Sort::MostLiked] {
        for size in [1, 2, 10] {
            assert_eq!(
                in_pages_of(&*index, sort, size).await?,
                ["10", "9", "B", "a", "b", "é"],
                "{sort:?}"
            );
        }
    }
    Ok(())
}

async fn what_has_no_value_comes_last(index: Arc<dyn SearchIndex>) -> Check {
    let records = [
        ranked("none 2", None, None)?,
        ranked("none 1", None, None)?,
        ranked("before 1970", Some(-5), Some(0))?,
        ranked("now", Some(1_770_000_000), Some(3))?,
        ranked("far", Some(253_000_000_000), Some(u64::MAX))?,
    ];
    fill(&*index, &records).await?;
    for size in [1, 10] {
        let newest = in_pages_of(&*index, Sort::Newest, size).await?;
        assert_eq!(newest, ["far", "now", "before 1970", "none 1", "none 2"]);
        let oldest = in_pages_of(&*index, Sort::Oldest, size).await?;
        assert_eq!(oldest, ["before 1970", "now", "far", "none 1", "none 2"]);
        let liked = in_pages_of(&*index, Sort::MostLiked, size).await?;
        assert_eq!(liked, ["far", "now", "before 1970", "none 1", "none 2"]);
    }
    Ok(())
}

async fn a_page_has_as_many_as_asked_for(index: Arc<dyn SearchIndex>) -> Check {
    let records: Vec<Record> = (0..5).map(|n| record(&n.to_string(), 1, "")).collect();
    fill(&*index, &records).await?;
    for (limit, count, more) in [
        (0, 0, false),
        (1, 1, true),
        (4, 4, true),
        (5, 5, false),
        (6, 5, false),
        (usize::MAX, 5, false),
    ] {
        let page = index.search(&SearchRequest::default().limit(limit)).await?;
        assert_eq!(
            (page.items.len(), page.next.is_some(), page.total.value),
            (count, more, 5),
            "{limit}"
        );
    }
    Ok(())
}

async fn a_cursor_goes_on_after_its_place_whatever_came_since(
    index: Arc<dyn SearchIndex>,
) -> Check {
    let records: Result<Vec<Record>, Failure> = (0..6)
        .map(|n| ranked(&n.to_string(), Some(n), None))
        .collect();
    fill(&*index, &records?).await?;
    let first = index.search(&SearchRequest::default().limit(2)).await?;
    write(
        &*index,
        &[
            ranked("newer", Some(100), None)?,
            ranked("older", Some(-100), None)?,
        ],
    )
    .await?;
    // The very record at which the page ended is gone.
    index.remove(&[id("4")]).await?;
    index.flush().await?;
    let rest = index
        .search(&SearchRequest::default().limit(9).cursor(first.next))
        .await?;
    let natives: Vec<String> = rest
        .items
        .iter()
        .map(|r| r.id().native.to_string())
        .collect();
    assert_eq!(natives, ["3", "2", "1", "0", "older"]);
    Ok(())
}

async fn a_cursor_serves_a_page_of_another_size(index: Arc<dyn SearchIndex>) -> Check {
    let records: Result<Vec<Record>, Failure> = (0..6)
        .map(|n| ranked(&n.to_string(), Some(n), None))
        .collect();
    fill(&*index, &records?).await?;
    let first = index.search(&SearchRequest::default().limit(1)).await?;
    let rest = index
        .search(&SearchRequest::default().limit(100).cursor(first.next))
        .await?;
    assert_eq!((rest.items.len(), rest.next), (5, None));
    Ok(())
}

async fn the_total_is_of_the_filter(index: Arc<dyn SearchIndex>) -> Check {
    let records: Result<Vec<Record>, Failure> = (0..6_u32)
        .map(|n| ranked(&n.to_string(), None, Some(n.into())))
        .collect();
    fill(&*index, &records?).await?;
    let filter: Filter = "likes:>=2".parse()?;
    let page = index.search(&SearchRequest::new(filter).limit(1)).await?;
    assert_eq!((page.items.len(), page.total.value), (1, 4));
    assert_eq!(page.total.relation, heurpipe_core::Relation::Eq);
    Ok(())
}
