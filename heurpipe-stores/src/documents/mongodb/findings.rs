//! Findings by what they were made of.

use std::collections::BTreeMap;

use heurpipe_core::{Digest, Finding, Result};
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::FindOptions;

use super::database::{Database, Durability};
use super::records::{binary, digest};
use super::server::{FINDINGS, LIKENESSES};

/// Keys that are asked for at a time.
const ASKED: usize = 2_000;

/// The counter that tells how old findings are, and how many.
const COUNTER: &str = "findings";

/// What is known under each key. What cannot be read is not known: it is made again.
pub(super) async fn recall(
    database: &Database,
    keys: &[Digest],
) -> Result<Vec<Option<Vec<Finding>>>> {
    let found = fields(database, "mongodb.recall", keys, "findings").await?;
    let known = |key: &Digest| {
        let body = found.get(key)?.get_str("findings").ok()?;
        serde_json::from_str(body).ok()
    };
    Ok(keys.iter().map(known).collect())
}

/// A field of the findings under some keys.
pub(super) async fn fields(
    database: &Database,
    operation: &'static str,
    keys: &[Digest],
    field: &str,
) -> Result<BTreeMap<Digest, Document>> {
    let mut known = BTreeMap::new();
    for keys in keys.chunks(ASKED) {
        let keys: Vec<Bson> = keys.iter().map(binary).collect();
        let options = FindOptions::builder().projection(doc! {field: 1}).build();
        let found = database
            .find(operation, FINDINGS, doc! {"_id": {"$in": keys}}, options)
            .await?;
        let keyed = |document: Document| Some((digest(&document, "_id")?, document));
        known.extend(found.into_iter().filter_map(keyed));
    }
    Ok(known)
}

/// Findings as they are stored, each key once. Those that JSON cannot hold are left out: a cache may forget.
pub(super) fn encode(analyses: &[(Digest, Vec<Finding>)]) -> Vec<(Digest, String)> {
    let mut seen = std::collections::BTreeSet::new();
    let storable =
        |(_, findings): &&(Digest, Vec<Finding>)| findings.iter().all(Finding::is_finite);
    analyses
        .iter()
        .filter(storable)
        .filter(|(key, _)| seen.insert(*key))
        .filter_map(|(key, findings)| Some((*key, serde_json::to_string(findings).ok()?)))
        .collect()
}

/// Keeps findings whose key is not known, and at most `most` altogether: the oldest go, and with them what their pictures look like.
pub(super) async fn remember(
    database: &Database,
    mut analyses: Vec<(Digest, String)>,
    most: usize,
) -> Result<()> {
    const OPERATION: &str = "mongodb.remember";
    let keys: Vec<Digest> = analyses.iter().map(|(key, _)| *key).collect();
    let known = fields(database, OPERATION, &keys, "_id").await?;
    analyses.retain(|(key, _)| !known.contains_key(key));
    let count = i64::try_from(analyses.len()).unwrap_or(i64::MAX);
    if count == 0 {
        return Ok(());
    }
    let last = database.take_numbers(OPERATION, COUNTER, count).await?;
    let numbers = last.saturating_sub(count) + 1..;
    let updates: Vec<Document> = analyses
        .iter()
        .zip(numbers)
        .map(|((key, body), seq)| {
            let fields = doc! {"seq": seq, "findings": body};
            doc! {"q": {"_id": binary(key)}, "u": {"$setOnInsert": fields}, "upsert": true}
        })
        .collect();
    database
        .put(OPERATION, FINDINGS, &updates, Durability::Lazy)
        .await?;
    let oldest = last.saturating_sub(i64::try_from(most).unwrap_or(i64::MAX));
    if oldest <= 0 {
        return Ok(());
    }
    for collection in [LIKENESSES, FINDINGS] {
        let forgotten = [doc! {"seq": {"$lte": oldest}}];
        database
            .delete(OPERATION, collection, &forgotten, Durability::Lazy)
            .await?;
    }
    Ok(())
}
