//! Records: their documents, loading, storing, letting go.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use heurpipe_core::{
    Digest, Error, ErrorKind, Flat, ItemResult, Platform, PostId, Record, Result, Stored,
};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use mongodb::options::FindOptions;

use super::database::{Database, LARGEST, by_key, integer, raw, size};
use super::filter::number;
use super::graveyard::Graveyard;
use super::server::RECORDS;
use super::writer::{self, Aim, REMEMBERED, Write};
use crate::documents::phrase::spaced;
use crate::instant::nanoseconds;
use crate::{codec, task};

/// Ids that are asked for at a time.
pub(super) const ASKED: usize = 5_000;

/// The fields that a record has and what remains of it when it is let go of has not.
const LET_GO: &[&str] = &[
    "live",
    "published",
    "day",
    "collected",
    "analysis",
    "states",
    "keywords",
    "numbers",
    "words",
    "text",
    "record",
];

/// The `_id` of a post's record. As texts these stand in the order of the ids, as long as nothing in a platform's name is less than the space.
///
/// # Errors
/// `InvalidInput` for a platform whose name does not allow that.
pub(super) fn key(id: &PostId) -> Result<String> {
    let platform = id.platform.as_str();
    if platform.chars().any(|c| c <= ' ') {
        return Err(Error::new(ErrorKind::InvalidInput, "mongodb.key")
            .message("the name of a platform holds a space")
            .with("post", id));
    }
    Ok(format!("{platform} {}", id.native))
}

/// The id of the post whose record has this key.
pub(super) fn id_of(key: &str) -> PostId {
    let (platform, native) = key.split_once(' ').unwrap_or((key, ""));
    PostId::new(Platform::new(platform), native)
}

/// What filters and scans ask for, and the record itself as one text: as an object the server would keep its numbers in types of its own.
fn fields(record: &Record) -> Result<Document> {
    let flat = Flat::of(record);
    // JSON is UTF-8.
    let body = String::from_utf8_lossy(&codec::encode(record)?).into_owned();
    let words: BTreeSet<&String> = flat.terms.iter().collect();
    let keywords: Vec<Document> = flat
        .keywords
        .iter()
        .flat_map(|(field, values)| {
            values
                .iter()
                .map(move |value| doc! {"field": field, "value": value})
        })
        .collect();
    let numbers: Vec<Document> = flat
        .numbers
        .iter()
        .map(|(field, value)| doc! {"field": field, "value": number(*value)})
        .collect();
    let states: Vec<Document> = record
        .states
        .iter()
        .map(|(use_case, state)| doc! {"use_case": use_case, "state": state.name()})
        .collect();
    Ok(doc! {
        "live": true,
        "published": flat.published.map(nanoseconds),
        "day": record.post.day().map(|day| day.to_string()),
        "collected": flat.collected.map(nanoseconds),
        "analysis": record.analysis().as_str(),
        "states": states,
        "keywords": keywords,
        "numbers": numbers,
        "words": words.into_iter().cloned().collect::<Vec<_>>(),
        "text": spaced(&flat.terms),
        "record": body,
    })
}

/// A revision as it is stored. No record is written so often that it would not fit.
fn stored_number(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

/// A record made ready for storing.
///
/// # Errors
/// `InvalidInput` when it cannot be stored, `TooLarge` when no document may be as large.
fn storing(graveyard: &Graveyard, record: &Record) -> Result<Write> {
    let key = key(record.id())?;
    let aliases = record.post.aliases.iter().map(self::key);
    let aliases: Vec<String> = aliases.collect::<Result<_>>()?;
    let token = ObjectId::new();
    let replaces = stored_number(record.revision);
    let mut fields = fields(record)?;
    fields.insert("revision", replaces.saturating_add(1));
    fields.insert("aliases", aliases);
    // Only what is ours is set: a field that another program or a later version keeps in the document stays as it is.
    let update = doc! {
        "q": {"_id": &key, "revision": replaces},
        "u": {"$set": fields, "$push": {"writes": pushed(token)}},
        "upsert": record.revision == 0,
    };
    let update = raw("mongodb.commit", &update)?;
    check_size(record, size(&update))?;
    let names = std::iter::once(record.id()).chain(&record.post.aliases);
    Ok(Write {
        id: record.id().clone(),
        key,
        aim: Aim::Store,
        replaces: record.revision,
        token,
        update,
        graves: graveyard.of_all(names, &record.post.author_names()),
    })
}

/// The update that stores a record with a revision that another store has given it, where there is none; with where its post would lie if it had been
/// erased.
///
/// # Errors
/// Those of [`storing`].
pub(super) fn taking_in(graveyard: &Graveyard, record: &Record) -> Result<(Document, Vec<Digest>)> {
    let key = key(record.id())?;
    let aliases = record.post.aliases.iter().map(self::key);
    let aliases: Vec<String> = aliases.collect::<Result<_>>()?;
    let mut fields = fields(record)?;
    fields.insert("revision", stored_number(record.revision));
    fields.insert("aliases", aliases);
    let update = doc! {"q": {"_id": key}, "u": {"$setOnInsert": fields}, "upsert": true};
    check_size(record, size(&raw("mongodb.import", &update)?))?;
    let names = std::iter::once(record.id()).chain(&record.post.aliases);
    let graves = graveyard.of_all(names, &record.post.author_names());
    Ok((update, graves))
}

/// The update that remembers a post that something else keeps, where nothing is known of it; with where it would lie if it had been erased.
///
/// # Errors
/// `InvalidInput` for a platform whose name no key can hold.
pub(super) fn remembering(
    graveyard: &Graveyard,
    post: &PostId,
    aliases: &[PostId],
    revision: u64,
) -> Result<(Document, Vec<Digest>)> {
    let names = std::iter::once(post).chain(aliases);
    let graves = graveyard.of_all(names, &[]);
    let aliases: Vec<String> = aliases.iter().map(key).collect::<Result<_>>()?;
    let fields = doc! {"revision": stored_number(revision), "aliases": aliases};
    let update = doc! {"q": {"_id": key(post)?}, "u": {"$setOnInsert": fields}, "upsert": true};
    Ok((update, graves))
}

fn check_size(record: &Record, bytes: usize) -> Result<()> {
    if bytes <= LARGEST {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TooLarge, "mongodb.commit")
        .message("the record is larger than a document on the server may be")
        .with("post", record.id())
        .with("bytes", bytes)
        .with("most", LARGEST))
}

