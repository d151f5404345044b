//! Findings by what they were made of.

use std::sync::Arc;

use heurpipe_core::{Digest, Finding, Region, Value};

use super::{Check, checks};
use crate::documents::DocumentStore;

checks!(
    dyn DocumentStore;
    findings_are_recalled_in_order,
    known_findings_are_kept,
    findings_may_be_remembered_at_once,
);

fn key(number: usize) -> Digest {
    Digest::of(&number.to_le_bytes())
}

fn label(label: &str) -> Vec<Finding> {
    vec![Finding::label("colour", label).confidence(0.1)]
}

async fn findings_are_recalled_in_order(store: Arc<dyn DocumentStore>) -> Check {
    assert_eq!(store.recall(&[]).await?, []);
    assert_eq!(store.recall(&[key(1)]).await?, [None]);
    store.remember(&[]).await?;

    let region = Region {
        x: 0.1,
        y: 0.2,
        width: 0.3,
        height: 0.7,
    };
    let several = vec![
        Finding::label("garment", "连衣裙").region(region),
        Finding::new("score", Value::Number(0.1)).confidence(1.0),
    ];
    store
        .remember(&[(key(1), several.clone()), (key(2), Vec::new())])
        .await?;
    let asked = [key(2), key(3), key(1), key(2)];
    assert_eq!(
        store.recall(&asked).await?,
        [Some(Vec::new()), None, Some(several), Some(Vec::new())],
        "nothing found is something known"
    );

    let many: Vec<_> = (100..2600)
        .map(|number| (key(number), label(&number.to_string())))
        .collect();
    store.remember(&many).await?;
    let keys: Vec<Digest> = many.iter().rev().map(|(key, _)| *key).collect();
    let found = store.recall(&keys).await?;
    let expected: Vec<_> = many.into_iter().rev().map(|(_, f)| Some(f)).collect();
    assert_eq!(found, expected);
    Ok(())
}

async fn known_findings_are_kept(store: Arc<dyn DocumentStore>) -> Check {
    store.remember(&[(key(1), label("red"))]).await?;
    store
        .remember(&[
            (key(1), label("blue")),
            (key(2), label("green")),
            (key(2), label("white")),
        ])
        .await?;
    assert_eq!(
        store.recall(&[key(1), key(2)]).await?,
        [Some(label("red")), Some(label("green"))]
    );

    let immeasurable = vec![Finding::new("score", Value::Number(f64::NAN))];
    store
        .remember(&[(key(3), immeasurable), (key(4), label("black"))])
        .await?;
    let found = store.recall(&[key(3), key(4)]).await?;
    assert_eq!(found[1], Some(label("black")), "one stops no other");
    Ok(())
}

/// Several writers find the same things in the same pictures.
async fn findings_may_be_remembered_at_once(store: Arc<dyn DocumentStore>) -> Check {
    let writers = (0..4_usize).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for start in 0..10_usize {
                let range = start * 10..start * 10 + 20;
                let mut some: Vec<_> = range.map(|n| (key(n), label(&n.to_string()))).collect();
                some.rotate_left(writer * 3);
                store.remember(&some).await?;
            }
            Check::Ok(())
        })
    });
    for writer in futures::future::join_all(writers).await {
        writer??;
    }
    let keys: Vec<Digest> = (0..111).map(key).collect();
    let found = store.recall(&keys).await?;
    let expected: Vec<_> = (0..111)
        .map(|n: usize| (n < 110).then(|| label(&n.to_string())))
        .collect();
    assert_eq!(found, expected);
    Ok(())
}
