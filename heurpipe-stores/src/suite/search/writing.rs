//! What is written is there, once, in its newest form.

use std::sync::Arc;

use heurpipe_core::{
    Annotation, ErrorKind, Filter, Finding, Platform, PostId, Record, SearchIndex, SearchRequest,
    Target, Value,
};
use jiff::Timestamp;
use serde_json::json;

use super::super::Check;
use super::super::differential::write;
use super::{checks, fill, finds, found, id, record, with};

checks!(
    dyn SearchIndex;
    the_older_never_replaces_the_newer,
    removed_is_gone,
    an_empty_index_answers,
    nothing_may_be_written_and_flushed,
    one_that_is_refused_stops_no_other,
    a_record_comes_back_as_it_was,
    ids_are_told_apart,
    what_is_replaced_is_found_by_its_new_values_only,
    a_record_moves_in_time_and_stays_one,
    many_writers_lose_nothing,
    of_many_revisions_at_once_the_newest_stays,
    a_batch_of_any_size_is_written,
);

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

async fn an_empty_index_answers(index: Arc<dyn SearchIndex>) -> Check {
    assert_eq!(found(&*index, &Filter::All).await?, [""; 0]);
    assert_eq!(index.get(&id("1")).await?, None);
    index.remove(&[id("1")]).await?;
    index.remove(&[]).await?;
    Ok(index.flush().await?)
}

async fn nothing_may_be_written_and_flushed(index: Arc<dyn SearchIndex>) -> Check {
    index.flush().await?;
    assert!(index.write(&[]).await?.is_empty());
    index.flush().await?;
    assert_eq!(found(&*index, &Filter::All).await?, [""; 0]);
    Ok(())
}

async fn one_that_is_refused_stops_no_other(index: Arc<dyn SearchIndex>) -> Check {
    let mut bad = record("2", 1, "");
    let finding = Finding::new("score", Value::Number(f64::NAN));
    let Value::Number(number) = finding.value else {
        return Ok(());
    };
    let decided = Annotation::decided(
        Target::Post,
        "score",
        Value::Number(number),
        "ann",
        Timestamp::UNIX_EPOCH,
    );
    bad.annotations.push(decided);
    let records = [record("1", 1, ""), bad, record("3", 1, "")].map(Arc::new);
    let outcomes = index.write(&records).await?;
    let kinds: Vec<_> = outcomes
        .iter()
        .map(|o| o.as_ref().err().map(|e| e.kind()))
        .collect();
    assert_eq!(kinds, [None, Some(ErrorKind::InvalidInput), None]);
    index.flush().await?;
    assert_eq!(found(&*index, &Filter::All).await?, ["1", "3"]);
    Ok(())
}

async fn a_record_comes_back_as_it_was(index: Arc<dyn SearchIndex>) -> Check {
    let mut record = record("1", 7, "🧥 \u{0} \"quoted\" \u{2028} 连衣裙 e\u{301}");
    record.post.counts.likes = Some(u64::MAX);
    let payload = json!({"big": 12345678901234567890_u64, "small": 0.1, "list": [null, {"a": "b"}], "deep": deep(60)});
    record
        .post
        .raw
        .insert("test".to_owned(), heurpipe_core::Raw::from_value(&payload)?);
    fill(&*index, std::slice::from_ref(&record)).await?;
    let found = index.get(&id("1")).await?;
    assert_eq!(found.as_ref(), Some(&record));
    let raw = |record: &Record| {
        record
            .post
            .raw
            .get("test")
            .map(|raw| raw.as_str().to_owned())
    };
    assert_eq!(
        found.as_ref().and_then(raw),
        raw(&record),
        "the payload is untouched"
    );
    Ok(())
}

/// Lists within each other.
fn deep(depth: usize) -> serde_json::Value {
    (0..depth).fold(json!(1.50), |inner, _| json!([inner]))
}

