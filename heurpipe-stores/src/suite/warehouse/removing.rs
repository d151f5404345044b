//! What is taken out, and what merging leaves.

use std::sync::Arc;

use bytes::Bytes;
use heurpipe_core::{Filter, Record};
use jiff::SignedDuration;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::super::{Check, Failure};
use super::{Place, all_records, checks, dated, id, number, record, some_days, texts, writer};

checks!(
    dyn Place;
    removed_is_gone_from_every_answer,
    removing_counts_what_was_there,
    removed_may_come_back,
    everything_may_be_removed,
    erased_is_gone_from_every_answer,
    erased_is_in_no_file,
    what_no_longer_counts_is_erased_from_files_too,
    erasing_again_finds_nothing,
    erasing_leaves_the_others_as_they_were,
    erased_may_come_back,
    compacting_keeps_every_answer,
    compacting_again_changes_nothing,
    what_was_compacted_may_change,
);

/// What stands in the texts of posts that are to be erased, and nowhere else.
const MARK: &str = "erase-this-mark";

async fn removed_is_gone_from_every_answer(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = some_days()?;
    warehouse.append(given.clone()).await?;
    assert_eq!(warehouse.remove(&[id("03"), id("12")]).await?, 2);
    given.retain(|r| !["03", "12"].map(id).contains(r.id()));
    assert_eq!(all_records(&*warehouse).await?, given);
    assert_eq!(warehouse.get(&[id("03")]).await?, [None]);
    let query = "SELECT native_id FROM posts WHERE native_id = '03'";
    assert!(texts(&*warehouse, query, &[]).await?.is_empty());
    Ok(())
}

async fn removing_counts_what_was_there(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(some_days()?).await?;
    let ids = ["03", "absent", "04", "03"].map(id);
    assert_eq!(warehouse.remove(&ids).await?, 2);
    let before = warehouse.coverage().await?;
    assert_eq!(warehouse.remove(&ids).await?, 0);
    assert_eq!(warehouse.remove(&[]).await?, 0);
    assert_eq!(warehouse.coverage().await?, before, "nothing changed");
    Ok(())
}

async fn removed_may_come_back(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = some_days()?;
    warehouse.append(given.clone()).await?;
    for _ in 0..2 {
        assert_eq!(warehouse.remove(&[id("03"), id("07")]).await?, 2);
        // The same revisions: what was taken out is not remembered.
        let appended = warehouse.append(given.clone()).await?;
        assert_eq!((appended.written, appended.unchanged), (2, 11));
        assert_eq!(all_records(&*warehouse).await?, given);
    }
    Ok(())
}

async fn everything_may_be_removed(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = some_days()?;
    warehouse.append(given.clone()).await?;
    let ids: Vec<_> = given.iter().map(|r| r.id().clone()).collect();
    assert_eq!(warehouse.remove(&ids).await?, 13);
    assert_eq!(all_records(&*warehouse).await?, []);
    let coverage = warehouse.coverage().await?;
    assert_eq!((coverage.from, coverage.to), (None, None));
    warehouse.append(given.clone()).await?;
    assert_eq!(all_records(&*warehouse).await?, given);
    Ok(())
}

async fn erased_is_gone_from_every_answer(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = some_days()?;
    warehouse.append(given.clone()).await?;
    let purged = warehouse.erase(&["03", "12", "absent"].map(id)).await?;
    assert_eq!(purged.posts, 2, "{purged:?}");
    assert!(purged.rows >= 2, "{purged:?}");
    given.retain(|r| !["03", "12"].map(id).contains(r.id()));
    assert_eq!(all_records(&*warehouse).await?, given);
    assert_eq!(warehouse.get(&[id("03"), id("12")]).await?, [None, None]);
    Ok(())
}

/// Posts among others, with the mark in what they hold.
fn marked() -> Result<Vec<Record>, Failure> {
    let mut given = some_days()?;
    for gone in [3, 12] {
        given[gone].post.text = format!("a text with {MARK}");
        given[gone].post.hashtags = vec![MARK.to_owned()];
    }
    Ok(given)
}

async fn erased_is_in_no_file(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(marked()?).await?;
    assert!(any_holds(&*place, MARK).await?, "it lies in some file");
    warehouse.erase(&["03", "12"].map(id)).await?;
    for trace in [MARK, "instagram:03", "instagram:12"] {
        assert!(!any_holds(&*place, trace).await?, "{trace}");
    }
    assert!(any_holds(&*place, "instagram:04").await?, "the others stay");
    Ok(())
}

async fn what_no_longer_counts_is_erased_from_files_too(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(marked()?).await?;
    // One in a revision that is no longer the newest, in another day than that; one that was removed before.
    let newer = dated("03", 2, "2026-05-01T00:00:00Z")?;
    warehouse.append(vec![newer]).await?;
    warehouse.remove(&[id("12")]).await?;
    assert!(
        any_holds(&*place, MARK).await?,
        "earlier rows stay where they are"
    );
    let purged = warehouse.erase(&["03", "12"].map(id)).await?;
    assert_eq!(purged.posts, 1, "{purged:?}");
    for trace in [MARK, "instagram:03", "instagram:12"] {
        assert!(!any_holds(&*place, trace).await?, "{trace}");
    }
    assert_eq!(all_records(&*warehouse).await?.len(), 11);
    Ok(())
}