/// What lets go of a record: its document keeps the revision and the ids, in one write with the end of all else.
fn removing(id: &PostId, revision: u64) -> Result<Write> {
    let key = key(id)?;
    let token = ObjectId::new();
    let let_go: Document = LET_GO
        .iter()
        .map(|field| ((*field).to_owned(), Bson::from("")))
        .collect();
    let update = doc! {
        "q": {"_id": &key, "revision": stored_number(revision), "live": true},
        "u": {"$unset": let_go, "$push": {"writes": pushed(token)}},
    };
    Ok(Write {
        id: id.clone(),
        key,
        aim: Aim::Remove,
        replaces: revision,
        token,
        update: raw("mongodb.remove", &update)?,
        // To remove what was erased is fine.
        graves: Vec::new(),
    })
}

fn pushed(token: ObjectId) -> Document {
    doc! {"$each": [token], "$slice": -REMEMBERED}
}

/// Stores what replaces the stored revision; one outcome each.
pub(super) async fn commit(
    database: &Database,
    graveyard: &Arc<Graveyard>,
    records: Vec<Record>,
) -> Result<Vec<ItemResult<u64>>> {
    const OPERATION: &str = "mongodb.commit";
    let yard = Arc::clone(graveyard);
    let prepare = move || Ok(records.iter().map(|r| storing(&yard, r)).collect());
    let writes = task::blocking(OPERATION, prepare).await?;
    writer::write(database, graveyard, OPERATION, writes).await
}

/// Lets go of records, if they have the given revisions; one outcome each.
pub(super) async fn remove(
    database: &Database,
    graveyard: &Graveyard,
    records: &[(PostId, u64)],
) -> Result<Vec<ItemResult<()>>> {
    let writes = records.iter().map(|(id, revision)| removing(id, *revision));
    let writes = writes.collect();
    let outcomes = writer::write(database, graveyard, "mongodb.remove", writes).await?;
    Ok(outcomes.into_iter().map(|o| o.map(drop)).collect())
}

/// The record in a document. The revision is the document's: the text is written before it is known whether it will be.
pub(super) fn revive(document: &Document) -> Result<Record> {
    let damaged = || {
        Error::new(ErrorKind::Corrupt, "mongodb.read")
            .message("a stored document is no record")
            .with("document", document.get("_id").unwrap_or(&Bson::Null))
    };
    let body = document.get_str("record").map_err(|_| damaged())?;
    let mut record = codec::decode(body.as_bytes())?;
    record.revision = integer(document, "revision")
        .ok_or_else(damaged)?
        .unsigned_abs();
    Ok(record)
}

/// The fields of a document that make a record.
pub(super) fn body() -> Document {
    doc! {"record": 1, "revision": 1}
}

/// What is known of each post.
pub(super) async fn load(
    database: &Database,
    graveyard: &Graveyard,
    ids: &[PostId],
) -> Result<Vec<Stored>> {
    const OPERATION: &str = "mongodb.load";
    let mut known = Vec::with_capacity(ids.len());
    for ids in ids.chunks(ASKED) {
        let graves: Vec<Digest> = ids.iter().map(|id| graveyard.of_post(id)).collect();
        let mut wanted = body();
        wanted.extend(doc! {"aliases": 1, "live": 1});
        let options = FindOptions::builder().projection(wanted).build();
        let (buried, found) = tokio::try_join!(
            graveyard.buried(database, OPERATION, graves.iter().copied().collect()),
            database.find(OPERATION, RECORDS, by_names(ids), options),
        )?;
        let ids = ids.to_vec();
        let some = task::blocking(OPERATION, move || {
            let known = Known::of(found);
            let posts = ids.iter().zip(graves);
            posts
                .map(|(id, grave)| match buried.holds_one_of(&[grave]) {
                    true => Ok(Stored::Tombstoned),
                    false => known.stored(id),
                })
                .collect::<Result<Vec<_>>>()
        })
        .await?;
        known.extend(some);
    }
    Ok(known)
}

