//! Dead letters: their order, their pages, their counts.

use std::sync::Arc;

use heurpipe_core::{DeadLetter, DeadLetterCount, DeadLetterScan, Error, ErrorKind};
use jiff::{Timestamp, ToSpan};

use super::{Check, record};
use crate::documents::DocumentStore;
use crate::suite::Failure;

fn letter(use_case: &str, native: &str, stage: &str, kind: ErrorKind, minute: i64) -> DeadLetter {
    let error = Error::new(kind, "decode").message("no picture");
    let mut letter = DeadLetter::of_record(use_case, stage, record(native), &error);
    letter.at = Timestamp::UNIX_EPOCH + minute.minutes();
    letter
}

pub(super) async fn lie_until_exhumed(store: Arc<dyn DocumentStore>) -> Check {
    let corrupt = |use_case: &str, native: &str, minute: i64| {
        letter(use_case, native, "decode", ErrorKind::Corrupt, minute)
    };
    let (a, b, c) = (
        corrupt("catalog", "1", 3),
        corrupt("catalog", "2", 1),
        corrupt("trends", "1", 2),
    );
    store.bury(&[a.clone(), b.clone(), c.clone()]).await?;
    let later = corrupt("catalog", "1", 4);
    store.bury(std::slice::from_ref(&later)).await?;
    let found = store.dead_letters(&DeadLetterScan::all()).await?;
    assert_eq!(found, [b.clone(), c, later.clone()], "oldest first");
    let of_catalog = DeadLetterScan::of_use_case("catalog");
    let found = store.dead_letters(&of_catalog.clone().limit(1)).await?;
    assert_eq!(found, std::slice::from_ref(&b));
    store.exhume(&[b.key, "absent".to_owned()]).await?;
    let found = store.dead_letters(&of_catalog).await?;
    assert_eq!(found, [later]);
    Ok(())
}

/// Letters of every use case, stage and cause, many of them from the same minute.
fn many() -> Vec<DeadLetter> {
    let mut letters = Vec::new();
    for number in 0..60_i64 {
        let even = number % 2 == 0;
        letters.push(letter(
            if even { "catalog" } else { "trends" },
            // As texts, keys stand in another order than as numbers.
            &number.to_string(),
            if number % 3 == 0 { "decode" } else { "colour" },
            if number % 5 == 0 {
                ErrorKind::TooLarge
            } else {
                ErrorKind::Corrupt
            },
            number * 7 % 4,
        ));
    }
    letters
}

pub(super) async fn come_in_pages(store: Arc<dyn DocumentStore>) -> Check {
    let mut letters = many();
    store.bury(&letters).await?;
    letters.sort_by_key(|letter| (letter.at, letter.key.clone()));
    for use_case in [None, Some("catalog"), Some("trends"), Some("absent")] {
        for stage in [None, Some("decode"), Some("colour")] {
            for cause in [None, Some(ErrorKind::Corrupt.as_str()), Some("absent")] {
                let expected: Vec<&DeadLetter> = letters
                    .iter()
                    .filter(|letter| {
                        use_case.is_none_or(|wanted| letter.use_case == wanted)
                            && stage.is_none_or(|wanted| letter.stage == wanted)
                            && cause.is_none_or(|wanted| letter.cause == wanted)
                    })
                    .collect();
                let mut scan = DeadLetterScan::all();
                scan.use_case = use_case.map(str::to_owned);
                scan.stage = stage.map(str::to_owned);
                scan.cause = cause.map(str::to_owned);
                for limit in [1, 7, 100] {
                    let found = pages(&*store, scan.clone().limit(limit)).await?;
                    let found: Vec<&DeadLetter> = found.iter().collect();
                    assert_eq!(found, expected, "{scan:?}, {limit} a page");
                }
            }
        }
    }

    let first = store.dead_letters(&DeadLetterScan::all().limit(10)).await?;
    let keys: Vec<String> = first.iter().map(|letter| letter.key.clone()).collect();
    store.exhume(&keys).await?;
    let rest = DeadLetterScan::all().after(&first[9]);
    let found = store.dead_letters(&rest).await?;
    assert_eq!(found, letters[10..], "after one that is gone");
    Ok(())
}

async fn pages(
    store: &dyn DocumentStore,
    mut scan: DeadLetterScan,
) -> Result<Vec<DeadLetter>, Failure> {
    let mut found = Vec::new();
    loop {
        let page = store.dead_letters(&scan).await?;
        assert!(page.len() <= scan.limit, "at most so many");
        let Some(last) = page.last() else {
            return Ok(found);
        };
        scan = scan.after(last);
        found.extend(page);
    }
}

pub(super) async fn are_counted(store: Arc<dyn DocumentStore>) -> Check {
    let count = |use_case: &str, stage: &str, cause: ErrorKind, letters| DeadLetterCount {
        use_case: use_case.to_owned(),
        stage: stage.to_owned(),
        cause: cause.as_str().to_owned(),
        letters,
    };
    assert_eq!(store.dead_letter_counts(None).await?, []);
    store
        .bury(&[
            letter("trends", "1", "decode", ErrorKind::Corrupt, 1),
            letter("catalog", "1", "decode", ErrorKind::TooLarge, 2),
            letter("catalog", "2", "decode", ErrorKind::Corrupt, 3),
            letter("catalog", "3", "decode", ErrorKind::Corrupt, 4),
            letter("catalog", "4", "colour", ErrorKind::Corrupt, 5),
        ])
        .await?;
    let of_trends = count("trends", "decode", ErrorKind::Corrupt, 1);
    assert_eq!(
        store.dead_letter_counts(None).await?,
        [
            count("catalog", "colour", ErrorKind::Corrupt, 1),
            count("catalog", "decode", ErrorKind::Corrupt, 2),
            count("catalog", "decode", ErrorKind::TooLarge, 1),
            of_trends.clone(),
        ]
    );
    assert_eq!(store.dead_letter_counts(Some("trends")).await?, [of_trends]);

    let another_cause = letter("catalog", "2", "colour", ErrorKind::Corrupt, 6);
    store.bury(&[another_cause]).await?;
    assert_eq!(
        store.dead_letter_counts(Some("catalog")).await?,
        [
            count("catalog", "colour", ErrorKind::Corrupt, 2),
            count("catalog", "decode", ErrorKind::Corrupt, 1),
            count("catalog", "decode", ErrorKind::TooLarge, 1),
        ]
    );
    Ok(())
}
