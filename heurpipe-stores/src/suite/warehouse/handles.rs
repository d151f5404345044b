//! Several handles on one warehouse.

use std::sync::Arc;

use futures::TryStreamExt;
use heurpipe_core::{ErrorKind, Filter, Record};
use jiff::SignedDuration;

use super::super::{Check, Failure};
use super::{Place, all_records, checks, dated, id, record, some_days, writer};
use crate::Mode;
use crate::warehouse::{Appended, Warehouse};

checks!(
    dyn Place;
    what_was_written_is_there_when_opened_again,
    a_handle_sees_what_another_wrote,
    a_reading_handle_writes_nothing,
    a_reading_handle_sees_what_is_written_later,
    a_scan_sees_one_state,
    an_answer_sees_one_state,
    writers_at_once_lose_nothing,
    of_writers_of_one_post_the_newest_stays,
    removing_and_writing_at_once_lose_nothing,
);

async fn reader(place: &dyn Place) -> Result<Arc<dyn Warehouse>, Failure> {
    place.open(Mode::ReadOnly).await
}

async fn what_was_written_is_there_when_opened_again(place: Arc<dyn Place>) -> Check {
    let mut given = some_days()?;
    let warehouse = writer(&*place).await?;
    warehouse.append(given.clone()).await?;
    warehouse.remove(&[id("00")]).await?;
    let before = warehouse.coverage().await?;
    drop(warehouse);
    given.remove(0);
    for mode in [Mode::ReadOnly, Mode::ReadWrite] {
        let warehouse = place.open(mode).await?;
        assert_eq!(all_records(&*warehouse).await?, given, "{mode:?}");
        assert_eq!(warehouse.coverage().await?, before);
    }
    Ok(())
}

async fn a_handle_sees_what_another_wrote(place: Arc<dyn Place>) -> Check {
    let (first, second) = (writer(&*place).await?, writer(&*place).await?);
    first.append(vec![record("1", 1, "first")]).await?;
    let appended = second.append(vec![record("1", 1, "first")]).await?;
    assert_eq!((appended.written, appended.unchanged), (0, 1));
    second.append(vec![record("1", 2, "second")]).await?;
    assert_eq!(all_records(&*first).await?, [record("1", 2, "second")]);
    first.remove(&[id("1")]).await?;
    assert_eq!(all_records(&*second).await?, []);
    Ok(())
}

async fn a_reading_handle_writes_nothing(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = some_days()?;
    warehouse.append(given.clone()).await?;
    let before = warehouse.coverage().await?;
    let reader = reader(&*place).await?;
    let ids = [id("00")];
    let refused = [
        reader.append(vec![record("99", 1, "")]).await.map(|_| ()),
        reader.append(Vec::new()).await.map(|_| ()),
        reader.remove(&ids).await.map(|_| ()),
        reader.erase(&ids).await.map(|_| ()),
        reader.compact(SignedDuration::ZERO).await.map(|_| ()),
    ];
    for outcome in refused {
        let kind = outcome.map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::PermissionDenied));
    }
    assert_eq!(all_records(&*warehouse).await?, given);
    assert_eq!(warehouse.coverage().await?, before);
    Ok(())
}

async fn a_reading_handle_sees_what_is_written_later(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(vec![record("1", 1, "")]).await?;
    let reader = reader(&*place).await?;
    assert_eq!(all_records(&*reader).await?.len(), 1);
    let newer = [record("1", 2, "newer"), record("2", 1, "")];
    warehouse.append(newer.to_vec()).await?;
    assert_eq!(all_records(&*reader).await?, newer);
    assert_eq!(reader.get(&[id("2")]).await?, [Some(newer[1].clone())]);
    Ok(())
}

/// Changes everything in a warehouse of [`some_days`]: renews, removes, adds.
async fn change(warehouse: &dyn Warehouse) -> Check {
    let mut renewed = some_days()?;
    renewed.iter_mut().for_each(|r| r.revision = 2);
    renewed.push(dated("98", 1, "2026-03-01T00:00:00Z")?);
    renewed.push(dated("99", 1, "2026-06-01T00:00:00Z")?);
    warehouse.append(renewed).await?;
    warehouse.remove(&[id("03"), id("12")]).await?;
    Ok(())
}