/// The query for all documents that have one of these ids, of their own or as an alias.
pub(super) fn by_names(ids: &[PostId]) -> Document {
    let keys: Vec<String> = ids.iter().filter_map(|id| key(id).ok()).collect();
    doc! {"$or": [{"_id": {"$in": &keys}}, {"aliases": {"$in": &keys}}]}
}

/// Documents, and which of them an id means.
pub(super) struct Known {
    by_key: BTreeMap<String, Document>,
    /// The keys of those that have an id as an alias, in order.
    by_alias: HashMap<String, Vec<String>>,
}

impl Known {
    pub(super) fn of(found: Vec<Document>) -> Self {
        let by_key = by_key(found);
        let mut by_alias: HashMap<String, Vec<String>> = HashMap::new();
        for (key, document) in &by_key {
            for alias in aliases(document) {
                let keys = by_alias.entry(alias.to_owned()).or_default();
                keys.push(key.clone());
            }
        }
        Self { by_key, by_alias }
    }

    /// The record of an id, else the first that has it as an alias, else what remains of one that was let go of.
    pub(super) fn document(&self, id: &PostId) -> Option<&Document> {
        let key = key(id).ok()?;
        let others = self.by_alias.get(&key).into_iter().flatten();
        let keys = || std::iter::once(&key).chain(others.clone());
        let mut live = keys()
            .filter_map(|key| self.by_key.get(key))
            .filter(|d| is_live(d));
        let found = live.next();
        found.or_else(|| keys().find_map(|key| self.by_key.get(key)))
    }

    fn stored(&self, id: &PostId) -> Result<Stored> {
        let Some(document) = self.document(id) else {
            return Ok(Stored::Unknown);
        };
        if is_live(document) {
            return Ok(Stored::Known(Box::new(revive(document)?)));
        }
        let revision = integer(document, "revision").unwrap_or(0);
        Ok(Stored::Archived {
            post: own_id(document),
            revision: revision.unsigned_abs(),
        })
    }
}

/// Whether a document is a record, and not what remains of one.
pub(super) fn is_live(document: &Document) -> bool {
    document.get_bool("live").unwrap_or(false)
}

/// The id of the post of a document.
pub(super) fn own_id(document: &Document) -> PostId {
    id_of(document.get_str("_id").unwrap_or_default())
}

/// The keys of the other ids of a document's post.
pub(super) fn aliases(document: &Document) -> impl Iterator<Item = &str> {
    let aliases = document.get_array("aliases").map_or(&[][..], Vec::as_slice);
    aliases.iter().filter_map(Bson::as_str)
}

/// A digest as it is stored.
pub(super) fn binary(digest: &Digest) -> Bson {
    Bson::Binary(Binary {
        subtype: BinarySubtype::Generic,
        bytes: digest.as_bytes().to_vec(),
    })
}

/// A digest that is stored in a field.
pub(super) fn digest(document: &Document, field: &str) -> Option<Digest> {
    let bytes = document.get_binary_generic(field).ok()?;
    Some(Digest::from_bytes(bytes.as_slice().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn keys_stand_in_the_order_of_ids() {
        let mut ids: Vec<PostId> = [
            "we-ibo:2",
            "weibo:10",
            "we:3",
            "we:30",
            "weibo:9",
            "a.b:1",
            "we_ibo:é 1",
        ]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
        ids.sort();
        let keys: Vec<String> = ids.iter().map(|id| key(id).unwrap()).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        let back: Vec<PostId> = keys.iter().map(|key| id_of(key)).collect();
        assert_eq!(back, ids);
        let spaced = PostId::new(Platform::new("a b"), "1");
        assert_eq!(key(&spaced).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn an_id_means_its_own_record_first_and_what_remains_of_one_last() {
        let document = |native: &str, live: bool, aliases: &[&str]| {
            let aliases: Vec<String> = aliases.iter().map(|a| format!("instagram {a}")).collect();
            doc! {"_id": format!("instagram {native}"), "live": live, "aliases": aliases}
        };
        let known = Known::of(vec![
            document("1", false, &["a"]),
            document("2", true, &["a", "1"]),
            document("3", true, &["a", "4"]),
            document("4", true, &[]),
            document("5", false, &["6"]),
        ]);
        let means = |native: &str| {
            let id = PostId::new(Platform::instagram(), native);
            known.document(&id).map(|d| own_id(d).native.to_string())
        };
        assert_eq!(
            means("a").as_deref(),
            Some("2"),
            "the first that is a record"
        );
        assert_eq!(
            means("1").as_deref(),
            Some("2"),
            "a record before what remains"
        );
        assert_eq!(means("4").as_deref(), Some("4"), "its own record first");
        assert_eq!(means("6").as_deref(), Some("5"));
        assert_eq!(means("7"), None);
    }
}