async fn ids_are_told_apart(index: Arc<dyn SearchIndex>) -> Check {
    let natives = [
        "a",
        "A",
        "a b",
        "a/b?c=d#e%20",
        "a:b",
        "*",
        "ä",
        "é",
        "e\u{301}",
        "10",
        "2",
    ];
    let mut records: Vec<Record> = natives.iter().map(|native| record(native, 1, "")).collect();
    let mut elsewhere = record("a", 1, "");
    elsewhere.post.id = PostId::new(Platform::weibo(), "a");
    records.push(elsewhere);
    fill(&*index, &records).await?;
    for record in &records {
        assert_eq!(index.get(record.id()).await?.as_ref(), Some(record));
    }
    index.remove(&[id("a"), id("a b")]).await?;
    index.flush().await?;
    let page = index.search(&SearchRequest::default().limit(50)).await?;
    assert_eq!(page.total.value, records.len() as u64 - 2);
    assert_eq!(index.get(&id("a")).await?, None);
    assert!(index.get(&id("A")).await?.is_some());
    Ok(())
}

async fn what_is_replaced_is_found_by_its_new_values_only(index: Arc<dyn SearchIndex>) -> Check {
    let mut old = with("1", &[("brand", &["zara"])]);
    old.post.text = "old words".to_owned();
    old.post.counts.likes = Some(3);
    fill(&*index, &[old.clone()]).await?;
    let mut new = with("1", &[("brand", &["gucci"])]);
    new.post.text = "new words".to_owned();
    new.revision = 2;
    fill(&*index, &[new]).await?;
    finds(
        &*index,
        &[
            ("brand:zara", &[]),
            ("old", &[]),
            ("likes:3", &[]),
            ("brand:gucci", &["1"]),
            ("new words", &["1"]),
            ("-likes:>=0", &["1"]),
        ],
    )
    .await
}

async fn a_record_moves_in_time_and_stays_one(index: Arc<dyn SearchIndex>) -> Check {
    let times = [
        "2026-01-31T23:59:59Z",
        "2026-02-01T00:00:00Z",
        "",
        "1969-01-01T00:00:00Z",
        "2026-01-31T23:59:59Z",
    ];
    for (revision, time) in (1..).zip(times) {
        let mut record = record("1", revision, "");
        record.post.published_at = if time.is_empty() {
            None
        } else {
            Some(time.parse()?)
        };
        fill(&*index, std::slice::from_ref(&record)).await?;
        let page = index.search(&SearchRequest::new(Filter::All)).await?;
        assert_eq!((page.total.value, page.items), (1, vec![record]), "{time}");
    }
    // What came late does not bring the past back.
    let mut late = record("1", 2, "");
    late.post.published_at = Some("2026-02-01T00:00:00Z".parse()?);
    fill(&*index, &[late]).await?;
    finds(
        &*index,
        &[("published:2026-01", &["1"]), ("published:2026-02", &[])],
    )
    .await
}

async fn many_writers_lose_nothing(index: Arc<dyn SearchIndex>) -> Check {
    let writers = (0..8).map(|writer| {
        let index = Arc::clone(&index);
        async move {
            for batch in 0..5 {
                let records: Vec<Record> = (0..20)
                    .map(|n| record(&format!("{writer}.{batch}.{n}"), 1, ""))
                    .collect();
                write(&*index, &records).await?;
                index.flush().await?;
            }
            Check::Ok(())
        }
    });
    futures::future::try_join_all(writers).await?;
    let page = index.search(&SearchRequest::default().limit(0)).await?;
    assert_eq!(page.total.value, 8 * 5 * 20);
    Ok(())
}

async fn of_many_revisions_at_once_the_newest_stays(index: Arc<dyn SearchIndex>) -> Check {
    let writers = (1..=24).map(|revision| {
        let index = Arc::clone(&index);
        // In no order that is the revisions' own.
        let revision = revision * 7 % 25;
        async move { fill(&*index, &[record("1", revision, "")]).await }
    });
    futures::future::try_join_all(writers).await?;
    let page = index.search(&SearchRequest::new(Filter::All)).await?;
    let revisions: Vec<u64> = page.items.iter().map(|r| r.revision).collect();
    assert_eq!(revisions, [24]);
    Ok(())
}

async fn a_batch_of_any_size_is_written(index: Arc<dyn SearchIndex>) -> Check {
    let mut records: Vec<Record> = (0..1_200).map(|n| record(&n.to_string(), 1, "")).collect();
    records[7].post.text = "word ".repeat(1 << 20);
    fill(&*index, &records).await?;
    let page = index.search(&SearchRequest::default().limit(5_000)).await?;
    assert_eq!(
        (page.items.len(), page.total.value, page.next),
        (1_200, 1_200, None)
    );
    finds(&*index, &[("\"word word word\"", &["7"])]).await
}