async fn a_scan_sees_one_state(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    let given = some_days()?;
    warehouse.append(given.clone()).await?;
    let mut scan = reader(&*place).await?.scan(&Filter::All).await?;
    let mut found: Vec<Record> = scan.try_next().await?.unwrap_or_default();
    change(&*warehouse).await?;
    let rest: Vec<Vec<Record>> = scan.try_collect().await?;
    found.extend(rest.into_iter().flatten());
    found.sort_by(|a, b| a.id().cmp(b.id()));
    assert_eq!(found, given);
    Ok(())
}

async fn an_answer_sees_one_state(place: Arc<dyn Place>) -> Check {
    let warehouse = writer(&*place).await?;
    warehouse.append(some_days()?).await?;
    let query = "SELECT id, revision FROM posts WHERE revision = 1";
    let answer = reader(&*place).await?.sql(query, &Vec::new()).await?;
    change(&*warehouse).await?;
    let batches: Vec<_> = answer.batches.try_collect().await?;
    let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
    assert_eq!(rows, 13);
    Ok(())
}

/// Appends, again as long as others are faster.
async fn insist(warehouse: &dyn Warehouse, records: &[Record]) -> Result<Appended, Failure> {
    loop {
        match warehouse.append(records.to_vec()).await {
            Err(error) if error.kind() == ErrorKind::Conflict => (),
            outcome => return Ok(outcome?),
        }
    }
}

async fn writers_at_once_lose_nothing(place: Arc<dyn Place>) -> Check {
    let shared = some_days()?;
    let writers = (0..4).map(|number| {
        let (place, shared) = (&place, &shared);
        async move {
            let warehouse = writer(&**place).await?;
            let mut written = 0;
            for batch in 0..3 {
                let mine = dated(&format!("{number}.{batch}"), 1, "2026-03-01T00:00:00Z")?;
                let mut records = shared.clone();
                records.push(mine);
                written += insist(&*warehouse, &records).await?.written;
            }
            Ok::<u64, Failure>(written)
        }
    });
    let written = futures::future::try_join_all(writers).await?;
    assert_eq!(written.iter().sum::<u64>(), 13 + 4 * 3, "each once");
    let found = all_records(&*writer(&*place).await?).await?;
    assert_eq!(found.len(), 13 + 4 * 3);
    Ok(())
}

async fn of_writers_of_one_post_the_newest_stays(place: Arc<dyn Place>) -> Check {
    let writers = (1..=8).map(|revision| {
        let place = &place;
        async move {
            let warehouse = writer(&**place).await?;
            // In no order that is the revisions' own.
            let record = record("1", revision * 5 % 9, "");
            insist(&*warehouse, &[record]).await
        }
    });
    futures::future::try_join_all(writers).await?;
    let found = all_records(&*writer(&*place).await?).await?;
    let revisions: Vec<u64> = found.iter().map(|r| r.revision).collect();
    assert_eq!(revisions, [8]);
    Ok(())
}

async fn removing_and_writing_at_once_lose_nothing(place: Arc<dyn Place>) -> Check {
    let (first, second) = (writer(&*place).await?, writer(&*place).await?);
    first.append(some_days()?).await?;
    let removing = async {
        for gone in ["00", "01", "02"] {
            loop {
                match first.remove(&[id(gone)]).await {
                    Err(error) if error.kind() == ErrorKind::Conflict => (),
                    outcome => break assert_eq!(outcome?, 1, "{gone}"),
                }
            }
        }
        Ok::<(), Failure>(())
    };
    let writing = async {
        for native in ["50", "51", "52"] {
            insist(&*second, &[record(native, 1, "")]).await?;
        }
        Ok::<(), Failure>(())
    };
    futures::future::try_join(removing, writing).await?;
    let found = all_records(&*second).await?;
    let natives: Vec<&str> = found.iter().map(|r| &*r.id().native).collect();
    let expected = [
        "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "50", "51", "52",
    ];
    assert_eq!(natives, expected);
    Ok(())
}
