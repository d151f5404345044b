//! What analysed pictures look like.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use heurpipe_core::{Analysed, Digest, Likeness, NearFindings, PictureHash, Result};
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::FindOptions;

use super::database::{Database, Durability, integer};
use super::findings::fields;
use super::records::{binary, digest};
use super::server::{FINDINGS, LIKENESSES};
use crate::documents::near::{Nearest, Search, places};

/// Places that are asked for at a time.
const ASKED: usize = 20_000;

/// A document: the key of the findings, the picture, what it looks like.
struct Kept {
    key: Digest,
    picture: Digest,
    likeness: Likeness,
}

impl Kept {
    fn of(document: &Document) -> Option<Self> {
        let hash = integer(document, "hash")?;
        Some(Self {
            key: digest(document, "_id")?,
            picture: digest(document, "picture")?,
            likeness: Likeness {
                group: digest(document, "group")?,
                hash: PictureHash(hash.cast_unsigned()),
            },
        })
    }
}

/// Places of all bands as numbers of one index. Two of different bands may be one number: what is found is looked at anyway.
fn banded(places: impl Iterator<Item = (usize, i64)>) -> impl Iterator<Item = i64> {
    places.map(|(band, place)| place ^ ((band as i64) << 48))
}

/// What was found in the picture nearest to each. What cannot be read is not known.
pub(super) async fn recall(
    database: &Database,
    likenesses: &[Likeness],
    within: u32,
) -> Result<Vec<Option<NearFindings>>> {
    const OPERATION: &str = "mongodb.recall_near";
    let search = Search::within(within);
    let kept = kept_near(database, OPERATION, likenesses, &search).await?;
    let mut by_place: HashMap<i64, Vec<&Kept>> = HashMap::new();
    for kept in &kept {
        for place in banded(places(&kept.likeness).into_iter().enumerate()) {
            by_place.entry(place).or_default().push(kept);
        }
    }
    let nearest: Vec<Option<(Digest, Digest)>> = likenesses
        .iter()
        .map(|wanted| {
            let mut nearest = Nearest::none();
            let at = banded(search.places(wanted)).filter_map(|place| by_place.get(&place));
            for kept in at.flatten() {
                if let Some(distance) = search.distance(wanted, &kept.likeness) {
                    nearest.add(distance, kept.picture, kept.key);
                }
            }
            nearest.into_inner()
        })
        .collect();
    let keys: BTreeSet<Digest> = nearest.iter().flatten().map(|(_, key)| *key).collect();
    let keys: Vec<Digest> = keys.into_iter().collect();
    let findings = fields(database, OPERATION, &keys, "findings").await?;
    let known = |(picture, key): (Digest, Digest)| {
        let body = findings.get(&key)?.get_str("findings").ok()?;
        let findings = serde_json::from_str(body).ok()?;
        Some(NearFindings { picture, findings })
    };
    Ok(nearest.into_iter().map(|n| n.and_then(known)).collect())
}

/// What pictures look like, by the key of what was found in them.
pub(super) async fn of(
    database: &Database,
    operation: &'static str,
    keys: &[Bson],
) -> Result<BTreeMap<Digest, (Digest, Likeness)>> {
    let query = doc! {"_id": {"$in": keys.to_vec()}};
    let found = database
        .find(operation, LIKENESSES, query, FindOptions::default())
        .await?;
    let kept = found.iter().filter_map(Kept::of);
    Ok(kept
        .map(|kept| (kept.key, (kept.picture, kept.likeness)))
        .collect())
}

/// All that is kept at places at which something near may be, with those places.
async fn kept_near(
    database: &Database,
    operation: &'static str,
    likenesses: &[Likeness],
    search: &Search,
) -> Result<Vec<Kept>> {
    let asked = likenesses
        .iter()
        .flat_map(|wanted| banded(search.places(wanted)));
    let asked: BTreeSet<i64> = asked.collect();
    let asked: Vec<i64> = asked.into_iter().collect();
    let mut kept: BTreeMap<Digest, Kept> = BTreeMap::new();
    for places in asked.chunks(ASKED) {
        let query = doc! {"places": {"$in": places.to_vec()}};
        let found = database
            .find(operation, LIKENESSES, query, FindOptions::default())
            .await?;
        let found = found.iter().filter_map(Kept::of);
        kept.extend(found.map(|kept| (kept.key, kept)));
    }
    Ok(kept.into_values().collect())
}

/// Keeps what pictures look like whose findings are known.
pub(super) async fn remember(database: &Database, analysed: &[Analysed]) -> Result<()> {
    const OPERATION: &str = "mongodb.remember_near";
    let keys: Vec<Digest> = analysed.iter().map(|one| one.key).collect();
    let known = fields(database, OPERATION, &keys, "seq").await?;
    let update = |one: &Analysed| {
        let seq = integer(known.get(&one.key)?, "seq")?;
        let at = places(&one.likeness).into_iter().enumerate();
        let fields = doc! {
            "seq": seq,
            "picture": binary(&one.picture),
            "group": binary(&one.likeness.group),
            "hash": one.likeness.hash.0.cast_signed(),
            "places": banded(at).collect::<Vec<_>>(),
        };
        Some(doc! {"q": {"_id": binary(&one.key)}, "u": {"$setOnInsert": fields}, "upsert": true})
    };
    let updates: Vec<Document> = analysed.iter().filter_map(update).collect();
    database
        .put(OPERATION, LIKENESSES, &updates, Durability::Lazy)
        .await
}

/// Forgets what was found in pictures of which it is known what they look like, and that; how many findings went.
pub(super) async fn forget(database: &Database, pictures: &[Digest]) -> Result<u64> {
    const OPERATION: &str = "mongodb.forget";
    let mut gone = 0;
    for pictures in pictures.chunks(ASKED) {
        let pictures: Vec<Bson> = pictures.iter().map(binary).collect();
        let query = doc! {"picture": {"$in": pictures}};
        let found = database
            .find_newest(OPERATION, LIKENESSES, query.clone(), doc! {"_id": 1})
            .await?;
        let keys: Vec<Digest> = found.iter().filter_map(|k| digest(k, "_id")).collect();
        gone += fields(database, OPERATION, &keys, "_id").await?.len() as u64;
        let findings: Vec<Document> = keys.iter().map(|key| doc! {"_id": binary(key)}).collect();
        database
            .delete(OPERATION, FINDINGS, &findings, Durability::Full)
            .await?;
        database
            .delete(OPERATION, LIKENESSES, &[query], Durability::Full)
            .await?;
    }
    Ok(gone)
}
