use arrow::array::AsArray;
use futures::TryStreamExt;
use heurpipe_core::filter::{Keyword, Predicate, TimeField};
use heurpipe_core::{Annotation, ErrorKind, Filter, Flat, Platform, PostId, Record, Target, Value};
use heurpipe_stores::warehouse::{ParquetWarehouse, Warehouse, posts_schema, records, rows};

use super::fixture::{at, by_id, found, id, record, refusal, some};
use super::folder::{in_folder, segments};

#[test]
fn rows_read_back_as_the_records_they_were() {
    let mut given = some(3);
    given.push(record(4, None));
    given[0].post.language_hint = Some("zh".to_owned());
    let rows = rows(&given).unwrap();
    assert_eq!(rows.schema(), posts_schema());
    assert_eq!(records(&rows).unwrap(), given);
    let colours = rows.column_by_name("colour").unwrap().as_list::<i32>();
    assert_eq!(colours.value(1).as_string::<i32>().value(0), "red");
    let languages = rows.column_by_name("language").unwrap();
    assert_eq!(languages.as_string::<i32>().value(0), "zh");
    assert_eq!(languages.null_count(), 3);
}

#[test]
fn a_number_that_json_cannot_hold_is_refused() {
    let mut odd = record(1, None);
    let when = at("2026-04-01T11:00:00Z");
    let score = Value::Number(f64::NAN);
    odd.annotations.push(Annotation::decided(
        Target::Post,
        "score",
        score,
        "ann",
        when,
    ));
    assert_eq!(rows(&[odd]).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_scan_gives_exactly_what_the_filter_means() {
    let warehouse = ParquetWarehouse::in_memory();
    let mut given = some(40);
    given.push(record(41, None));
    warehouse.append(given.clone()).await.unwrap();
    let red = Filter::Test(Predicate::Keyword {
        field: "colour".to_owned(),
        any_of: vec![Keyword::Exact("red".to_owned())],
    });
    let late = Filter::Test(Predicate::Time {
        field: TimeField::Published,
        lower: std::ops::Bound::Included(at("2026-03-03T00:00:00Z")),
        upper: std::ops::Bound::Unbounded,
    });
    for filter in [
        red.clone(),
        late.clone(),
        red.and(late.clone()),
        late.negated(),
    ] {
        let expected: Vec<Record> = given
            .iter()
            .filter(|r| filter.matches(&Flat::of(r)))
            .cloned()
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(
            found(&warehouse, &filter).await,
            by_id(expected),
            "{filter:?}"
        );
    }
}

/// Posts of both networks that were published on a day, with ids from `first` on.
fn of_both_networks(first: u32, published: &str) -> Vec<Record> {
    let mut records: Vec<Record> = (first..first + 5)
        .map(|number| record(number, Some(published)))
        .collect();
    let mut also = records.clone();
    for record in &mut also {
        let native = record.post.id.native.clone();
        record.post.id = PostId::new(Platform::instagram(), native);
    }
    records.append(&mut also);
    records
}

#[tokio::test]
async fn files_whose_posts_have_other_ids_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = in_folder(folder.path()).await;
    let earlier = of_both_networks(100, "2026-03-01T12:00:00Z");
    let later = of_both_networks(200, "2026-03-02T12:00:00Z");
    warehouse.append(earlier.clone()).await.unwrap();
    let file = segments(folder.path()).remove(0);
    warehouse.append(later.clone()).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();

    let ids = |records: &[Record]| -> Vec<PostId> {
        records.iter().map(|record| record.id().clone()).collect()
    };
    let again = warehouse.append(later.clone()).await.unwrap();
    assert_eq!((again.written, again.unchanged), (0, 10));
    let kept = warehouse.get(&ids(&later)).await.unwrap();
    assert_eq!(kept.into_iter().flatten().count(), 10);
    assert_eq!(warehouse.remove(&ids(&later[..1])).await.unwrap(), 1);
    warehouse.erase(&ids(&later[1..2])).await.unwrap();
    let missing = warehouse.get(&ids(&earlier)).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");

    std::fs::write(&file, whole).unwrap();
    assert_eq!(found(&warehouse, &Filter::All).await.len(), 18);
}

#[tokio::test]
async fn manifests_that_do_not_say_where_ids_lie_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = in_folder(folder.path()).await;
    let records = of_both_networks(100, "2026-03-01T12:00:00Z");
    warehouse.append(records.clone()).await.unwrap();
    let path = folder.path().join("manifests/00000001.json");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let segment = manifest["segments"][0].as_object_mut().unwrap();
    assert!(segment.remove("id_ranges").is_some());
    std::fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();

    let warehouse = in_folder(folder.path()).await;
    let again = warehouse.append(records).await.unwrap();
    assert_eq!((again.written, again.unchanged), (0, 10));
}

fn ids_of(numbers: std::ops::Range<u32>) -> Vec<PostId> {
    numbers.map(id).collect()
}

#[tokio::test]
async fn a_damaged_segment_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = in_folder(folder.path()).await;
    warehouse.append(some(25)).await.unwrap();
    let victim = segments(folder.path()).remove(1);
    let name = victim.file_name().unwrap().to_str().unwrap().to_owned();
    let whole = std::fs::read(&victim).unwrap();

    let mut changed = whole.clone();
    changed[100] ^= 0xff;
    std::fs::write(&victim, &changed).unwrap();
    let error = warehouse.verify().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&name), "{error}");

    std::fs::write(&victim, &whole[..whole.len() / 2]).unwrap();
    let scanned = match warehouse.scan(&Filter::All).await {
        Ok(stream) => stream.try_collect::<Vec<_>>().await.unwrap_err(),
        Err(error) => error,
    };
    let asked = refusal(&warehouse, "SELECT text FROM posts").await;
    for error in [scanned, asked] {
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        assert!(error.to_string().contains(&name), "{error}");
    }

    // A footer that speaks of more than there is.
    let mut lying = whole.clone();
    let footer = lying.len() - 8;
    lying[footer..footer + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    std::fs::write(&victim, &lying).unwrap();
    let error = warehouse.get(&ids_of(10..20)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    assert!(error.to_string().contains(&name), "{error}");

    std::fs::remove_file(&victim).unwrap();
    let asked = refusal(&warehouse, "SELECT text FROM posts").await;
    assert_eq!(asked.kind(), ErrorKind::NotFound, "{asked:?}");
    assert!(asked.to_string().contains(&name), "{asked}");

    let manifest = folder.path().join("manifests/00000001.json");
    std::fs::write(&manifest, "{").unwrap();
    let error = warehouse.coverage().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("00000001.json"), "{error}");
}
