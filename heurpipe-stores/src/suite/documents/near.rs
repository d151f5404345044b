//! Findings by what their pictures look like.

use std::sync::Arc;

use heurpipe_core::{Analysed, Digest, Finding, Likeness, NearFindings, PictureHash};

use super::{Check, checks};
use crate::documents::DocumentStore;
use crate::suite::corpus::Dice;

checks!(
    dyn DocumentStore;
    the_nearest_picture_is_found,
    only_what_was_analysed_is_near,
    nothing_near_is_missed,
);

fn digest(number: usize) -> Digest {
    Digest::of(&number.to_le_bytes())
}

fn likeness(group: &str, hash: u64) -> Likeness {
    Likeness {
        group: Digest::of(group.as_bytes()),
        hash: PictureHash(hash),
    }
}

fn findings(number: usize) -> Vec<Finding> {
    vec![Finding::label("garment", number.to_string()).confidence(0.1)]
}

/// A picture in which something was found: its number is also that of its findings.
fn analysed(number: usize, likeness: Likeness) -> Analysed {
    Analysed {
        key: digest(number + 1_000_000),
        picture: digest(number),
        likeness,
    }
}

async fn keep(store: &dyn DocumentStore, pictures: &[(usize, Likeness)]) -> Check {
    let all: Vec<Analysed> = pictures.iter().map(|(n, l)| analysed(*n, *l)).collect();
    let numbers = pictures.iter().map(|(number, _)| *number);
    let found: Vec<_> = all
        .iter()
        .map(|a| a.key)
        .zip(numbers.map(findings))
        .collect();
    store.remember(&found).await?;
    Ok(store.remember_near(&all).await?)
}

fn of_picture(number: usize) -> Option<NearFindings> {
    Some(NearFindings {
        picture: digest(number),
        findings: findings(number),
    })
}

async fn the_nearest_picture_is_found(store: Arc<dyn DocumentStore>) -> Check {
    let store = &*store;
    assert_eq!(store.recall_near(&[], 4).await?, []);
    assert_eq!(store.recall_near(&[likeness("a", 0)], 4).await?, [None]);
    store.remember_near(&[]).await?;

    let high = 1 << 63;
    keep(
        store,
        &[
            (1, likeness("a", 0)),
            (2, likeness("a", 0b111)),
            (3, likeness("b", 0b1)),
            (4, likeness("a", u64::MAX)),
            (5, likeness("a", high | 0xff_0000)),
        ],
    )
    .await?;
    let asked = [
        likeness("a", 0b1),
        likeness("a", 0b11),
        likeness("b", 0b111),
        likeness("c", 0),
        likeness("a", u64::MAX ^ 0b1111),
        likeness("a", u64::MAX ^ 0b1_1111),
        likeness("a", high | 0xff_0000),
    ];
    assert_eq!(
        store.recall_near(&asked, 4).await?,
        [
            of_picture(1),
            of_picture(2),
            of_picture(3),
            None,
            of_picture(4),
            None,
            of_picture(5),
        ]
    );
    assert_eq!(store.recall_near(&asked[..1], 0).await?, [None]);
    assert_eq!(store.recall_near(&asked[5..6], 5).await?, [of_picture(4)]);

    // Of two at one distance the one with the least digest, whichever came first.
    let between = [likeness("a", 0b1_0000_0001), likeness("t", 0b11)];
    let twins = [(6, likeness("t", 0b01)), (7, likeness("t", 0b10))];
    let least = if digest(6) < digest(7) { 6 } else { 7 };
    keep(store, &twins).await?;
    assert_eq!(
        store.recall_near(&between, 4).await?,
        [of_picture(1), of_picture(least)]
    );
    Ok(())
}

async fn only_what_was_analysed_is_near(store: Arc<dyn DocumentStore>) -> Check {
    let store = &*store;
    let first = likeness("a", 0);
    store.remember_near(&[analysed(1, first)]).await?;
    assert_eq!(
        store.recall_near(&[first], 4).await?,
        [None],
        "of an unknown key"
    );
    keep(store, &[(1, first)]).await?;
    assert_eq!(store.recall_near(&[first], 4).await?, [of_picture(1)]);

    // A known key keeps its likeness.
    let other = likeness("a", u64::MAX);
    store.remember_near(&[analysed(1, other)]).await?;
    let found = store.recall_near(&[first, other], 4).await?;
    assert_eq!(found, [of_picture(1), None]);
    Ok(())
}

/// Random hashes about a few centres, asked for at every distance, against looking at all of them.
async fn nothing_near_is_missed(store: Arc<dyn DocumentStore>) -> Check {
    let mut dice = Dice::new(23);
    let mut random = || dice.roll();
    let centres: Vec<u64> = (0..6).map(|_| random()).collect();
    // Of the bits of three numbers few are in common.
    let mut near = |number: usize| centres[number % 6] ^ (random() & random() & random());
    let kept: Vec<(usize, Likeness)> = (0..300)
        .map(|number| {
            (
                number,
                likeness(if number % 5 == 0 { "b" } else { "a" }, near(number)),
            )
        })
        .collect();
    keep(&*store, &kept).await?;
    let asked: Vec<Likeness> = (0..60).map(|number| likeness("a", near(number))).collect();
    let mut found_some = 0;
    for within in 0..=11 {
        let found = store.recall_near(&asked, within).await?;
        for (asked, found) in asked.iter().zip(found) {
            let distance = |kept: &Likeness| asked.hash.distance(kept.hash);
            let nearest = kept
                .iter()
                .filter(|(_, kept)| kept.group == asked.group && distance(kept) <= within)
                .min_by_key(|(number, kept)| (distance(kept), digest(*number)));
            assert_eq!(found, nearest.and_then(|(number, _)| of_picture(*number)));
            found_some += usize::from(nearest.is_some());
        }
    }
    assert!(found_some > 50, "only {found_some} were near");
    Ok(())
}
