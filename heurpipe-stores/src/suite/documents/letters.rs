//! Dead letters: their order, their pages, their counts.

use std::sync::Arc;

use heurpipe_core::{DeadLetter, DeadLetterCount, DeadLetterScan, Error, ErrorKind};
use jiff::{Timestamp, ToSpan};

use super::{Check, checks, record};
use crate::documents::DocumentStore;
use crate::suite::Failure;
use crate::suite::corpus::{self, Dice};

checks!(
    dyn DocumentStore;
    letters_lie_until_exhumed,
    letters_come_in_pages,
    letters_are_counted,
    letters_keep_what_they_are_about,
    many_letters_are_exhumed,
);

fn letter(use_case: &str, native: &str, stage: &str, kind: ErrorKind, minute: i64) -> DeadLetter {
    let error = Error::new(kind, "decode").message("no picture");
    let mut letter = DeadLetter::of_record(use_case, stage, record(native), &error);
    letter.at = Timestamp::UNIX_EPOCH + minute.minutes();
    letter
}

async fn letters_lie_until_exhumed(store: Arc<dyn DocumentStore>) -> Check {
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

async fn letters_come_in_pages(store: Arc<dyn DocumentStore>) -> Check {
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

async fn letters_are_counted(store: Arc<dyn DocumentStore>) -> Check {
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

/// A letter comes back whole: with its record, or with the beginning of what was none.
async fn letters_keep_what_they_are_about(store: Arc<dyn DocumentStore>) -> Check {
    let mut dice = Dice::new(5);
    let mut letters = Vec::new();
    for number in 0..20 {
        let error = Error::new(ErrorKind::Timeout, "fetch")
            .message("no answer")
            .cause("the host is silent");
        let record = corpus::record(&mut dice, number);
        let mut letter = DeadLetter::of_record("catalog", "media", record, &error);
        letter.at = Timestamp::UNIX_EPOCH + 1.seconds();
        letters.push(letter);
    }
    let mut unreadable = letter("catalog", "x", "source", ErrorKind::InvalidInput, 0);
    unreadable.key = "catalog/unreadable:/data/posts.ndjson:7".to_owned();
    unreadable.post = "unreadable:/data/posts.ndjson:7".parse()?;
    unreadable.record = None;
    unreadable.excerpt = Some("{\"half\": \u{1f9e5}".to_owned());
    letters.insert(0, unreadable);
    store.bury(&letters).await?;
    let found = store.dead_letters(&DeadLetterScan::all()).await?;
    letters.sort_by_key(|letter| (letter.at, letter.key.clone()));
    assert_eq!(found, letters);
    Ok(())
}

/// More than go into one request of a server, and some that are not there.
async fn many_letters_are_exhumed(store: Arc<dyn DocumentStore>) -> Check {
    let letters: Vec<DeadLetter> = (0..1_200)
        .map(|n| letter("catalog", &n.to_string(), "decode", ErrorKind::Corrupt, n))
        .collect();
    store.bury(&letters).await?;
    let mut keys: Vec<String> = letters.iter().skip(1).map(|l| l.key.clone()).collect();
    keys.push("absent".to_owned());
    keys.push(keys[0].clone());
    store.exhume(&keys).await?;
    let left = store.dead_letters(&DeadLetterScan::all()).await?;
    assert_eq!(left, letters[..1]);
    store.exhume(&keys).await?;
    let counts = store.dead_letter_counts(None).await?;
    assert_eq!(counts.iter().map(|c| c.letters).sum::<u64>(), 1);
    Ok(())
}