async fn erasing_again_finds_nothing(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(some_days()?).await?;
    warehouse.erase(&[id("03")]).await?;
    let before = warehouse.coverage().await?;
    let again = warehouse.erase(&[id("03")]).await?;
    assert_eq!((again.posts, again.rows, again.rewritten), (0, 0, 0));
    assert_eq!(warehouse.coverage().await?, before);
    let none = warehouse.erase(&[]).await?;
    assert_eq!((none.posts, none.rows), (0, 0));
    Ok(())
}

async fn erasing_leaves_the_others_as_they_were(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let mut given = some_days()?;
    warehouse.append(given.clone()).await?;
    // Neighbours of the erased one that no longer count in its file do not come back with the rewriting.
    given[7].revision = 2;
    warehouse.append(vec![given[7].clone()]).await?;
    warehouse.remove(&[id("11")]).await?;
    warehouse.erase(&[id("03")]).await?;
    given.retain(|r| !["03", "11"].map(id).contains(r.id()));
    assert_eq!(all_records(&*warehouse).await?, given);
    Ok(())
}

async fn erased_may_come_back(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = some_days()?;
    warehouse.append(given.clone()).await?;
    warehouse.erase(&[id("03")]).await?;
    let appended = warehouse.append(given.clone()).await?;
    assert_eq!(appended.written, 1, "refusing it is the documents' to do");
    assert_eq!(all_records(&*warehouse).await?, given);
    Ok(())
}

/// A warehouse in many small pieces, some of which no longer count, and what is there.
async fn in_pieces(place: &dyn Place) -> Result<Vec<Record>, Failure> {
    let warehouse = writer(place).await?;
    let mut given = some_days()?;
    for some in given.chunks(2) {
        warehouse.append(some.to_vec()).await?;
    }
    for renewed in [0, 5, 12] {
        given[renewed].revision = 2;
        given[renewed].post.text = "renewed".to_owned();
        warehouse.append(vec![given[renewed].clone()]).await?;
    }
    warehouse.remove(&[id("01")]).await?;
    given.remove(1);
    Ok(given)
}

async fn compacting_keeps_every_answer(place: Arc<dyn Place>) -> Check {
    let given = in_pieces(&*place).await?;
    let warehouse = writer(&*place).await?;
    let before = warehouse.coverage().await?;
    warehouse.compact(SignedDuration::ZERO).await?;
    let after = warehouse.coverage().await?;
    assert_eq!((after.posts, after.undated), (before.posts, before.undated));
    assert_eq!((after.from, after.to), (before.from, before.to));
    assert!(after.segments <= before.segments, "{after:?}");
    assert_eq!(all_records(&*warehouse).await?, given);
    let renewed = "SELECT count(*) FROM posts WHERE text = 'renewed'";
    assert_eq!(number(&*warehouse, renewed, &[]).await?, 3);
    let ids: Vec<_> = given.iter().map(|r| r.id().clone()).collect();
    let found = warehouse.get(&ids).await?;
    assert!(found.into_iter().flatten().eq(given), "by their ids");
    Ok(())
}

async fn compacting_again_changes_nothing(place: Arc<dyn Place>) -> Check {
    let given = in_pieces(&*place).await?;
    let warehouse = writer(&*place).await?;
    warehouse.compact(SignedDuration::ZERO).await?;
    let before = warehouse.coverage().await?;
    let again = warehouse.compact(SignedDuration::ZERO).await?;
    assert_eq!((again.merged, again.written), (0, 0), "{again:?}");
    assert_eq!(warehouse.coverage().await?, before);
    assert_eq!(all_records(&*warehouse).await?, given);
    Ok(())
}

async fn what_was_compacted_may_change(place: Arc<dyn Place>) -> Check {
    let mut given = in_pieces(&*place).await?;
    let warehouse = writer(&*place).await?;
    warehouse.compact(SignedDuration::ZERO).await?;
    let again = warehouse.append(given.clone()).await?;
    assert_eq!(again.written, 0, "revisions are known as before");
    given[2].revision = 3;
    let appended = warehouse.append(vec![given[2].clone()]).await?;
    assert_eq!((appended.written, appended.superseded), (1, 1));
    assert_eq!(warehouse.remove(&[id("00")]).await?, 1);
    given.remove(0);
    given.push(record("99", 1, "late"));
    warehouse.append(vec![record("99", 1, "late")]).await?;
    warehouse.compact(SignedDuration::from_hours(1)).await?;
    let filter: Filter = "late".parse()?;
    assert_eq!(super::scanned(&*warehouse, &filter).await?.len(), 1);
    assert_eq!(all_records(&*warehouse).await?, given);
    Ok(())
}

/// Whether a text stands in any file at a place: among its bytes, or in a row.
async fn any_holds(place: &dyn Place, text: &str) -> Result<bool, Failure> {
    for file in place.files().await? {
        let among_bytes = file.windows(text.len()).any(|part| part == text.as_bytes());
        if among_bytes || (file.starts_with(b"PAR1") && in_rows(file, text)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn in_rows(file: Bytes, text: &str) -> Result<bool, Failure> {
    for rows in ParquetRecordBatchReaderBuilder::try_new(file)?.build()? {
        let shown = arrow::util::pretty::pretty_format_batches(&[rows?])?;
        if shown.to_string().contains(text) {
            return Ok(true);
        }
    }
    Ok(false)
}
